package wire

import (
	"strconv"
	"strings"
	"time"

	"parley/internal/chat"
)

// SSE encodes events as server-sent events (HTML standard §9.2). Each event of
// the log has an id, which browsers send back as Last-Event-ID when they resume.
type SSE struct{ Epoch string }

// Formatted implements room.Encoder.
func (SSE) Formatted() bool { return true }

// Append appends e's lines.
func (s SSE) Append(dst []byte, e chat.Event) []byte {
	if e.Seq > 0 {
		dst = AppendSSEID(dst, s.Epoch, e.Seq, e.At)
	}
	dst = append(dst, "event: "...)
	dst = append(dst, e.Kind...)
	dst = append(dst, "\ndata: "...)
	dst = AppendEvent(dst, e)
	return append(dst, "\n\n"...)
}

// AppendSSEID appends the line that names a place in a room's log: the epoch,
// the event's seq, and when it was stored. All three are compared when a client
// resumes there. The blank line after it is the caller's; without anything else
// before that, the client keeps the id and sees no event.
func AppendSSEID(dst []byte, epoch string, seq chat.Seq, at time.Time) []byte {
	dst = append(dst, "id: "...)
	dst = append(dst, epoch...)
	dst = append(dst, ':')
	dst = appendSeq(dst, seq)
	if !at.IsZero() {
		dst = append(dst, ':')
		dst = AppendTimestamp(dst, at)
	}
	return append(dst, '\n')
}

// ParseSSEID reads what AppendStreamID wrote, without "id: ", or less of it:
// EPOCH:SEQ, as older servers wrote it, or a plain SEQ.
func ParseSSEID(id string) (epoch string, seq chat.Seq, at time.Time, err error) {
	number := id
	if before, rest, ok := strings.Cut(id, ":"); ok {
		epoch = before
		var stamp string
		number, stamp, _ = strings.Cut(rest, ":")
		if at, err = ParseTime(stamp); err != nil {
			return "", 0, time.Time{}, err
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return "", 0, time.Time{}, &chat.Error{Code: chat.BadRequest, Message: "“after” is the number of an event."}
	}
	return epoch, chat.Seq(n), at, nil
}

// ParseTime reads an `at` that a client sends back; "" is the zero time. The error
// is an *chat.Error with code BadRequest.
func ParseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, &chat.Error{Code: chat.BadRequest, Message: "“at” is the time of the event “after”, as the server has told it."}
	}
	return t, nil
}

// AppendSSEBehind appends the server-sent event of a reader that cannot be given
// what it asked for: events go on after seq, which was stored at a time.
func AppendSSEBehind(dst []byte, room chat.RoomName, epoch string, seq chat.Seq, at time.Time, reset bool) []byte {
	dst = AppendSSEID(dst, epoch, seq, at)
	dst = append(dst, "event: behind\ndata: {\"op\":\"behind\""...)
	dst = appendPosition(dst, room, &seq, epoch, at, reset)
	return append(dst, "}\n\n"...)
}

// AppendSSEEnded appends the server-sent event that is the last one of a stream whose
// session has been ended.
func AppendSSEEnded(dst []byte, err *chat.Error) []byte {
	dst = appendString(append(dst, "event: ended\ndata: {\"op\":\"ended\",\"code\":"...), string(err.Code))
	dst = appendString(append(dst, `,"message":`...), err.Message)
	return append(dst, "}\n\n"...)
}

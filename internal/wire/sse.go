package wire

import (
	"strconv"
	"strings"
	"time"

	"parley/internal/chat"
)

// SSE encodes events as server-sent events (HTML standard §9.2). Each event of the
// log has an id, which browsers send as Last-Event-ID when they reconnect.
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

// AppendSSEID appends an id line, which is a position in a room's log: the epoch,
// the event's seq, and when it was stored. All three are compared when a client
// resumes there. If the caller appends only a blank line after it, the client
// stores the id and sees no event.
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

// ParseSSEID parses an id of AppendSSEID, without "id: ". It also accepts the
// shorter forms EPOCH:SEQ and SEQ, which clients may write by hand. The error is a
// *chat.Error with code BadRequest.
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
		err := &chat.Error{Code: chat.BadRequest, Message: "“after” is the number of an event."}
		return "", 0, time.Time{}, err
	}
	return epoch, chat.Seq(n), at, nil
}

// ParseTime parses the time of an event that a client sends back; "" is the zero
// time. The error is a *chat.Error with code BadRequest.
func ParseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, &chat.Error{
			Code: chat.BadRequest, Message: "“at” is the time of the event “after”, as the server has told it.",
		}
	}
	return t, nil
}

// AppendSSEBehind appends the event that tells a client that the events after its
// position cannot be delivered. Those after seq, which was stored at at, follow.
func AppendSSEBehind(dst []byte, room chat.RoomName, epoch string, seq chat.Seq, at time.Time, reset bool) []byte {
	dst = AppendSSEID(dst, epoch, seq, at)
	dst = append(dst, "event: behind\ndata: {\"op\":\"behind\""...)
	dst = appendPosition(dst, room, &seq, epoch, at, reset)
	return append(dst, "}\n\n"...)
}

// AppendSSEEnded appends the last event of a client whose session was ended.
func AppendSSEEnded(dst []byte, err *chat.Error) []byte {
	dst = appendString(append(dst, "event: ended\ndata: {\"op\":\"ended\",\"code\":"...), string(err.Code))
	dst = appendString(append(dst, `,"message":`...), err.Message)
	return append(dst, "}\n\n"...)
}

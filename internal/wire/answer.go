package wire

import (
	"strconv"
	"time"

	"parley/internal/chat"
)

// An Answer is the answer to a command that was not refused: "ok" or, for a join,
// "behind". Fields that are zero are left out.
type Answer struct {
	ID      int64
	Behind  bool
	Reset   bool // with Behind: the client's events of the room are from another log
	Person  *chat.Person
	Session string
	Epoch   string
	Build   string // the build of the page that this server serves
	Limits  *Limits
	Room    chat.RoomName
	Seq     *chat.Seq
	At      time.Time // of the event Seq; zero: left out
	Count   *int
	Here    []chat.Person    // nil: left out
	Entry   *chat.ListEntry  // only its read mark and counts are written
	Rooms   []chat.ListEntry // nil: left out
}

// Limits are the limits that a client is told of after hello.
type Limits struct {
	MessageLength int // characters; 0: no limit
	FrameSize     int // bytes; 0: no limit
	Rooms         int // per connection; 0: no limit
}

// AppendFrame appends the answer's frame.
func (a *Answer) AppendFrame(dst []byte) []byte {
	start := len(dst)
	return sealText(a.append(openText(dst)), start)
}

func (a *Answer) append(dst []byte) []byte {
	if a.Behind {
		dst = append(dst, `{"op":"behind","id":`...)
	} else {
		dst = append(dst, `{"op":"ok","id":`...)
	}
	dst = strconv.AppendInt(dst, a.ID, 10)
	if a.Person != nil {
		dst = appendPerson(append(dst, `,"person":`...), *a.Person)
	}
	if a.Session != "" {
		dst = appendString(append(dst, `,"session":`...), a.Session)
	}
	dst = appendPosition(dst, a.Room, a.Seq, a.Epoch, a.At, a.Reset)
	if a.Build != "" {
		dst = appendString(append(dst, `,"build":`...), a.Build)
	}
	if a.Count != nil {
		dst = strconv.AppendInt(append(dst, `,"count":`...), int64(*a.Count), 10)
	}
	if a.Here != nil {
		dst = appendPeople(append(dst, `,"here":`...), a.Here)
	}
	if e := a.Entry; e != nil {
		dst = appendRead(dst, e)
	}
	if a.Rooms != nil {
		dst = append(dst, `,"rooms":[`...)
		for i := range a.Rooms {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendListEntryJSON(dst, &a.Rooms[i])
		}
		dst = append(dst, ']')
	}
	if l := a.Limits; l != nil {
		dst = strconv.AppendInt(append(dst, `,"limits":{"message_length":`...), int64(l.MessageLength), 10)
		dst = strconv.AppendInt(append(dst, `,"frame_size":`...), int64(l.FrameSize), 10)
		dst = strconv.AppendInt(append(dst, `,"rooms":`...), int64(l.Rooms), 10)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendPosition appends the position from which a room's events follow. Fields
// that are zero are left out.
func appendPosition(
	dst []byte, room chat.RoomName, seq *chat.Seq, epoch string, at time.Time, reset bool,
) []byte {
	if room != "" {
		dst = appendString(append(dst, `,"room":`...), string(room))
	}
	if seq != nil {
		dst = appendSeq(append(dst, `,"seq":`...), *seq)
	}
	if epoch != "" {
		dst = appendString(append(dst, `,"epoch":`...), epoch)
	}
	if !at.IsZero() {
		dst = appendTime(append(dst, `,"at":`...), at)
	}
	if reset {
		dst = append(dst, `,"reset":true`...)
	}
	return dst
}

// AppendStored appends the frame that answers a command whose event is stored. It
// takes no Answer, as it is the most frequent one. The kind is left out for a
// message.
func AppendStored(dst []byte, id int64, e chat.Event) []byte {
	start := len(dst)
	dst = append(openText(dst), `{"op":"ok","id":`...)
	dst = strconv.AppendInt(dst, id, 10)
	dst = appendString(append(dst, `,"room":`...), string(e.Room))
	dst = appendSeq(append(dst, `,"seq":`...), e.Seq)
	dst = appendTime(append(dst, `,"at":`...), e.At)
	if e.Kind != chat.Message {
		dst = appendString(append(dst, `,"kind":`...), string(e.Kind))
	}
	return sealText(append(dst, '}'), start)
}

// AppendError appends the frame that refuses a command.
func AppendError(dst []byte, id int64, err *chat.Error) []byte {
	start := len(dst)
	dst = append(openText(dst), `{"op":"error","id":`...)
	dst = strconv.AppendInt(dst, id, 10)
	dst = appendString(append(dst, `,"code":`...), string(err.Code))
	dst = appendString(append(dst, `,"message":`...), err.Message)
	dst = appendRetry(dst, err)
	return sealText(append(dst, '}'), start)
}

// AppendChatroomError appends an error as a frame of the five-line protocol. It is
// a message from "Parley", so that the simplest page shows it.
func AppendChatroomError(dst []byte, err *chat.Error) []byte {
	start := len(dst)
	dst = append(openText(dst), `{"from":"Parley","message":`...)
	dst = appendString(dst, err.Message)
	dst = appendString(append(dst, `,"error":`...), string(err.Code))
	dst = appendRetry(dst, err)
	return sealText(append(dst, '}'), start)
}

// appendRetry appends how long to wait before a retry, rounded up to milliseconds.
func appendRetry(dst []byte, err *chat.Error) []byte {
	if err.RetryAfter <= 0 {
		return dst
	}
	dst = append(dst, `,"retry_after_ms":`...)
	return strconv.AppendInt(dst, (err.RetryAfter.Microseconds()+999)/1000, 10)
}

package wire

import (
	"strconv"

	"parley/internal/chat"
	"parley/internal/format"
)

// EventFrames encodes events as text frames of parley.v1, for the members of a room
// on /ws.
type EventFrames struct{}

// Formatted implements room.Encoder.
func (EventFrames) Formatted() bool { return true }

// Append appends e's frame.
func (EventFrames) Append(dst []byte, e chat.Event) []byte {
	start := len(dst)
	return sealText(AppendEvent(openText(dst), e), start)
}

// ChatroomFrames encodes messages as text frames of the five-line protocol of
// /chatroom. That protocol has nothing else.
type ChatroomFrames struct{}

// Formatted implements room.Encoder.
func (ChatroomFrames) Formatted() bool { return false }

// Append appends e's frame if e is a message that is not deleted.
func (ChatroomFrames) Append(dst []byte, e chat.Event) []byte {
	if e.Kind != chat.Message || e.IsDeleted() {
		return dst
	}
	start := len(dst)
	dst = append(openText(dst), `{"from":`...)
	dst = appendString(dst, e.From.Name)
	dst = append(dst, `,"message":`...)
	text := e.Text
	if e.Attrs != nil && e.Attrs.Action {
		text = "/me " + text // as a client of this protocol would send it
	}
	dst = appendString(dst, text)
	return sealText(append(dst, '}'), start)
}

// ListUpdates encodes list updates: short frames about events, for people who have
// the room in their list.
type ListUpdates struct{}

// Formatted implements room.Encoder.
func (ListUpdates) Formatted() bool { return false }

// Append appends e's frame if e is a message, an edit, a deletion or a topic. What has been deleted since, has none.
func (ListUpdates) Append(dst []byte, e chat.Event) []byte {
	isChange := e.Kind == chat.Edit || e.Kind == chat.Delete
	if !e.Kind.IsSaid() && !isChange && e.Kind != chat.Topic || e.IsDeleted() {
		return dst
	}
	start := len(dst)
	dst = append(openText(dst), `{"op":"news","room":`...)
	dst = appendString(dst, string(e.Room))
	dst = appendSeq(append(dst, `,"seq":`...), e.Seq)
	dst = appendTime(append(dst, `,"at":`...), e.At)
	dst = appendString(append(dst, `,"kind":`...), string(e.Kind))
	dst = appendPerson(append(dst, `,"from":`...), e.From)
	if isChange {
		dst = appendSeq(append(dst, `,"target":`...), e.Target)
	} else if e.Target != 0 {
		dst = appendSeq(append(dst, `,"thread":`...), e.Target)
	}
	switch e.Kind {
	case chat.Delete:
	case chat.Topic: // as it is, because it can be changed
		dst = appendString(append(dst, `,"text":`...), e.Text)
	default:
		dst = appendString(append(dst, `,"text":`...), format.Preview(e.Text, chat.MaxPreview))
	}
	if x := e.Attrs; x != nil {
		if len(x.Mentions) > 0 {
			dst = append(dst, `,"mentions":[`...)
			for i, p := range x.Mentions {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = appendString(dst, string(p.ID))
			}
			dst = append(dst, ']')
		}
		if x.Here {
			dst = append(dst, `,"at_here":true`...)
		}
	}
	return sealText(append(dst, '}'), start)
}

// AppendEvent appends e's JSON object.
func AppendEvent(dst []byte, e chat.Event) []byte {
	if e.Kind == chat.Presence {
		return appendPresence(dst, e)
	}
	op := "event"
	if e.Kind == chat.Typing {
		op = "typing"
	}
	dst = append(dst, `{"op":"`...)
	dst = append(dst, op...)
	dst = append(dst, `","room":`...)
	dst = appendString(dst, string(e.Room))
	if e.Seq > 0 {
		dst = append(dst, `,"seq":`...)
		dst = appendSeq(dst, e.Seq)
		dst = append(dst, `,"at":`...)
		dst = appendTime(dst, e.At)
		dst = append(dst, `,"kind":"`...)
		dst = append(dst, e.Kind...)
		dst = append(dst, '"')
	}
	dst = append(dst, `,"from":`...)
	dst = appendPerson(dst, e.From)
	if e.Kind != chat.Typing {
		dst = appendContent(dst, &e)
	}
	return append(dst, '}')
}

func appendPresence(dst []byte, e chat.Event) []byte {
	c := e.Change
	dst = append(dst, `{"op":"presence","room":`...)
	dst = appendString(dst, string(e.Room))
	dst = append(dst, `,"count":`...)
	dst = strconv.AppendInt(dst, int64(c.Count), 10)
	if c.Joined != nil {
		dst = appendPerson(append(dst, `,"joined":`...), *c.Joined)
	}
	if c.Left != nil {
		dst = appendPerson(append(dst, `,"left":`...), *c.Left)
	}
	if c.Here != nil {
		dst = appendPeople(append(dst, `,"here":`...), c.Here)
	}
	return append(dst, '}')
}

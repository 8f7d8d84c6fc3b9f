package wire

import (
	"strconv"

	"parley/internal/chat"
)

// Frames encodes events as text frames of parley.v1: what members of a room
// get on /ws.
type Frames struct{}

// Append appends e's frame.
func (Frames) Append(dst []byte, e chat.Event) []byte {
	start := len(dst)
	return sealText(AppendEvent(openText(dst), e), start)
}

// Lines encodes messages as text frames of the five-line protocol of
// /chatroom. Nothing else exists there.
type Lines struct{}

// Append appends e's frame, if it is a message.
func (Lines) Append(dst []byte, e chat.Event) []byte {
	if e.Kind != chat.Message {
		return dst
	}
	start := len(dst)
	dst = append(openText(dst), `{"from":`...)
	dst = appendString(dst, e.From.Name)
	dst = append(dst, `,"message":`...)
	dst = appendString(dst, e.Text)
	return sealText(append(dst, '}'), start)
}

// Stream encodes events as server-sent events (HTML standard §9.2). The epoch
// is part of the id, so that a restored back-up is noticed by a client that
// resumes.
type Stream struct{ Epoch string }

// Append appends e's lines.
func (s Stream) Append(dst []byte, e chat.Event) []byte {
	if e.Seq > 0 {
		dst = append(dst, "id: "...)
		dst = append(dst, s.Epoch...)
		dst = append(dst, ':')
		dst = appendSeq(dst, e.Seq)
		dst = append(dst, '\n')
	}
	dst = append(dst, "event: "...)
	dst = append(dst, e.Kind...)
	dst = append(dst, "\ndata: "...)
	dst = AppendEvent(dst, e)
	return append(dst, "\n\n"...)
}

// AppendEvent appends the JSON object that tells a client of e.
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
		dst = AppendTime(dst, e.At)
		dst = append(dst, `,"kind":"`...)
		dst = append(dst, e.Kind...)
		dst = append(dst, '"')
	}
	dst = append(dst, `,"from":`...)
	dst = appendPerson(dst, e.From)
	if e.Kind == chat.Message {
		dst = append(dst, `,"text":`...)
		dst = appendString(dst, e.Text)
		if e.HTML != "" {
			dst = append(dst, `,"html":`...)
			dst = appendString(dst, e.HTML)
		}
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

package wire

import (
	"strconv"

	"parley/internal/chat"
)

// AppendMessage appends the JSON object of a message with its edits, reactions,
// replies and pin applied. All REST answers that show messages contain it. The
// fields that events have too are written by appendContent.
func AppendMessage(dst []byte, m *chat.MessageState) []byte {
	dst = appendSeq(append(dst, `{"seq":`...), m.Seq)
	dst = appendTime(append(dst, `,"at":`...), m.At)
	dst = append(dst, `,"kind":"`...)
	dst = append(dst, m.Kind...)
	dst = appendPerson(append(dst, `","from":`...), m.From)
	if m.IsDeleted() {
		dst = append(dst, `,"text":""`...) // unlike an event, a message always has this field
	}
	dst = appendContent(dst, &m.Event)
	if m.Edited != 0 {
		dst = appendSeq(append(dst, `,"edited":{"seq":`...), m.Edited)
		dst = appendTime(append(dst, `,"at":`...), m.EditedAt)
		dst = append(dst, '}')
	}
	if len(m.Reactions) > 0 {
		dst = appendReactions(append(dst, `,"reactions":`...), m.Reactions)
	}
	if r := m.Replies; r != nil {
		dst = strconv.AppendInt(append(dst, `,"replies":{"count":`...), int64(r.Count), 10)
		dst = appendSeq(append(dst, `,"seq":`...), r.Last)
		dst = appendTime(append(dst, `,"at":`...), r.At)
		dst = appendPerson(append(dst, `,"from":`...), r.From)
		dst = append(dst, '}')
	}
	if m.Pinned {
		dst = append(dst, `,"pinned":true`...)
	}
	return append(dst, '}')
}

func appendReactions(dst []byte, reactions []chat.Reaction) []byte {
	dst = append(dst, '[')
	for i, r := range reactions {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"emoji":`...), r.Emoji)
		dst = strconv.AppendInt(append(dst, `,"count":`...), int64(len(r.People)), 10)
		dst = appendPeople(append(dst, `,"people":`...), r.People)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendContent appends the fields that depend on an event's kind, each with a
// comma before it.
func appendContent(dst []byte, e *chat.Event) []byte {
	if e.Target != 0 {
		if e.Kind.IsSaid() {
			dst = append(dst, `,"thread":`...)
		} else {
			dst = append(dst, `,"target":`...)
		}
		dst = appendSeq(dst, e.Target)
	}
	switch {
	case e.Kind == chat.React || e.Kind == chat.Unreact:
		dst = appendString(append(dst, `,"emoji":`...), e.Text)
	case e.IsDeleted():
		dst = append(dst, `,"gone":true`...)
	case e.Kind.IsSaid() || e.Kind == chat.Edit || e.Kind == chat.Topic:
		dst = appendString(append(dst, `,"text":`...), e.Text)
	}
	if e.HTML != "" {
		dst = appendString(append(dst, `,"html":`...), e.HTML)
	}
	if e.Attrs != nil {
		dst = appendAttrs(dst, e.Attrs)
	}
	return dst
}

func appendAttrs(dst []byte, a *chat.Attrs) []byte {
	if a.ReplyTo != 0 {
		dst = appendSeq(append(dst, `,"reply_to":`...), a.ReplyTo)
	}
	if q := a.Quote; q != nil {
		dst = appendPerson(append(dst, `,"quote":{"from":`...), q.From)
		dst = appendString(append(dst, `,"text":`...), q.Text)
		dst = append(dst, '}')
	}
	if a.Action {
		dst = append(dst, `,"action":true`...)
	}
	if f := a.Forward; f != nil {
		dst = appendPerson(append(dst, `,"forward":{"from":`...), f.From)
		dst = appendTime(append(dst, `,"at":`...), f.At)
		dst = append(dst, '}')
	}
	if len(a.Mentions) > 0 {
		dst = appendPeople(append(dst, `,"mentions":`...), a.Mentions)
	}
	if a.Here {
		dst = append(dst, `,"at_here":true`...)
	}
	return dst
}

package wire

import (
	"strconv"

	"parley/internal/chat"
)

// AppendListEntry appends the frame that sends a changed list entry to the person's
// other connections.
func AppendListEntry(dst []byte, e *chat.ListEntry) []byte {
	start := len(dst)
	dst = appendListEntry(append(openText(dst), `{"op":"entry",`...), e)
	return sealText(append(dst, '}'), start)
}

// AppendRead appends the frame that sends them a changed read mark.
func AppendRead(dst []byte, e *chat.ListEntry) []byte {
	start := len(dst)
	dst = appendString(append(openText(dst), `{"op":"read","room":`...), string(e.Room))
	dst = appendSeq(append(dst, `,"seq":`...), e.Read)
	dst = appendCounts(dst, e)
	return sealText(append(dst, '}'), start)
}

// AppendListRemoval appends the frame that tells them that a room was removed from
// the list.
func AppendListRemoval(dst []byte, room chat.RoomName) []byte {
	start := len(dst)
	dst = appendString(append(openText(dst), `{"op":"entry","room":`...), string(room))
	return sealText(append(dst, `,"listed":false}`...), start)
}

func appendRead(dst []byte, e *chat.ListEntry) []byte {
	return appendCounts(appendSeq(append(dst, `,"read":`...), e.Read), e)
}

func appendCounts(dst []byte, e *chat.ListEntry) []byte {
	dst = strconv.AppendInt(append(dst, `,"unread":`...), int64(e.Unread), 10)
	return strconv.AppendInt(append(dst, `,"mentions":`...), int64(e.Mentions), 10)
}

// AppendListEntryJSON appends the JSON object of e.
func AppendListEntryJSON(dst []byte, e *chat.ListEntry) []byte {
	return append(appendListEntry(append(dst, '{'), e), '}')
}

// appendListEntry appends the fields of e, without braces.
func appendListEntry(dst []byte, e *chat.ListEntry) []byte {
	dst = appendString(append(dst, `"room":`...), string(e.Room))
	dst = appendString(append(dst, `,"topic":`...), e.Topic)
	dst = appendSeq(append(dst, `,"seq":`...), e.Head)
	if !e.At.IsZero() {
		dst = appendTime(append(dst, `,"at":`...), e.At)
	}
	if q := e.Last; q != nil {
		dst = appendPerson(append(dst, `,"last":{"from":`...), q.From)
		dst = appendString(append(dst, `,"text":`...), q.Text)
		dst = append(dst, '}')
	}
	dst = appendRead(dst, e)
	dst = appendString(append(dst, `,"notify":`...), string(e.Notify))
	dst = strconv.AppendBool(append(dst, `,"muted":`...), e.Muted)
	return strconv.AppendBool(append(dst, `,"favourite":`...), e.Favourite)
}

package cluster

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"parley/internal/chat"
	"parley/internal/room"
)

// How nodes write events and members to each other. Numbers are varints, and texts have their length before them.

// The first byte of a message about a room's events. A node that does not know it reads the events from the store.
const (
	noEvents      = 0
	eventsVersion = 1
)

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func appendPerson(b []byte, p chat.Person) []byte {
	return appendText(appendText(b, string(p.ID)), p.Name)
}

func readPerson(f *fields) chat.Person {
	return chat.Person{ID: chat.PersonID(f.text()), Name: f.text()}
}

// appendEvent appends an event to a message with events of its room; an empty one begins with it.
func appendEvent(b []byte, e *chat.Event) []byte {
	if len(b) == 0 {
		b = append(b, eventsVersion)
	}
	b = binary.AppendUvarint(b, uint64(e.Seq))
	b = binary.AppendUvarint(b, uint64(e.At.UnixMilli()))
	b = appendText(b, string(e.Kind))
	b = appendPerson(b, e.From)
	b = appendText(b, e.Text)
	b = appendText(b, e.HTML)
	b = binary.AppendUvarint(b, uint64(e.Target))
	var attrs []byte
	if e.Attrs != nil {
		attrs, _ = json.Marshal(e.Attrs) // a struct of texts and numbers: no error is possible
	}
	return appendText(b, string(attrs))
}

// decodeEvents returns the events of a room that a message holds; false if it is not such a message.
func decodeEvents(name chat.RoomName, payload []byte) (events []chat.Event, ok bool) {
	if len(payload) == 0 || payload[0] != eventsVersion {
		return nil, false
	}
	f := &fields{rest: payload[1:]}
	for len(f.rest) > 0 {
		e := chat.Event{Room: name, Seq: chat.Seq(f.uint())}
		e.At = time.UnixMilli(int64(f.uint())).UTC()
		e.Kind = chat.Kind(f.text())
		e.From = readPerson(f)
		e.Text, e.HTML = f.text(), f.text()
		e.Target = chat.Seq(f.uint())
		if attrs := f.text(); attrs != "" {
			e.Attrs = new(chat.Attrs)
			if json.Unmarshal([]byte(attrs), e.Attrs) != nil {
				return nil, false
			}
		}
		if f.bad || e.Seq < 1 {
			return nil, false
		}
		events = append(events, e)
	}
	return events, true
}

func appendStored(b []byte, name chat.RoomName, s storedEvents) []byte {
	b = appendText(b, string(name))
	b = binary.AppendUvarint(b, uint64(s.head))
	b = binary.AppendUvarint(b, uint64(s.since.UnixMilli()))
	deletes := uint64(0)
	if s.deletes {
		deletes = 1
	}
	return binary.AppendUvarint(b, deletes)
}

// appendMembers appends how many members there are, and how many of them are listed, with their names.
func appendMembers(b []byte, m room.Members) []byte {
	b = binary.AppendUvarint(b, m.Version)
	b = binary.AppendUvarint(b, uint64(m.Count))
	b = binary.AppendUvarint(b, uint64(len(m.People)))
	for _, p := range m.People {
		b = appendPerson(b, p)
	}
	return b
}

func readMembers(f *fields) room.Members {
	m := room.Members{Version: f.uint(), Count: int(f.uint())}
	for n := f.uint(); n > 0 && !f.bad; n-- {
		m.People = append(m.People, readPerson(f))
	}
	return m
}

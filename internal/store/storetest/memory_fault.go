package storetest

import (
	"slices"

	"parley/internal/chat"
)

// With these, tests of other packages bring a Memory into states that its rules and its
// clock do not allow.

// Put adds an event that was stored at e.At, and returns its seq. It asks no rules, but a
// deleted message stays deleted.
func (m *Memory) Put(e chat.Event) chat.Seq {
	m.mu.Lock()
	defer m.mu.Unlock()
	to, by := m.byName[e.Room], m.byID[e.From.ID]
	if to == nil {
		to = m.makeRoom(e.Room)
	}
	if by == nil {
		by = m.makePerson(e.From)
	}
	m.undo = nil
	to.Head++
	e.Seq = to.Head
	to.events = append(to.events, event{Event: e, author: by.Key})
	if target := m.event(chat.MessageRef{Room: e.Room, Seq: e.Target}); target != nil && to.textOf(target) != "" {
		m.change(to, target, &to.events[e.Seq-1])
	}
	return e.Seq
}

// Truncate removes a room's events after a seq, as the restore of a snapshot does.
func (m *Memory) Truncate(name chat.RoomName, seq chat.Seq) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.byName[name]
	r.events, r.Head = r.events[:seq], seq
}

// Clear removes all rooms, people and sessions.
func (m *Memory) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rooms, m.people = nil, nil
	clear(m.byName)
	clear(m.byID)
	clear(m.sessions)
	clear(m.nonces)
	clear(m.copies)
}

// Events returns all events of a room as they are stored, whatever Fault says.
func (m *Memory) Events(name chat.RoomName) (events []chat.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.byName[name]; r != nil {
		for _, e := range r.events {
			events = append(events, e.Event)
		}
	}
	return slices.Clip(events)
}

// Rooms returns the names of all rooms.
func (m *Memory) Rooms() (names []chat.RoomName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rooms {
		names = append(names, r.name)
	}
	return names
}

// fault returns the error of Fault for a method and a room, nil without a Fault.
func (m *Memory) fault(method string, room chat.RoomName) error {
	if m.Fault == nil {
		return nil
	}
	return m.Fault(method, room)
}

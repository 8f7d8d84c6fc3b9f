package server

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"parley/internal/account"
	"parley/internal/chat"
)

// A memory is a room.Log and account.People without a disk, for tests that count
// allocations or bytes. Room lists are empty.
type memory struct {
	account.RoomLists // nil
	account.Personal  // nil

	mu      sync.Mutex
	refusal error // the result of every draft; nil: it is stored
	rooms   map[chat.RoomName][]chat.Event
	people  map[string]chat.Person // by session
	queue   chan func()            // calls for the log's goroutine
}

func newMemory() *memory {
	return &memory{
		rooms: map[chat.RoomName][]chat.Event{}, people: map[string]chat.Person{}, queue: make(chan func(), 1<<16),
	}
}

// stores returns m as the stores of people, room lists and personal data.
func (m *memory) stores() account.Stores { return account.Stores{People: m, Lists: m, Personal: m} }

// Run is the log's goroutine.
func (m *memory) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case do := <-m.queue:
			do()
		}
	}
}

func (m *memory) Append(d chat.Draft, done func(chat.Commit)) {
	m.queue <- func() {
		m.mu.Lock()
		if err := m.refusal; err != nil {
			m.mu.Unlock()
			done(chat.Commit{Err: err})
			return
		}
		e := chat.Event{
			Room: d.Room, Seq: chat.Seq(len(m.rooms[d.Room]) + 1), At: time.Now(), Kind: d.Is(), From: d.From,
			Text: d.Text, Target: d.Target, Extra: d.Extra,
		}
		m.rooms[d.Room] = append(m.rooms[d.Room], e)
		m.mu.Unlock()
		done(chat.Commit{Event: e})
	}
}

func (m *memory) Head(_ context.Context, room chat.RoomName) (chat.Seq, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.head(room)
}

func (m *memory) head(room chat.RoomName) (seq chat.Seq, at time.Time, err error) {
	if events := m.rooms[room]; len(events) > 0 {
		at = events[len(events)-1].At
	}
	return chat.Seq(len(m.rooms[room])), at, nil
}

func (m *memory) After(_ context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	events := m.rooms[room]
	from := min(max(int(seq), 0), len(events))
	return slices.Clone(events[from:min(from+limit, len(events))]), nil
}

func (m *memory) At(_ context.Context, room chat.RoomName, seq chat.Seq) (at time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if events := m.rooms[room]; seq > 0 && int(seq) <= len(events) {
		at = events[seq-1].At
	}
	return at, nil
}

// Page returns messages without edits, reactions and threads.
func (m *memory) Page(_ context.Context, room chat.RoomName, sel chat.PageQuery) (chat.Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var page chat.Page
	page.Head, page.At, _ = m.head(room)
	for _, e := range m.rooms[room] {
		if e.Kind == chat.Message && e.Seq > sel.After && (sel.Before == 0 || e.Seq < sel.Before) {
			page.Messages = append(page.Messages, chat.MessageState{Event: e})
		}
	}
	if more := len(page.Messages) - sel.Limit; more > 0 {
		page.More = true
		if sel.Oldest {
			page.Messages = page.Messages[:sel.Limit]
		} else {
			page.Messages = page.Messages[more:]
		}
	}
	return page, nil
}

func (m *memory) Versions(context.Context, chat.RoomName, chat.Seq) ([]chat.Event, error) {
	return nil, errors.New("nothing is edited here")
}

func (m *memory) Copies(context.Context, int) ([]chat.Draft, error) { return nil, nil }

func (m *memory) NewGuest(_ context.Context, name, _ string) (chat.Person, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := chat.Person{ID: chat.PersonID("p" + strconv.Itoa(len(m.people))), Name: name}
	session := "s" + string(p.ID)
	m.people[session] = p
	return p, session, nil
}

func (m *memory) Person(_ context.Context, session string) (chat.Person, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.people[session]
	if !ok {
		return p, &chat.Error{Code: chat.BadSession, Message: "Nobody's."}
	}
	return p, nil
}

func (m *memory) Rename(_ context.Context, id chat.PersonID, name, _ string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for session, p := range m.people {
		if p.ID == id {
			p.Name = cmp.Or(name, p.Name)
			m.people[session] = p
		}
	}
	return name, nil
}

func (m *memory) Forget(context.Context, string) error { return nil }

func (m *memory) AddToList(chat.PersonID, chat.RoomName, bool) <-chan error { return make(chan error) }

// change calls do with the lock held.
func (m *memory) change(do func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do(m)
}

// clear forgets all events and people.
func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.rooms)
	clear(m.people)
}

package account

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"parley/internal/chat"
	"parley/internal/room"
)

var (
	errDisk = errors.New("the disk")
	nowhere = netip.MustParseAddr("192.0.2.1")
)

// A fakeStore is all Stores without a disk. Rooms exist once they are in rooms.
type fakeStore struct {
	Personal // nil

	mu       sync.Mutex
	sessions map[string]*chat.Person
	lists    map[chat.PersonID]map[chat.RoomName]chat.ListEntry
	rooms    map[chat.RoomName]chat.Seq
	leaves   chat.RoomName // leaves the list for an awaited room; "": none has to
	broken   bool          // people and lists cannot be read, sessions not be forgotten

	looked    func() // called by Person after it has looked; nil: nothing
	forgets   func() // called by Forget; nil: nothing
	listsRead func() // called by RoomList after it has read; nil: nothing
	takesTime func() // called before and after a read, and after a write; nil: nothing
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		sessions: map[string]*chat.Person{},
		lists:    map[chat.PersonID]map[chat.RoomName]chat.ListEntry{},
		rooms:    map[chat.RoomName]chat.Seq{},
	}
}

// start returns Accounts on top of the store.
func (s *fakeStore) start(cfg Config) *Accounts {
	return New(cfg, Stores{People: s, Lists: s, Personal: s, States: s}, room.New(nil, nil, "", room.Config{}))
}

func (s *fakeStore) wait() {
	if s.takesTime != nil {
		s.takesTime()
	}
}

func (s *fakeStore) PersonStates(_ context.Context, ids []chat.PersonID) (found []chat.PersonState, err error) {
	s.wait()
	defer s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return nil, errDisk
	}
	for session, p := range s.sessions {
		if slices.Contains(ids, p.ID) { // everybody has one session
			found = append(found, chat.PersonState{Person: *p, Sessions: []chat.SessionHash{chat.HashSession(session)}})
		}
	}
	return found, nil
}

func (s *fakeStore) NewGuest(_ context.Context, name, key string) (chat.Person, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := chat.Person{ID: chat.PersonID("p" + strconv.Itoa(len(s.sessions))), Name: name}
	if key == "" {
		key = "session of " + string(p.ID)
	}
	s.sessions[key] = &p
	return p, key, nil
}

func (s *fakeStore) Person(_ context.Context, session string) (chat.Person, error) {
	p, err := s.person(session)
	if s.looked != nil {
		s.looked()
	}
	return p, err
}

func (s *fakeStore) person(session string) (chat.Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.sessions[session]
	if p == nil {
		return chat.Person{}, &chat.Error{Code: chat.BadSession, Message: "Nobody's."}
	}
	return *p, nil
}

func (s *fakeStore) Rename(_ context.Context, id chat.PersonID, name, _ string) (string, error) {
	defer s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.sessions {
		if p.ID == id {
			p.Name = name
		}
	}
	return name, nil
}

func (s *fakeStore) Forget(_ context.Context, session string) error {
	if s.forgets != nil {
		s.forgets()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errDisk
	}
	delete(s.sessions, session)
	return nil
}

func (s *fakeStore) RoomList(_ context.Context, who chat.PersonID) (list []chat.ListEntry, err error) {
	s.wait()
	defer s.wait()
	s.mu.Lock()
	for _, e := range s.lists[who] {
		list = append(list, e)
	}
	if s.broken {
		err = errDisk
	}
	s.mu.Unlock()
	if s.listsRead != nil {
		s.listsRead()
	}
	return list, err
}

func (s *fakeStore) ListEntry(_ context.Context, who chat.PersonID, name chat.RoomName) (chat.ListEntry, error) {
	s.wait()
	defer s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return chat.ListEntry{}, errDisk
	}
	e, ok := s.lists[who][name]
	if !ok {
		return e, &chat.Error{Code: chat.NotFound, Message: "Not in the list."}
	}
	return e, nil
}

func (s *fakeStore) SetListEntry(
	_ context.Context, who chat.PersonID, name chat.RoomName, change chat.ListEntryChange,
) error {
	defer s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.lists[who][name]
	switch {
	case !ok:
		return &chat.Error{Code: chat.NotFound, Message: "Not in the list."}
	case change.Listed != nil && !*change.Listed:
		delete(s.lists[who], name)
	case change.Muted != nil:
		e.Muted = *change.Muted
		s.lists[who][name] = e
	}
	return nil
}

func (s *fakeStore) AddToList(
	who chat.PersonID, name chat.RoomName, enters bool, done func([]chat.RoomName, error),
) {
	s.mu.Lock()
	if s.lists[who] == nil {
		s.lists[who] = map[chat.RoomName]chat.ListEntry{}
	}
	var dropped []chat.RoomName
	if _, listed := s.lists[who][name]; !listed && enters {
		head, exists := s.rooms[name]
		s.lists[who][name] = chat.ListEntry{Room: name, Head: head}
		if !exists && s.leaves != "" {
			dropped = []chat.RoomName{s.leaves}
			delete(s.lists[who], s.leaves)
		}
	}
	s.mu.Unlock()
	s.wait()
	done(dropped, nil)
}

func (s *fakeStore) MarkRead(
	who chat.PersonID, at chat.MessageRef, exact bool, _ string, done func(chat.ListEntry, error),
) {
	s.mu.Lock()
	e, ok := s.lists[who][at.Room]
	if ok && (exact || at.Seq > e.Read) {
		e.Read = at.Seq
		s.lists[who][at.Room] = e
	}
	s.mu.Unlock()
	s.wait()
	if !ok {
		done(e, &chat.Error{Code: chat.NotFound, Message: "Not in the list."})
		return
	}
	done(e, nil)
}

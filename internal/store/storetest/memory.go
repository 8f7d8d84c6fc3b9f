package storetest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// A Memory is a store without a disk. It has the committer and the rules of every
// store, so that tests of other packages see what a database would do. It keeps no
// room lists, bookmarks and subscriptions.
type Memory struct {
	*store.Committer

	mu       sync.Mutex // held for each transaction and each read
	released sync.Cond  // held has changed
	held     bool
	failure  error

	rooms    []*room // by key - 1
	people   []*person
	byName   map[chat.RoomName]*room
	byID     map[chat.PersonID]*person
	sessions map[string]*person
	nonces   map[store.Nonce]store.FirstUse
	copies   map[chat.MessageRef]chat.MessageRef // a copy and its source

	undo []func() // what the transaction has made before Write

	// Fault, unless nil, is called at the end of Heads, After, Texts and Deletions, without a
	// lock: with the name of the method, and with the room if it reads one. The read fails
	// with its error. It is set before the first read.
	Fault func(method string, room chat.RoomName) error
}

type room struct {
	store.Room
	name   chat.RoomName
	topic  string
	events []event // seq 1 first
}

type person struct {
	store.Author
	chat.Person
	rooms map[int64]bool // keys of those in their list
}

// An event is one of a room's log. The fields from current on are of a message.
type event struct {
	chat.Event // as it happened

	author    int64
	current   chat.Seq // the newest edit, or the deletion
	edits     []chat.Seq
	replies   []chat.Seq // of its thread
	reactions []reaction // in the order of their events
	pin       chat.Seq
}

type reaction struct {
	store.Reacted
	event chat.Seq
}

// NewMemory returns an empty Memory. It stores nothing until Run.
func NewMemory(cfg store.Config) *Memory {
	m := &Memory{
		byName: map[chat.RoomName]*room{}, byID: map[chat.PersonID]*person{}, sessions: map[string]*person{},
		nonces: map[store.Nonce]store.FirstUse{}, copies: map[chat.MessageRef]chat.MessageRef{},
	}
	m.released.L = &m.mu
	m.Restart(cfg)
	return m
}

// Restart gives m another committer, as a new process would have. The one before has to
// be closed.
func (m *Memory) Restart(cfg store.Config) { m.Committer = store.New(m, m, cfg) }

// Hold lets transactions wait until Release.
func (m *Memory) Hold() { m.hold(true) }

// Release ends Hold.
func (m *Memory) Release() { m.hold(false) }

func (m *Memory) hold(held bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = held
	m.released.Broadcast()
}

// Fail lets each transaction fail with err from now on; nil ends that.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failure = err
}

// Transact implements store.Engine.
func (m *Memory) Transact(ctx context.Context, do func(context.Context) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.held {
		m.released.Wait()
	}
	if m.failure != nil {
		return m.failure
	}
	m.undo = nil
	err := do(ctx)
	if err != nil {
		for _, undo := range slices.Backward(m.undo) {
			undo()
		}
		for _, r := range m.rooms {
			r.Head = chat.Seq(len(r.events))
		}
	}
	return err
}

// Resolve implements store.Engine.
func (m *Memory) Resolve(_ context.Context, rows []store.Row, _ time.Time) error {
	for i := range rows {
		r := &rows[i]
		to := m.byName[r.Draft.Room]
		if to == nil && !r.MakesRoom() {
			continue
		}
		if to == nil {
			to = m.makeRoom(r.Draft.Room)
		}
		by := m.byID[r.Draft.From.ID]
		if by == nil {
			by = m.makePerson(r.Draft.From)
		}
		r.Room, r.By = &to.Room, &by.Author
		_, repeated := m.nonces[store.Nonce{Nonce: r.Draft.Nonce, Author: by.Key, Room: to.Key}]
		if r.ListsRoom() && !by.rooms[to.Key] && (r.Draft.Nonce == "" || !repeated) {
			by.rooms[to.Key] = true
			m.undo = append(m.undo, func() { delete(by.rooms, to.Key) })
		}
	}
	return nil
}

func (m *Memory) makeRoom(name chat.RoomName) *room {
	r := &room{Room: store.Room{Key: int64(len(m.rooms) + 1)}, name: name}
	m.rooms, m.byName[name] = append(m.rooms, r), r
	m.undo = append(m.undo, func() {
		m.rooms = m.rooms[:r.Key-1]
		delete(m.byName, name)
	})
	return r
}

func (m *Memory) makePerson(p chat.Person) *person {
	x := &person{Author: store.Author{Key: int64(len(m.people) + 1), Answers: true}, Person: p, rooms: map[int64]bool{}}
	m.people, m.byID[p.ID] = append(m.people, x), x
	m.undo = append(m.undo, func() {
		m.people = m.people[:x.Key-1]
		delete(m.byID, p.ID)
	})
	return x
}

// Load implements store.Engine.
func (m *Memory) Load(_ context.Context, f *store.Facts) error {
	if f == nil {
		return nil
	}
	for at, x := range f.Messages {
		m.loadMessage(at, x)
		if root := (chat.MessageRef{Room: at.Room, Seq: x.Thread}); x.Thread != 0 && f.Messages[root] == nil {
			f.Messages[root] = &store.Message{}
			m.loadMessage(root, f.Messages[root])
		}
	}
	for nonce, use := range f.Nonces {
		if first, known := m.nonces[nonce]; known {
			first.Answers = use.Answers
			*use = first
			if use.Event { // its text may be deleted by now
				use.Text = m.rooms[nonce.Room-1].events[use.Seq-1].Text
			}
		}
	}
	for r, x := range f.Rooms {
		of := m.rooms[r.Key-1]
		x.Topic, x.Pins = of.topic, len(of.pinned(0))
	}
	for name := range f.Names {
		f.Names[name] = m.named(name)
	}
	for id := range f.People {
		if p := m.byID[id]; p != nil {
			f.People[id] = p.Key
		}
	}
	return nil
}

func (m *Memory) loadMessage(at chat.MessageRef, x *store.Message) {
	e := m.event(at)
	if e == nil {
		return
	}
	r := m.byName[at.Room]
	x.Room, x.Author, x.From, x.Kind, x.Text = r.Key, e.author, e.From, e.Kind, r.textOf(e)
	x.Thread, x.Current, x.Edits, x.Pin = e.Target, e.current, len(e.edits), e.pin
	x.Forward = e.Attrs != nil && e.Attrs.Forward != nil
	x.Texts = []string{e.Text}
	for _, seq := range e.edits {
		x.Texts = append(x.Texts, r.events[seq-1].Text)
	}
	x.Emoji = map[string]int{}
	for _, put := range e.reactions {
		x.Emoji[put.Emoji]++
		if _, asked := x.Reacted[put.Reacted]; asked {
			x.Reacted[put.Reacted] = put.event
		}
	}
}

// named returns the people with a room in their list who go by a name, the newest first.
func (m *Memory) named(name store.Name) (found []store.Named) {
	for _, p := range slices.Backward(m.people) {
		if p.rooms[name.Room] && chat.FoldName(p.Name) == name.Folded {
			found = append(found, store.Named{Key: p.Key, Person: p.Person})
		}
	}
	if len(found) > 5 {
		return nil
	}
	return found
}

// Write implements store.Engine.
func (m *Memory) Write(_ context.Context, rows []store.Row, at time.Time) (int, error) {
	for i := range rows {
		r := &rows[i]
		nonce := store.Nonce{Nonce: r.Draft.Nonce, Author: r.By.Key, Room: r.Room.Key}
		switch _, known := m.nonces[nonce]; {
		case r.Seq != 0 && known && nonce.Nonce != "":
			return i, nil
		case r.Seq != 0:
			m.add(r, nonce)
		case r.Change != nil && r.Change.Answer != nil:
			a := r.Change.Answer
			m.nonces[nonce] = store.FirstUse{
				Kind: chat.Kind(a.Kind), Seq: a.Seq, At: r.Result.Event.At, Target: a.Target, Emoji: a.Emoji,
			}
		}
	}
	return len(rows), nil
}

// add adds a row's event to its room and applies it to its message.
func (m *Memory) add(r *store.Row, nonce store.Nonce) {
	to := m.rooms[r.Room.Key-1]
	e := event{Event: r.Result.Event, author: r.By.Key}
	e.Event.HTML, e.Event.Attrs = "", withoutQuote(e.Attrs)
	to.events = append(to.events, e)
	if nonce.Nonce != "" {
		use := store.FirstUse{Kind: e.Kind, Event: true, Seq: e.Seq, At: e.At, Name: e.From.Name, Target: e.Target}
		if e.Kind == chat.React || e.Kind == chat.Unreact {
			use.Emoji = e.Text
		}
		m.nonces[nonce] = use
	}
	if r.Change == nil {
		return
	}
	ref := chat.MessageRef{Room: to.name, Seq: e.Seq}
	if r.Change.Source != 0 {
		m.copies[ref] = r.Draft.Source
	}
	if e.Kind == chat.Topic {
		to.topic = e.Text
	}
	if e.Target != 0 {
		m.change(to, &to.events[e.Target-1], &e)
	}
}

// change applies the event e to a message.
func (m *Memory) change(r *room, target, e *event) {
	mine := store.Reacted{Emoji: e.Text, Person: e.author}
	switch e.Kind {
	case chat.Message, chat.Reply:
		target.replies = append(target.replies, e.Seq)
	case chat.Edit:
		target.edits, target.current = append(target.edits, e.Seq), e.Seq
	case chat.Delete:
		for _, seq := range append([]chat.Seq{target.Seq}, target.edits...) {
			r.events[seq-1].Text, r.events[seq-1].Attrs = "", nil
		}
		target.current, target.reactions, target.pin = e.Seq, nil, 0
		delete(m.copies, chat.MessageRef{Room: r.name, Seq: target.Seq})
	case chat.React:
		target.reactions = append(target.reactions, reaction{mine, e.Seq})
	case chat.Unreact:
		target.reactions = slices.DeleteFunc(target.reactions, func(x reaction) bool { return x.Reacted == mine })
	case chat.Pin:
		target.pin = e.Seq
	case chat.Unpin:
		target.pin = 0
	}
}

func withoutQuote(x *chat.Attrs) *chat.Attrs {
	if x == nil {
		return nil
	}
	without := *x
	without.Quote = nil
	return &without
}

// Rescue implements store.Upkeep. A Memory has no disk that could be full.
func (m *Memory) Rescue(_ context.Context, failed error, _ func() error) error { return failed }

// Recovered implements store.Upkeep.
func (m *Memory) Recovered(context.Context) {}

// Written implements store.Upkeep.
func (m *Memory) Written(context.Context) {}

// Idle implements store.Upkeep.
func (m *Memory) Idle(context.Context) {}

// event returns an event, nil if there is none.
func (m *Memory) event(at chat.MessageRef) *event {
	r := m.byName[at.Room]
	if r == nil || at.Seq < 1 || int(at.Seq) > len(r.events) {
		return nil
	}
	return &r.events[at.Seq-1]
}

// textOf returns what a message says now.
func (r *room) textOf(e *event) string {
	if e.current != 0 {
		return r.events[e.current-1].Text
	}
	return e.Text
}

// pinned returns the pinned messages in the order of their pinning, by events before a
// seq if that is not 0.
func (r *room) pinned(before chat.Seq) (found []*event) {
	for i := range r.events {
		if e := &r.events[i]; e.pin != 0 && (before == 0 || e.pin < before) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *event) int { return cmp.Compare(a.pin, b.pin) })
	return found
}

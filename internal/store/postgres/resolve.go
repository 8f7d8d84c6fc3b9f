package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// A transaction is what is known of the one that is being written. Resolve gives its rooms and people
// keys of its own, 1, 2, 3 …, so that it needs no round trip. Load finds out their ids.
type transaction struct {
	seen    *seen
	repeats bool // an earlier attempt at the same may have been committed
	loaded  bool // the first round trip is made, if there is one
	plain   bool // there are only messages that are nothing but their texts
	direct  bool // see direct.go

	rows []store.Row // of a direct transaction
	ms   int64

	rooms      []*txRoom // by key - 1
	roomKeys   map[chat.RoomName]int64
	people     []*txPerson // by key - 1
	personKeys map[chat.PersonID]int64
	lists      []listing
	listed     map[listing]struct{}
}

// A txRoom is a room of a transaction, which locks its row.
type txRoom struct {
	store.Room
	name  chat.RoomName
	id    int64    // 0: there is no such room
	made  bool     // it is made if there is none
	found bool     // its row is locked
	wrote chat.Seq // of the newest event that the transaction adds; 0: none
}

// A txPerson is a person of a transaction.
type txPerson struct {
	store.Author
	chat.Person
	id   int64 // 0: there is no such person
	made bool
}

// A listing adds a room to a person's list, by their keys, unless the nonce is known.
type listing struct {
	person, room int64
	nonce        string // "": none, or one that is new for sure
}

// Resolve gives rooms and people keys.
func (w *writer) Resolve(_ context.Context, rows []store.Row, at time.Time) error {
	t := &w.tx
	t.ms = at.UnixMilli()
	for i := range rows {
		r := &rows[i]
		t.plain = t.plain && isPlain(r.Draft)
		room, author := t.room(r.Draft.Room), t.person(r.Draft.From)
		room.made = room.made || r.MakesRoom()
		author.made = true
		r.Room, r.By = &room.Room, &author.Author
		if !r.ListsRoom() {
			continue
		}
		l := listing{person: author.Author.Key, room: room.Room.Key}
		if _, ok := w.seen.lists[t.listEntry(l)]; ok { // see queueKept
			continue
		}
		if _, ok := t.listed[l]; ok {
			continue
		}
		if store.IsOwnNonce(r.Draft.Nonce) && !t.repeats {
			t.list(l)
			continue
		}
		l.nonce = r.Draft.Nonce
		if _, ok := t.listed[l]; !ok {
			t.list(l)
		}
	}
	return nil
}

func (t *transaction) list(l listing) {
	if t.listed == nil {
		t.listed = map[listing]struct{}{}
	}
	t.listed[l] = struct{}{}
	t.lists = append(t.lists, l)
}

// room returns a room by its name, with a key.
func (t *transaction) room(name chat.RoomName) *txRoom {
	if key, ok := t.roomKeys[name]; ok {
		return t.rooms[key-1]
	}
	if t.roomKeys == nil {
		t.roomKeys = map[chat.RoomName]int64{}
	}
	r := &txRoom{name: chat.RoomName(strings.Clone(string(name)))} // name shares memory with a whole command
	r.id = t.seen.rooms[name]
	t.rooms = append(t.rooms, r)
	r.Room.Key = int64(len(t.rooms))
	t.roomKeys[name] = r.Room.Key
	return r
}

// person returns a person by their id, with a key. Answers is true, as nothing else is known: each
// nonce is asked for.
func (t *transaction) person(p chat.Person) *txPerson {
	if key, ok := t.personKeys[p.ID]; ok {
		return t.people[key-1]
	}
	if t.personKeys == nil {
		t.personKeys = map[chat.PersonID]int64{}
	}
	p.ID = chat.PersonID(strings.Clone(string(p.ID)))
	a := &txPerson{Person: p, id: t.seen.people[p.ID]}
	t.people = append(t.people, a)
	a.Author = store.Author{Key: int64(len(t.people)), Answers: true}
	t.personKeys[p.ID] = a.Author.Key
	return a
}

// known returns the key of a person whom the database has.
func (t *transaction) known(p chat.Person, id int64) int64 {
	a := t.person(p)
	a.id = id
	return a.Author.Key
}

func (t *transaction) roomNames() []string {
	names := make([]string, len(t.rooms))
	for i, r := range t.rooms {
		names[i] = string(r.name)
	}
	return names
}

func (t *transaction) personNames() []string {
	ids := make([]string, len(t.people))
	for i, p := range t.people {
		ids[i] = string(p.ID)
	}
	return ids
}

func (t *transaction) roomIDs() []int64 {
	ids := make([]int64, len(t.rooms))
	for i, r := range t.rooms {
		ids[i] = r.id
	}
	return ids
}

func (t *transaction) personIDs() []int64 {
	ids := make([]int64, len(t.people))
	for i, p := range t.people {
		ids[i] = p.id
	}
	return ids
}

// isKnown reports whether the ids of all rooms and people are known.
func (t *transaction) isKnown() bool {
	return !slices.ContainsFunc(t.rooms, func(r *txRoom) bool { return r.id == 0 }) &&
		!slices.ContainsFunc(t.people, func(p *txPerson) bool { return p.id == 0 })
}

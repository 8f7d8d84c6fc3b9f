package postgres

import (
	"cmp"

	"parley/internal/chat"
	"parley/internal/store"
)

// A messageRef is a message by its room's id.
type messageRef struct {
	room int64
	seq  chat.Seq
}

func (p messageRef) compare(o messageRef) int {
	return cmp.Or(cmp.Compare(p.room, o.room), cmp.Compare(p.seq, o.seq))
}

type reaction struct {
	messageRef
	emoji  string
	person int64
}

// changes are what a batch writes in addition to its events: the last state of each row of a table, once.
type changes struct {
	t         *transaction
	current   map[messageRef]chat.Seq // newest edit of a message
	deleted   map[messageRef]chat.Seq // deletion of a message
	reactions map[reaction]chat.Seq   // 0: taken back
	pins      map[messageRef]chat.Seq // 0: taken off
	mentions  map[messageRef][]int64  // people
	topics    map[int64]string
	forwards  map[messageRef]messageRef // copy: its source
	subscribe map[subscription]struct{}
}

type subscription struct {
	messageRef
	person int64
}

func newChanges(t *transaction) *changes { return &changes{t: t} }

// deletes reports whether the batch deletes a message of a row's room.
func (b *changes) deletes(r *store.Row, seq chat.Seq) bool {
	if b.deleted == nil {
		return false
	}
	_, ok := b.deleted[messageRef{b.t.rooms[r.Room.Key-1].id, seq}]
	return ok
}

// set sets m[k] and makes the map if needed.
func set[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[k] = v
}

// add adds what a row changes.
func (b *changes) add(r *store.Row) {
	if r.Change == nil || r.Seq == 0 {
		return
	}
	room := b.t.rooms[r.Room.Key-1].id
	this, target := messageRef{room, r.Seq}, messageRef{room, r.Change.Target}
	person := b.t.people[r.By.Key-1].id
	switch r.Draft.Is() {
	case chat.Message, chat.Reply:
		b.addMessage(r, this, target)
	case chat.Edit:
		set(&b.current, target, r.Seq)
		set(&b.mentions, target, b.ids(r.Change.Mentions))
	case chat.Delete:
		set(&b.deleted, target, r.Seq)
	case chat.React:
		set(&b.reactions, reaction{target, r.Draft.Text, person}, r.Seq)
	case chat.Unreact:
		set(&b.reactions, reaction{target, r.Draft.Text, person}, 0)
	case chat.Pin:
		set(&b.pins, target, r.Seq)
	case chat.Unpin:
		set(&b.pins, target, 0)
	case chat.Topic:
		set(&b.topics, room, r.Draft.Text)
	}
}

func (b *changes) addMessage(r *store.Row, this, thread messageRef) {
	if len(r.Change.Mentions) > 0 {
		set(&b.mentions, this, b.ids(r.Change.Mentions))
	}
	if source := r.Change.Source; source != 0 {
		set(&b.forwards, this, messageRef{b.t.rooms[source-1].id, r.Draft.Source.Seq})
	}
	for _, person := range b.ids(r.Change.Subscribers) {
		set(&b.subscribe, subscription{thread, person}, struct{}{})
	}
}

// ids returns the ids of people.
func (b *changes) ids(keys []int64) []int64 {
	ids := make([]int64, len(keys))
	for i, key := range keys {
		ids[i] = b.t.people[key-1].id
	}
	return ids
}

// dropDeleted drops the changes of messages that a later row of the batch deletes.
func (b *changes) dropDeleted() {
	for at := range b.deleted {
		delete(b.current, at)
		delete(b.pins, at)
		delete(b.mentions, at)
	}
	if len(b.deleted) == 0 {
		return
	}
	for r := range b.reactions {
		if _, ok := b.deleted[r.messageRef]; ok {
			delete(b.reactions, r)
		}
	}
}

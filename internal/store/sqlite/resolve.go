package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// cacheSize is how many rooms and people the writer remembers at least. It is more
// than a batch can have: a room whose head has moved in a transaction that is not yet
// committed must not be forgotten before its end.
const cacheSize = 2 * store.MaxBatch

// A listKey is a person's list entry for a room, by their rowids.
type listKey struct{ person, room int64 }

// An author is a person who writes.
type author struct {
	store.Author
	room int64 // key of a room in their list: mostly the one that they write to next
}

// Resolve finds the rooms and people of rows, and makes those that are missing.
func (w *writer) Resolve(ctx context.Context, rows []store.Row, at time.Time) error {
	ms := at.UnixMilli()
	for i := range rows {
		if err := w.resolve(ctx, &rows[i], ms); err != nil {
			return fmt.Errorf("message to %s: %w", rows[i].Draft.Room, err)
		}
	}
	return nil
}

func (w *writer) resolve(ctx context.Context, r *store.Row, ms int64) error {
	d := r.Draft
	room, err := w.room(ctx, d.Room)
	if errors.Is(err, sql.ErrNoRows) {
		if !r.MakesRoom() {
			return nil
		}
		room, err = w.makeRoom(ctx, d.Room, ms)
	}
	if err != nil {
		return err
	}
	a, err := w.author(ctx, d.From, ms)
	if err != nil {
		return err
	}
	r.Room, r.By = room, &a.Author
	if a.room == room.Key || !r.ListsRoom() {
		return nil
	}
	return w.listForAuthor(ctx, a, room, d.Nonce)
}

// listForAuthor adds a room to its author's list. A retry does not: the author may have left the
// room since.
func (w *writer) listForAuthor(ctx context.Context, a *author, room *store.Room, nonce string) error {
	m := listKey{a.Key, room.Key}
	if _, ok := w.listed.get(m); !ok && nonce != "" {
		used, err := w.find(ctx, nonceText, packNonce(nonce), m.person, m.room)
		if err != nil || used != 0 {
			return err
		}
	}
	if err := w.addToList(ctx, m); err != nil {
		return err
	}
	a.room = room.Key
	return nil
}

// nonceText tells whether a person ($2) has used a nonce in a room ($3).
const nonceText = `
	SELECT EXISTS (SELECT 1 FROM event WHERE nonce = $1 AND author = $2 AND room = $3)
		OR EXISTS (SELECT 1 FROM answer WHERE nonce = $1 AND author = $2 AND room = $3)`

// addToList adds a room to a person's list.
func (w *writer) addToList(ctx context.Context, m listKey) error {
	if _, ok := w.listed.get(m); ok {
		return nil
	}
	err := w.exec(ctx, `INSERT INTO member (person, room) VALUES ($1, $2) ON CONFLICT DO NOTHING`, m.person, m.room)
	if err != nil {
		return err
	}
	w.listed.put(m, struct{}{})
	return nil
}

// room returns a room, sql.ErrNoRows if there is none.
func (w *writer) room(ctx context.Context, name chat.RoomName) (*store.Room, error) {
	if r, ok := w.rooms.get(name); ok {
		return r, nil
	}
	r := &store.Room{}
	err := w.scan(ctx, []any{&r.Key, &r.Head}, roomText, string(name))
	if err != nil {
		return nil, err
	}
	w.rooms.put(chat.RoomName(strings.Clone(string(name))), r) // name shares memory with a whole command
	return r, nil
}

// roomText reads a room. If a person has added events by hand they are counted too: a new
// event must not replace one.
var roomText = `
	SELECT id, max(head,
		coalesce((SELECT ` + seqSQL("max(event.id)") + ` FROM event WHERE ` + inSQL("event.id", "room.id") + `), 0))
	FROM room WHERE name = $1`

func (w *writer) makeRoom(ctx context.Context, name chat.RoomName, ms int64) (*store.Room, error) {
	r := &store.Room{}
	err := w.scan(ctx, []any{&r.Key}, `INSERT INTO room (name, created_ms) VALUES ($1, $2) RETURNING id`, string(name),
		ms)
	if err == nil && r.Key > maxRoom {
		err = errors.New("there are too many rooms")
	}
	if err != nil {
		return nil, err
	}
	if err := w.listAwaited(ctx, r.Key, name); err != nil {
		return nil, err
	}
	w.rooms.put(chat.RoomName(strings.Clone(string(name))), r)
	return r, nil
}

// author returns a person with their rowid. An unknown person, such as a guest of the five-line
// protocol, is stored with their first message.
func (w *writer) author(ctx context.Context, p chat.Person, ms int64) (*author, error) {
	if a, ok := w.people.get(p.ID); ok {
		return a, nil
	}
	a := &author{}
	err := w.scan(ctx, []any{&a.Key, &a.Answers}, `
		SELECT id, EXISTS (SELECT 1 FROM answer WHERE author = person.id) FROM person WHERE public = $1`, string(p.ID))
	if errors.Is(err, sql.ErrNoRows) {
		a.Key, err = w.insertPerson(ctx, p, ms)
	}
	if err != nil {
		return nil, err
	}
	w.people.put(chat.PersonID(strings.Clone(string(p.ID))), a)
	return a, nil
}

func (w *writer) insertPerson(ctx context.Context, p chat.Person, ms int64) (id int64, err error) {
	err = w.scan(ctx, []any{&id}, `
		INSERT INTO person (public, name, folded, created_ms) VALUES ($1, $2, $3, $4) RETURNING id`,
		string(p.ID), p.Name, chat.FoldName(p.Name), ms)
	return id, err
}

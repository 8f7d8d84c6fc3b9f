package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
)

// Load makes, locks and reads in one round trip all that the transaction needs. A transaction without
// drafts needs none, and plain messages neither: what they write is sent with COMMIT.
func (w *writer) Load(ctx context.Context, f *store.Facts) error {
	t := &w.tx
	first := !t.loaded
	t.loaded = true
	if t.direct = first && t.isDirect(f); t.direct {
		for _, r := range t.rooms {
			r.Head = store.Unloaded
		}
		return nil
	}
	if f != nil { // they get keys before anything is queued
		for at := range f.Messages {
			t.room(at.Room)
		}
		for id := range f.People {
			t.person(chat.Person{ID: id})
		}
	}
	if first {
		w.queueKeys()
	}
	if len(t.rooms) == 0 && f == nil {
		return nil
	}
	if f != nil {
		w.queueFacts(f)
	}
	if err := w.send(ctx); err != nil {
		return fmt.Errorf("loading what a batch needs: %w", err)
	}
	if f != nil {
		for id := range f.People {
			if p := t.person(chat.Person{ID: id}); p.id != 0 {
				f.People[id] = p.Author.Key
			}
		}
	}
	return t.checkKeys()
}

// A question is a statement for many questions of one kind, which are in arrays. It returns the number
// of each question, from 1 on, with its answer.
type question struct {
	text keyed
	args []any // those after the keys
	scan func(rows pgx.Rows) error
}

func (w *writer) queueFacts(f *store.Facts) {
	for _, q := range append(w.askMessages(f), w.askNonces(f), w.askRooms(f), w.askNames(f)) {
		if q.scan != nil {
			text, args := w.tx.statement(q.text, q.args)
			w.find(q.scan, text, args...)
		}
	}
}

// nonceText keeps the planner from turning its joins around with OFFSET 0.
var nonceText = withPeople(`
	SELECT d.i, true, u.* FROM k CROSS JOIN ` + askedNonces + ` CROSS JOIN LATERAL (
		SELECT e.seq, e.at_ms, e.name, e.text, coalesce(e.kind, 'message'), coalesce(e.target, 0), '' FROM event e
		WHERE e.nonce = d.nonce AND e.author = k.people[d.author] AND e.room = k.rooms[d.room] OFFSET 0) u
	UNION ALL
	SELECT d.i, false, u.* FROM k CROSS JOIN ` + askedNonces + ` CROSS JOIN LATERAL (
		SELECT a.seq, a.at_ms, '', '', a.kind, a.target, a.emoji FROM answer a
		WHERE a.nonce = d.nonce AND a.author = k.people[d.author] AND a.room = k.rooms[d.room] OFFSET 0) u`)

const askedNonces = `unnest($3::bytea[], $4::int[], $5::int[]) WITH ORDINALITY d(nonce, author, room, i)`

// askNonces asks what nonces were used for first. The server's own are new, unless an earlier attempt
// may have been committed.
func (w *writer) askNonces(f *store.Facts) (q question) {
	var uses []*store.FirstUse
	var nonces [][]byte
	var authors, rooms []int32
	for n, use := range f.Nonces {
		if store.IsOwnNonce(n.Nonce) && !w.tx.repeats {
			continue
		}
		uses = append(uses, use)
		nonces = append(nonces, packNonce(n.Nonce))
		authors = append(authors, int32(n.Author))
		rooms = append(rooms, int32(n.Room))
	}
	if uses == nil {
		return q
	}
	return question{nonceText, []any{nonces, authors, rooms}, func(rows pgx.Rows) error {
		var i, ms int64
		var use store.FirstUse
		err := rows.Scan(&i, &use.Event, &use.Seq, &ms, &use.Name, &use.Text, &use.Kind, &use.Target, &use.Emoji)
		if use.Event && (use.Kind == chat.React || use.Kind == chat.Unreact) {
			use.Emoji = use.Text
		}
		use.At = time.UnixMilli(ms).UTC()
		*uses[i-1] = use
		return err
	}}
}

var roomText = withRooms(`
	SELECT d.i, r.topic, CASE WHEN d.pins THEN (SELECT count(*) FROM pin WHERE pin.room = r.id) ELSE 0 END
	FROM k CROSS JOIN unnest($2::int[], $3::bool[]) WITH ORDINALITY d(room, pins, i)
	JOIN room r ON r.id = k.rooms[d.room]`)

func (w *writer) askRooms(f *store.Facts) (q question) {
	var asked []*store.RoomFacts
	var rooms []int32
	var pins []bool
	for room, facts := range f.Rooms {
		asked = append(asked, facts)
		rooms = append(rooms, int32(room.Key))
		pins = append(pins, facts.NeedPins)
	}
	if asked == nil {
		return q
	}
	return question{roomText, []any{rooms, pins}, func(rows pgx.Rows) error {
		var i int64
		var topic string
		var n int
		err := rows.Scan(&i, &topic, &n)
		asked[i-1].Topic, asked[i-1].Pins = topic, n
		return err
	}}
}

// nameText finds the people with a room in their list who have a name. Of a common name it looks at
// the newest 500 people.
var nameText = withRooms(`
	SELECT d.i, u.* FROM k CROSS JOIN unnest($2::text[], $3::int[]) WITH ORDINALITY d(folded, room, i)
	CROSS JOIN LATERAL (
		SELECT p.id, p.public, p.name
		FROM (SELECT id, public, name FROM person WHERE folded = d.folded ORDER BY id DESC LIMIT 500) p
		JOIN member m ON m.person = p.id AND m.room = k.rooms[d.room] LIMIT 6) u`)

// askNames asks who goes by names. If more than five people do, nobody is meant.
func (w *writer) askNames(f *store.Facts) (q question) {
	var names []store.Name
	var folded []string
	var rooms []int32
	for n := range f.Names {
		names = append(names, n)
		folded = append(folded, n.Folded)
		rooms = append(rooms, int32(n.Room))
	}
	if names == nil {
		return q
	}
	many := make(map[store.Name]int, len(names))
	return question{nameText, []any{folded, rooms}, func(rows pgx.Rows) error {
		var i, id int64
		var p chat.Person
		err := rows.Scan(&i, &id, &p.ID, &p.Name)
		n := names[i-1]
		if many[n]++; many[n] > 5 {
			f.Names[n] = nil
			return err
		}
		f.Names[n] = append(f.Names[n], store.Named{Key: w.tx.known(p, id), Person: p})
		return err
	}}
}

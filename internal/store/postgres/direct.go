package postgres

import (
	"cmp"
	"slices"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
)

// A batch of plain messages takes one round trip. The rules need nothing for them but the heads of their
// rooms, and that their nonces are new: so the rules count seqs from store.Unloaded, and one statement
// locks the rooms and adds each message at its room's head. It fails if a nonce is known or a room has
// vanished. Then, as after all other errors, the transaction is made again in the general way.

// Those statements, for one room and for several. $1 is the time, $2 the room's id and $3 how many messages it
// gets, or arrays of both in the order of ids. Then come arrays about the messages. They return the heads that
// the rooms had. A room that is missing makes a seq NULL, which the table refuses, and so does a nonce for which
// an answer is stored, whoever's it is.
const (
	directRoom = `
	WITH moved AS (UPDATE room SET head = head + $3::bigint WHERE id = $2::bigint RETURNING head - $3::bigint AS head),
	k AS MATERIALIZED (SELECT CASE WHEN ` + isNewDirect + ` THEN (SELECT head FROM moved) END AS head),
	added AS (
		INSERT INTO event (room, seq, at_ms, author, name, text, nonce)
		SELECT $2::bigint, k.head + d.n, $1::bigint, d.author, d.name, d.text, d.nonce
		FROM k CROSS JOIN (SELECT ` + directColumns + `) d)
	SELECT head FROM k`
	directRooms = `
	WITH locked AS MATERIALIZED (
		SELECT id, head FROM room WHERE id = ANY($2::bigint[]) ORDER BY id FOR UPDATE),
	k AS MATERIALIZED (
		SELECT CASE WHEN ` + isNewDirect + ` THEN (SELECT array_agg(head ORDER BY id) FROM locked) END AS heads),
	moved AS (
		UPDATE room SET head = l.head + ($3::bigint[])[l.i]
		FROM (SELECT id, head, row_number() OVER (ORDER BY id) AS i FROM locked) l WHERE room.id = l.id),
	added AS (
		INSERT INTO event (room, seq, at_ms, author, name, text, nonce)
		SELECT ($2::bigint[])[d.room], k.heads[d.room] + d.n, $1::bigint, d.author, d.name, d.text, d.nonce
		FROM k CROSS JOIN (SELECT ` + directColumns + `, unnest($9::int[]) AS room) d)
	SELECT unnest(heads) FROM k`

	isNewDirect   = `(SELECT a.room FROM answer a WHERE a.nonce = ANY($8::bytea[]) LIMIT 1) IS NULL`
	directColumns = `
			unnest($4::bigint[]) AS n, unnest($5::bigint[]) AS author, unnest($6::text[]) AS name,
			unnest($7::text[]) AS text, unnest($8::bytea[]) AS nonce`
)

// isDirect reports whether the transaction takes one round trip: it consists of plain messages, of people and
// in rooms that are known, and no earlier attempt at it may have been committed.
func (t *transaction) isDirect(f *store.Facts) bool {
	return t.plain && !t.repeats && len(t.rooms) > 0 && len(t.lists) == 0 && t.isKnown() &&
		(f == nil || len(f.Messages) == 0 && len(f.Rooms) == 0 && len(f.Names) == 0 && len(f.People) == 0)
}

// isPlain reports whether a draft is a message that is nothing but its text.
func isPlain(d *chat.Draft) bool {
	return d.Is() == chat.Message && d.Target == 0 && d.Attrs == nil && d.Source == (chat.MessageRef{})
}

// queueDirect queues the messages. When they are added their seqs are put into the results.
func (w *writer) queueDirect(rows []store.Row) {
	t := &w.tx
	t.rows = rows
	sorted := slices.Clone(t.rooms)
	slices.SortFunc(sorted, func(a, b *txRoom) int { return cmp.Compare(a.id, b.id) })
	ids, counts := make([]int64, len(sorted)), make([]int64, len(sorted))
	places := make([]int32, len(sorted)) // by key - 1
	for i, r := range sorted {
		ids[i], places[r.Room.Key-1] = r.id, int32(i)
	}
	n := len(rows)
	rooms, seqs := make([]int32, 0, n), make([]int64, 0, n)
	authors, names, texts := make([]int64, 0, n), make([]string, 0, n), make([]string, 0, n)
	nonces := make([][]byte, 0, n)
	for i := range rows {
		r := &rows[i]
		if r.Seq == 0 {
			continue
		}
		place := places[r.Room.Key-1]
		counts[place]++
		rooms, seqs = append(rooms, place+1), append(seqs, counts[place])
		authors, names = append(authors, t.people[r.By.Key-1].id), append(names, r.Draft.From.Name)
		texts, nonces = append(texts, r.Draft.Text), append(nonces, packNonce(r.Draft.Nonce))
	}
	text, args := directRooms, []any{t.ms, ids, counts, seqs, authors, names, texts, nonces, rooms}
	if len(sorted) == 1 {
		text, args = directRoom, []any{t.ms, ids[0], counts[0], seqs, authors, names, texts, nonces}
	}
	i := 0
	w.find(func(row pgx.Rows) error {
		r := sorted[i]
		var head *chat.Seq
		if err := row.Scan(&head); err != nil || head == nil { // nil: the statement fails, a moment later
			return err
		}
		r.Head = *head
		r.wrote = r.Head + chat.Seq(counts[i])
		if i++; i == len(sorted) {
			t.setSeqs()
		}
		return nil
	}, text, args...)
}

// setSeqs puts the true seqs into the results of a direct transaction.
func (t *transaction) setSeqs() {
	for i := range t.rows {
		r := &t.rows[i]
		if e := &r.Result.Event; e.Seq < 0 {
			e.Seq += t.rooms[r.Room.Key-1].Head - store.Unloaded
		}
	}
}

// failDirect takes the results of a direct transaction back that was not committed, because their seqs are
// nobody's, and returns what to do: it may go in the general way.
func (t *transaction) failDirect(what outcome) outcome {
	for i := range t.rows {
		*t.rows[i].Result = chat.Commit{}
	}
	if what == failed {
		return conflict
	}
	return what
}

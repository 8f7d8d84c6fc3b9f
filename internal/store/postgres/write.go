package postgres

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// Write queues the decisions, one statement for each table, for the round trip that ends with COMMIT.
// If a batch changes something several times, only the last state is written.
func (w *writer) Write(_ context.Context, rows []store.Row, _ time.Time) (int, error) {
	if w.tx.direct {
		w.queueAwaitedLock()
		w.queueDirect(rows)
		w.queueLocks()
		w.queueKept(rows)
		return len(rows), nil
	}
	b := newChanges(&w.tx)
	for i := range rows {
		b.add(&rows[i])
	}
	if err := w.queueEvents(rows, b); err != nil {
		return 0, err
	}
	w.queueKept(rows)
	w.queueChanges(b)
	w.queueHeads(rows)
	return len(rows), nil
}

// Statements for events. An index over room and target takes only rows with a target.
const (
	insertPlain = `
		INSERT INTO event (room, seq, at_ms, author, name, text, nonce)
		SELECT unnest($2::bigint[]), unnest($3::bigint[]), $1::bigint, unnest($4::bigint[]), unnest($5::text[]),
			unnest($6::text[]), unnest($7::bytea[])`
	insertEvents = `
		INSERT INTO event (room, seq, at_ms, author, name, text, nonce, kind, target, extra)
		SELECT d.room, d.seq, $1::bigint, d.author, d.name, d.text, d.nonce, nullif(d.kind, 'message'),
			nullif(d.target, 0), d.extra
		FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bytea[], $8::text[],
				$9::bigint[], $10::text[])
			d(room, seq, author, name, text, nonce, kind, target, extra)`
	updateHeads = `
		UPDATE room SET head = d.head FROM unnest($1::bigint[], $2::bigint[]) d(id, head) WHERE room.id = d.id`
	insertAnswers = `
		INSERT INTO answer (nonce, author, room, kind, target, emoji, seq, at_ms)
		SELECT d.nonce, d.author, d.room, d.kind, d.target, d.emoji, d.seq, $1::bigint
		FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::bigint[])
			d(nonce, author, room, kind, target, emoji, seq)`
)

// eventColumns are the columns of events as arrays.
type eventColumns struct {
	rooms, seqs, authors []int64
	names, texts         []string
	nonces               [][]byte
}

func (c *eventColumns) add(t *transaction, r *store.Row, text string) {
	c.rooms = append(c.rooms, t.rooms[r.Room.Key-1].id)
	c.seqs = append(c.seqs, int64(r.Seq))
	c.authors = append(c.authors, t.people[r.By.Key-1].id)
	c.names = append(c.names, r.Draft.From.Name)
	c.texts = append(c.texts, text)
	c.nonces = append(c.nonces, packNonce(r.Draft.Nonce))
}

func (c *eventColumns) args(ms int64, more ...any) []any {
	return append([]any{ms, c.rooms, c.seqs, c.authors, c.names, c.texts, c.nonces}, more...)
}

// queueEvents queues the events, and the answers of rows that made none.
func (w *writer) queueEvents(rows []store.Row, b *changes) error {
	t := &w.tx
	var plain, other eventColumns
	var kinds []string
	var targets []int64
	var extras []*string
	for i := range rows {
		r := &rows[i]
		if r.Seq == 0 {
			continue
		}
		if r.Change == nil && !b.deletes(r, r.Seq) {
			plain.add(t, r, r.Draft.Text)
			continue
		}
		change := r.Change
		if change == nil {
			change = &store.Change{}
		}
		text := r.Draft.Text
		extra, err := store.PackAttrs(change.Attrs)
		if err != nil {
			return err
		}
		if b.deletes(r, r.Seq) || r.Draft.Kind == chat.Edit && b.deletes(r, change.Target) {
			text, extra = "", nil
		}
		other.add(t, r, text)
		kinds = append(kinds, string(r.Draft.Is()))
		targets = append(targets, int64(change.Target))
		extras = append(extras, extra)
	}
	if plain.seqs != nil {
		w.queue(insertPlain, plain.args(t.ms)...)
	}
	if other.seqs != nil {
		w.queue(insertEvents, other.args(t.ms, kinds, targets, extras)...)
	}
	w.queueAnswers(rows)
	return nil
}

func (w *writer) queueAnswers(rows []store.Row) {
	t := &w.tx
	var nonces [][]byte
	var authors, rooms, targets, seqs []int64
	var kinds, emoji []string
	for i := range rows {
		r := &rows[i]
		if r.Change == nil || r.Change.Answer == nil {
			continue
		}
		a := r.Change.Answer
		nonces = append(nonces, packNonce(r.Draft.Nonce))
		authors, rooms = append(authors, t.people[r.By.Key-1].id), append(rooms, t.rooms[r.Room.Key-1].id)
		kinds, emoji = append(kinds, a.Kind), append(emoji, a.Emoji)
		targets, seqs = append(targets, int64(a.Target)), append(seqs, int64(a.Seq))
	}
	if nonces != nil {
		w.queue(insertAnswers, t.ms, nonces, authors, rooms, kinds, targets, emoji, seqs)
	}
}

// queueHeads queues the heads of the rooms of rows, which are sorted by room.
func (w *writer) queueHeads(rows []store.Row) {
	var ids, heads []int64
	for i := range rows {
		r := &rows[i]
		if r.Seq == 0 {
			continue
		}
		room := w.tx.rooms[r.Room.Key-1]
		room.wrote = r.Seq
		id := room.id
		if n := len(ids); n > 0 && ids[n-1] == id {
			heads[n-1] = int64(r.Seq)
			continue
		}
		ids, heads = append(ids, id), append(heads, int64(r.Seq))
	}
	if ids != nil {
		w.queue(updateHeads, ids, heads)
	}
}

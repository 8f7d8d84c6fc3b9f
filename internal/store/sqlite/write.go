package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"parley/internal/chat"
	"parley/internal/store"
)

// inserts are the statements for plain messages, by their number of rows, largest first. One
// statement for many rows takes much less time than many statements.
//
// OR FAIL: a statement that meets a known nonce stops there and keeps the rows before it. By
// default SQLite would undo them, and keep a journal of each statement for that, which takes twice
// the time. The parameters are "?" and not "$1" because the driver looks numbered ones up by name,
// which also takes twice the time.
var inserts = []struct {
	rows int
	text string
}{{64, insertText(64)}, {8, insertText(8)}, {1, insertText(1)}}

func insertText(rows int) string {
	return `INSERT OR FAIL INTO event (id, at_ms, author, name, text, nonce) VALUES ` +
		strings.Repeat(`(?, ?, ?, ?, ?, ?), `, rows-1) + `(?, ?, ?, ?, ?, ?)`
}

// Write stores rows in their order up to the first whose nonce is known, and returns how many these
// are.
func (w *writer) Write(ctx context.Context, rows []store.Row, at time.Time) (n int, err error) {
	ms := at.UnixMilli()
	for n < len(rows) {
		plain := plainRun(rows[n:min(len(rows), n+inserts[0].rows)])
		in := 1
		if plain > 0 {
			in, err = w.insertSome(ctx, rows[n:n+plain], ms)
		} else {
			err = w.writeRow(ctx, &rows[n], ms)
		}
		switch {
		case err == nil:
			n += in
			continue
		case isKnownNonce(err):
			if plain > 0 {
				n += in
			}
			return n, w.writeHeads(ctx, rows[:n], ms)
		}
		d := rows[n].Draft
		return n, fmt.Errorf("%s in %s: %w", d.Is(), d.Room, err)
	}
	return n, w.writeHeads(ctx, rows, ms)
}

// plainRun returns how many of the first rows are events of plain messages.
func plainRun(rows []store.Row) int {
	for i := range rows {
		if r := &rows[i]; r.Seq == 0 || r.Change != nil {
			return i
		}
	}
	return len(rows)
}

// insertSome inserts as many of rows as one statement can, and returns how many these are. After
// the error of a known nonce they are fewer, and the next row has that nonce.
func (w *writer) insertSome(ctx context.Context, rows []store.Row, ms int64) (int, error) {
	which := 0
	for inserts[which].rows > len(rows) {
		which++
	}
	rows = rows[:inserts[which].rows]
	w.args = w.args[:0]
	for i := range rows {
		r := &rows[i]
		if r.Seq > maxSeq {
			return 0, errRoomFull
		}
		w.args = append(w.args, eventID(r.Room.Key, r.Seq), ms, r.By.Key, r.Draft.From.Name, r.Draft.Text,
			packNonce(r.Draft.Nonce))
	}
	err := w.exec(ctx, inserts[which].text, w.args...)
	if err == nil {
		return len(rows), nil
	}
	in := 0
	if isKnownNonce(err) {
		if e := w.scan(ctx, []any{&in}, `SELECT changes()`); e != nil {
			return 0, e
		}
	}
	return in, err
}

var errRoomFull = errors.New("the room is full")

// writeRow stores what was decided about a row that is not a plain message. The event comes first:
// if its nonce is known, nothing else has been written.
func (w *writer) writeRow(ctx context.Context, r *store.Row, ms int64) error {
	change := r.Change
	if change == nil { // refused, or answered with an earlier event
		return nil
	}
	if a := change.Answer; a != nil {
		m := listKey{r.By.Key, r.Room.Key}
		return w.storeAnswer(ctx, answer{m, r.Draft.Nonce, a.Kind, idOrZero(r.Room.Key, a.Target), a.Emoji, a.Seq}, ms)
	}
	id, target := eventID(r.Room.Key, r.Seq), idOrZero(r.Room.Key, change.Target)
	if err := w.insertEvent(ctx, r, id, target, ms); err != nil {
		return err
	}
	person, emoji := r.By.Key, r.Draft.Text
	switch r.Draft.Is() {
	case chat.Message, chat.Reply:
		return w.writeMessage(ctx, r, id, target)
	case chat.Edit:
		return w.writeEdit(ctx, r, id, target)
	case chat.Delete:
		return w.writeDeletion(ctx, id, target)
	case chat.React:
		return w.exec(ctx, `INSERT INTO reaction (target, emoji, person, event) VALUES ($1, $2, $3, $4)`, target, emoji,
			person, id)
	case chat.Unreact:
		return w.exec(ctx, `DELETE FROM reaction WHERE target = $1 AND emoji = $2 AND person = $3`, target, emoji,
			person)
	case chat.Pin:
		return w.exec(ctx, `INSERT INTO pin (target, event) VALUES ($1, $2)`, target, id)
	case chat.Unpin:
		return w.exec(ctx, `DELETE FROM pin WHERE target = $1`, target)
	case chat.Topic:
		return w.exec(ctx, `UPDATE room SET topic = $2 WHERE id = $1`, r.Room.Key, r.Draft.Text)
	}
	return nil
}

// idOrZero returns the id of a room's message, 0 for seq 0.
func idOrZero(room int64, seq chat.Seq) int64 {
	if seq == 0 {
		return 0
	}
	return eventID(room, seq)
}

func (w *writer) insertEvent(ctx context.Context, r *store.Row, id, target, ms int64) error {
	if r.Seq > maxSeq {
		return errRoomFull
	}
	extra, err := store.PackAttrs(r.Change.Attrs)
	if err != nil {
		return err
	}
	d := r.Draft
	var kind, belongs any // NULL in nearly all rows
	if d.Is() != chat.Message {
		kind = string(d.Kind)
	}
	if target != 0 {
		belongs = target
	}
	return w.exec(ctx, `
		INSERT INTO event (id, at_ms, author, name, text, nonce, kind, target, extra)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		id, ms, r.By.Key, d.From.Name, d.Text, packNonce(d.Nonce), kind, belongs, extra)
}

// writeMessage stores mentions, source and subscriptions of a new message.
func (w *writer) writeMessage(ctx context.Context, r *store.Row, id, thread int64) error {
	if err := w.mention(ctx, id, r.Change.Mentions); err != nil {
		return err
	}
	if source := r.Change.Source; source != 0 {
		err := w.exec(ctx, `INSERT INTO forward (copy, source) VALUES ($1, $2)`, id,
			eventID(source, r.Draft.Source.Seq))
		if err != nil {
			return err
		}
	}
	for _, person := range r.Change.Subscribers {
		err := w.exec(ctx, `INSERT INTO follow (target, person) VALUES ($1, $2) ON CONFLICT DO NOTHING`, thread, person)
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) mention(ctx context.Context, id int64, people []int64) error {
	for _, person := range people {
		err := w.exec(ctx, `INSERT INTO mention (person, event) VALUES ($1, $2) ON CONFLICT DO NOTHING`, person, id)
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) writeEdit(ctx context.Context, r *store.Row, id, target int64) error {
	if err := w.exec(ctx, `UPDATE event SET current = $2 WHERE id = $1`, target, id); err != nil {
		return err
	}
	if err := w.exec(ctx, `DELETE FROM mention WHERE event = $1`, target); err != nil {
		return err
	}
	return w.mention(ctx, target, r.Change.Mentions)
}

// writeDeletion deletes the texts of all versions of a message, and its reactions, pin and
// mentions. Its copies become due; if it is a copy, it is one no more.
func (w *writer) writeDeletion(ctx context.Context, id, target int64) error {
	w.erased = true
	for _, text := range []string{
		`UPDATE event SET text = '', extra = NULL WHERE id = $1 OR target = $1 AND kind = 'edit'`,
		`DELETE FROM reaction WHERE target = $1`,
		`DELETE FROM pin WHERE target = $1`,
		`DELETE FROM mention WHERE event = $1`,
		`INSERT INTO copies_due (source) SELECT $1 WHERE EXISTS (SELECT 1 FROM forward WHERE source = $1) ON ` +
			`CONFLICT DO NOTHING`,
	} {
		if err := w.exec(ctx, text, target); err != nil {
			return err
		}
	}
	if err := w.exec(ctx, `UPDATE event SET current = $2 WHERE id = $1`, target, id); err != nil {
		return err
	}
	var source int64
	err := w.scan(ctx, []any{&source}, `DELETE FROM forward WHERE copy = $1 RETURNING source`, target)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.exec(ctx,
		`DELETE FROM copies_due WHERE source = $1 AND NOT EXISTS (SELECT 1 FROM forward WHERE source = $1)`, source)
}

// writeHeads stores the heads of the rooms of rows, which are sorted by room, and remembers the
// newest event.
func (w *writer) writeHeads(ctx context.Context, rows []store.Row, ms int64) error {
	var last *store.Row // the last row of a room that has an event
	for i := range rows {
		r := &rows[i]
		if r.Seq == 0 {
			continue
		}
		if last != nil && last.Room != r.Room {
			if err := w.writeHead(ctx, last); err != nil {
				return err
			}
		}
		last = r
	}
	if last == nil {
		return nil
	}
	w.newestID, w.newestMS = eventID(last.Room.Key, last.Seq), ms
	return w.writeHead(ctx, last)
}

func (w *writer) writeHead(ctx context.Context, last *store.Row) error {
	return w.exec(ctx, `UPDATE room SET head = $2 WHERE id = $1`, last.Room.Key, int64(last.Seq))
}

// packNonce returns nonce in its stored form. A UUID, which nearly all nonces are, takes less than
// half of its length. No two nonces have the same form.
func packNonce(nonce string) any {
	if nonce == "" {
		return nil
	}
	if len(nonce) == 36 {
		if id, err := uuid.Parse(nonce); err == nil && id.String() == nonce { // not in capitals
			return id[:]
		}
	}
	return nonce
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"parley/internal/chat"
)

// A message's id holds its room and its seq, so that the messages of a room lie
// side by side in the file, in order.
const (
	seqBits = 36
	maxSeq  = 1<<seqBits - 1
	maxRoom = 1<<(63-seqBits) - 1
)

func messageID(room int64, seq chat.Seq) int64 { return room<<seqBits | int64(seq) }

// A row is an event on its way into the table.
type row struct {
	draft  *chat.Draft
	head   *head
	by     *author
	author int64 // by's rowid
	seq    chat.Seq
	result *chat.Commit
}

// inserts are the statements that insert rows, by how many, the most first. One
// statement for many rows saves the greater part of the work of inserting them.
//
// OR FAIL: a statement that meets a known nonce stops there and keeps the rows
// before it. The default, to undo them, would have SQLite keep a journal of each
// statement just in case, which takes twice the time. And "?" instead of "$1"
// because the driver looks up each numbered parameter by its name, likewise.
var inserts = []struct {
	rows int
	text string
}{{64, insertText(64)}, {8, insertText(8)}, {1, insertText(1)}}

func insertText(rows int) string {
	return `INSERT OR FAIL INTO event (id, at_ms, author, name, text, nonce) VALUES ` +
		strings.Repeat(`(?, ?, ?, ?, ?, ?), `, rows-1) + `(?, ?, ?, ?, ?, ?)`
}

// insert stores rows in their order, and returns how many are new: a row whose
// nonce is known has the first answer as its result, or an error if that nonce
// belongs to something else.
func (c *committer) insert(ctx context.Context, rows []row, at int64) (stored int, err error) {
	for len(rows) > 0 {
		plain := plainRun(rows[:min(len(rows), inserts[0].rows)])
		if plain == 0 {
			if err := c.change(ctx, &rows[0], at); err != nil {
				return 0, fmt.Errorf("%s in %s: %w", rows[0].draft.Is(), rows[0].draft.Room, err)
			}
			if c := rows[0].result; c.Err == nil && !c.Repeated {
				stored++
			}
			rows = rows[1:]
			continue
		}
		in, err := c.insertSome(ctx, rows[:plain], at)
		switch {
		case err == nil:
		case isKnownNonce(err):
			// The room's numbers have not moved for this row: the next has its seq.
			if err := c.answerAgain(ctx, &rows[in]); err != nil {
				return 0, err
			}
			stored--
			in++
		default:
			return 0, fmt.Errorf("message to %s: %w", rows[in].draft.Room, err)
		}
		stored += in
		rows = rows[in:]
	}
	return stored, nil
}

// plainRun returns how many of rows, from the first on, are messages and nothing
// but that.
func plainRun(rows []row) int {
	for i := range rows {
		if d := rows[i].draft; d.Is() != chat.Message || d.Target != 0 || d.Extra != nil || mayMention(d.Text) || d.Nonce != "" && rows[i].by.answers {
			return i
		}
	}
	return len(rows)
}

// insertSome inserts as many of rows as one statement can, and returns how many
// that were. If the error is one of a known nonce they are less, and the next row
// is the one with that nonce.
func (c *committer) insertSome(ctx context.Context, rows []row, at int64) (int, error) {
	which := 0
	for inserts[which].rows > len(rows) {
		which++
	}
	rows = rows[:inserts[which].rows]
	c.args = c.args[:0]
	for i := range rows {
		r := &rows[i]
		if r.head.seq == maxSeq {
			return 0, errors.New("the room is full")
		}
		r.head.seq++
		r.seq = r.head.seq
		c.args = append(c.args, messageID(r.head.room, r.seq), at, r.author, r.draft.From.Name, r.draft.Text, packNonce(r.draft.Nonce))
	}
	err := c.exec(ctx, inserts[which].text, c.args...)
	in := len(rows)
	if err != nil {
		in = 0
		if isKnownNonce(err) {
			if e := c.scan(ctx, []any{&in}, `SELECT changes()`); e != nil {
				return 0, e
			}
		}
		for i := range rows[in:] {
			rows[in+i].head.seq--
		}
	}
	for i := range rows[:in] {
		*rows[i].result = chat.Commit{Event: rows[i].event(at)}
	}
	return in, err
}

// packNonce returns nonce in the form in which it is kept. A UUID, which nearly
// all are, has less than half its length; no two nonces have the same form.
func packNonce(nonce string) any {
	if nonce == "" {
		return nil
	}
	if len(nonce) == 36 {
		if id, err := uuid.Parse(nonce); err == nil && id.String() == nonce { // and not one in capitals
			return id[:]
		}
	}
	return nonce
}

func (r *row) event(at int64) chat.Event {
	d := r.draft
	return chat.Event{
		Room: d.Room, Seq: r.seq, At: time.UnixMilli(at).UTC(), Kind: chat.Message,
		From: d.From, Text: d.Text, HTML: d.HTML,
	}
}

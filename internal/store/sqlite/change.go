package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/internal/chat"
)

// changes says how each kind of event is stored that is more than a plain
// message. Each either stores it by insertEvent, or sets the row's result to an
// event that has the same effect already, or returns an *chat.Error and has
// written nothing.
var changes = map[chat.Kind]func(*committer, context.Context, *row, int64) error{
	chat.Message: (*committer).insertMessage,
	chat.Reply:   (*committer).insertMessage,
	chat.Edit:    (*committer).edit,
	chat.Delete:  (*committer).deleteMessage,
	chat.React:   (*committer).react,
	chat.Unreact: (*committer).unreact,
	chat.Pin:     (*committer).pin,
	chat.Unpin:   (*committer).unpin,
	chat.Topic:   (*committer).topic,
}

// change stores one row that is no plain message. What it may not be is its
// result; an error is the whole transaction's.
func (c *committer) change(ctx context.Context, r *row, at int64) error {
	d := r.draft
	if d.Nonce != "" {
		err := c.answerAgain(ctx, r)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	do := changes[d.Is()]
	if do == nil {
		return errors.New("there is no such kind of event")
	}
	err := do(c, ctx, r, at)
	if told, ok := errors.AsType[*chat.Error](err); ok {
		*r.result = chat.Commit{Err: told}
		return nil
	}
	return err
}

// messageRow is a message as those need it who change or answer it.
type messageRow struct {
	id      int64
	author  int64 // rowid
	from    chat.Person
	kind    chat.Kind
	text    string // as it is now; "": it has been deleted
	thread  int64  // the id of its thread's first message; 0: it is in none
	current int64  // the id of what made it what it is now; 0: nothing
	extra   string // when it was said
}

var errNoMessage = &chat.Error{Code: chat.NotFound, Message: "There is no such message in this room."}

var errDeleted = &chat.Error{Code: chat.Gone, Message: "This message has been deleted."}

// message returns a message of r's room; errNoMessage if seq is none.
func (c *committer) message(ctx context.Context, r *row, seq chat.Seq) (messageRow, error) {
	if seq < 1 || seq > r.head.seq {
		return messageRow{}, errNoMessage
	}
	m := messageRow{id: messageID(r.head.room, seq)}
	err := c.scan(ctx, []any{&m.author, &m.from.ID, &m.from.Name, &m.kind, &m.text, &m.thread, &m.current, &m.extra}, `
		SELECT m.author, p.public, m.name, coalesce(m.kind, 'message'), coalesce(c.text, m.text), coalesce(m.target, 0), coalesce(m.current, 0), coalesce(m.extra, '')
		FROM event m JOIN person p ON p.id = m.author LEFT JOIN event c ON c.id = m.current
		WHERE m.id = $1`, m.id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !m.kind.IsSaid() { // no row: somebody has taken it out by hand
		return messageRow{}, errNoMessage
	}
	return m, err
}

// undeleted is message for those who need its text: errGone if it has none.
func (c *committer) undeleted(ctx context.Context, r *row) (messageRow, error) {
	m, err := c.message(ctx, r, r.draft.Target)
	if err == nil && m.text == "" {
		err = errDeleted
	}
	return m, err
}

// insertEvent stores r's event with the room's next seq.
func (c *committer) insertEvent(ctx context.Context, r *row, at, target int64, extra *chat.Attrs) error {
	packed, err := packAttrs(extra)
	if err != nil {
		return err
	}
	if r.head.seq == maxSeq {
		return errors.New("the room is full")
	}
	d := r.draft
	var kind, belongs any
	if d.Is() != chat.Message {
		kind = string(d.Kind)
	}
	if target != 0 {
		belongs = target
	}
	err = c.exec(ctx, `INSERT INTO event (id, at_ms, author, name, text, nonce, kind, target, extra) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		messageID(r.head.room, r.head.seq+1), at, r.author, d.From.Name, d.Text, packNonce(d.Nonce), kind, belongs, packed)
	if err != nil {
		return err
	}
	r.head.seq++
	r.seq = r.head.seq
	e := r.event(at)
	e.Kind, e.Extra, e.Target = d.Is(), extra, chat.Seq(target&maxSeq)
	*r.result = chat.Commit{Event: e}
	return nil
}

func (r *row) id() int64 { return messageID(r.head.room, r.seq) }

// insertMessage stores a message with something beside its text.
func (c *committer) insertMessage(ctx context.Context, r *row, at int64) (err error) {
	x := &chat.Attrs{}
	if given := r.draft.Extra; given != nil {
		*x = *given
	}
	var root messageRow
	if r.draft.Target != 0 {
		if root, err = c.root(ctx, r); err != nil {
			return err
		}
	}
	if x.ReplyTo != 0 {
		m, err := c.message(ctx, r, x.ReplyTo)
		if err != nil {
			return err
		}
		if m.text != "" {
			x.Quote = &chat.Quote{From: m.from, Text: chat.Preview(m.text, chat.MaxQuote)}
		}
	}
	var source int64
	if r.draft.Source != (chat.MessageRef{}) {
		if source, err = c.source(ctx, r.draft); err != nil {
			return err
		}
	}
	named, err := c.named(ctx, r, x)
	if err != nil {
		return err
	}
	if err := c.insertEvent(ctx, r, at, root.id, extraOrNil(x)); err != nil {
		return err
	}
	if err := c.mention(ctx, r.id(), named); err != nil {
		return err
	}
	if source != 0 {
		if err := c.noteCopy(ctx, r.id(), source); err != nil {
			return err
		}
	}
	if root.id == 0 {
		return nil
	}
	for _, person := range []int64{r.author, root.author} {
		if err := c.exec(ctx, `INSERT INTO follow (target, person) VALUES ($1, $2) ON CONFLICT DO NOTHING`, root.id, person); err != nil {
			return err
		}
	}
	return nil
}

// root returns the first message of the thread that r's draft wants to be in. A
// reply within a thread has none of its own.
func (c *committer) root(ctx context.Context, r *row) (messageRow, error) {
	m, err := c.message(ctx, r, r.draft.Target)
	if err == nil && m.thread != 0 {
		m, err = c.message(ctx, r, chat.Seq(m.thread&maxSeq))
	}
	return m, err
}

func extraOrNil(x *chat.Attrs) *chat.Attrs {
	x.Present = nil
	if x.ReplyTo == 0 && !x.Action && x.Forward == nil && len(x.Mentions) == 0 && !x.Here {
		return nil
	}
	return x
}

// edit has a message say something else from now on.
func (c *committer) edit(ctx context.Context, r *row, at int64) error {
	m, err := c.undeleted(ctx, r)
	if err != nil {
		return err
	}
	first, err := unpackAttrs(m.extra)
	if err != nil {
		return err
	}
	switch {
	case m.author != r.author:
		return &chat.Error{Code: chat.NotYours, Message: "Only who wrote a message can edit it."}
	case first != nil && first.Forward != nil:
		return &chat.Error{Code: chat.NotYours, Message: "What somebody else said first cannot be edited."}
	case m.text == r.draft.Text:
		return c.answerUnchanged(ctx, r, max(m.current, m.id), at)
	}
	edits, err := c.find(ctx, `SELECT count(*) FROM event WHERE target = $1 AND kind = 'edit'`, m.id)
	if err != nil {
		return err
	}
	if edits >= chat.MaxEdits {
		return &chat.Error{Code: chat.TooMany, Message: "This message has been edited often enough; write a new one."}
	}
	x := &chat.Attrs{}
	named, err := c.named(ctx, r, x)
	if err != nil {
		return err
	}
	if err := c.insertEvent(ctx, r, at, m.id, extraOrNil(x)); err != nil {
		return err
	}
	if err := c.exec(ctx, `UPDATE event SET current = $2 WHERE id = $1`, m.id, r.id()); err != nil {
		return err
	}
	if err := c.unmention(ctx, m.id); err != nil {
		return err
	}
	return c.mention(ctx, m.id, named)
}

// deleteMessage takes away what a message says and said, and what hangs on that.
func (c *committer) deleteMessage(ctx context.Context, r *row, at int64) error {
	m, err := c.message(ctx, r, r.draft.Target)
	if err != nil {
		return err
	}
	if m.author != r.author {
		return &chat.Error{Code: chat.NotYours, Message: "Only who wrote a message can delete it."}
	}
	if m.text == "" {
		return c.answerUnchanged(ctx, r, m.current, at)
	}
	if err := c.insertEvent(ctx, r, at, m.id, nil); err != nil {
		return err
	}
	if err := c.unmention(ctx, m.id); err != nil {
		return err
	}
	c.erased = true
	const versions = ` WHERE id = $1 OR target = $1 AND kind = 'edit'`
	var texts []byte
	if err := c.scan(ctx, []any{&texts}, `SELECT json_group_array(text) FROM event`+versions, m.id); err != nil {
		return err
	}
	if err := json.Unmarshal(texts, &r.result.DeletedTexts); err != nil {
		return fmt.Errorf("what a message said: %w", err)
	}
	for _, text := range []string{
		`UPDATE event SET text = '', extra = NULL` + versions,
		`DELETE FROM reaction WHERE target = $1`,
		`DELETE FROM pin WHERE target = $1`,
	} {
		if err := c.exec(ctx, text, m.id); err != nil {
			return err
		}
	}
	if err := c.exec(ctx, `UPDATE event SET current = $2 WHERE id = $1`, m.id, r.id()); err != nil {
		return err
	}
	return c.deleted(ctx, m.id)
}

// otherEmoji counts the different emoji on a message but one. It steps from each
// to the next, however many people have put it.
const otherEmoji = `
	WITH RECURSIVE other(emoji) AS (
		SELECT min(emoji) FROM reaction WHERE target = $1
		UNION ALL
		SELECT (SELECT min(emoji) FROM reaction WHERE target = $1 AND emoji > other.emoji) FROM other WHERE other.emoji IS NOT NULL)
	SELECT count(*) FROM other WHERE emoji <> $2`

// react puts somebody's emoji on a message.
func (c *committer) react(ctx context.Context, r *row, at int64) error {
	m, err := c.undeleted(ctx, r)
	if err != nil {
		return err
	}
	emoji := r.draft.Text
	id, err := c.find(ctx, `SELECT event FROM reaction WHERE target = $1 AND emoji = $2 AND person = $3`, m.id, emoji, r.author)
	if err != nil {
		return err
	}
	if id != 0 {
		return c.answerUnchanged(ctx, r, id, at)
	}
	others, err := c.find(ctx, otherEmoji, m.id, emoji)
	if err != nil {
		return err
	}
	if others >= chat.MaxEmoji {
		return &chat.Error{Code: chat.TooMany, Message: "This message has enough different emoji; add to one that is there."}
	}
	if err := c.insertEvent(ctx, r, at, m.id, nil); err != nil {
		return err
	}
	return c.exec(ctx, `INSERT INTO reaction (target, emoji, person, event) VALUES ($1, $2, $3, $4)`, m.id, emoji, r.author, r.id())
}

// unreact takes somebody's emoji away again.
func (c *committer) unreact(ctx context.Context, r *row, at int64) error {
	m, err := c.undeleted(ctx, r)
	if err != nil {
		return err
	}
	id, err := c.find(ctx, `SELECT event FROM reaction WHERE target = $1 AND emoji = $2 AND person = $3`, m.id, r.draft.Text, r.author)
	if err != nil {
		return err
	}
	if id == 0 {
		return c.answerUnchanged(ctx, r, messageID(r.head.room, r.head.seq), at)
	}
	if err := c.insertEvent(ctx, r, at, m.id, nil); err != nil {
		return err
	}
	return c.exec(ctx, `DELETE FROM reaction WHERE target = $1 AND emoji = $2 AND person = $3`, m.id, r.draft.Text, r.author)
}

func (c *committer) pin(ctx context.Context, r *row, at int64) error {
	m, err := c.undeleted(ctx, r)
	if err != nil {
		return err
	}
	id, err := c.find(ctx, `SELECT event FROM pin WHERE target = $1`, m.id)
	if err != nil {
		return err
	}
	if id != 0 {
		return c.answerUnchanged(ctx, r, id, at)
	}
	pins, err := c.find(ctx, `SELECT count(*) FROM pin WHERE target BETWEEN $1 AND $2`, messageID(r.head.room, 0), messageID(r.head.room, maxSeq))
	if err != nil {
		return err
	}
	if pins >= chat.MaxPins {
		return &chat.Error{Code: chat.TooMany, Message: "This room has enough pins; take one away first."}
	}
	if err := c.insertEvent(ctx, r, at, m.id, nil); err != nil {
		return err
	}
	return c.exec(ctx, `INSERT INTO pin (target, event) VALUES ($1, $2)`, m.id, r.id())
}

func (c *committer) unpin(ctx context.Context, r *row, at int64) error {
	m, err := c.message(ctx, r, r.draft.Target)
	if err != nil {
		return err
	}
	id, err := c.find(ctx, `SELECT event FROM pin WHERE target = $1`, m.id)
	if err != nil {
		return err
	}
	if id == 0 {
		return c.answerUnchanged(ctx, r, messageID(r.head.room, r.head.seq), at)
	}
	if err := c.insertEvent(ctx, r, at, m.id, nil); err != nil {
		return err
	}
	return c.exec(ctx, `DELETE FROM pin WHERE target = $1`, m.id)
}

func (c *committer) topic(ctx context.Context, r *row, at int64) error {
	var now string
	if err := c.scan(ctx, []any{&now}, `SELECT topic FROM room WHERE id = $1`, r.head.room); err != nil {
		return err
	}
	if now == r.draft.Text {
		return c.answerUnchanged(ctx, r, messageID(r.head.room, r.head.seq), at)
	}
	if err := c.insertEvent(ctx, r, at, 0, nil); err != nil {
		return err
	}
	return c.exec(ctx, `UPDATE room SET topic = $2 WHERE id = $1`, r.head.room, r.draft.Text)
}

// find returns the one number that a statement looks for, 0 if there is none.
func (c *committer) find(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = c.scan(ctx, []any{&n}, text, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// Versions returns what a message has said, the oldest first: as it was sent and
// after each edit. Of one that has been deleted there are none. The error is an
// *chat.Error with code NotFound if there is no such message.
func (s *Store) Versions(ctx context.Context, room chat.RoomName, seq chat.Seq) ([]chat.Event, error) {
	var events []chat.Event
	err := s.reads.each(ctx, `
		WITH m(id) AS (SELECT id << 36 | $2 FROM room WHERE name = $1)
		SELECT e.id, e.seq, e.at_ms, p.public, e.name, e.text, coalesce(e.kind, 'message'), coalesce(e.target, 0) & 0xfffffffff
		FROM event e JOIN person p ON p.id = e.author WHERE e.id = (SELECT id FROM m) AND coalesce(e.kind, 'reply') = 'reply'
		UNION ALL
		SELECT e.id, e.seq, e.at_ms, p.public, e.name, e.text, e.kind, e.target & 0xfffffffff
		FROM event e JOIN person p ON p.id = e.author WHERE e.target = (SELECT id FROM m) AND e.kind = 'edit'
		ORDER BY 1`, []any{string(room), int64(min(max(seq, 0), maxSeq))}, func(rows *sql.Rows) error {
		e := chat.Event{Room: room}
		var at int64
		err := rows.Scan(new(int64), &e.Seq, &at, &e.From.ID, &e.From.Name, &e.Text, &e.Kind, &e.Target)
		e.At = time.UnixMilli(at).UTC()
		events = append(events, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, errNoMessage
	}
	return slices.DeleteFunc(events, func(e chat.Event) bool { return e.IsDeleted() }), nil
}

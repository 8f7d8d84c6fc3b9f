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
	"parley/internal/store"
)

// stateColumns reads a message's row with that of its newest version. The columns that are NULL in
// most rows come as one column of JSON, because the driver works by the column.
var stateColumns = `
	SELECT m.id, m.at_ms, coalesce(p.public, ''), m.name, coalesce(c.text, m.text),
		CASE WHEN coalesce(m.kind, m.target, m.extra, m.current) IS NOT NULL THEN json_object(
			'kind', m.kind, 'target', ` + seqSQL("m.target") + `, 'extra', m.extra,
			'newest', c.extra, 'current', c.kind, 'edited', c.seq, 'edited_ms', c.at_ms) END
	FROM event m LEFT JOIN person p ON p.id = m.author LEFT JOIN event c ON c.id = m.current `

// The statements of a page. $1 is the room.
var (
	within = ` m.id > ` + namedSQL("$2") + ` AND m.id < ` + namedSQL("$3") + ` `

	// Messages and replies of a thread are each in order in the index, so SQLite merges them and
	// does not sort a long thread.
	inThread = `SELECT m.id FROM event m WHERE m.target = ` + namedSQL("$5") + ` AND` + within
	ofThread = inThread + `AND m.kind = 'reply' UNION ALL ` + inThread + `AND m.kind IS NULL `

	newestSaid = stateColumns + `WHERE` + within + `AND m.kind IS NULL ORDER BY m.id DESC LIMIT $4`
	oldestSaid = stateColumns + `WHERE` + within + `AND m.kind IS NULL ORDER BY m.id LIMIT $4`
	sinceSaid  = stateColumns + `WHERE m.id > ` + namedSQL(earlierSQL) + ` AND m.id < ` + namedSQL("$3") + `
		AND m.kind IS NULL ORDER BY m.id LIMIT $4`
	newestReply = stateColumns + `WHERE m.id IN (` + ofThread + `ORDER BY 1 DESC LIMIT $4) ORDER BY m.id DESC`
	oldestReply = stateColumns + `WHERE m.id IN (` + ofThread + `ORDER BY 1 LIMIT $4) ORDER BY m.id`
	pinnedSaid  = stateColumns + `JOIN pin ON pin.target = m.id
		WHERE pin.target BETWEEN ` + namedSQL("0") + ` AND ` + namedSQL("$2") + `
			AND pin.event < ` + namedSQL("$3") + `
		ORDER BY pin.event DESC LIMIT $4`
	chosenSaid = stateColumns + `WHERE m.id IN (SELECT ` + namedSQL("value") +
		` FROM json_each($2)) AND coalesce(m.kind, 'reply') = 'reply' ORDER BY m.id`
)

// earlierSQL is SQL for the seq of a room's last event before the time $2, in milliseconds; 0 for none. Times rise with
// the seqs, so each step halves what is left: it looks one event up, and skips those up to it if it was stored earlier.
// No event is where a seq is beyond the head. The steps together are maxSeq.
var earlierSQL = `(
	WITH RECURSIVE earlier(place, step) AS (
		SELECT 0, 1 << 35
		UNION ALL
		SELECT place + iif((SELECT at_ms FROM event WHERE id = ` + namedSQL("(place + step)") + `) < $2, step, 0),
			step / 2 FROM earlier WHERE step > 0)
	SELECT place FROM earlier WHERE step = 0)`

// Page returns some of a room's messages as they are now, in one snapshot. A room without events
// has no messages; that is no error.
func (s *Store) Page(ctx context.Context, room chat.RoomName, sel chat.PageQuery) (page chat.Page, err error) {
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return page, fmt.Errorf("messages of %s: %w", room, s.readError(ctx, err))
	}
	r := &snapshot{s: s, tx: tx, room: room}
	defer r.end(ctx)
	var at int64
	err = r.row(ctx, headText, []any{string(room)}, &page.Head, &at)
	page.At = store.TimeOf(at)
	if err == nil && (sel.Limit > 0 || sel.Seqs != nil) { // SQLite takes a negative limit for no limit
		err = r.read(ctx, sel, &page)
	}
	if err == nil && sel.Thread != 0 {
		err = r.root(ctx, sel.Thread, &page)
	}
	if err = s.readError(ctx, err); err != nil {
		return page, fmt.Errorf("messages of %s after %d before %d: %w", room, sel.After, sel.Before, err)
	}
	return page, nil
}

// A snapshot reads a room in one read transaction.
type snapshot struct {
	s          *Store
	tx         *sql.Tx
	room       chat.RoomName
	base       int64    // id before the room's first event; set when a message has been read
	unprepared []string // statements that reads has not prepared yet
}

// end ends the transaction and then prepares the statements that were not ready, for the next page.
func (r *snapshot) end(ctx context.Context) {
	r.tx.Rollback() // it has written nothing
	for _, text := range r.unprepared {
		if _, err := r.s.reads.get(ctx, text); err != nil { // the next page tries again
			return
		}
	}
}

// stmt returns a statement for the snapshot's connection. A statement that is not ready is prepared
// on that connection. To prepare it through reads takes another connection; if snapshots held all
// of them and each wanted one more, none would get it.
func (r *snapshot) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt := r.s.reads.ready(text); stmt != nil {
		return r.tx.StmtContext(ctx, stmt), nil
	}
	r.unprepared = append(r.unprepared, text)
	return r.tx.PrepareContext(ctx, text)
}

func (r *snapshot) row(ctx context.Context, text string, args []any, dest ...any) error {
	stmt, err := r.stmt(ctx, text)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(dest...)
}

// each calls scan for each row that a statement finds.
func (r *snapshot) each(ctx context.Context, text string, args []any, scan func(*sql.Rows) error) error {
	stmt, err := r.stmt(ctx, text)
	if err != nil {
		return err
	}
	return eachRow(ctx, stmt, args, scan)
}

// read reads the messages that sel selects, with all changes applied.
func (r *snapshot) read(ctx context.Context, sel chat.PageQuery, page *chat.Page) (err error) {
	if sel.Around == 0 {
		page.Messages, page.More, err = r.messageStates(ctx, sel)
	} else {
		around := min(sel.Around, maxSeq-1)
		older, newer := sel, sel
		older.Before, older.Limit, older.Bytes = around+1, (sel.Limit+1)/2, (sel.Bytes+1)/2
		newer.After, newer.Limit, newer.Bytes, newer.Oldest = around, sel.Limit/2, (sel.Bytes+1)/2, true
		if page.Messages, page.More, err = r.messageStates(ctx, older); err != nil {
			return err
		}
		var rest []chat.MessageState
		rest, page.Newer, err = r.messageStates(ctx, newer)
		page.Messages = append(page.Messages, rest...)
	}
	if err != nil {
		return err
	}
	return r.addChanges(ctx, page.Messages, sel)
}

// root reads the first message of a thread.
func (r *snapshot) root(ctx context.Context, thread chat.Seq, page *chat.Page) error {
	var only chat.Page
	err := r.read(ctx, chat.PageQuery{Seqs: []chat.Seq{thread}}, &only)
	if len(only.Messages) > 0 {
		page.Root = &only.Messages[0]
	}
	return err
}

// messageStates reads messages and their newest versions.
func (r *snapshot) messageStates(ctx context.Context,
	sel chat.PageQuery,
) (found []chat.MessageState, more bool, err error) {
	text, args, limit := statement(r.room, sel)
	size := 0
	err = r.each(ctx, text, args, func(rows *sql.Rows) error {
		if len(found) == limit || sel.Bytes > 0 && size >= sel.Bytes && sel.Seqs == nil {
			more = true
			return errEnough
		}
		m := chat.MessageState{Event: chat.Event{Room: r.room}}
		var id, at int64
		var packed []byte
		if err := rows.Scan(&id, &at, &m.From.ID, &m.From.Name, &m.Text, &packed); err != nil {
			return err
		}
		r.base = id &^ maxSeq
		m.Seq, m.At = seqOf(id), time.UnixMilli(at).UTC()
		if m.From.ID == "" { // the author's row is missing
			return r.s.eventMissing(ctx, chat.MessageRef{Room: r.room, Seq: m.Seq})
		}
		optional, err := unpackOptional(&m.Event, packed)
		switch optional.Current {
		case chat.Edit:
			m.Edited, m.EditedAt = optional.Edited, time.UnixMilli(optional.EditedMS).UTC()
			var edit *chat.Attrs
			edit, err = store.UnpackAttrs([]byte(optional.Newest))
			m.Attrs = store.EditedAttrs(m.Attrs, edit)
		case chat.Delete:
			m.Attrs = nil
		}
		found = append(found, m)
		size += len(m.Text) + len(packed)
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if !sel.Oldest && sel.Seqs == nil {
		slices.Reverse(found)
	}
	return found, more, err
}

// errEnough stops reading rows at the end of a page.
var errEnough = errors.New("enough has been read")

// statement returns the statement for a page. It reads one row more than the limit, to know whether
// there are more.
func statement(room chat.RoomName, sel chat.PageQuery) (text string, args []any, limit int) {
	if sel.Seqs != nil {
		list, err := json.Marshal(slices.DeleteFunc(slices.Clone(sel.Seqs), func(seq chat.Seq) bool {
			return seq < 1 || seq > maxSeq // beyond it, ids are those of another room
		}))
		if err != nil { // numbers
			panic(err)
		}
		return chosenSaid, []any{string(room), string(list)}, len(sel.Seqs)
	}
	after, before := min(max(sel.After, 0), maxSeq), min(sel.Before, maxSeq)
	if before <= 0 {
		before = maxSeq
	}
	args = []any{string(room), int64(after), int64(before), sel.Limit + 1}
	switch {
	case sel.Pinned:
		return pinnedSaid, []any{string(room), maxSeq, int64(before), sel.Limit + 1}, sel.Limit
	case sel.Thread != 0 && sel.Oldest:
		return oldestReply, append(args, int64(min(sel.Thread, maxSeq))), sel.Limit
	case sel.Thread != 0:
		return newestReply, append(args, int64(min(sel.Thread, maxSeq))), sel.Limit
	case sel.Oldest && !sel.Since.IsZero():
		return sinceSaid, []any{string(room), store.CeilMS(sel.Since), int64(before), sel.Limit + 1}, sel.Limit
	case sel.Oldest:
		return oldestSaid, args, sel.Limit
	}
	return newestSaid, args, sel.Limit
}

// addChanges adds quotes, reactions, replies and pins to messages.
func (r *snapshot) addChanges(ctx context.Context, found []chat.MessageState, sel chat.PageQuery) error {
	if len(found) == 0 {
		return nil
	}
	at := make(map[chat.Seq]*chat.MessageState, len(found))
	ids := make([]int64, len(found))
	for i := range found {
		m := &found[i]
		at[m.Seq] = m
		ids[i] = r.base | int64(m.Seq)
		if m.Attrs != nil && m.Attrs.ReplyTo > 0 {
			if err := r.quote(ctx, m.Attrs); err != nil {
				return err
			}
		}
	}
	which := scattered(ids)
	if sel.Seqs == nil && !sel.Pinned && sel.Thread == 0 {
		which = stretch(ids)
		var touched bool // mostly false
		if err := r.row(ctx, `SELECT EXISTS (SELECT 1 FROM event WHERE `+which.where+`)`, which.args,
			&touched); err != nil || !touched {
			return err
		}
	}
	if err := r.reactions(ctx, which, at); err != nil {
		return err
	}
	if err := r.replies(ctx, which, at); err != nil {
		return err
	}
	return r.each(ctx, `SELECT target, event FROM pin WHERE `+which.where, which.args, func(rows *sql.Rows) error {
		var target, event int64
		err := rows.Scan(&target, &event)
		if m := at[seqOf(target)]; m != nil {
			m.Pinned, m.Pin = true, seqOf(event)
		}
		return err
	})
}

// A targets is an SQL condition on the column target.
type targets struct {
	where string
	args  []any
}

// stretch is for messages with adjacent ids: one look-up in an index, which mostly finds nothing.
func stretch(ids []int64) targets {
	return targets{`target BETWEEN $1 AND $2`, []any{slices.Min(ids), slices.Max(ids)}}
}

func scattered(ids []int64) targets {
	list, err := json.Marshal(ids)
	if err != nil { // numbers
		panic(err)
	}
	return targets{`target IN (SELECT value FROM json_each($1))`, []any{string(list)}}
}

func (r *snapshot) quote(ctx context.Context, x *chat.Attrs) error {
	stmt, err := r.stmt(ctx, quoteText)
	if err != nil {
		return err
	}
	return quote(ctx, stmt, r.room, x)
}

func (r *snapshot) reactions(ctx context.Context, which targets, at map[chat.Seq]*chat.MessageState) error {
	text := `SELECT target, emoji, public, name FROM reaction JOIN person ON person.id = reaction.person WHERE ` +
		which.where + ` ORDER BY target, event`
	return r.each(ctx, text, which.args, func(rows *sql.Rows) error {
		var target int64
		var emoji string
		var p chat.Person
		if err := rows.Scan(&target, &emoji, &p.ID, &p.Name); err != nil {
			return err
		}
		m := at[seqOf(target)]
		if m == nil {
			return nil
		}
		i := slices.IndexFunc(m.Reactions, func(r chat.Reaction) bool { return r.Emoji == emoji })
		if i < 0 {
			i = len(m.Reactions)
			m.Reactions = append(m.Reactions, chat.Reaction{Emoji: emoji})
		}
		m.Reactions[i].People = append(m.Reactions[i].People, p)
		return nil
	})
}

// replies reads the summaries of threads. Deleted replies do not count.
func (r *snapshot) replies(ctx context.Context, which targets, at map[chat.Seq]*chat.MessageState) error {
	text := `
		SELECT ` + seqSQL("t.target") + `, t.n, e.seq, e.at_ms, p.public, e.name
		FROM (SELECT target, count(*) AS n, max(id) AS last FROM event
			WHERE ` + which.where + ` AND coalesce(kind, 'reply') = 'reply' AND text <> '' GROUP BY target) t
		JOIN event e ON e.id = t.last JOIN person p ON p.id = e.author`
	return r.each(ctx, text, which.args, func(rows *sql.Rows) error {
		var seq chat.Seq
		var last int64
		t := &chat.Replies{}
		if err := rows.Scan(&seq, &t.Count, &t.Last, &last, &t.From.ID, &t.From.Name); err != nil {
			return err
		}
		t.At = time.UnixMilli(last).UTC()
		if m := at[seq]; m != nil {
			m.Replies = t
		}
		return nil
	})
}

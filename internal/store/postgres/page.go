package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"parley/internal/chat"
	"parley/internal/store"
)

// What the parts of a page consist of: rows of event with a column place, which puts them in the order of the
// page's direction. $1 is the room, $2 the limit of bytes; then come the bounds and the number of
// rows. Each follows an index, so that no more rows are read than needed. The order has all columns
// of the index because the planner does not know that a kind which is NULL is one value.
var (
	withinSQL = `e.room = ` + roomSQL + ` AND e.seq > $3 AND e.seq < $4`

	newestSQL = `SELECT e.*, -e.seq AS place FROM event e WHERE ` + withinSQL + ` AND e.kind IS NULL
		ORDER BY e.room DESC, e.seq DESC LIMIT $5`
	oldestSQL = `SELECT e.*, e.seq AS place FROM event e WHERE ` + withinSQL + ` AND e.kind IS NULL
		ORDER BY e.room, e.seq LIMIT $5`
	sinceSQL = `SELECT e.*, e.seq AS place FROM event e
		WHERE e.room = ` + roomSQL + ` AND e.seq > ` + earlierSQL + ` AND e.seq < $4 AND e.kind IS NULL
		ORDER BY e.room, e.seq LIMIT $5`
	newestReplySQL = threadSQL("-e.seq", " DESC")
	oldestReplySQL = threadSQL("e.seq", "")
	pinnedSQL      = `SELECT e.*, -p.seq AS place FROM pin p JOIN event e ON e.room = p.room AND e.seq = p.target
		WHERE p.room = ` + roomSQL + ` AND p.seq < $3 ORDER BY p.seq DESC LIMIT $4`
	chosenSQL = `SELECT e.*, e.seq AS place FROM event e
		WHERE e.room = ` + roomSQL + ` AND e.seq = ANY($3::bigint[]) AND coalesce(e.kind, 'reply') = 'reply'`

	newestText, oldestText           = stateText(newestSQL), stateText(oldestSQL)
	newestReplyText, oldestReplyText = stateText(newestReplySQL), stateText(oldestReplySQL)
	sinceText                        = stateText(sinceSQL)
	pinnedText, chosenText           = stateText(pinnedSQL), stateText(chosenSQL)
)

// earlierSQL is SQL for the seq of a room's last event before the time $3, in milliseconds; 0 for none. Times rise with
// the seqs, so each step halves what is left: it looks one event up, and skips those up to it if it was stored earlier.
// No event is where a seq is beyond the head.
const earlierSQL = `(
	WITH RECURSIVE earlier(n, step) AS (
		SELECT 0::bigint, 1::bigint << 40
		UNION ALL
		SELECT n + CASE WHEN (SELECT at_ms FROM event WHERE room = ` + roomSQL + ` AND seq = n + step) < $3
			THEN step ELSE 0 END, step / 2 FROM earlier WHERE step > 0)
	SELECT n FROM earlier WHERE step = 0)`

// threadSQL returns SQL for messages of a thread. Its replies and its messages that are shown in
// the room too are each in order in the index.
func threadSQL(place, order string) string {
	of := func(kind string) string {
		return `(SELECT e.*, ` + place + ` AS place FROM event e
			WHERE ` + withinSQL + ` AND e.target = $6 AND e.kind ` + kind + `
			ORDER BY e.kind` + order + `, e.seq` + order + ` LIMIT $5)`
	}
	return of("= 'reply'") + ` UNION ALL ` + of("IS NULL") + ` ORDER BY place LIMIT $5`
}

// stateText returns the statement for chosen messages as they are now. It leaves out
// those that the page has no room for, but for the first of them. Most pages have no reaction, reply
// or pin, so these are looked for one message after the other only if anything is about any of them.
func stateText(chosen string) string {
	return `
	WITH chosen AS MATERIALIZED (` + chosen + `),
	newest AS MATERIALIZED (
		SELECT m.*, c.text AS now, c.kind AS current_kind, c.at_ms AS current_ms, c.extra AS current_extra,
			sum(octet_length(coalesce(c.text, m.text))) OVER (
				ORDER BY m.place ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS before
		FROM chosen m LEFT JOIN event c ON c.room = m.room AND c.seq = m.current),
	touched AS (
		SELECT EXISTS (SELECT FROM event t WHERE t.room = ` + roomSQL + `
			AND t.target BETWEEN (SELECT min(seq) FROM chosen) AND (SELECT max(seq) FROM chosen)) AS found)
	SELECT m.seq, m.at_ms, ` + authorSQL("m") + `, m.name, coalesce(m.now, m.text), m.kind, m.target, m.extra,
		` + quoteSQL("m") + `, m.current, m.current_kind, m.current_ms, m.current_extra,
		CASE WHEN (SELECT found FROM touched) THEN ` + reactionsSQL + ` END,
		CASE WHEN (SELECT found FROM touched) THEN ` + repliesSQL + ` END,
		CASE WHEN (SELECT found FROM touched)
			THEN (SELECT x.seq FROM pin x WHERE x.room = m.room AND x.target = m.seq) END
	FROM newest m WHERE m.before IS NULL OR m.before < $2
	ORDER BY m.place`
}

const (
	// reactionsSQL is an array of emoji, person's id and name for each reaction to the message m.
	reactionsSQL = `(
			SELECT array_agg(ARRAY[x.emoji, p.public, p.name] ORDER BY x.seq)
			FROM reaction x JOIN person p ON p.id = x.person WHERE x.room = m.room AND x.target = m.seq)`
	// repliesSQL is an array that says of the thread of the message m how many replies it has, and of the
	// newest its seq, time and author. Deleted replies do not count.
	repliesSQL = `(
			SELECT ARRAY[n.count::text, e.seq::text, e.at_ms::text, p.public, e.name]
			FROM (SELECT count(*), max(t.seq) AS last FROM (
				SELECT seq, text FROM event WHERE room = m.room AND target = m.seq AND kind = 'reply'
				UNION ALL
				SELECT seq, text FROM event WHERE room = m.room AND target = m.seq AND kind IS NULL) t
				WHERE t.text <> '') n
			JOIN event e ON e.room = m.room AND e.seq = n.last JOIN person p ON p.id = e.author)`
)

// A part of a page is some of a room's messages, read by one statement.
type part struct {
	text   string
	args   []any
	limit  int // of messages
	bytes  int // of text; 0: no limit
	newest bool

	found []chat.MessageState // in the order of the page's direction
	more  bool
}

// partOf returns the part of a page that q asks for. It reads one message more than the limit, to know
// whether there are more.
func partOf(room chat.RoomName, q chat.PageQuery) *part {
	if q.Seqs != nil {
		return &part{
			text: chosenText, limit: len(q.Seqs), args: []any{string(room), int64(math.MaxInt64), seqsOf(q.Seqs)},
		}
	}
	s := &part{limit: q.Limit, bytes: q.Bytes, newest: !q.Oldest}
	bytes, before := int64(q.Bytes), q.Before
	if bytes <= 0 {
		bytes = math.MaxInt64
	}
	if before <= 0 {
		before = math.MaxInt64
	}
	s.args = []any{string(room), bytes, int64(max(q.After, 0)), int64(before), q.Limit + 1}
	switch {
	case q.Pinned:
		s.text, s.args, s.newest = pinnedText, []any{string(room), bytes, int64(before), q.Limit + 1}, true
	case q.Thread != 0 && q.Oldest:
		s.text, s.args = oldestReplyText, append(s.args, int64(q.Thread))
	case q.Thread != 0:
		s.text, s.args = newestReplyText, append(s.args, int64(q.Thread))
	case q.Oldest && !q.Since.IsZero():
		s.text, s.args[2] = sinceText, store.CeilMS(q.Since)
	case q.Oldest:
		s.text = oldestText
	default:
		s.text = newestText
	}
	return s
}

func seqsOf(seqs []chat.Seq) []int64 {
	all := make([]int64, len(seqs))
	for i, seq := range seqs {
		all[i] = int64(seq)
	}
	return all
}

// Page returns some of a room's messages as they are now, in one snapshot and one round trip. A
// room without events has no messages; that is no error.
func (s *Store) Page(ctx context.Context, room chat.RoomName, q chat.PageQuery) (page chat.Page, err error) {
	var parts []*part
	err = s.read(ctx, s.readTimeout, func(ctx context.Context, c *pgxpool.Conn) error {
		page, parts = chat.Page{}, partsOf(room, q)
		return s.readPage(ctx, c, room, &page, parts)
	})
	if err != nil {
		return page, fmt.Errorf("messages of %s after %d before %d: %w", room, q.After, q.Before, err)
	}
	s.shown.note(room, page.Head, page.At.UnixMilli())
	if root := parts[0]; len(root.found) > 0 {
		page.Root = &root.found[0]
	}
	for i, of := range parts[1:] {
		if of.newest {
			slices.Reverse(of.found)
		}
		if page.Messages = append(page.Messages, of.found...); i == 0 {
			page.More = of.more
		} else {
			page.Newer = of.more
		}
	}
	return page, nil
}

// partsOf returns the parts of a page: first that of a thread's root, which may be empty.
func partsOf(room chat.RoomName, q chat.PageQuery) []*part {
	all := []*part{{}}
	if q.Thread != 0 {
		all[0] = partOf(room, chat.PageQuery{Seqs: []chat.Seq{q.Thread}})
	}
	switch {
	case q.Seqs == nil && q.Limit <= 0:
	case q.Seqs == nil && q.Around != 0:
		around := min(q.Around, math.MaxInt64-1)
		older, newer := q, q
		older.Before, older.Limit, older.Bytes = around+1, (q.Limit+1)/2, (q.Bytes+1)/2
		newer.After, newer.Limit, newer.Bytes, newer.Oldest = around, q.Limit/2, (q.Bytes+1)/2, true
		all = append(all, partOf(room, older), partOf(room, newer))
	default:
		all = append(all, partOf(room, q))
	}
	return all
}

// readPage reads the head of a page and its parts in one snapshot.
func (s *Store) readPage(ctx context.Context, c *pgxpool.Conn, room chat.RoomName, page *chat.Page,
	parts []*part,
) error {
	b := &pgx.Batch{}
	b.Queue(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
	b.Queue(headText, string(room)).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var at int64
			if err := rows.Scan(&page.Head, &at); err != nil {
				return err
			}
			page.At = store.TimeOf(at)
		}
		return rows.Err()
	})
	for _, of := range parts {
		if of.text == "" {
			continue
		}
		b.Queue(of.text, of.args...).Query(func(rows pgx.Rows) error { return s.readStates(ctx, rows, room, of) })
	}
	b.Queue(`COMMIT`)
	return c.SendBatch(ctx, b).Close() // after an error the pool closes the connection, which is in a transaction
}

// readStates reads the messages of a part, as many as its limits allow.
func (s *Store) readStates(ctx context.Context, rows pgx.Rows, room chat.RoomName, of *part) error {
	size := 0
	for rows.Next() {
		if len(of.found) == of.limit || of.bytes > 0 && size >= of.bytes {
			of.more = true
			continue // there is one at most
		}
		m, n, err := scanState(rows, room)
		if err != nil {
			return err
		}
		if m.From.ID == "" { // the author's row is missing
			return s.eventMissing(ctx, chat.MessageRef{Room: room, Seq: m.Seq})
		}
		of.found = append(of.found, m)
		size += n
	}
	return rows.Err()
}

// scanState scans a row of stateText, and returns how many bytes of text it has.
func scanState(row pgx.CollectableRow, room chat.RoomName) (m chat.MessageState, size int, err error) {
	m.Room = room
	var extra, newest []byte
	var quoted []string
	var reactions, replies pgtype.FlatArray[string]
	var current, currentMS, pin *int64
	var currentKind *string
	err = scanEvent(row, &m.Event, &extra, &quoted, &current, &currentKind, &currentMS, &newest, &reactions, &replies,
		&pin)
	if err == nil {
		m.Attrs, err = store.UnpackAttrs(extra)
	}
	switch {
	case err != nil || currentKind == nil:
	case chat.Kind(*currentKind) == chat.Edit:
		m.Edited, m.EditedAt = chat.Seq(*current), time.UnixMilli(*currentMS).UTC()
		var edit *chat.Attrs
		edit, err = store.UnpackAttrs(newest)
		m.Attrs = store.EditedAttrs(m.Attrs, edit)
	case chat.Kind(*currentKind) == chat.Delete:
		m.Attrs = nil
	}
	if err != nil {
		return m, 0, fmt.Errorf("event %d: %w", m.Seq, err)
	}
	setQuote(m.Attrs, quoted)
	m.Reactions = reactionsOf(reactions)
	if pin != nil {
		m.Pinned, m.Pin = true, chat.Seq(*pin)
	}
	if len(replies) > 0 {
		m.Replies, err = repliesOf(replies)
	}
	return m, len(m.Text) + len(extra), err
}

// reactionsOf returns the reactions of a column of reactionsSQL.
func reactionsOf(column []string) (all []chat.Reaction) {
	for ; len(column) >= 3; column = column[3:] {
		emoji := column[0]
		i := slices.IndexFunc(all, func(r chat.Reaction) bool { return r.Emoji == emoji })
		if i < 0 {
			i = len(all)
			all = append(all, chat.Reaction{Emoji: emoji})
		}
		all[i].People = append(all[i].People, chat.Person{ID: chat.PersonID(column[1]), Name: column[2]})
	}
	return all
}

// repliesOf returns the summary of a column of repliesSQL.
func repliesOf(column []string) (*chat.Replies, error) {
	var numbers [3]int64
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.ParseInt(column[i], 10, 64); err != nil {
			return nil, err
		}
	}
	return &chat.Replies{
		Count: int(numbers[0]), Last: chat.Seq(numbers[1]), At: time.UnixMilli(numbers[2]).UTC(),
		From: chat.Person{ID: chat.PersonID(column[3]), Name: column[4]},
	}, nil
}

// A copy is deleted when its source is, and then the copies of the copy. The deletion of a source
// only stores, in its own transaction, that copies are due, so that a crash loses nothing. Copies
// returns the due deletions; each is an ordinary event of the copy's room.

const copiesText = `
	SELECT r.name, f.seq, p.public, p.name
	FROM copies_due d JOIN forward f ON f.source_room = d.room AND f.source_seq = d.seq
	JOIN event c ON c.room = f.room AND c.seq = f.seq JOIN person p ON p.id = c.author JOIN room r ON r.id = f.room
	LIMIT $1`

// Copies returns at most limit due deletions of copies. Each is in the name of the person who
// forwarded the message, because only a message's author may delete it, and because it then tells
// its readers nothing of the other room. A deletion that is made twice changes nothing.
func (s *Store) Copies(ctx context.Context, limit int) ([]chat.Draft, error) {
	due, err := rowsOf(ctx, s, func(row pgx.CollectableRow) (chat.Draft, error) {
		d := chat.Draft{Kind: chat.Delete}
		return d, row.Scan(&d.Room, &d.Target, &d.From.ID, &d.From.Name)
	}, copiesText, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("copies of deleted messages: %w", err)
	}
	return due, nil
}

package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/format"
	"parley/internal/store"
)

// unreadSQL returns SQL that counts the messages of a room that a person has not read, up to limit.
// Only the room's newest events are counted, because a bot or a thread may have written hundreds of
// thousands.
func unreadSQL(read, head, room, person, limit string) string {
	return `(SELECT count(*) FROM (SELECT FROM event e
		WHERE e.room = ` + room + `
			AND e.seq > greatest(` + read + `, ` + head + ` - ` + strconv.Itoa(store.MaxCounted) + `)
			AND e.kind IS NULL AND e.author <> ` + person + ` AND e.text <> '' LIMIT ` + limit + `) n)`
}

func mentionsSQL(read, room, person, limit string) string {
	return `(SELECT count(*) FROM (SELECT FROM mention t
		WHERE t.person = ` + person + ` AND t.room = ` + room + ` AND t.seq > ` + read + ` LIMIT ` + limit + `) n)`
}

// listText reads the rooms of a person's list. $1 is the person, $2 the limit of each count. OFFSET 0
// keeps the planner from reading all rooms when there are few, and from keeping that plan.
var listText = `
	SELECT r.name, r.topic, b.read, b.notify, b.muted, b.favourite, r.head,
		` + unreadSQL("b.read", "r.head", "r.id", "b.person", "$2") + `,
		` + mentionsSQL("b.read", "r.id", "b.person", "$2") + `,
		coalesce(l.at_ms, 0), coalesce(l.public, ''), coalesce(l.name, ''), coalesce(l.text, '')
	FROM member b CROSS JOIN LATERAL (SELECT * FROM room WHERE id = b.room OFFSET 0) r
	LEFT JOIN LATERAL (
		SELECT e.at_ms, (SELECT p.public FROM person p WHERE p.id = e.author) AS public, e.name,
			coalesce((SELECT c.text FROM event c WHERE c.room = e.room AND c.seq = e.current), e.text) AS text
		FROM event e
		WHERE e.room = r.id AND e.seq > r.head - ` + strconv.Itoa(store.MaxCounted) + `
			AND e.kind IS NULL AND e.text <> ''
		ORDER BY e.seq DESC LIMIT 1) l ON true
	WHERE b.person = (SELECT id FROM person WHERE public = $1)`

// awaitedText reads the awaited rooms of a person's list, with the same columns. If a node of an older
// release has made such a room, the row stays until one of this release writes to the room. Meanwhile the
// person may have read or written there, and so have an entry of the room already.
const awaitedText = `
	SELECT a.room_name, '', 0, a.notify, a.muted, a.favourite, 0, 0, 0, a.at_ms, '', '', ''
	FROM awaited a WHERE a.person = (SELECT id FROM person WHERE public = $1) AND NOT EXISTS (
		SELECT FROM room r JOIN member b ON b.room = r.id WHERE r.name = a.room_name AND b.person = a.person)`

var (
	roomListText  = listText + ` UNION ALL` + awaitedText + ` LIMIT $3`
	listEntryText = listText + ` AND b.room = (SELECT id FROM room WHERE name = $3) UNION ALL` + awaitedText +
		` AND a.room_name = $3`
)

// RoomList returns the rooms of a person's list, in no particular order.
func (s *Store) RoomList(ctx context.Context, who chat.PersonID) ([]chat.ListEntry, error) {
	entries, err := rowsOf(ctx, s, listEntry, roomListText, string(who), chat.MaxUnread, chat.MaxListed)
	if err != nil {
		return nil, fmt.Errorf("rooms of a person: %w", err)
	}
	return entries, nil
}

// ListEntry returns one room of a person's list. The error is a *chat.Error with code NotFound if
// the room is not in it.
func (s *Store) ListEntry(ctx context.Context, who chat.PersonID, room chat.RoomName) (chat.ListEntry, error) {
	entries, err := rowsOf(ctx, s, listEntry, listEntryText, string(who), chat.MaxUnread, string(room))
	if err != nil {
		return chat.ListEntry{}, fmt.Errorf("what %s is to a person: %w", room, err)
	}
	if len(entries) == 0 {
		return chat.ListEntry{}, store.ErrNotListed
	}
	return entries[0], nil
}

// listEntry scans a row of listText.
func listEntry(row pgx.CollectableRow) (e chat.ListEntry, err error) {
	var at int64
	last := &chat.Quote{}
	err = row.Scan(&e.Room, &e.Topic, &e.Read, &e.Notify, &e.Muted, &e.Favourite, &e.Head, &e.Unread, &e.Mentions,
		&at, &last.From.ID, &last.From.Name, &last.Text)
	e.At = store.TimeOf(at)
	if last.Text != "" {
		last.Text = format.Preview(last.Text, chat.MaxPreview)
		e.Last = last
	}
	return e, err
}

// AddToList adds a room that a person enters to their list, unless it is there. If enters is false it
// adds nothing. It returns at once. done, which must not block, is called after all that was appended
// before is stored, with the awaited rooms that have left the list because there are too many.
func (s *Store) AddToList(who chat.PersonID, room chat.RoomName, enters bool,
	done func(dropped []chat.RoomName, err error),
) {
	var o ownWrite // without a statement it is answered in its turn
	var dropped []chat.RoomName
	if enters {
		o = enterText(who, room, &dropped)
	}
	queue := s.later(o)
	s.committer.Do(func(ctx context.Context) error {
		dropped = nil // of an attempt before
		return queue(ctx)
	}, func(err error) { done(dropped, err) })
}

// markReadText stores a read mark, and returns the room's head, the read mark and the counts. $7 is
// the seq, $8 whether the mark may move back, $9 the limit of each count.
var markReadText = `
	WITH` + ownMemberSQL + `,` + knownSQL + `),
	marked AS (
		INSERT INTO member AS b (person, room, read)
		SELECT m.person, m.room, least(greatest($7::bigint, 0), m.head) FROM m WHERE` + isNewSQL + `
		ON CONFLICT (person, room) DO UPDATE
		SET read = CASE WHEN $8::boolean THEN excluded.read ELSE greatest(b.read, excluded.read) END
		RETURNING read),
	now AS (
		SELECT m.person, m.room, m.head, coalesce((SELECT read FROM marked),
			(SELECT b.read FROM member b WHERE b.person = m.person AND b.room = m.room), 0) AS read FROM m)
	SELECT head, read,
		` + unreadSQL("read", "head", "now.room", "now.person", "$9::int") + `,
		` + mentionsSQL("read", "now.room", "now.person", "$9::int") + `,` + usedSQL + `
	FROM now`

// MarkRead stores up to where a person has read a room. A read mark moves back only if exact. A
// retry with the same nonce changes nothing. done, which must not block, is called once after the
// commit; its entry has the room, its head, the read mark and the counts of unread messages and
// mentions.
func (s *Store) MarkRead(who chat.PersonID, at chat.MessageRef, exact bool, nonce string,
	done func(chat.ListEntry, error),
) {
	e := chat.ListEntry{Room: at.Room}
	refused := chat.CheckNonce(nonce)
	if refused != nil {
		nonce = ""
	}
	args := ownArgs(nonce, "read", 0, time.Now().UnixMilli(), who, at.Room)
	o := ownWrite{
		who: string(who), room: string(at.Room),
		text: markReadText,
		args: append(args, int64(at.Seq), exact, chat.MaxUnread),
		scan: func(rows pgx.Rows) error {
			var known, same bool
			err := rows.Scan(&e.Head, &e.Read, &e.Unread, &e.Mentions, &known, &same)
			refused = refusal(known, same)
			return err
		},
	}
	if refused != nil { // it is answered in its turn
		o = ownWrite{}
	}
	s.do(o, func(err error) {
		if err != nil {
			err = store.UserError(err)
		} else {
			err = refused
		}
		done(e, err)
	})
}

var (
	unlistText = `
	WITH` + ownMemberSQL + `,` + knownSQL + `),
	removed AS (
		DELETE FROM member WHERE person = (SELECT person FROM m) AND room = (SELECT room FROM m) AND` + isNewSQL + `)
	SELECT` + usedSQL + `FROM m`

	// setEntryText changes the settings that are not NULL: $7, $8 and $9.
	setEntryText = `
	WITH` + ownMemberSQL + `,` + knownSQL + `),
	changed AS (
		INSERT INTO member AS b (person, room, notify, muted, favourite)
		SELECT m.person, m.room, coalesce($7::text, 'all'), coalesce($8::boolean, false), coalesce($9::boolean, false)
		FROM m WHERE` + isNewSQL + `
		ON CONFLICT (person, room) DO UPDATE SET notify = coalesce($7::text, b.notify),
			muted = coalesce($8::boolean, b.muted), favourite = coalesce($9::boolean, b.favourite))
	SELECT` + usedSQL + `FROM m`
)

// SetListEntry changes a person's settings of a room. A retry with the same nonce changes nothing.
// The error is a *chat.Error with code NotFound if the room has no events and is not awaited, or NonceUsed.
func (s *Store) SetListEntry(ctx context.Context, who chat.PersonID, room chat.RoomName,
	change chat.ListEntryChange,
) error {
	err := chat.CheckNonce(change.Nonce)
	if err == nil {
		refused := error(store.ErrNotListed)
		o := ownWrite{
			who: string(who), room: string(room),
			text: unlistText, unlists: true,
			args: ownArgs(change.Nonce, "set", 0, time.Now().UnixMilli(), who, room),
			scan: func(rows pgx.Rows) error {
				var known, same bool
				err := rows.Scan(&known, &same)
				refused = refusal(known, same)
				return err
			},
		}
		if change.Listed == nil || *change.Listed {
			o.text, o.unlists = setEntryText, false
			o.args = append(o.args, (*string)(change.Notify), change.Muted, change.Favourite)
		}
		if err = s.write(ctx, o); err == nil { // if ctx has ended the write may still be under way
			err = refused
		}
		if err == store.ErrNotListed {
			err = s.setAwaited(ctx, who, room, change)
		}
	}
	if err != nil {
		return fmt.Errorf("what %s is to a person: %w", room, err)
	}
	return nil
}

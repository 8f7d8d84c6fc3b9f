package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"parley/internal/chat"
	"parley/internal/format"
	"parley/internal/store"
)

// listText reads the rooms of a person's list. $1 is the person, $2 the limit of each count. Only a
// room's newest events are counted, because a bot or a thread may have written hundreds of
// thousands.
var listText = `
	SELECT r.name, r.topic, m.read, m.notify, m.muted, m.favourite, r.head,
		(SELECT count(*) FROM (SELECT 1 FROM event
			WHERE id > max(` + readSQL + `, ` + headSQL + ` - ` + countedSQL + `) AND id <= ` + headSQL + `
				AND kind IS NULL AND author <> m.person AND text <> '' LIMIT $2)),
		(SELECT count(*) FROM (SELECT 1 FROM mention
			WHERE person = m.person AND event > ` + readSQL + ` AND event < ` + endSQL("r.id") + ` LIMIT $2)),
		coalesce(l.at_ms, 0), coalesce(lp.public, ''), coalesce(l.name, ''), coalesce(lc.text, l.text, '')
	FROM member m JOIN room r ON r.id = m.room
	LEFT JOIN event l ON l.id = (SELECT id FROM event
		WHERE id > max(` + idSQL("r.id", "0") + `, ` + headSQL + ` - ` + countedSQL + `) AND id <= ` + headSQL + `
			AND kind IS NULL AND text <> '' ORDER BY id DESC LIMIT 1)
	LEFT JOIN person lp ON lp.id = l.author LEFT JOIN event lc ON lc.id = l.current
	WHERE m.person = (SELECT id FROM person WHERE public = $1)`

// awaitedText reads the awaited rooms of a person's list, with the same columns.
const awaitedText = `
	SELECT room_name, '', 0, notify, muted, favourite, 0, 0, 0, at_ms, '', '', ''
	FROM awaited WHERE person = (SELECT id FROM person WHERE public = $1)`

// Ids of a listed room's newest event and of the last one that was read, and how many are counted.
var (
	headSQL    = idSQL("r.id", "r.head")
	readSQL    = idSQL("r.id", "m.read")
	countedSQL = strconv.Itoa(store.MaxCounted)
)

// RoomList returns the rooms of a person's list, in no particular order.
func (s *Store) RoomList(ctx context.Context, who chat.PersonID) ([]chat.ListEntry, error) {
	entries, err := s.listEntries(ctx, listText+` UNION ALL`+awaitedText+` LIMIT $3`,
		string(who), chat.MaxUnread, chat.MaxListed)
	if err != nil {
		return nil, fmt.Errorf("rooms of a person: %w", err)
	}
	return entries, nil
}

// ListEntry returns one room of a person's list. The error is a *chat.Error with code NotFound if
// the room is not in it.
func (s *Store) ListEntry(ctx context.Context, who chat.PersonID, room chat.RoomName) (chat.ListEntry, error) {
	entries, err := s.listEntries(ctx, listText+` AND r.name = $3 UNION ALL`+awaitedText+` AND room_name = $3`,
		string(who), chat.MaxUnread, string(room))
	if err != nil {
		return chat.ListEntry{}, fmt.Errorf("what %s is to a person: %w", room, err)
	}
	if len(entries) == 0 {
		return chat.ListEntry{}, store.ErrNotListed
	}
	return entries[0], nil
}

func (s *Store) listEntries(ctx context.Context, text string, args ...any) (entries []chat.ListEntry, err error) {
	err = s.reads.each(ctx, text, args, func(rows *sql.Rows) error {
		var e chat.ListEntry
		var at int64
		last := &chat.Quote{}
		err := rows.Scan(&e.Room, &e.Topic, &e.Read, &e.Notify, &e.Muted, &e.Favourite, &e.Head, &e.Unread, &e.Mentions,
			&at, &last.From.ID, &last.From.Name, &last.Text)
		if at > 0 {
			e.At = time.UnixMilli(at).UTC()
		}
		if last.Text != "" {
			last.Text = format.Preview(last.Text, chat.MaxPreview)
			e.Last = last
		}
		entries = append(entries, e)
		return err
	})
	return entries, err
}

// AddToList adds a room that a person enters to their list, unless it is there. If enters is false it
// adds nothing. It returns at once. done, which must not block, is called after all that was appended
// before is stored, with the awaited rooms that have left the list because there are too many.
func (s *Store) AddToList(who chat.PersonID, room chat.RoomName, enters bool,
	done func(dropped []chat.RoomName, err error),
) {
	var dropped []chat.RoomName
	s.do(func(ctx context.Context, w *writer) error {
		if !enters {
			return nil
		}
		m, err := w.membership(ctx, who, room)
		switch {
		case errors.Is(err, sql.ErrNoRows) && m.person != 0:
			dropped, err = w.await(ctx, m.person, room)
			return err
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		}
		return w.addToList(ctx, m)
	}, func(err error) { done(dropped, err) })
}

// MarkRead stores up to where a person has read a room. A read mark moves back only if exact. A
// retry with the same nonce changes nothing. done, which must not block, is called once after the
// commit; its entry has the room, its head, the read mark and the counts of unread messages and
// mentions.
func (s *Store) MarkRead(who chat.PersonID, at chat.MessageRef, exact bool, nonce string,
	done func(chat.ListEntry, error),
) {
	e := chat.ListEntry{Room: at.Room}
	refused := chat.CheckNonce(nonce)
	run := func(ctx context.Context, w *writer) error {
		if refused != nil {
			return nil
		}
		m, err := w.membership(ctx, who, at.Room)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // the room has no events
		}
		if err != nil {
			return err
		}
		room, err := w.room(ctx, at.Room)
		if err != nil {
			return err
		}
		e.Head = room.Head
		seq := min(max(at.Seq, 0), room.Head)
		refused, err = w.idempotent(ctx, who, answer{listKey: m, nonce: nonce, kind: "read"},
			func() (refused, err error) {
				if err := w.addToList(ctx, m); err != nil {
					return nil, err
				}
				return nil, w.exec(ctx, `
				UPDATE member SET read = CASE WHEN $4 THEN $3 ELSE max(read, $3) END
				WHERE person = $1 AND room = $2`, m.person, m.room, int64(seq), exact)
			})
		if refused != nil || err != nil {
			return err
		}
		read, err := w.find(ctx, `SELECT read FROM member WHERE person = $1 AND room = $2`, m.person, m.room)
		if err != nil {
			return err
		}
		e.Read = chat.Seq(read)
		first, end := eventID(m.room, e.Read), eventID(m.room+1, 0)
		unread, err := w.find(ctx, `
			SELECT count(*) FROM (SELECT 1 FROM event
			WHERE id > $1 AND id < $2 AND kind IS NULL AND author <> $3 AND text <> '' LIMIT $4)`,
			max(first, eventID(m.room, room.Head)-store.MaxCounted), end, m.person, chat.MaxUnread)
		if err != nil {
			return err
		}
		mentions, err := w.find(ctx, `
			SELECT count(*) FROM (SELECT 1 FROM mention WHERE person = $3 AND event > $1 AND event < $2 LIMIT $4)`,
			first, end, m.person, chat.MaxUnread)
		e.Unread, e.Mentions = int(unread), int(mentions)
		return err
	}
	s.do(run, func(err error) {
		if err != nil {
			err = store.UserError(err)
		} else {
			err = refused
		}
		done(e, err)
	})
}

// membership returns the rowids of a person and a room; sql.ErrNoRows if one of them is unknown, which is 0 then.
func (w *writer) membership(ctx context.Context, who chat.PersonID, room chat.RoomName) (m listKey, err error) {
	if a, ok := w.people.get(who); ok {
		m.person = a.Key
	} else if err := w.scan(ctx, []any{&m.person}, `SELECT id FROM person WHERE public = $1`, string(who)); err != nil {
		return m, err
	}
	if h, ok := w.rooms.get(room); ok {
		m.room = h.Key
		return m, nil
	}
	err = w.scan(ctx, []any{&m.room}, `SELECT id FROM room WHERE name = $1`, string(room))
	return m, err
}

// SetListEntry changes a person's settings of a room. A retry with the same nonce changes nothing.
// The error is a *chat.Error with code NotFound if the room has no events and is not awaited, or NonceUsed.
func (s *Store) SetListEntry(ctx context.Context, who chat.PersonID, room chat.RoomName,
	change chat.ListEntryChange,
) error {
	err := chat.CheckNonce(change.Nonce)
	if err == nil {
		err = s.writeOrRefuse(ctx, func(ctx context.Context, w *writer) (refused, err error) {
			m, err := w.membership(ctx, who, room)
			if errors.Is(err, sql.ErrNoRows) {
				return w.setAwaited(ctx, m.person, room, change)
			}
			if err != nil {
				return nil, err
			}
			return w.idempotent(ctx, who, answer{listKey: m, nonce: change.Nonce, kind: "set"},
				func() (refused, err error) {
					return nil, w.setListEntry(ctx, who, m, change)
				})
		})
	}
	if err != nil {
		return fmt.Errorf("what %s is to a person: %w", room, err)
	}
	return nil
}

func (w *writer) setListEntry(ctx context.Context, who chat.PersonID, m listKey, change chat.ListEntryChange) error {
	if change.Listed != nil && !*change.Listed {
		w.listed.remove(m)
		w.people.remove(who)
		return w.exec(ctx, `DELETE FROM member WHERE person = $1 AND room = $2`, m.person, m.room)
	}
	if err := w.addToList(ctx, m); err != nil {
		return err
	}
	return w.exec(ctx, `
		UPDATE member SET notify = coalesce($3, notify), muted = coalesce($4, muted),
			favourite = coalesce($5, favourite)
		WHERE person = $1 AND room = $2`,
		m.person, m.room, orNull(change.Notify), orNull(change.Muted), orNull(change.Favourite))
}

// orNull returns *p as a statement's argument, NULL if p is nil.
func orNull[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

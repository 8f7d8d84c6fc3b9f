package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
)

// Whoever enters a room while another node makes it must not be overlooked by both. So a transaction that
// makes a room locks a row of the table meta for itself, and those that list awaited rooms share it: each
// sees all of the others that were before it. It is locked before everything else, and only where a room
// is missing.
const (
	aRoomIsMissing = `
		key = 'program' AND EXISTS (SELECT FROM unnest($1::text[]) d(name)
			WHERE NOT EXISTS (SELECT FROM room r WHERE r.name = d.name))`
	lockAwaited  = `SELECT FROM meta WHERE` + aRoomIsMissing + ` FOR UPDATE`
	shareAwaited = `SELECT FROM meta WHERE` + aRoomIsMissing + ` FOR SHARE`
)

// listAwaited puts rooms that may have been made in the lists of those who await them.
const listAwaited = `
	WITH made AS (
		DELETE FROM awaited a USING room r WHERE a.room_name = ANY($1::text[]) AND r.name = a.room_name
		RETURNING a.person, r.id, a.notify, a.muted, a.favourite)
	INSERT INTO member (person, room, notify, muted, favourite)
	SELECT * FROM made ORDER BY 1, 2 ON CONFLICT (person, room) DO NOTHING`

// queueAwaitedLock queues the lock, if the transaction may need it.
func (w *writer) queueAwaitedLock() {
	if made := w.tx.newRooms(); made != nil {
		w.queue(lockAwaited, made)
	}
	var rooms []string
	for i := range w.own {
		if w.own[i].awaits {
			rooms = append(rooms, w.own[i].room)
		}
	}
	if rooms != nil {
		w.queue(shareAwaited, rooms)
	}
}

// enterText returns the write that adds a room to a person's list. The rooms that leave it are appended to
// dropped. A statement sees nothing of what it writes itself, so the new row is counted beside the others.
func enterText(who chat.PersonID, room chat.RoomName, dropped *[]chat.RoomName) ownWrite {
	return ownWrite{
		who: string(who), room: string(room), awaits: true,
		text: `
			WITH p AS (SELECT id FROM person WHERE public = $1), r AS (SELECT id FROM room WHERE name = $2),
			listed AS (
				INSERT INTO member (person, room) SELECT p.id, r.id FROM p, r ON CONFLICT DO NOTHING),
			entered AS (
				INSERT INTO awaited (person, room_name, at_ms)
				SELECT p.id, $2, $3::bigint FROM p WHERE NOT EXISTS (SELECT FROM r)
				ON CONFLICT (person, room_name) DO UPDATE SET at_ms = excluded.at_ms)
			DELETE FROM awaited
			WHERE person = (SELECT id FROM p) AND NOT EXISTS (SELECT FROM r) AND room_name = ANY(ARRAY(
				SELECT o.room_name FROM awaited o WHERE o.person = (SELECT id FROM p) AND o.room_name <> $2
				ORDER BY o.at_ms DESC, o.room_name OFFSET $4::int))
			RETURNING room_name`,
		args: []any{string(who), string(room), time.Now().UnixMilli(), chat.MaxAwaited - 1},
		scan: func(rows pgx.Rows) error {
			var name chat.RoomName
			err := rows.Scan(&name)
			*dropped = append(*dropped, name)
			return err
		},
	}
}

// setAwaited changes a person's settings of an awaited room. A retry does it again: without a room, no
// nonce can be stored.
func (s *Store) setAwaited(ctx context.Context, who chat.PersonID, room chat.RoomName,
	change chat.ListEntryChange,
) error {
	const ownRow = ` WHERE person = (SELECT id FROM person WHERE public = $1) AND room_name = $2 RETURNING 1`
	found := false
	o := ownWrite{
		who: string(who), room: string(room), awaits: true,
		text: `DELETE FROM awaited` + ownRow,
		args: []any{string(who), string(room)},
		scan: func(pgx.Rows) error { found = true; return nil },
	}
	if change.Listed == nil || *change.Listed {
		o.text = `
			UPDATE awaited SET notify = coalesce($3::text, notify), muted = coalesce($4::boolean, muted),
				favourite = coalesce($5::boolean, favourite)` + ownRow
		o.args = append(o.args, (*string)(change.Notify), change.Muted, change.Favourite)
	}
	if err := s.write(ctx, o); err != nil {
		return err
	}
	if !found {
		return store.ErrNotListed
	}
	return nil
}

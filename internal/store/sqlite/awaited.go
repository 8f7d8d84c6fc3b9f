package sqlite

import (
	"context"
	"database/sql"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// await adds a room that nobody has written to yet to a person's list. It returns the awaited rooms
// that leave the list for it, those entered longest ago.
func (w *writer) await(ctx context.Context, person int64, room chat.RoomName) (dropped []chat.RoomName, err error) {
	err = w.exec(ctx, `
		INSERT INTO awaited (person, room_name, at_ms) VALUES ($1, $2, $3)
		ON CONFLICT (person, room_name) DO UPDATE SET at_ms = excluded.at_ms`,
		person, string(room), time.Now().UnixMilli())
	if err != nil {
		return nil, err
	}
	err = w.each(ctx, `
		DELETE FROM awaited WHERE person = $1 AND room_name IN (
			SELECT room_name FROM awaited WHERE person = $1 AND room_name <> $2
			ORDER BY at_ms DESC, room_name LIMIT -1 OFFSET $3)
		RETURNING room_name`,
		[]any{person, string(room), chat.MaxAwaited - 1}, func(rows *sql.Rows) error {
			var name chat.RoomName
			err := rows.Scan(&name)
			dropped = append(dropped, name)
			return err
		})
	return dropped, err
}

// listAwaited puts a room that has just been made in the lists of those who await it, as they have set it.
func (w *writer) listAwaited(ctx context.Context, room int64, name chat.RoomName) error {
	err := w.exec(ctx, `
		INSERT INTO member (person, room, notify, muted, favourite)
		SELECT person, $1, notify, muted, favourite FROM awaited WHERE room_name = $2 ON CONFLICT DO NOTHING`,
		room, string(name))
	if err != nil {
		return err
	}
	return w.exec(ctx, `DELETE FROM awaited WHERE room_name = $1`, string(name))
}

// setAwaited changes a person's settings of an awaited room. A retry does it again: without a room, no
// nonce can be stored.
func (w *writer) setAwaited(ctx context.Context, person int64, room chat.RoomName,
	change chat.ListEntryChange,
) (refused, err error) {
	n, err := w.find(ctx, `SELECT count(*) FROM awaited WHERE person = $1 AND room_name = $2`, person, string(room))
	switch {
	case err != nil:
		return nil, err
	case n == 0:
		return store.ErrNotListed, nil
	case change.Listed != nil && !*change.Listed:
		return nil, w.exec(ctx, `DELETE FROM awaited WHERE person = $1 AND room_name = $2`, person, string(room))
	}
	return nil, w.exec(ctx, `
		UPDATE awaited SET notify = coalesce($3, notify), muted = coalesce($4, muted),
			favourite = coalesce($5, favourite)
		WHERE person = $1 AND room_name = $2`,
		person, string(room), orNull(change.Notify), orNull(change.Muted), orNull(change.Favourite))
}

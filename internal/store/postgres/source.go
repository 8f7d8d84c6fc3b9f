package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
)

// What a search index reads.

var (
	headsText   = `SELECT name, head FROM room`
	headsOfText = `SELECT name, head FROM room WHERE name = ANY($1::text[])`
	textsText   = `
		SELECT m.seq, m.at_ms, ` + authorSQL("m") + `, m.name,
			coalesce((SELECT c.text FROM event c WHERE c.room = m.room AND c.seq = m.current), m.text),
			m.kind, m.target, w.place
		FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY w(room, seq, place) JOIN room r ON r.name = w.room
		JOIN event m ON m.room = r.id AND m.seq = w.seq AND coalesce(m.kind, 'reply') = 'reply'`
	deletionsText = `
		SELECT seq, target FROM event
		WHERE kind = 'delete' AND room = ` + roomSQL + ` AND seq > $2
		ORDER BY room, seq LIMIT $3`
)

// headsTimeout is how long the first reading of all rooms may take: as long as the database lets a statement, by
// statement_timeout in readerSettings, and to connect. Later ones may take four times as long as the last one.
const headsTimeout = 35 * time.Second

// Heads returns all rooms with their newest seqs.
func (s *Store) Heads(ctx context.Context) (map[chat.RoomName]chat.Seq, error) {
	limit := headsTimeout
	if took := time.Duration(s.headsTook.Load()); took > 0 {
		limit = min(limit, max(s.readTimeout, 4*took))
	}
	begin := time.Now()
	heads, err := s.heads(ctx, limit, headsText)
	if err != nil {
		return nil, fmt.Errorf("newest seqs of all rooms: %w", err)
	}
	s.headsTook.Store(int64(time.Since(begin)))
	return heads, nil
}

// HeadsOf returns those of rooms that exist, with their newest seqs.
func (s *Store) HeadsOf(ctx context.Context, rooms []chat.RoomName) (map[chat.RoomName]chat.Seq, error) {
	heads, err := s.heads(ctx, s.readTimeout, headsOfText, rooms)
	if err != nil {
		return nil, fmt.Errorf("newest seqs of %d rooms: %w", len(rooms), err)
	}
	return heads, nil
}

func (s *Store) heads(
	ctx context.Context, limit time.Duration, text string, args ...any,
) (map[chat.RoomName]chat.Seq, error) {
	rooms, err := rowsWithin(ctx, s, limit, pgx.RowToStructByPos[chat.MessageRef], text, args...)
	if err != nil {
		return nil, err
	}
	heads := make(map[chat.RoomName]chat.Seq, len(rooms))
	for _, newest := range rooms {
		heads[newest.Room] = newest.Seq
	}
	return heads, nil
}

// Texts returns messages as they are now, in the order of places. A message that is deleted or
// missing is the zero Event.
func (s *Store) Texts(ctx context.Context, places []chat.MessageRef) ([]chat.Event, error) {
	rooms, seqs := make([]string, len(places)), make([]int64, len(places))
	for i, p := range places {
		rooms[i], seqs[i] = string(p.Room), int64(p.Seq)
	}
	type placed struct {
		chat.Event
		place int64 // in places, from 1
	}
	found, err := rowsOf(ctx, s, func(row pgx.CollectableRow) (e placed, err error) {
		err = scanEvent(row, &e.Event, &e.place)
		return e, err
	}, textsText, rooms, seqs)
	if err != nil {
		return nil, fmt.Errorf("texts of %d messages: %w", len(places), err)
	}
	events := make([]chat.Event, len(places))
	for _, e := range found {
		if e.Text != "" {
			e.Room = places[e.place-1].Room
			events[e.place-1] = e.Event
		}
	}
	return events, nil
}

// Deletions returns at most limit of a room's deletions after seq, oldest first: their seqs and
// targets. It reads no other events.
func (s *Store) Deletions(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	events, err := rowsOf(ctx, s, func(row pgx.CollectableRow) (chat.Event, error) {
		e := chat.Event{Room: room, Kind: chat.Delete}
		return e, row.Scan(&e.Seq, &e.Target)
	}, deletionsText, string(room), int64(max(seq, 0)), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("deletions in %s after %d: %w", room, seq, err)
	}
	return events, nil
}

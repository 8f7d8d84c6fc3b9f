package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"parley/internal/chat"
)

// What a search index reads.

// Heads returns all rooms with their newest seqs.
func (s *Store) Heads(ctx context.Context) (map[chat.RoomName]chat.Seq, error) {
	heads := map[chat.RoomName]chat.Seq{}
	err := s.reads.each(ctx, `
		SELECT name, head FROM room`, nil, func(rows *sql.Rows) error {
		var room chat.RoomName
		var seq chat.Seq
		err := rows.Scan(&room, &seq)
		heads[room] = seq
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("newest seqs of all rooms: %w", err)
	}
	return heads, nil
}

// Texts returns messages as they are now, in the order of places. A message that is deleted or
// missing is the zero Event.
func (s *Store) Texts(ctx context.Context, places []chat.MessageRef) ([]chat.Event, error) {
	type named struct {
		Room chat.RoomName `json:"r"`
		Seq  chat.Seq      `json:"s"`
	}
	wanted := make([]named, len(places))
	for i, p := range places {
		wanted[i] = named{p.Room, p.Seq}
	}
	list, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	events := make([]chat.Event, len(places))
	err = s.reads.each(ctx, `
		SELECT w.key, m.at_ms, p.public, m.name, coalesce(c.text, m.text), coalesce(m.kind, 'message'),
			`+seqSQL("coalesce(m.target, 0)")+`
		FROM json_each($1) w CROSS JOIN room r ON r.name = w.value ->> 'r'
		JOIN event m ON m.id = `+idSQL("r.id", "(w.value ->> 's')")+` AND coalesce(m.kind, 'reply') = 'reply'
		JOIN person p ON p.id = m.author LEFT JOIN event c ON c.id = m.current`,
		[]any{string(list)}, func(rows *sql.Rows) error {
			var e chat.Event
			var i int
			var at int64
			if err := rows.Scan(&i, &at, &e.From.ID, &e.From.Name, &e.Text, &e.Kind, &e.Target); err != nil {
				return err
			}
			if e.Text != "" {
				e.Room, e.Seq, e.At = places[i].Room, places[i].Seq, time.UnixMilli(at).UTC()
				events[i] = e
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("texts of %d messages: %w", len(places), err)
	}
	return events, nil
}

// Deletions returns at most limit of a room's deletions after seq, oldest first: their seqs and
// targets. It reads no other events.
func (s *Store) Deletions(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	var events []chat.Event
	err := s.reads.each(ctx, `
		SELECT `+seqSQL("id")+`, `+seqSQL("target")+` FROM event INDEXED BY event_deletion
		WHERE kind = 'delete' AND `+afterSQL("id")+`
		ORDER BY id LIMIT $3`,
		[]any{string(room), int64(min(max(seq, 0), maxSeq)), max(limit, 0)}, func(rows *sql.Rows) error {
			e := chat.Event{Room: room, Kind: chat.Delete}
			err := rows.Scan(&e.Seq, &e.Target)
			events = append(events, e)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("deletions in %s after %d: %w", room, seq, err)
	}
	return events, nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/internal/chat"
)

// pages are the statements that read the log, for all connections of the pool.
type pages struct {
	head, after, before, session *sql.Stmt
}

func preparePages(ctx context.Context, db *sql.DB) (p pages, err error) {
	for _, s := range []struct {
		stmt *(*sql.Stmt)
		text string
	}{
		{&p.head, `
			SELECT coalesce(max(id) & 0xfffffffff, 0) FROM message
			WHERE id > (SELECT id << 36 FROM room WHERE name = $1) AND id < (SELECT id + 1 << 36 FROM room WHERE name = $1)`},
		{&p.after, `
			SELECT m.seq, m.at_ms, p.public, m.name, m.text FROM message m JOIN person p ON p.id = m.author
			WHERE m.id > (SELECT id << 36 | $2 FROM room WHERE name = $1) AND m.id < (SELECT id + 1 << 36 FROM room WHERE name = $1)
			ORDER BY m.id LIMIT $3`},
		{&p.before, `
			SELECT m.seq, m.at_ms, p.public, m.name, m.text FROM message m JOIN person p ON p.id = m.author
			WHERE m.id > (SELECT id << 36 FROM room WHERE name = $1) AND m.id < (SELECT id << 36 | $2 FROM room WHERE name = $1)
			ORDER BY m.id DESC LIMIT $3`},
		{&p.session, `
			SELECT p.public, p.name, s.seen_ms FROM session s JOIN person p ON p.id = s.person
			WHERE s.token_hash = $1`},
	} {
		if *s.stmt, err = db.PrepareContext(ctx, s.text); err != nil {
			return p, fmt.Errorf("preparing to read: %w", err)
		}
	}
	return p, nil
}

func (p *pages) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{p.head, p.after, p.before, p.session} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}

// Head returns a room's newest seq, 0 for a room that nobody wrote to.
func (s *Store) Head(ctx context.Context, room chat.RoomName) (chat.Seq, error) {
	var seq chat.Seq
	if err := s.pages.head.QueryRowContext(ctx, string(room)).Scan(&seq); err != nil {
		return 0, fmt.Errorf("newest seq of %s: %w", room, err)
	}
	return seq, nil
}

// After returns a room's events with a greater seq, oldest first, at most
// limit. A room that nobody wrote to has none; that is no error.
func (s *Store) After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	events, err := readPage(ctx, s.pages.after, room, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("events of %s after %d: %w", room, seq, err)
	}
	return events, nil
}

// Before returns the limit newest events of a room with a lesser seq, oldest
// first.
func (s *Store) Before(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	events, err := readPage(ctx, s.pages.before, room, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("events of %s before %d: %w", room, seq, err)
	}
	slices.Reverse(events)
	return events, nil
}

func readPage(ctx context.Context, stmt *sql.Stmt, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	if limit <= 0 { // to SQLite a negative limit is none
		return nil, nil
	}
	seq = min(max(seq, 0), maxSeq) // beyond it, ids are those of another room
	rows, err := stmt.QueryContext(ctx, string(room), int64(seq), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []chat.Event
	for rows.Next() {
		e := chat.Event{Room: room, Kind: chat.Message}
		var at int64
		if err := rows.Scan(&e.Seq, &at, &e.From.ID, &e.From.Name, &e.Text); err != nil {
			return nil, err
		}
		e.At = time.UnixMilli(at).UTC()
		events = append(events, e)
	}
	return events, rows.Err()
}

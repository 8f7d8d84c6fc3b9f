package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/internal/chat"
)

// reads are the statements that read, each prepared when first used, for all
// connections of the pool.
type reads struct {
	db     *sql.DB
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

// ready returns the statement with a text if it has been prepared, else nil.
func (r *reads) ready(text string) *sql.Stmt {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byText[text]
}

// get returns the statement with a text that is one of the program's constants.
// It may wait for a connection, so whoever holds one uses ready.
func (r *reads) get(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt := r.ready(text); stmt != nil {
		return stmt, nil
	}
	stmt, err := r.db.PrepareContext(ctx, text) // without the lock, which those want who hold all connections
	if err != nil {
		return nil, fmt.Errorf("preparing to read: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if other := r.byText[text]; other != nil { // somebody was faster
		return other, stmt.Close()
	}
	if r.byText == nil {
		r.byText = make(map[string]*sql.Stmt)
	}
	r.byText[text] = stmt
	return stmt, nil
}

// each calls scan for each row that a statement finds, whose text is one of the
// program's constants.
func (r *reads) each(ctx context.Context, text string, args []any, scan func(*sql.Rows) error) error {
	stmt, err := r.get(ctx, text)
	if err != nil {
		return err
	}
	return eachRow(ctx, stmt, args, scan)
}

func eachRow(ctx context.Context, stmt *sql.Stmt, args []any, scan func(*sql.Rows) error) error {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *reads) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, stmt := range r.byText {
		errs = append(errs, stmt.Close())
	}
	r.byText = nil
	return errors.Join(errs...)
}

const (
	headText = `
		SELECT coalesce(max(id) & 0xfffffffff, 0) FROM event
		WHERE id > (SELECT id << 36 FROM room WHERE name = $1) AND id < (SELECT id + 1 << 36 FROM room WHERE name = $1)`
	afterText = `
		SELECT m.seq, m.at_ms, p.public, m.name, m.text,
			CASE WHEN coalesce(m.kind, m.target, m.extra) IS NOT NULL THEN json_object('kind', m.kind, 'target', m.target & 0xfffffffff, 'extra', m.extra) END
		FROM event m JOIN person p ON p.id = m.author
		WHERE m.id > (SELECT id << 36 | $2 FROM room WHERE name = $1) AND m.id < (SELECT id + 1 << 36 FROM room WHERE name = $1)
		ORDER BY m.id LIMIT $3`
	atText = `
		SELECT at_ms FROM event WHERE id = (SELECT id << 36 | $2 FROM room WHERE name = $1)`
	sessionText = `
		SELECT p.public, p.name, s.seen_ms FROM session s JOIN person p ON p.id = s.person
		WHERE s.token_hash = $1`
)

// Head returns a room's newest seq, 0 for a room that nobody wrote to.
func (s *Store) Head(ctx context.Context, room chat.RoomName) (chat.Seq, error) {
	var seq chat.Seq
	stmt, err := s.reads.get(ctx, headText)
	if err == nil {
		err = stmt.QueryRowContext(ctx, string(room)).Scan(&seq)
	}
	if err != nil {
		return 0, fmt.Errorf("newest seq of %s: %w", room, err)
	}
	return seq, nil
}

// At returns when an event was stored, the zero time if there is no such event.
func (s *Store) At(ctx context.Context, room chat.RoomName, seq chat.Seq) (time.Time, error) {
	if seq < 1 || seq > maxSeq { // its id would be that of another room's event
		return time.Time{}, nil
	}
	var ms int64
	stmt, err := s.reads.get(ctx, atText)
	if err == nil {
		err = stmt.QueryRowContext(ctx, string(room), int64(seq)).Scan(&ms)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, fmt.Errorf("when event %d of %s was stored: %w", seq, room, err)
	}
	return time.UnixMilli(ms).UTC(), nil
}

// After returns a room's events with a greater seq, oldest first, at most
// limit, each as it happened: an edited message says what it said at first. What
// has been deleted says nothing. A room that nobody wrote to has none; that is no
// error.
func (s *Store) After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	events, err := s.after(ctx, room, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("events of %s after %d: %w", room, seq, err)
	}
	return events, nil
}

func (s *Store) after(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	if limit <= 0 { // to SQLite a negative limit is none
		return nil, nil
	}
	seq = min(max(seq, 0), maxSeq) // beyond it, ids are those of another room
	stmt, err := s.reads.get(ctx, afterText)
	if err != nil {
		return nil, err
	}
	var events []chat.Event
	var answers []*chat.Extra // that quote
	err = eachRow(ctx, stmt, []any{string(room), int64(seq), limit}, func(rows *sql.Rows) (err error) {
		e := chat.Event{Room: room}
		var at int64
		var packed []byte
		if err := rows.Scan(&e.Seq, &at, &e.From.ID, &e.From.Name, &e.Text, &packed); err != nil {
			return err
		}
		e.At = time.UnixMilli(at).UTC()
		if _, err := unpackRare(&e, packed); err != nil {
			return err
		}
		if e.Extra != nil && e.Extra.ReplyTo > 0 {
			answers = append(answers, e.Extra)
		}
		events = append(events, e)
		return nil
	})
	if err != nil || len(answers) == 0 {
		return events, err
	}
	if stmt, err = s.reads.get(ctx, quoteText); err != nil {
		return nil, err
	}
	for _, x := range answers {
		if err := quote(ctx, stmt, room, x); err != nil {
			return nil, err
		}
	}
	return events, nil
}

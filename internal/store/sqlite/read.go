package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
	"parley/internal/store"
)

// readStatements are the statements that read, each prepared at its first use, for all connections
// of the pool.
type readStatements struct {
	db     *sql.DB
	met    func(context.Context, error) error // Store.readError
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

// ready returns a statement if it has been prepared, else nil.
func (r *readStatements) ready(text string) *sql.Stmt {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byText[text]
}

// get returns a statement and prepares it if needed. The text is a constant of the program. It may
// wait for a connection, so callers that hold one use ready.
func (r *readStatements) get(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt := r.ready(text); stmt != nil {
		return stmt, nil
	}
	stmt, err := r.db.PrepareContext(ctx, text) // without the lock: callers that hold all connections may want it
	if err != nil {
		return nil, fmt.Errorf("preparing to read: %w", r.met(ctx, err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if other := r.byText[text]; other != nil { // another goroutine was faster
		return other, stmt.Close()
	}
	if r.byText == nil {
		r.byText = make(map[string]*sql.Stmt)
	}
	r.byText[text] = stmt
	return stmt, nil
}

// each calls scan for each row that a statement returns.
func (r *readStatements) each(ctx context.Context, text string, args []any, scan func(*sql.Rows) error) error {
	stmt, err := r.get(ctx, text)
	if err != nil {
		return err
	}
	return r.met(ctx, eachRow(ctx, stmt, args, scan))
}

// row scans the one row that a statement returns; sql.ErrNoRows if there is none.
func (r *readStatements) row(ctx context.Context, text string, args []any, dest ...any) error {
	stmt, err := r.get(ctx, text)
	if err != nil {
		return err
	}
	return r.met(ctx, stmt.QueryRowContext(ctx, args...).Scan(dest...))
}

func eachRow(ctx context.Context, stmt *sql.Stmt, args []any, scan func(*sql.Rows) error) error {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return scanRows(rows, scan)
}

// scanRows calls scan for each row until that fails, and closes rows.
func scanRows(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *readStatements) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, stmt := range r.byText {
		errs = append(errs, stmt.Close())
	}
	r.byText = nil
	return errors.Join(errs...)
}

var (
	// max(): an unknown room gives a row too
	headText = `
		SELECT coalesce(max(r.head), 0), coalesce(max(e.at_ms), 0)
		FROM room r LEFT JOIN event e ON e.id = ` + idSQL("r.id", "r.head") + ` WHERE r.name = $1`
	afterText = `
		SELECT m.seq, m.at_ms, p.public, m.name, m.text,
			CASE WHEN coalesce(m.kind, m.target, m.extra) IS NOT NULL
			THEN json_object('kind', m.kind, 'target', ` + seqSQL("m.target") + `, 'extra', m.extra) END
		FROM event m JOIN person p ON p.id = m.author
		WHERE ` + afterSQL("m.id") + `
		ORDER BY m.id LIMIT $3`
	atText = `
		SELECT at_ms FROM event WHERE id = ` + namedSQL("$2")
	sessionText = `
		SELECT p.public, p.name, s.seen_ms FROM session s JOIN person p ON p.id = s.person
		WHERE s.token_hash = $1`
)

// Head returns a room's newest seq and when that event was stored; zeros for a room without events.
func (s *Store) Head(ctx context.Context, room chat.RoomName) (seq chat.Seq, at time.Time, err error) {
	var ms int64
	if err := s.reads.row(ctx, headText, []any{string(room)}, &seq, &ms); err != nil {
		return 0, time.Time{}, fmt.Errorf("newest seq of %s: %w", room, err)
	}
	return seq, store.TimeOf(ms), nil
}

// At returns when an event was stored, the zero time if there is no such event.
func (s *Store) At(ctx context.Context, room chat.RoomName, seq chat.Seq) (time.Time, error) {
	if seq < 1 || seq > maxSeq { // beyond maxSeq the id would be another room's
		return time.Time{}, nil
	}
	var ms int64
	err := s.reads.row(ctx, atText, []any{string(room), int64(seq)}, &ms)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, fmt.Errorf("when event %d of %s was stored: %w", seq, room, err)
	}
	return time.UnixMilli(ms).UTC(), nil
}

// After returns at most limit of a room's events with a greater seq, oldest first. Each is as it
// happened: an edited message has its first text. Deleted texts are empty. A room without events
// has none; that is no error.
func (s *Store) After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	events, err := s.after(ctx, room, seq, limit)
	if err = s.readError(ctx, err); err != nil {
		return nil, fmt.Errorf("events of %s after %d: %w", room, seq, err)
	}
	return events, nil
}

func (s *Store) after(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	if limit <= 0 { // SQLite takes a negative limit for no limit
		return nil, nil
	}
	seq = min(max(seq, 0), maxSeq) // beyond maxSeq ids are another room's
	stmt, err := s.reads.get(ctx, afterText)
	if err != nil {
		return nil, err
	}
	events, last := []chat.Event(nil), seq
	var answers []*chat.Attrs // events with a quote
	err = eachRow(ctx, stmt, []any{string(room), int64(seq), limit}, func(rows *sql.Rows) (err error) {
		e := chat.Event{Room: room}
		var at int64
		var packed []byte
		if err := rows.Scan(&e.Seq, &at, &e.From.ID, &e.From.Name, &e.Text, &packed); err != nil {
			return err
		}
		// Seqs have no gap, so an event that is missing here is lost. A client that was served past
		// it would never know.
		if last++; e.Seq != last {
			return s.eventMissing(ctx, chat.MessageRef{Room: room, Seq: last})
		}
		e.At = time.UnixMilli(at).UTC()
		if _, err := unpackOptional(&e, packed); err != nil {
			return err
		}
		if e.Attrs != nil && e.Attrs.ReplyTo > 0 {
			answers = append(answers, e.Attrs)
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

// Versions returns the texts of a message, oldest first: as it was sent and after each edit. A
// deleted message has none. The error is a *chat.Error with code NotFound if there is no such
// message.
func (s *Store) Versions(ctx context.Context, room chat.RoomName, seq chat.Seq) ([]chat.Event, error) {
	var events []chat.Event
	err := s.reads.each(ctx, `
		WITH m(id) AS `+namedSQL("$2")+`
		SELECT e.id, e.seq, e.at_ms, p.public, e.name, e.text, coalesce(e.kind, 'message'),
			`+seqSQL("coalesce(e.target, 0)")+`
		FROM event e JOIN person p ON p.id = e.author
		WHERE e.id = (SELECT id FROM m) AND coalesce(e.kind, 'reply') = 'reply'
		UNION ALL
		SELECT e.id, e.seq, e.at_ms, p.public, e.name, e.text, e.kind, `+seqSQL("e.target")+`
		FROM event e JOIN person p ON p.id = e.author WHERE e.target = (SELECT id FROM m) AND e.kind = 'edit'
		ORDER BY 1`, []any{string(room), int64(min(max(seq, 0), maxSeq))}, func(rows *sql.Rows) error {
		e := chat.Event{Room: room}
		var at int64
		err := rows.Scan(new(int64), &e.Seq, &at, &e.From.ID, &e.From.Name, &e.Text, &e.Kind, &e.Target)
		e.At = time.UnixMilli(at).UTC()
		events = append(events, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, access.ErrNoMessage
	}
	return slices.DeleteFunc(events, func(e chat.Event) bool { return e.IsDeleted() }), nil
}

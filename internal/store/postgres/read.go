package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"parley/internal/access"
	"parley/internal/chat"
	"parley/internal/store"
)

// readTimeout is how long a read may take: after that the database or the network to it counts as stopped, and another
// one may have taken over.
const readTimeout = 8 * time.Second

// read calls do with a connection of the readers. If the connection turns out to be lost, as those
// from before a restart of the database are, it calls do once more with another one.
func (s *Store) read(ctx context.Context, limit time.Duration, do func(context.Context, *pgxpool.Conn) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := s.tryRead(limited, do)
	if errors.Is(err, errLost) && limited.Err() == nil {
		err = s.tryRead(limited, do)
	}
	return s.readError(ctx, err)
}

func (s *Store) tryRead(ctx context.Context, do func(context.Context, *pgxpool.Conn) error) error {
	return s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		err := do(ctx, c)
		if err != nil && c.Conn().IsClosed() {
			err = fmt.Errorf("%w: %w", errLost, err)
		}
		return err
	})
}

// errLost means that a connection ended while it was in use.
var errLost = errors.New("the connection to the database is lost")

// rowsOf returns the rows that a statement finds.
func rowsOf[T any](ctx context.Context, s *Store, row pgx.RowToFunc[T], text string, args ...any) ([]T, error) {
	return rowsWithin(ctx, s, s.readTimeout, row, text, args...)
}

func rowsWithin[T any](
	ctx context.Context, s *Store, limit time.Duration, row pgx.RowToFunc[T], text string, args ...any,
) (all []T, err error) {
	err = s.read(ctx, limit, func(ctx context.Context, c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		all, err = pgx.AppendRows([]T(nil), rows, row)
		return err
	})
	return all, err
}

// row scans the one row that a statement returns; pgx.ErrNoRows if there is none.
func (s *Store) row(ctx context.Context, text string, args []any, dest ...any) error {
	return s.read(ctx, s.readTimeout, func(ctx context.Context, c *pgxpool.Conn) error {
		return c.QueryRow(ctx, text, args...).Scan(dest...)
	})
}

// roomSQL is the key of the room whose name is $1. It is a constant of its statement, so that the
// order of the index by room and seq is the order of the rows; with a join it would not be.
const roomSQL = `(SELECT id FROM room WHERE name = $1)`

// authorSQL returns SQL for the public id of an event's author.
func authorSQL(event string) string {
	return `(SELECT p.public FROM person p WHERE p.id = ` + event + `.author)`
}

// quoteSQL returns SQL for what a message quotes, given SQL for the message's row: an array of the
// author's id, their name and the text of the quoted message. It is NULL if the message quotes none
// or the quoted one is missing; the text is empty if that is deleted.
func quoteSQL(m string) string {
	return `CASE WHEN ` + m + `.extra IS NOT NULL THEN (
			SELECT ARRAY[(SELECT p.public FROM person p WHERE p.id = q.author), q.name,
				coalesce((SELECT c.text FROM event c WHERE c.room = q.room AND c.seq = q.current), q.text)]
			FROM event q
			WHERE q.room = ` + m + `.room AND q.seq = (` + m + `.extra::json ->> 'reply_to')::bigint) END`
}

var (
	headText = `
		SELECT r.head, coalesce((SELECT e.at_ms FROM event e WHERE e.room = r.id AND e.seq = r.head), 0)
		FROM room r WHERE r.name = $1`
	atText    = `SELECT at_ms FROM event WHERE room = ` + roomSQL + ` AND seq = $2`
	afterText = `
		SELECT e.seq, e.at_ms, ` + authorSQL("e") + `, e.name, e.text, e.kind, e.target, e.extra, ` + quoteSQL("e") + `
		FROM event e WHERE e.room = ` + roomSQL + ` AND e.seq > $2
		ORDER BY e.room, e.seq LIMIT $3`
	versionsText = `
		SELECT e.seq, e.at_ms, ` + authorSQL("e") + `, e.name, e.text, e.kind, e.target
		FROM event e WHERE e.room = ` + roomSQL + ` AND e.seq = $2 AND coalesce(e.kind, 'reply') = 'reply'
		UNION ALL
		SELECT e.seq, e.at_ms, ` + authorSQL("e") + `, e.name, e.text, e.kind, e.target
		FROM event e WHERE e.room = ` + roomSQL + ` AND e.target = $2 AND e.kind = 'edit'
		ORDER BY 1`
)

// Head returns a room's newest seq and when that event was stored; zeros for a room without events.
func (s *Store) Head(ctx context.Context, room chat.RoomName) (seq chat.Seq, at time.Time, err error) {
	var ms int64
	err = s.row(ctx, headText, []any{string(room)}, &seq, &ms)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, time.Time{}, fmt.Errorf("newest seq of %s: %w", room, err)
	}
	return seq, store.TimeOf(ms), nil
}

// At returns when an event was stored, the zero time if there is no such event.
func (s *Store) At(ctx context.Context, room chat.RoomName, seq chat.Seq) (time.Time, error) {
	var ms int64
	err := s.row(ctx, atText, []any{string(room), int64(seq)}, &ms)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, fmt.Errorf("when event %d of %s was stored: %w", seq, room, err)
	}
	return store.TimeOf(ms), nil
}

// After returns at most limit of a room's events with a greater seq, oldest first. Each is as it
// happened: an edited message has its first text. Deleted texts are empty. A room without events
// has none; that is no error. A gap is: seqs have none, so the missing event is lost, or the
// connection leads to a copy of the database that is behind.
func (s *Store) After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	if limit <= 0 {
		return nil, nil
	}
	seq = max(seq, 0)
	events, err := rowsOf(ctx, s, eventOf(room), afterText, string(room), int64(seq), limit)
	if err == nil {
		err = s.checkSeqs(ctx, room, seq, events)
	}
	if err != nil {
		return nil, fmt.Errorf("events of %s after %d: %w", room, seq, err)
	}
	if n := len(events); n > 0 {
		s.Shown(&events[n-1])
	}
	return events, nil
}

// checkSeqs returns an error if the first of events does not follow last, or one of them another. A
// client that was served past a missing event would never know.
func (s *Store) checkSeqs(ctx context.Context, room chat.RoomName, last chat.Seq, events []chat.Event) error {
	for i := range events {
		if last++; events[i].Seq != last {
			return s.eventMissing(ctx, chat.MessageRef{Room: room, Seq: last})
		}
	}
	return nil
}

// eventOf scans a row of afterText.
func eventOf(room chat.RoomName) pgx.RowToFunc[chat.Event] {
	return func(row pgx.CollectableRow) (chat.Event, error) {
		e := chat.Event{Room: room}
		var extra []byte
		var quoted []string
		err := scanEvent(row, &e, &extra, &quoted)
		if err != nil || extra == nil {
			return e, err
		}
		e.Attrs, err = store.UnpackAttrs(extra)
		setQuote(e.Attrs, quoted)
		return e, err
	}
}

// setQuote sets the quote of x from a column of quoteSQL.
func setQuote(x *chat.Attrs, column []string) {
	if x != nil && len(column) == 3 {
		x.Quote = store.QuoteOf(chat.PersonID(column[0]), column[1], column[2])
	}
}

// scanEvent scans the columns that the statements for events begin with, and then those of rest.
func scanEvent(row pgx.CollectableRow, e *chat.Event, rest ...any) error {
	var seq, at int64
	var author, kind *string
	var target *int64
	err := row.Scan(append([]any{&seq, &at, &author, &e.From.Name, &e.Text, &kind, &target}, rest...)...)
	e.Seq, e.At, e.Kind = chat.Seq(seq), time.UnixMilli(at).UTC(), chat.Message
	if author != nil {
		e.From.ID = chat.PersonID(*author)
	}
	if kind != nil {
		e.Kind = chat.Kind(*kind)
	}
	if target != nil {
		e.Target = chat.Seq(*target)
	}
	return err
}

// Versions returns the texts of a message, oldest first: as it was sent and after each edit. A
// deleted message has none. The error is a *chat.Error with code NotFound if there is no such
// message.
func (s *Store) Versions(ctx context.Context, room chat.RoomName, seq chat.Seq) ([]chat.Event, error) {
	events, err := rowsOf(ctx, s, func(row pgx.CollectableRow) (chat.Event, error) {
		e := chat.Event{Room: room}
		return e, scanEvent(row, &e)
	}, versionsText, string(room), int64(seq))
	if err != nil {
		return nil, fmt.Errorf("versions of message %d of %s: %w", seq, room, err)
	}
	if len(events) == 0 {
		return nil, access.ErrNoMessage
	}
	return slices.DeleteFunc(events, func(e chat.Event) bool { return e.IsDeleted() }), nil
}

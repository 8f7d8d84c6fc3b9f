package postgres

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"parley/internal/chat"
)

// Healthy reports whether the store can write, by writing. It fails if ctx ends first.
func (s *Store) Healthy(ctx context.Context) error { return s.health.Check(ctx) }

// writeHealth begins the write of a health check. It makes COMMIT write, and wait for a synchronous
// standby, without a row that all nodes lock.
func (s *Store) writeHealth() <-chan error {
	return s.start(ownWrite{text: `SELECT pg_logical_emit_message(true, 'parley', 'healthy')`})
}

// Errors for readers that get no answer.
var (
	errUnreachable = &chat.Error{
		Code:       chat.Unavailable,
		Message:    "The server cannot read this right now. Try again in a moment.",
		RetryAfter: 2 * time.Second,
	}
	errMissing = &chat.Error{
		Code:       chat.Unavailable,
		Message:    "The server cannot read this: its database is damaged, and its operator has to see to it.",
		RetryAfter: 30 * time.Second,
	}
)

// readsLoggedEvery is how often it is logged that reads fail.
const readsLoggedEvery = 10 * time.Second

// readError returns the error that a reader gets for err. A database that cannot be reached, or
// refuses to answer for now, is Unavailable.
func (s *Store) readError(ctx context.Context, err error) error {
	switch {
	case err == nil || errors.Is(err, pgx.ErrNoRows):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case !isLost(err) && !isTransient(err):
		return err
	}
	now, last := time.Now().UnixNano(), s.readsLogged.Load()
	if now-last > int64(readsLoggedEvery) && s.readsLogged.CompareAndSwap(last, now) {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the database does not answer: readers are told to try again",
			slog.Any("err", err))
	}
	return errUnreachable
}

// isLost reports whether err says that a connection is lost or that none can be made.
func isLost(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.Is(err, errLost) || errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// isTransient reports whether the database refuses for now what it may do later.
func isTransient(err error) bool {
	code := codeOf(err)
	if len(code) != 5 {
		return false
	}
	switch code[:2] {
	case "08", // connection
		"40", // of two transactions one had to give way
		"53", // no memory, disk, connection
		"57", // operator intervention, a timeout
		"58": // the system
		return true
	}
	return code == codeReadOnly || code == codeLocked // a standby, and a lock that was waited for too long
}

// eventMissing logs that an event is missing whose seq has been given, and returns the reader's
// error.
func (s *Store) eventMissing(ctx context.Context, at chat.MessageRef) error {
	s.logger.LogAttrs(ctx, slog.LevelError, "events are missing in the database: see what “parley check” says",
		slog.String("room", string(at.Room)), slog.Int64("seq", int64(at.Seq)))
	return errMissing
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"parley/internal/store"
)

// patience is how long a transaction is tried before its senders are told to try again.
const patience = 5 * time.Second

// maxAttempts is how often a transaction is tried while it conflicts with others.
const maxAttempts = 20

// An engine is the store as its committer uses it: store.Engine and store.Upkeep.
type engine struct {
	*writer
	s *Store
}

// An outcome is the result of an attempt at a transaction.
type outcome int

const (
	committed outcome = iota
	failed            // nothing is stored, and it would fail again
	conflict          // nothing is stored, because of another transaction
	lost              // nothing is stored, because the connection is lost
	unknown           // the connection was lost during COMMIT
)

// Transact calls do within a transaction and commits it. After a conflict and after a lost
// connection it does so again, until its patience ends. If COMMIT was lost the next attempt finds
// out by the nonces whether it was carried out; for that it locks the same rooms, and so waits for
// the end of the first. This goes on until it is known, or the store stops: events that are stored
// and were never told would be missing for all who read the room live. Until then no failure is final
// but a refusal of what was to be written: the database would have refused it the first time too.
func (w *writer) Transact(ctx context.Context, do func(context.Context) error) error {
	deadline := time.Now().Add(w.patience)
	wasUnknown := false
	for attempt := 1; ; attempt++ {
		what, err := w.attempt(ctx, deadline, do)
		switch {
		case what == committed, what == failed && isRefusal(err):
			w.away, w.tx.repeats = false, false
			return err
		case what == unknown:
			wasUnknown, w.tx.repeats = true, true
		case what == lost && w.away && !wasUnknown: // senders need not wait for what is away
			return err
		}
		isPatient := attempt < maxAttempts && time.Now().Before(deadline)
		if !isPatient && wasUnknown && !w.stopping.Load() {
			isPatient, deadline = true, time.Now().Add(w.patience)
		}
		hasPanicked := errors.Is(err, store.ErrRefused)
		if what == failed && (!wasUnknown || hasPanicked) || !isPatient {
			w.away = what == lost || what == unknown
			if wasUnknown {
				err = fmt.Errorf("%w: %w", store.ErrUnknown, err)
			}
			return err
		}
		pause(ctx, attempt)
	}
}

// pause waits before the next attempt, at first not at all.
func pause(ctx context.Context, attempt int) {
	select {
	case <-time.After(time.Duration(min(attempt, maxAttempts)-1) * 20 * time.Millisecond):
	case <-ctx.Done():
	}
}

// attempt begins a transaction, calls do, and commits, before the deadline.
func (w *writer) attempt(ctx context.Context, deadline time.Time, do func(context.Context) error) (what outcome,
	err error,
) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil { // the connection is in an unknown state
			w.disconnect()
			what, err = failed, fmt.Errorf("%w: the committer panicked: %v\n%s", store.ErrRefused, cause, debug.Stack())
		}
	}()
	if err := w.open(ctx); err != nil {
		return lost, err
	}
	w.begin()
	if err := do(ctx); err != nil {
		return w.undo(ctx, err)
	}
	w.queueOwn(w.batch)
	w.queue(`COMMIT`).Exec(func(done pgconn.CommandTag) error {
		if done.String() != "COMMIT" { // of a failed transaction it is ROLLBACK, without an error
			return fmt.Errorf("%w: the database answered COMMIT with %s", errRolledBack, done)
		}
		return nil
	})
	w.warned = false
	if err := w.send(ctx); err != nil {
		err = fmt.Errorf("committing: %w", err)
		if mayBeCommitted(err) {
			w.disconnect()
			return unknown, err
		}
		return w.undo(ctx, err)
	}
	if w.warned { // it is committed here, but maybe not on the standby
		return unknown, errNotReplicated
	}
	w.settle()
	return committed, nil
}

var (
	errRolledBack    = errors.New("the transaction was rolled back")
	errNotReplicated = errors.New("the database did not wait for its standby")
)

// begin starts a new transaction with the next round trip.
func (w *writer) begin() {
	w.tx = transaction{seen: &w.seen, repeats: w.tx.repeats, plain: true}
	w.own = w.own[:0]
	w.batch = &pgx.Batch{}
	w.queue(`BEGIN`)
}

// undo ends a transaction that has failed and was not committed. After an error in a pipeline the
// transaction stays open, so it is rolled back, or its connection is closed.
func (w *writer) undo(ctx context.Context, cause error) (outcome, error) {
	w.forget()
	what := outcomeOf(cause)
	if w.tx.direct {
		what = w.tx.failDirect(what)
	}
	if what == lost || w.conn.IsClosed() {
		w.disconnect()
		return lost, cause
	}
	w.batch = &pgx.Batch{}
	w.queue(`ROLLBACK`)
	if err := w.send(ctx); err != nil {
		w.disconnect()
	}
	if what == failed && isRefusal(cause) {
		return failed, fmt.Errorf("%w: %w", store.ErrRefused, cause)
	}
	return what, cause
}

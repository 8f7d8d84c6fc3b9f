package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// Append queues a draft, as store.Committer.Append does.
func (s *Store) Append(d chat.Draft, done func(chat.Commit)) { s.committer.Append(d, done) }

// Run commits what is queued until ctx ends. It may be called once.
func (s *Store) Run(ctx context.Context) error { return s.committer.Run(ctx) }

// An engine is the store as its committer uses it: store.Engine and store.Upkeep.
type engine struct {
	*writer
	s *Store
}

// Transact calls do within a transaction and commits it. After an error readers see nothing of it.
func (e engine) Transact(ctx context.Context, do func(context.Context) error) error {
	err := e.s.transact(ctx, do)
	if err != nil && e.s.broken.Load() != nil {
		return brokenError{err}
	}
	return err
}

// A brokenError is an error after which nothing is written until a restart.
type brokenError struct{ error }

func (e brokenError) Is(target error) bool { return target == store.ErrBroken }

func (e brokenError) Unwrap() error { return e.error }

func (s *Store) transact(ctx context.Context, do func(context.Context) error) (err error) {
	if s.broken.Load() != nil {
		return store.ErrBroken
	}
	w := s.writer
	defer func() {
		if cause := recover(); cause != nil {
			// The connection is in an unknown state, so it is not used again, not even to roll
			// back: the next start does that.
			s.stopWriting(ctx, errPanicked)
			err = fmt.Errorf("%w: %v\n%s", errPanicked, cause, debug.Stack())
			return
		}
		if err != nil {
			w.rollback(ctx)
		}
	}()
	w.newestID = 0
	if err := w.exec(ctx, `BEGIN IMMEDIATE`); err != nil {
		if isDamaged(err) {
			s.stopWriting(ctx, err)
		}
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	if err := do(ctx); err != nil {
		if isFailedSync(err) || isDamaged(err) {
			s.stopWriting(ctx, err)
		}
		return err
	}
	if err := w.exec(ctx, `COMMIT`); err != nil {
		if isUnknownOutcome(err) || isDamaged(err) {
			s.stopWriting(ctx, err)
		}
		return fmt.Errorf("committing: %w", err)
	}
	database, err := s.checkFiles()
	if err != nil {
		s.stopWriting(ctx, err)
		return err
	}
	s.database = database
	s.writeStateFile(ctx, w.newest)
	return nil
}

// errPanicked is the health check's error after a panic. The stack is in the log.
var errPanicked = errors.New("the committer panicked")

// Recovered fills the reserve after an outage.
func (e engine) Recovered(ctx context.Context) { e.s.reserved(ctx, e.s.reserve.fill(e.s.dir)) }

// Written makes a checkpoint if the WAL has grown enough.
func (e engine) Written(ctx context.Context) { e.s.empty(ctx) }

// Idle frees memory, empties the WAL after deletions, fills the reserve and removes old copies.
func (e engine) Idle(ctx context.Context) {
	s := e.s
	s.writer.tidy(ctx)
	if s.broken.Load() != nil {
		return
	}
	if s.writer.erased { // the WAL holds deleted texts
		err := s.truncateWAL(ctx)
		if size := s.reserve.size; isNoRoom(err) && s.reserve.giveUp(reserveSteps[0]) {
			_ = s.truncateWAL(ctx) // it is tried again in a minute; damage has been logged
			s.reserved(ctx, s.reserve.takeBack(s.dir, size))
		}
	}
	s.reserved(ctx, s.reserve.fill(s.dir))
	s.dropOldCopies(ctx, time.Now())
}

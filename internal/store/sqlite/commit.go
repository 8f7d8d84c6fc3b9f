package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"parley/internal/chat"
)

// tidyEvery is how often memory is given back that nobody uses.
const tidyEvery = time.Minute

// Append takes a draft to be stored and returns at once. done is called
// exactly once, on one goroutine for the whole store, in the order of commits:
// for one room it sees seq ascending by 1. It must not block. Once Run has
// returned it hears Stopping.
func (s *Store) Append(d chat.Draft, done func(chat.Commit)) {
	s.queue.push(item{draft: d, done: done})
}

// Run is the committer: it makes one transaction after the other of all that
// waits. While one is being synced the next gathers, so that the disk's pace
// decides how large they are. When ctx ends it commits what has been taken,
// calls every done, and returns.
func (s *Store) Run(ctx context.Context) error {
	if s.started.Swap(true) {
		return errors.New("the store runs already")
	}
	defer close(s.ran)
	defer context.AfterFunc(ctx, s.queue.stop)()
	ctx = context.WithoutCancel(ctx) // what was taken is committed
	s.reserved(ctx, s.reserve.fill(s.dir))
	s.dropOldCopies(ctx, time.Now())
	tidy := time.AfterFunc(tidyEvery, s.queue.nudge)
	defer tidy.Stop()
	for batch, more := s.queue.take(nil); more; batch, more = s.queue.take(batch[:0]) {
		if len(batch) == 0 {
			batch = nil
			s.tidy(ctx)
			tidy.Reset(tidyEvery)
			continue
		}
		s.commit(ctx, batch)
		clear(batch)
		s.empty(ctx)
	}
	return nil
}

// tidy does what is to be done while nothing waits.
func (s *Store) tidy(ctx context.Context) {
	s.committer.tidy(ctx)
	if s.broken.Load() != nil {
		return
	}
	if s.committer.erased { // the write-ahead log holds what was deleted
		err := s.truncateWAL(ctx)
		if size := s.reserve.size; isNoRoom(err) && s.reserve.giveUp(reserveSteps[0]) {
			_ = s.truncateWAL(ctx) // it is tried again in a minute, or has broken down and said so
			s.reserved(ctx, s.reserve.takeBack(s.dir, size))
		}
	}
	s.reserved(ctx, s.reserve.fill(s.dir))
	s.dropOldCopies(ctx, time.Now())
}

// commit makes one transaction of batch, or none if that fails, and tells
// everybody.
func (s *Store) commit(ctx context.Context, batch []item) {
	start := time.Now()
	results := s.committer.begin(batch)
	stored, err := s.transact(ctx, batch, start)
	full := err
	switch {
	case s.mayUseReserve(batch, err):
		stored, err = s.transactFromReserve(ctx, batch, full)
	case err == nil && hasWork(batch):
		s.logRecovery(ctx)
	}
	switch {
	case err != nil:
		s.logFailedCommit(ctx, err, len(batch))
	case stored > 0:
		s.committed(stored, time.Since(start))
		for rows := s.committer.rows; len(rows) > 0; { // they are in order of rooms
			n := 1
			for n < len(rows) && rows[n].head == rows[0].head {
				n++
			}
			s.touched(activityOf(rows[:n], start))
			rows = rows[n:]
		}
	}
	last := len(batch) - 1
	for last > 0 && batch[last].write != nil {
		last--
	}
	for i := range batch {
		c := &results[i]
		switch it := &batch[i]; {
		case it.refused == errNoRoom && it.write != nil:
			*c = chat.Commit{Err: full}
		case it.refused != nil:
			c.Err = it.refused
		case err != nil && it.write != nil:
			*c = chat.Commit{Err: err}
		case err != nil:
			*c = chat.Commit{Err: s.unavailable()}
		}
		c.More = i < last
		batch[i].answer(*c)
	}
}

// activityOf returns what rows of one room, committed at one time, are to those who follow
// the log.
func activityOf(rows []row, at time.Time) chat.RoomActivity {
	deletes := func(r row) bool { return r.draft.Kind == chat.Delete }
	return chat.RoomActivity{Room: rows[0].draft.Room, Events: len(rows), Deleted: slices.ContainsFunc(rows, deletes), At: at.Truncate(time.Millisecond)}
}

// transact writes batch in one transaction and returns how many messages that
// stored. After an error there is nothing of it that anybody could see.
func (s *Store) transact(ctx context.Context, batch []item, now time.Time) (stored int, err error) {
	if s.broken.Load() != nil {
		return 0, errBroken
	}
	if !hasWork(batch) {
		return 0, nil
	}
	c := s.committer
	defer func() {
		if cause := recover(); cause != nil {
			// Nobody knows what state it has left the connection in, so nothing more
			// is done with that, not even a rollback: the next start does it.
			s.stopWriting(ctx, errPanicked)
			stored, err = 0, fmt.Errorf("%w: %v\n%s", errPanicked, cause, debug.Stack())
			return
		}
		if err != nil {
			c.rollback(ctx, batch)
		}
	}()
	if err := c.exec(ctx, `BEGIN IMMEDIATE`); err != nil {
		if isDamaged(err) {
			s.stopWriting(ctx, err)
		}
		return 0, fmt.Errorf("beginning a transaction: %w", err)
	}
	stored, err = c.write(ctx, batch, now)
	if err != nil {
		if isFailedSync(err) || isDamaged(err) {
			s.stopWriting(ctx, err)
		}
		return 0, err
	}
	if err := c.exec(ctx, `COMMIT`); err != nil {
		if isUnknownOutcome(err) || isDamaged(err) {
			s.stopWriting(ctx, err)
		}
		return 0, fmt.Errorf("committing: %w", err)
	}
	database, err := s.checkFiles()
	if err != nil {
		s.stopWriting(ctx, err)
		return 0, err
	}
	s.database = database
	s.writeStateFile(ctx, c.newest)
	return stored, nil
}

// hasWork reports whether there is anything in batch to write.
func hasWork(batch []item) bool {
	for i := range batch {
		if batch[i].refused == nil {
			return true
		}
	}
	return false
}

// outageLogEvery is how often an outage that lasts is logged.
const outageLogEvery = 10 * time.Second

// An outage is a time in which nothing can be written.
type outage struct {
	since  time.Time // zero: there is none
	logged time.Time // when one was last logged
}

// errPanicked says so to whoever asks after the store's health; the stack is in the log.
var errPanicked = errors.New("the committer panicked")

var errBroken = errors.New("nothing is written until a restart")

// logFailedCommit logs that a transaction came to nothing: the first of an outage, and
// then a line now and again, not one for each.
func (s *Store) logFailedCommit(ctx context.Context, err error, items int) {
	now := time.Now()
	if s.outage.since.IsZero() {
		s.outage.since = now
	}
	if now.Sub(s.outage.logged) < outageLogEvery {
		return
	}
	s.outage.logged = now
	s.logger.LogAttrs(ctx, slog.LevelError, "the store cannot write: senders are told to try again",
		slog.Any("err", err), slog.Int("behind", items))
}

func (s *Store) logRecovery(ctx context.Context) {
	if s.outage.since.IsZero() {
		return
	}
	// One that was not logged, soon after another, is a disk on the verge.
	if !s.outage.logged.Before(s.outage.since) {
		s.logger.LogAttrs(ctx, slog.LevelInfo, "the store can write again", slog.Duration("took", time.Since(s.outage.since)))
	}
	s.outage.since = time.Time{}
	s.reserved(ctx, s.reserve.fill(s.dir))
}

// unavailable is what senders are told when their transaction came to nothing.
func (s *Store) unavailable() error {
	if s.broken.Load() != nil {
		return &chat.Error{Code: chat.Unavailable, Message: "The server's disk has failed, and its operator has to see to it. Your message was not stored.", RetryAfter: 30 * time.Second}
	}
	return &chat.Error{Code: chat.Unavailable, Message: "The server cannot store messages right now. Your message was not stored; send it again in a moment.", RetryAfter: 2 * time.Second}
}

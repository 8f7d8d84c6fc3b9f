package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"modernc.org/sqlite"

	"parley/internal/store"
)

// SQLite writes to the database's own file only in a checkpoint, which moves pages
// from the write-ahead log into it. Left to itself it makes one within a COMMIT
// and keeps to itself that it failed. So all checkpoints are made here.

// largeLog is how large a write-ahead log is that cannot be emptied, in bytes, and
// how often that is said.
const (
	largeWAL      = 256 << 20
	largeLogEvery = time.Minute
)

// settleWAL writes what a server that did not stop by itself has left in the
// write-ahead log into the database, and syncs that, before anything is added. For
// the log may hold what a failed sync has left: the kernel shows it to us, but it
// is not on the disk, and whatever came after it in the log would be lost with it
// when the power goes. The log itself is emptied: it may hold what has been
// deleted. A clean stop leaves none.
func (s *Store) settleWAL(ctx context.Context) error {
	_, err := s.checkpoint(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if isDamaged(err) {
		return err
	}
	if err != nil && s.broken.Load() == nil { // a full disk may be emptied while the server runs
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the write-ahead log could not be emptied", slog.Any("err", err))
	}
	return nil
}

// A checkpointResult says what a checkpoint did.
type checkpointResult struct {
	busy        bool // somebody reads, or writes, what is in the way
	pages, done int  // in the write-ahead log, and of these in the database by now
}

// checkpoint runs one of the statements that make a checkpoint. After a sync that
// failed, and where it meets a damaged page, nothing is written any more.
func (s *Store) checkpoint(ctx context.Context, statement string) (p checkpointResult, err error) {
	if s.broken.Load() != nil {
		return p, store.ErrBroken
	}
	if s.walState != (fileState{}) { // the folder has been settled: pages must not go into a file that is another's by now
		s.filesChecked = time.Time{}
		if _, err := s.checkFiles(); err != nil {
			s.stopWriting(ctx, err)
			return p, err
		}
	}
	s.writeStateFile(ctx, func(m *stateFile) { m.State = emptying })
	err = s.committer.scan(ctx, []any{&p.busy, &p.pages, &p.done}, statement)
	if isFailedSync(err) || isDamaged(err) {
		s.stopWriting(ctx, err)
		return p, err
	}
	if e := s.recordFileState(); e != nil {
		s.stopWriting(ctx, errors.Join(errReplaced, e))
		return p, errors.Join(err, e)
	}
	s.writeStateFile(ctx, func(m *stateFile) { m.State = atRest })
	return p, err
}

// recordFileState takes the state of the database's file for the one that the server has
// left it in.
func (s *Store) recordFileState() error {
	database, err := stateOf(s.path)
	if err != nil {
		return err
	}
	s.database = database
	return nil
}

// writeStateFile writes a mark. Where that is impossible all else goes on as it is: at the
// next start the folder may seem to be another one.
func (s *Store) writeStateFile(ctx context.Context, change func(*stateFile)) {
	if s.marks == nil {
		return
	}
	if err := s.marks.note(s.database, change); err != nil && !s.unmarked {
		s.unmarked = true
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the data folder's state could not be marked", slog.Any("err", err))
	}
}

// empty makes a checkpoint once there is enough in the write-ahead log.
func (s *Store) empty(ctx context.Context) {
	c := s.committer
	written, err := c.written()
	if err != nil || written-c.emptied < c.emptyAfter {
		return
	}
	m, err := s.checkpoint(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
	c.emptied = written
	if s.broken.Load() != nil || err == nil && m.done == m.pages {
		return
	}
	c.emptied -= c.emptyAfter * 3 / 4 // try again soon
	if now := time.Now(); now.Sub(c.warned) >= largeLogEvery && (err != nil || m.pages*c.pageSize >= largeWAL) {
		c.warned = now
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the write-ahead log grows: it cannot be emptied, perhaps because another program reads the database",
			slog.Int("behind", m.pages-m.done), slog.Any("err", err))
	}
}

// truncateWAL has the write-ahead log hold nothing, if nobody reads from it. Whoever
// wants to write waits meanwhile, so it is tried for a moment only, and again in a
// minute. SQLite sets the time when the statement is prepared: it is so each time.
func (s *Store) truncateWAL(ctx context.Context) error {
	c := s.committer
	if _, err := c.conn.ExecContext(ctx, `PRAGMA busy_timeout(50)`); err != nil { // ms
		return err
	}
	m, err := s.checkpoint(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	c.erased = err != nil || m.busy
	_, after := c.conn.ExecContext(ctx, `PRAGMA busy_timeout(5000)`) // as in writerPragmas
	return errors.Join(err, after)
}

// takeOver has checkpoints made by empty alone.
func (c *committer) takeOver(ctx context.Context) error {
	err := c.scan(ctx, []any{&c.emptyAfter}, `PRAGMA wal_autocheckpoint`)
	if err == nil {
		err = c.scan(ctx, []any{&c.pageSize}, `PRAGMA page_size`)
	}
	if err == nil {
		err = c.scan(ctx, []any{new(int)}, `PRAGMA wal_autocheckpoint(0)`)
	}
	return err
}

// written returns how many pages the committer's connection has written so far.
func (c *committer) written() (pages int, err error) {
	err = c.conn.Raw(func(conn any) (err error) {
		pages, _, err = conn.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, false)
		return err
	})
	return pages, err
}

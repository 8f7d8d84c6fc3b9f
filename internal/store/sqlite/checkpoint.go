package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"modernc.org/sqlite"

	"parley/internal/store"
)

// SQLite writes to the database's own file only in a checkpoint, which moves pages there from the
// WAL. By default it runs checkpoints within COMMIT and does not report that one has failed. So all
// checkpoints are made here.

// A WAL that cannot be emptied is logged from this size on, in bytes, and this often.
const (
	largeWAL      = 256 << 20
	largeLogEvery = time.Minute
)

// settleWAL moves the WAL that a crashed server has left into the database, and syncs that, before
// anything is added. The WAL may hold pages of a failed sync: the kernel returns them, but they are
// not on the disk, and a power cut would lose them with all that follows them in the WAL. It also
// empties the WAL, which may hold deleted texts. After a clean stop there is no WAL.
func (s *Store) settleWAL(ctx context.Context) error {
	_, err := s.checkpoint(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if isDamaged(err) {
		return err
	}
	if err != nil && s.broken.Load() == nil { // the disk may be full, which can change while the server runs
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the write-ahead log could not be emptied", slog.Any("err", err))
	}
	return nil
}

// A checkpointResult is the row that SQLite returns for a checkpoint.
type checkpointResult struct {
	busy        bool // a reader or writer prevented it from finishing
	pages, done int  // in the WAL; of these in the database
}

// checkpoint runs a statement that makes a checkpoint. If a sync fails or a page is damaged, it
// stops all writing.
func (s *Store) checkpoint(ctx context.Context, statement string) (p checkpointResult, err error) {
	if s.broken.Load() != nil {
		return p, store.ErrBroken
	}
	// set once the folder is in use: pages must not go into a file that has been replaced
	if s.walState != (fileState{}) {
		s.filesChecked = time.Time{}
		if _, err := s.checkFiles(); err != nil {
			s.stopWriting(ctx, err)
			return p, err
		}
	}
	s.writeStateFile(ctx, func(m *stateFile) { m.State = emptying })
	err = s.writer.scan(ctx, []any{&p.busy, &p.pages, &p.done}, statement)
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

// recordFileState records the present state of the database's file as the one that the server has
// left.
func (s *Store) recordFileState() error {
	database, err := stateOf(s.path)
	if err != nil {
		return err
	}
	s.database = database
	return nil
}

// writeStateFile writes a state file. If that fails the server goes on; the next start may then
// take the folder for another one.
func (s *Store) writeStateFile(ctx context.Context, change func(*stateFile)) {
	if s.marks == nil {
		return
	}
	if err := s.marks.note(s.database, change); err != nil && !s.unmarked {
		s.unmarked = true
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the data folder's state could not be marked", slog.Any("err", err))
	}
}

// empty makes a checkpoint if the WAL has grown enough.
func (s *Store) empty(ctx context.Context) {
	w := s.writer
	written, err := w.written()
	if err != nil || written-w.emptied < w.emptyAfter {
		return
	}
	m, err := s.checkpoint(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
	w.emptied = written
	if s.broken.Load() != nil || err == nil && m.done == m.pages {
		return
	}
	w.emptied -= w.emptyAfter * 3 / 4 // try again soon
	if now := time.Now(); now.Sub(w.warned) >= largeLogEvery && (err != nil || m.pages*w.pageSize >= largeWAL) {
		w.warned = now
		s.logger.LogAttrs(ctx, slog.LevelWarn,
			"the write-ahead log grows: it cannot be emptied, perhaps because another program reads the database",
			slog.Int("behind", m.pages-m.done), slog.Any("err", err))
	}
}

// truncateWAL empties the WAL unless a reader uses it. Writers wait meanwhile, so it waits only 50
// ms for readers; it is tried again after a minute. SQLite reads busy_timeout when a statement is
// prepared, and this one is prepared each time.
func (s *Store) truncateWAL(ctx context.Context) error {
	w := s.writer
	if _, err := w.conn.ExecContext(ctx, `PRAGMA busy_timeout(50)`); err != nil { // ms
		return err
	}
	m, err := s.checkpoint(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	w.erased = err != nil || m.busy
	_, after := w.conn.ExecContext(ctx, `PRAGMA busy_timeout(5000)`) // as in writerPragmas
	return errors.Join(err, after)
}

// takeOver turns off SQLite's own checkpoints.
func (w *writer) takeOver(ctx context.Context) error {
	err := w.scan(ctx, []any{&w.emptyAfter}, `PRAGMA wal_autocheckpoint`)
	if err == nil {
		err = w.scan(ctx, []any{&w.pageSize}, `PRAGMA page_size`)
	}
	if err == nil {
		err = w.scan(ctx, []any{new(int)}, `PRAGMA wal_autocheckpoint(0)`)
	}
	return err
}

// written returns how many pages the connection has written since it was opened.
func (w *writer) written() (pages int, err error) {
	err = w.conn.Raw(func(conn any) (err error) {
		pages, _, err = conn.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, false)
		return err
	})
	return pages, err
}

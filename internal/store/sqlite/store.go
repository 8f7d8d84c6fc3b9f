// Package sqlite is the durable log and all else that is kept: messages, people,
// sessions. Everything that is written goes through one committer, which makes
// one transaction of all that waits; reads have connections of their own. Start
// reading at Store.Run.
//
// It knows no sockets, no members and no HTTP.
package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/files"
	"parley/internal/store"
)

// Config says where a Store keeps its files and whom it tells.
type Config struct {
	Dir       string                               `kong:"-"` // the data folder; created with mode 0700
	Logger    *slog.Logger                         `kong:"-"` // default: discard
	Committed func(events int, took time.Duration) `kong:"-"` // called after each transaction that stored events

	Version            string `kong:"-"` // the program's; noted in the database, and in the names of copies before an upgrade
	UpgradeWithoutCopy bool   `kong:"-"` // an older database is not copied before it is brought up to date
}

// A Store is a data folder in use. Its methods may be called from several
// goroutines; those that write do their work while Run runs.
type Store struct {
	cfg    Config
	dir    string
	path   string // of the database
	logger *slog.Logger
	epoch  string

	folder    *os.Root
	lock      *os.File
	writers   *sql.DB    // holds the committer's one connection
	committer *committer // owned by Run's goroutine while that runs
	readers   *sql.DB
	reads     readStatements

	loop    *store.Committer
	broken  atomic.Pointer[writeStop] // why nothing is written any more, until a restart
	health  health
	reserve reserve // owned by Run's goroutine

	copiesLooked time.Time // likewise: when it was last looked for copies that are to go

	// Owned by Run's goroutine, too, while that runs.
	marks        *stateFiles
	unmarked     bool      // a mark could not be written, and that was logged
	database     fileState // of the database's file, as the server left it last
	walState     fileState // of the write-ahead log
	filesChecked time.Time // when inPlace looked last

	closing sync.Once
	closed  error
}

// Open opens the data folder cfg.Dir, making it and bringing its schema up to
// date as needed. It fails with a sentence for the operator if another process
// uses the folder, or if a newer program has written it. Of the log it reads
// nothing, so that it is as fast for a long one as for an empty one.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	return open(ctx, cfg, "")
}

// open is Open on the SQLite VFS with that name, so that tests can break the disk.
func open(ctx context.Context, cfg Config, vfs string) (_ *Store, err error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", cfg.Dir, err)
	}
	s := &Store{
		cfg:    cfg,
		dir:    dir,
		path:   filepath.Join(dir, databaseName),
		logger: cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		health: health{turn: make(chan struct{}, 1)},
	}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if err := s.takeFolder(); err != nil {
		return nil, err
	}
	if err := s.openDatabase(ctx, vfs); err != nil {
		if isDamaged(err) {
			err = refusal(err)
		}
		return nil, fmt.Errorf("data folder %s: %w", dir, err)
	}
	e := engine{s.committer, s}
	s.loop = store.New(e, e, store.Config{Committed: cfg.Committed, Logger: s.logger})
	return s, nil
}

// takeFolder makes the data folder this process's own.
func (s *Store) takeFolder() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	var err error
	if s.folder, err = os.OpenRoot(s.dir); err != nil {
		return fmt.Errorf("opening the data folder %s: %w", s.dir, err)
	}
	s.reserve.folder = s.folder
	if s.lock, err = s.folder.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return fmt.Errorf("locking the data folder %s: %w", s.dir, err)
	}
	err = files.Lock(s.lock)
	for range 25 { // one that was killed just now may hold it for a moment
		if err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
		err = files.Lock(s.lock)
	}
	if err != nil {
		return fmt.Errorf("the data folder %s is in use by another parley (%w); stop that one, or choose another folder", s.dir, err)
	}
	s.reserve.makeWay(s.dir)
	return nil
}

// Epoch returns a random word that stays the same as long as the log does, and
// is another once a back-up has been restored.
func (s *Store) Epoch() string { return s.epoch }

// Close ends Run if it still runs, answers what was given to Append and never
// committed, and lets go of the data folder.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.loop.Close()
		s.closed = s.closeDatabase(context.Background())
	})
	return s.closed
}

// closeDatabase empties the write-ahead log and closes everything.
func (s *Store) closeDatabase(ctx context.Context) error {
	if s.broken.Load() != nil {
		return s.release()
	}
	_, err := s.checkpoint(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
	if s.broken.Load() != nil {
		return errors.Join(fmt.Errorf("the write-ahead log could not be emptied: %w", err), s.release())
	}
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the write-ahead log could not be emptied", slog.Any("err", err))
	}
	err = errors.Join(s.releaseDatabase(), s.markEnd(ctx))
	return errors.Join(err, s.release())
}

// release closes whatever is open.
func (s *Store) release() error {
	err := s.releaseDatabase()
	if s.marks != nil {
		err = errors.Join(err, s.marks.close())
		s.marks = nil
	}
	if s.lock != nil {
		if s.reserve.lent > 0 { // the folder was not used, so no room was needed for long
			err = errors.Join(err, s.reserve.fill(s.dir))
		}
		err = errors.Join(err, s.lock.Close())
		s.lock = nil
	}
	if s.folder != nil {
		err = errors.Join(err, s.folder.Close())
		s.folder = nil
	}
	if err != nil {
		return fmt.Errorf("closing the data folder %s: %w", s.dir, err)
	}
	return nil
}

// releaseDatabase closes all connections to the database. The readers go first:
// the connection that goes last empties the write-ahead log into the database.
// That must not happen once nothing is to be written any more. Then the connections
// are left to the end of the process.
func (s *Store) releaseDatabase() error {
	if b := s.broken.Load(); b != nil && b.untouched {
		return nil
	}
	if s.writers != nil {
		s.writeStateFile(context.Background(), func(m *stateFile) { m.State = emptying })
	}
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.reads.close(), s.readers.Close())
		s.readers = nil
	}
	if s.committer != nil {
		errs = append(errs, s.committer.close())
		s.committer = nil
	}
	if s.writers != nil {
		errs = append(errs, s.writers.Close())
		s.writers = nil
	}
	return errors.Join(errs...)
}

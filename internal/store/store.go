// Package store is the durable log and all else that is kept: messages, people,
// sessions. Everything that is written goes through one committer, which makes
// one transaction of all that waits; reads have connections of their own. Start
// reading at Store.Run.
//
// It knows no sockets, no members and no HTTP, and imports package chat alone.
package store

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

	"parley/internal/chat"
)

// Config says where a Store keeps its files and whom it tells.
type Config struct {
	Dir       string                               `kong:"-"` // the data folder; created with mode 0700
	Logger    *slog.Logger                         `kong:"-"` // default: discard
	Committed func(events int, took time.Duration) `kong:"-"` // called after each transaction that stored events
	Touched   func(chat.Touch)                     `kong:"-"` // called after it for each room; must not block
}

// A Store is a data folder in use. Its methods may be called from several
// goroutines; those that write do their work while Run runs.
type Store struct {
	dir       string
	logger    *slog.Logger
	committed func(int, time.Duration)
	touched   func(chat.Touch)
	epoch     string

	folder    *os.Root
	lock      *os.File
	writers   *sql.DB    // holds the committer's one connection
	committer *committer // owned by Run's goroutine while that runs
	readers   *sql.DB
	reads     reads

	queue   queue
	started atomic.Bool
	ran     chan struct{}          // closed by Run when it returns
	broken  atomic.Pointer[string] // why nothing is written any more, until a restart
	health  health
	outage  outage // owned by Run's goroutine

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
		dir:       dir,
		logger:    cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		committed: cfg.Committed,
		touched:   cfg.Touched,
		ran:       make(chan struct{}),
		health:    health{turn: make(chan struct{}, 1)},
	}
	s.queue.changed.L = &s.queue.mu
	if s.committed == nil {
		s.committed = func(int, time.Duration) {}
	}
	if s.touched == nil {
		s.touched = func(chat.Touch) {}
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
		return nil, fmt.Errorf("data folder %s: %w", dir, err)
	}
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
	if s.lock, err = s.folder.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return fmt.Errorf("locking the data folder %s: %w", s.dir, err)
	}
	if err := lockFile(s.lock); err != nil {
		return fmt.Errorf("the data folder %s is in use by another parley (%w); stop that one, or choose another folder", s.dir, err)
	}
	return nil
}

func (s *Store) openDatabase(ctx context.Context, vfs string) error {
	path := filepath.Join(s.dir, databaseName)
	old, err := s.makeDatabase(ctx, path)
	if err != nil {
		return err
	}
	s.writers = openSQLite(path, "rw", vfs, writerPragmas)
	s.writers.SetMaxOpenConns(1)
	if old { // or else it would take time and megabytes to see that there is nothing to do
		if err := s.migrate(ctx); err != nil {
			return err
		}
	}
	conn, err := s.writers.Conn(ctx)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	s.committer = newCommitter(conn)
	s.settleLog(ctx)
	if err := s.settleEpoch(ctx, path); err != nil {
		return err
	}
	s.readers = openSQLite(path, "rw", vfs, readerPragmas)
	s.readers.SetMaxOpenConns(readerConns)
	s.readers.SetMaxIdleConns(readerConns)
	s.readers.SetConnMaxIdleTime(tidyEvery)
	s.reads.db = s.readers
	_, err = s.reads.get(ctx, headText) // that it can be read is known from the start
	return err
}

// Epoch returns a random word that stays the same as long as the log does, and
// is another once a back-up has been restored.
func (s *Store) Epoch() string { return s.epoch }

// Close ends Run if it still runs, answers what was given to Append and never
// committed, and lets go of the data folder.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.queue.stop()
		if s.started.Load() {
			<-s.ran
		} else {
			s.queue.end()
		}
		s.queue.settle()
		s.mark(context.Background())
		s.closed = s.release()
	})
	return s.closed
}

// release closes whatever is open. The readers go first: the connection that
// goes last empties the write-ahead log into the database.
func (s *Store) release() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.reads.close(), s.readers.Close())
	}
	if s.committer != nil {
		errs = append(errs, s.committer.close())
	}
	if s.writers != nil {
		errs = append(errs, s.writers.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if s.folder != nil {
		errs = append(errs, s.folder.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the data folder %s: %w", s.dir, err)
	}
	return nil
}

// Package sqlite stores events, people, sessions and what is theirs in a SQLite database, in a data
// folder of its own. Package store queues the writes and decides them; this package is its Engine.
// Reads have connections of their own. Start reading at Open.
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

// Config says where a Store keeps its files. The zero value of a field means its default.
type Config struct {
	Dir       string                               `kong:"-"` // the data folder; made with mode 0700
	Logger    *slog.Logger                         `kong:"-"` // default: discard
	Committed func(events int, took time.Duration) `kong:"-"` // called after each transaction that stored events

	Version            string `kong:"-"` // of the program; stored in the database, and in the names of copies
	UpgradeWithoutCopy bool   `kong:"-"` // no copy is made before an upgrade
	Moved              bool   `kong:"-"` // a folder may be opened that was moved elsewhere
}

var discard = slog.New(slog.DiscardHandler)

// A Store is a data folder in use. Its methods may be called from several goroutines. Writes are
// carried out while Run runs.
type Store struct {
	cfg    Config
	dir    string
	path   string // of the database
	logger *slog.Logger
	epoch  string

	folder  *os.Root
	lock    *os.File
	writers *sql.DB // has the writer's connection alone
	writer  *writer // owned by Run's goroutine while it runs
	readers *sql.DB
	reads   readStatements

	committer *store.Committer
	broken    atomic.Pointer[writeStop] // why nothing is written; nil: writes are possible
	health    *store.Health
	reserve   reserve // owned by Run's goroutine

	copiesLooked time.Time // owned by Run's goroutine: when old copies were last looked for

	// Owned by Run's goroutine while it runs.
	marks        *stateFiles
	unmarked     bool      // a failed write of a state file has been logged
	database     fileState // the database's file as the server left it
	walState     fileState // the WAL
	filesChecked time.Time // when checkFiles looked last

	closing sync.Once
	closed  error
}

// Open opens the data folder cfg.Dir, makes it if needed, and upgrades its schema. It fails with a
// sentence for the operator if another process uses the folder or a newer program has written it.
// Its duration does not depend on the length of the log.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	return open(ctx, cfg, "")
}

// open is Open with a SQLite VFS, so that tests can break the disk.
func open(ctx context.Context, cfg Config, vfs string) (_ *Store, err error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", cfg.Dir, err)
	}
	s := &Store{
		cfg:    cfg,
		dir:    dir,
		path:   filepath.Join(dir, databaseName),
		logger: cmp.Or(cfg.Logger, discard),
	}
	s.health = store.NewHealth(s.writeHealth)
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
	e := engine{s.writer, s}
	s.committer = store.New(e, e, store.Config{Committed: cfg.Committed, Logger: s.logger})
	return s, nil
}

// takeFolder locks the data folder and makes it if needed.
func (s *Store) takeFolder() (err error) {
	if s.folder, s.lock, err = files.TakeFolder(s.dir); err != nil {
		return err
	}
	s.reserve.folder = s.folder
	s.reserve.makeWay(s.dir)
	return nil
}

// Epoch returns a random word that identifies the log. It changes when a back-up is restored.
func (s *Store) Epoch() string { return s.epoch }

// Close ends Run, answers drafts that were never committed, and unlocks the data folder.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.committer.Close()
		s.closed = s.closeDatabase(context.Background())
	})
	return s.closed
}

// closeDatabase empties the WAL and closes everything.
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
		if s.reserve.lent > 0 { // Run has not filled it again
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

// releaseDatabase closes all connections to the database, the readers first: the last connection
// moves the WAL into the database, which must be the writer's. After a failed sync nothing may
// be written, so the connections stay open until the process ends.
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
	if s.writer != nil {
		errs = append(errs, s.writer.close())
		s.writer = nil
	}
	if s.writers != nil {
		errs = append(errs, s.writers.Close())
		s.writers = nil
	}
	return errors.Join(errs...)
}

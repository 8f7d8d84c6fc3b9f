// Package postgres stores events, people, sessions and what is theirs in a PostgreSQL database,
// which several nodes may share. Package store queues the writes and decides them; this package is
// its Engine. The lock of a room's row is the only order between nodes. Reads have connections of
// their own. Start reading at Open.
//
// It knows no sockets, no members and no HTTP.
package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"parley/internal/chat"
	"parley/internal/store"
)

// Config says which database a Store uses. The zero value of a field means its default.
type Config struct {
	URL       string                               // postgres://… or key=value, as libpq has them
	Logger    *slog.Logger                         // default: discard
	Committed func(events int, took time.Duration) // called after each transaction that stored events
	Version   string                               // of the program; stored in the database
	Readers   int                                  // connections that read; default 8
	Moved     bool                                 // OpenToMove takes a database that was moved elsewhere

	// Alone says that this server is to be the only one on the database, because it does not learn what others
	// write. Open then waits up to 10 s for another one to end, and fails if it does not.
	Alone bool
	Name  string // chosen by the operator; default: none
}

// A Store is a database in use. Its methods may be called from several goroutines. Writes are
// carried out while Run runs.
type Store struct {
	cfg     Config
	logger  *slog.Logger
	node    string // a random word that identifies this process
	config  *pgx.ConnConfig
	version string // of PostgreSQL
	epoch   atomic.Pointer[string]
	history atomic.Pointer[string] // see identitySQL
	shown   witness

	pool   *pgxpool.Pool // reads; never writes
	writer *writer       // owned by Run's goroutine while it runs

	readTimeout time.Duration // the constant, but in tests
	headsTook   atomic.Int64  // how long Heads took last, in nanoseconds

	nodeMu   sync.Mutex
	nodeConn *pgx.Conn // keeps this process in the table node; nil: not connected
	hasLeft  bool      // the table
	hears    atomic.Int64

	committer *store.Committer
	health    *store.Health
	closing   sync.Once

	readsLogged atomic.Int64 // when it was last logged that reads fail, in Unix nanoseconds
}

// openPatience is how long Open tries again where the database does not answer in time: it may be busy, or have only
// just come up.
const openPatience = 12 * time.Second

// Open connects to the database cfg.URL and makes its tables, or brings them up to date. It fails
// with a sentence for the operator if the database cannot be used. No error holds a password.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	for began := time.Now(); ; {
		s, err := openOnce(ctx, cfg)
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil || time.Since(began) > openPatience {
			return s, err
		}
	}
}

func openOnce(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{
		cfg:    cfg,
		logger: cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		node:   strings.ToLower(rand.Text()[:13]),

		readTimeout: readTimeout,
	}
	s.health = store.NewHealth(s.writeHealth)
	if err := s.connect(ctx); err != nil {
		s.disconnect()
		return nil, err
	}
	e := engine{s.writer, s}
	s.committer = store.New(e, e, store.Config{Remote: true, Committed: cfg.Committed, Logger: s.logger})
	return s, nil
}

// Append queues a draft, as store.Committer.Append does.
func (s *Store) Append(d chat.Draft, done func(chat.Commit)) { s.committer.Append(d, done) }

// Run commits what is queued until ctx ends. It may be called once. It fails if another server has taken the database
// while this one did not reach it, and one of them is alone.
func (s *Store) Run(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, func() { s.writer.stopping.Store(true) })()
	kept, stop := context.WithCancel(ctx)
	all.Go(func() error {
		defer stop()
		return s.committer.Run(ctx)
	})
	all.Go(func() error {
		s.keepUp(kept)
		return nil
	})
	all.Go(func() error { return s.renew(kept) })
	return all.Wait()
}

// ServerVersion returns PostgreSQL's version.
func (s *Store) ServerVersion() string { return s.version }

// Epoch returns a random word that identifies the log. It changes when the database has gone back
// in time, which may also happen while the store is open.
func (s *Store) Epoch() string { return *s.epoch.Load() }

// Close ends Run, answers drafts that were never committed, and disconnects. A database that does not answer delays it
// by some seconds at most.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.committer.Close()
		s.disconnect()
	})
	return nil
}

func (s *Store) disconnect() {
	s.leave()
	if s.writer != nil {
		s.writer.disconnect()
	}
	if s.pool == nil {
		return
	}
	closed := make(chan struct{})
	go func() { // ends by itself: connections that hang are given up
		s.pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(2 * closeTimeout):
	}
}

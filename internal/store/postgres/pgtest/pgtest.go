// Package pgtest gives tests databases of a PostgreSQL. One server serves all tests of a process and ends with it. A
// test is skipped without PostgreSQL, and by go test -short, since a server takes seconds to start. Start reading at
// Database.
//
// It knows no tables.
package pgtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"parley/internal/pgserver"
)

// Database returns the URL of a new database, which is dropped when the test ends. Each is a copy of a template, whose
// tables prepare makes. prepare is called once in a process.
func Database(t testing.TB, prepare func(ctx context.Context, url string) error) string {
	t.Helper()
	s := shared(t)
	template.once.Do(func() {
		if template.name, template.err = s.NewDatabase(context.Background()); template.err == nil {
			template.err = prepare(context.Background(), s.URL(template.name))
		}
	})
	if template.err != nil {
		t.Fatal(template.err)
	}
	return newDatabase(t, s, func(ctx context.Context) (string, error) { return s.CopyDatabase(ctx, template.name) })
}

// Empty returns the URL of a new database without tables, which is dropped when the test ends.
func Empty(t testing.TB) string {
	t.Helper()
	s := shared(t)
	return newDatabase(t, s, s.NewDatabase)
}

// Start starts a server of the test's own, with further settings, such as "wal_level=replica". It ends with the test.
// Its database "postgres" is empty.
func Start(t testing.TB, settings ...string) *pgserver.Server {
	t.Helper()
	skipShort(t)
	s, err := start(settings...)
	skipOrFail(t, err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var (
	// server returns the server of the process. Nobody stops it: it ends with the process.
	server = sync.OnceValues(func() (*pgserver.Server, error) { return start() })

	// template is the database of the shared server that Database copies.
	template struct {
		once sync.Once
		name string
		err  error
	}
)

// defaults are settings for speed: a test's server need not survive a power cut.
var defaults = []string{
	"fsync=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=200", "max_wal_size=256MB",
	"log_min_messages=log",
}

func start(settings ...string) (*pgserver.Server, error) {
	return pgserver.Start(context.Background(), "", append(slices.Clone(defaults), settings...)...)
}

func shared(t testing.TB) *pgserver.Server {
	t.Helper()
	skipShort(t)
	s, err := server()
	skipOrFail(t, err)
	return s
}

func skipShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it needs a PostgreSQL server")
	}
}

// skipOrFail ends a test whose server did not start.
func skipOrFail(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, pgserver.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func newDatabase(t testing.TB, s *pgserver.Server, create func(context.Context) (string, error)) string {
	t.Helper()
	name, err := create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.DropDatabase(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return s.URL(name)
}

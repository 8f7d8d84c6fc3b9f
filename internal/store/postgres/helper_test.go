package postgres

import (
	"context"
	"log/slog"
	"testing"

	"parley/internal/store/postgres/pgtest"
)

// prepare makes the tables of a database.
func prepare(ctx context.Context, url string) error {
	s, err := Open(ctx, Config{URL: url})
	if err != nil {
		return err
	}
	return s.Close()
}

// newDatabase returns the URL of a new database with tables.
func newDatabase(t testing.TB) string {
	t.Helper()
	return pgtest.Database(t, prepare)
}

// start opens a store on a database and runs it until stop is called or the test ends.
func start(t testing.TB, url string) (s *Store, stop func()) {
	t.Helper()
	return startWith(t, Config{URL: url, Readers: 4, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

func startWith(t testing.TB, cfg Config) (s *Store, stop func()) {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

package pgserver

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestStandbyTakesOverWithEveryCommit(t *testing.T) {
	first := started(t)
	second, err := first.NewStandby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stopsLater(t, second)
	url := first.URLBy("postgres", first.Address(), second.Address())
	execute(t, url, `CREATE TABLE taken (n int)`)
	primary, standby := first, second
	for n := range 3 {
		execute(t, url, `INSERT INTO taken VALUES ($1)`, n)
		if err := primary.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := standby.Promote(t.Context()); err != nil {
			t.Fatal(err)
		}
		execute(t, url, `INSERT INTO taken VALUES ($1)`, n) // it waits for no standby
		if err := primary.Follow(t.Context(), standby); err != nil {
			t.Fatal(err)
		}
		primary, standby = standby, primary
	}
	var rows int
	if err := primary.ask(t.Context(), &rows, `SELECT count(*) FROM taken`); err != nil || rows != 6 {
		t.Errorf("%d rows, %v; want 6", rows, err)
	}
}

func TestCommitWaitsForStandby(t *testing.T) {
	primary := started(t)
	standby, err := primary.NewStandby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stopsLater(t, standby)
	execute(t, primary.URL("postgres"), `CREATE TABLE here (n int)`)
	if err := standby.Freeze(); err != nil {
		t.Fatal(err)
	}
	committed := make(chan error, 1)
	go func() { committed <- primary.ask(t.Context(), nil, `INSERT INTO here VALUES (1)`) }()
	for waits := 0; waits == 0 && t.Context().Err() == nil; pause(t.Context()) {
		err := primary.ask(t.Context(), &waits, `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
		if err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-committed:
		t.Errorf("committed without the standby: %v", err)
	default:
	}
	if err := standby.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := primary.Alone(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-committed; err != nil {
		t.Error(err)
	}
}

// started returns a new server that ends with the test.
func started(t *testing.T) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("PostgreSQL takes seconds to start")
	}
	s, err := Start(t.Context(), "")
	if errors.Is(err, ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	stopsLater(t, s)
	return s
}

func stopsLater(t *testing.T, s *Server) {
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}

func execute(t *testing.T, url, text string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), text, args...); err != nil {
		t.Error(err)
	}
}

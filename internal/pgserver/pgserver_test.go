package pgserver

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestServerIsKilledFrozenAndStartedAgain(t *testing.T) {
	s, err := Start(t.Context(), "")
	if errors.Is(err, ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	name, err := s.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(text string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), s.URL(name))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Error(err)
		}
	}
	ask(`CREATE TABLE here (n int)`)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Freeze(); err != nil {
		t.Fatal(err)
	}
	thaw := time.AfterFunc(100*time.Millisecond, func() {
		if err := s.Thaw(); err != nil {
			t.Error(err)
		}
	})
	defer thaw.Stop()
	ask(`SELECT n FROM here`)
	if cpu, err := s.CPU(); runtime.GOOS == "linux" && (err != nil || cpu <= 0) {
		t.Errorf("CPU time %v, %v", cpu, err)
	}
}

package pgserver

import (
	"runtime"
	"testing"
	"time"
)

func TestServerIsKilledFrozenAndStartedAgain(t *testing.T) {
	s := started(t)
	name, err := s.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	execute(t, s.URL(name), `CREATE TABLE here (n int)`)
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
	execute(t, s.URL(name), `SELECT n FROM here`)
	if cpu, err := s.CPU(); runtime.GOOS == "linux" && (err != nil || cpu <= 0) {
		t.Errorf("CPU time %v, %v", cpu, err)
	}
}

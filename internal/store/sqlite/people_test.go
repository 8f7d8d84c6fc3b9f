package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

func TestGuestComesBackWithTheirSession(t *testing.T) {
	s, stop := start(t, t.TempDir())
	p, session, err := s.NewGuest(t.Context(), "Ada", "")
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "Ada" || len(p.ID) != 26 || len(session) != 43 {
		t.Errorf("guest %+v with a session of %d characters", p, len(session))
	}
	same := func(want chat.Person) {
		t.Helper()
		if got, err := s.Person(t.Context(), session); err != nil || got != want {
			t.Errorf("person = %+v, %v, want %+v", got, err, want)
		}
	}
	same(p)
	post(t, s, draft("lobby", p, "as Ada", ""))
	if _, err := s.Rename(t.Context(), p.ID, "Countess", ""); err != nil {
		t.Fatal(err)
	}
	p.Name = "Countess"
	same(p)
	if e := page(t, s.After, "lobby", 0, 1)[0]; e.From != (chat.Person{ID: p.ID, Name: "Ada"}) {
		t.Errorf("an older message is now from %+v", e.From)
	}
	stop()
	s, _ = start(t, s.dir)
	same(p)

	if err := s.Forget(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	if err := s.Forget(t.Context(), session); err != nil {
		t.Errorf("forgetting again: %v", err)
	}
	if _, err := s.Person(t.Context(), session); chat.CodeOf(err) != chat.BadSession {
		t.Errorf("after Forget: %v", err)
	}
	if c := post(t, s, draft("lobby", p, "still the same person", ""))[0]; c.Err != nil || c.Event.Seq != 2 {
		t.Errorf("after Forget: %+v", c)
	}
}

func TestUnknownPeople(t *testing.T) {
	s, _ := start(t, t.TempDir())
	if _, err := s.Person(t.Context(), ""); chat.CodeOf(err) != chat.BadSession {
		t.Errorf("no session: %v", err)
	}
	if _, err := s.Rename(t.Context(), "nobody", "Eve", ""); chat.CodeOf(err) != chat.BadSession {
		t.Errorf("renaming nobody: %v", err)
	}
	post(t, s, draft("lobby", ada, "known from now on", ""))
	if _, err := s.Rename(t.Context(), ada.ID, "Countess", ""); err != nil {
		t.Errorf("renaming who was first seen by a message: %v", err)
	}
}

func TestSessionIsNotInTheFiles(t *testing.T) {
	s, _ := start(t, t.TempDir())
	_, session, err := s.NewGuest(t.Context(), "Ada", "")
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for _, name := range []string{databaseName, databaseName + "-wal"} {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(session)) {
			t.Errorf("%s holds the token", name)
		}
		seen = seen || bytes.Contains(b, tokenHash(session))
	}
	if !seen {
		t.Error("not even its hash was found: the test looks in the wrong place")
	}
}

func TestStormOfGuestsIsFewTransactions(t *testing.T) {
	d := newDisk(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := open(t.Context(), Config{Dir: t.TempDir()}, d.name)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		const guests = 1000
		var wg sync.WaitGroup
		sessions := make([]string, guests)
		for n := range guests {
			wg.Go(func() {
				var err error
				if _, sessions[n], err = s.NewGuest(t.Context(), fmt.Sprint("Guest ", n), ""); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait() // until all of them wait
		syncs := 0
		d.beforeSync = func() { syncs++ }
		s.committer.Stop()
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if d.beforeSync = nil; syncs > 3 {
			t.Errorf("%d syncs for %d guests", syncs, guests)
		}
		for n, session := range sessions {
			if p, err := s.Person(context.Background(), session); err != nil || p.Name != fmt.Sprint("Guest ", n) {
				t.Fatalf("guest %d is %+v, %v", n, p, err)
			}
		}
	})
}

func TestSessionIsMarkedAsSeenOnceADay(t *testing.T) {
	s, _ := start(t, t.TempDir())
	_, session, err := s.NewGuest(t.Context(), "Ada", "")
	if err != nil {
		t.Fatal(err)
	}
	setSeen := func(at int64) {
		t.Helper()
		err := s.write(t.Context(), func(ctx context.Context, w *writer) error {
			return w.exec(ctx, `UPDATE session SET seen_ms = $1`, at)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	seenAfterPerson := func() (seen int64) {
		t.Helper()
		if _, err := s.Person(t.Context(), session); err != nil {
			t.Fatal(err)
		}
		err := s.write(t.Context(), func(ctx context.Context, w *writer) error { // behind what Person began
			return w.scan(ctx, []any{&seen}, `SELECT seen_ms FROM session`)
		})
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	recent := time.Now().Add(-23 * time.Hour).UnixMilli()
	setSeen(recent)
	if got := seenAfterPerson(); got != recent {
		t.Errorf("seen 23 hours ago: written again")
	}
	setSeen(time.Now().Add(-25 * time.Hour).UnixMilli())
	if got := seenAfterPerson(); got < recent {
		t.Errorf("seen 25 hours ago: not written")
	}
}

func TestWaitingForACommitEndsWithTheContext(t *testing.T) {
	s, err := Open(t.Context(), Config{Dir: t.TempDir()}) // nobody commits
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.NewGuest(ctx, "Ada", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("NewGuest: %v", err)
	}
	if err := s.Healthy(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Healthy: %v", err)
	}
}

func TestHealthIsAskedOfTheDiskOnceASecond(t *testing.T) {
	s, _ := start(t, t.TempDir())
	written := func() (at string) {
		t.Helper()
		if err := s.Healthy(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := s.write(t.Context(), func(ctx context.Context, w *writer) error {
			return w.scan(ctx, []any{&at}, `SELECT value FROM meta WHERE key = 'healthy'`)
		})
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	written()
	const mark = "the test was here" // times, being milliseconds, may be equal
	err := s.write(t.Context(),
		func(ctx context.Context, w *writer) error { return w.setMeta(ctx, "healthy", mark) })
	if err != nil {
		t.Fatal(err)
	}
	if again := written(); again != mark {
		t.Error("asked twice, written twice")
	}
	s.health.checked = s.health.checked.Add(-healthEvery)
	if later := written(); later == mark {
		t.Error("asked a second later, not written")
	}
}

func TestEpochIsAWord(t *testing.T) {
	s, _ := start(t, t.TempDir())
	if e := s.Epoch(); len(e) != 13 || strings.Trim(e, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("epoch %q", e)
	}
}

package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"parley/internal/store"
)

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
		seen = seen || bytes.Contains(b, store.TokenHash(session))
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

func TestEpochIsAWord(t *testing.T) {
	s, _ := start(t, t.TempDir())
	if e := s.Epoch(); len(e) != 13 || strings.Trim(e, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("epoch %q", e)
	}
}

package sqlite

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// patience is how long a test waits for what must come before it fails.
const patience = time.Minute

// Short names for what every store's tests have.
var (
	ada, grace = storetest.Ada, storetest.Grace

	draft, drafts, draftOf = storetest.Draft, storetest.Drafts, storetest.DraftOf
	answering, copying     = storetest.Answering, storetest.Copying

	must, wantHead, wantSeqs = storetest.Must, storetest.WantHead, storetest.WantSeqs
	pageOf, page             = storetest.PageOf, storetest.Events
	seqs, seqsOf             = storetest.Seqs, storetest.SeqsOf
)

func post(t testing.TB, s *Store, drafts ...chat.Draft) []chat.Commit {
	t.Helper()
	return storetest.Post(t, s, drafts...)
}

func do(t testing.TB, s *Store, drafts ...chat.Draft) []chat.Seq {
	t.Helper()
	return storetest.Do(t, s, drafts...)
}

// start opens dir and runs its committer until the test ends or the returned
// function is called.
func start(t testing.TB, dir string) (*Store, func()) {
	t.Helper()
	return startOn(t, Config{Dir: dir}, "")
}

func startOn(t testing.TB, cfg Config, vfs string) (*Store, func()) {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	s, err := open(t.Context(), cfg, vfs)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

// copyFolder copies the files of a data folder as they are.
func copyFolder(t testing.TB, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

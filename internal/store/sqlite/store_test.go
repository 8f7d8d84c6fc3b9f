package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/internal/chat"
)

// patience is how long a test waits for what must come before it fails.
const patience = time.Minute

var (
	ada   = chat.Person{ID: "ada", Name: "Ada"}
	grace = chat.Person{ID: "grace", Name: "Grace"}
)

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

// post appends drafts at once and returns what became of them, in order.
func post(t testing.TB, s *Store, drafts ...chat.Draft) []chat.Commit {
	t.Helper()
	got := make(chan chat.Commit, len(drafts))
	for _, d := range drafts {
		s.Append(d, func(c chat.Commit) { got <- c })
	}
	commits := make([]chat.Commit, len(drafts))
	late, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for i := range commits {
		select {
		case commits[i] = <-got:
		case <-late.Done():
			t.Fatalf("no word about draft %d", i)
		}
	}
	return commits
}

func draft(room chat.RoomName, from chat.Person, text, nonce string) chat.Draft {
	return chat.Draft{Room: room, From: from, Text: text, Nonce: nonce}
}

func drafts(room chat.RoomName, n int) []chat.Draft {
	ds := make([]chat.Draft, n)
	for i := range ds {
		ds[i] = draft(room, ada, fmt.Sprint("message ", i+1), "")
	}
	return ds
}

func seqs(events []chat.Event) []chat.Seq {
	var got []chat.Seq
	for _, e := range events {
		got = append(got, e.Seq)
	}
	return got
}

func page(t testing.TB, read func(context.Context, chat.RoomName, chat.Seq, int) ([]chat.Event, error), room chat.RoomName, seq chat.Seq, limit int) []chat.Event {
	t.Helper()
	events, err := read(t.Context(), room, seq, limit)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// before returns the messages of a page as events.
func (s *Store) before(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	page, err := s.Page(ctx, room, chat.PageQuery{Before: seq, Limit: limit})
	var events []chat.Event
	for _, m := range page.Messages {
		events = append(events, m.Event)
	}
	return events, err
}

func wantHead(t testing.TB, s *Store, room chat.RoomName, want chat.Seq) {
	t.Helper()
	got, _, err := s.Head(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("head of %s = %d, want %d", room, got, want)
	}
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

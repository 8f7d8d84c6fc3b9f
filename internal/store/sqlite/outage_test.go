package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/chat"
	"parley/internal/store"
)

func wantRefused(t *testing.T, commits []chat.Commit, want chat.Code) {
	t.Helper()
	for i, c := range commits {
		if got := chat.CodeOf(c.Err); got != want || c.Event != (chat.Event{}) ||
			chat.UserError(c.Err).RetryAfter == 0 {
			t.Fatalf("draft %d: %+v, want only %s and when to try again", i, c, want)
		}
	}
}

// While the disk takes nothing nobody is told that their message is stored,
// nobody sees it, history can be read, and once it does everything goes on, with
// the same numbers.
func TestStoreHealsAfterAnOutage(t *testing.T) {
	for name, code := range map[string]int32{
		"full":  sqlite3.SQLITE_FULL,
		"busy":  sqlite3.SQLITE_BUSY,
		"perms": sqlite3.SQLITE_READONLY,
		"write": sqlite3.SQLITE_IOERR_WRITE,
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			d := newDisk(t)
			s, stop := startOn(t, Config{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, nil))}, d.name)
			post(t, s, draft("lobby", ada, "before", "n1"))
			d.writeCode.Store(code)
			for range 5 {
				wantRefused(t, post(t, s, draft("lobby", ada, "during", "n2"), draft("attic", grace, "during", "n3")),
					chat.Unavailable)
			}
			if _, _, err := s.NewGuest(t.Context(), "Eve", ""); chat.CodeOf(err) != chat.Unavailable {
				t.Errorf("NewGuest during the outage: %v", err)
			}
			// It is an operator who asks: they need the cause, not what senders are told.
			if err := s.Healthy(t.Context()); sqliteCode(err)&0xff != int(code)&0xff {
				t.Errorf("during the outage: healthy, but for %v", err)
			}
			wantHead(t, s, "lobby", 1)
			wantHead(t, s, "attic", 0)
			d.writeCode.Store(0)
			for i, c := range post(t, s, draft("lobby", ada, "after", "n2"), draft("attic", grace, "after", "n3")) {
				if want := []chat.Seq{2, 1}[i]; c.Err != nil || c.Repeated || c.Event.Seq != want {
					t.Errorf("after the outage: %+v, want seq %d", c, want)
				}
			}
			if got := seqs(page(t, s.After, "lobby", 0, 10)); !slices.Equal(got, []chat.Seq{1, 2}) {
				t.Errorf("stored: %v", got)
			}
			stop()
			if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
				t.Errorf("%d errors logged for one outage, want 1:\n%s", n, &log)
			}
			if strings.Contains(log.String(), "during") {
				t.Errorf("the log holds what people wrote:\n%s", &log)
			}
		})
	}
}

// After a failed fsync the kernel may claim that all is well the next time, and
// be wrong.
func TestNothingIsWrittenAfterAFailedSync(t *testing.T) {
	d := newDisk(t)
	s, stop := startOn(t, Config{Dir: t.TempDir()}, d.name)
	post(t, s, draft("lobby", ada, "before", "n1"))
	d.syncCode.Store(sqlite3.SQLITE_IOERR_FSYNC)
	wantRefused(t, post(t, s, draft("lobby", ada, "during", "n2")), chat.Unavailable)
	d.syncCode.Store(0)
	wantRefused(t, post(t, s, draft("lobby", ada, "after", "n3")), chat.Unavailable)
	if err := s.Healthy(t.Context()); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("healthy = %v, want advice to restart", err)
	}
	wantHead(t, s, "lobby", 1)
	stop()
	s, _ = start(t, s.dir)
	if got := page(t, s.After, "lobby", 0, 1); len(got) != 1 || got[0].Text != "before" {
		t.Errorf("after a restart: %v", got)
	}
	if c := post(t, s, draft("lobby", ada, "after", "n3"))[0]; c.Err != nil || c.Repeated {
		t.Errorf("after a restart: %+v", c)
	}
}

// Whatever moment the power goes at, everything that was acknowledged by then is
// in what the disk has been made to sync; checkpoints among it.
func TestAcknowledgedMessagesSurviveAPowerCut(t *testing.T) {
	d := newDisk(t)
	s, err := open(t.Context(), Config{Dir: t.TempDir()}, d.name)
	if err != nil {
		t.Fatal(err)
	}
	s.writer.emptyAfter = 20 // pages
	var acknowledged atomic.Int64
	syncs, checked := 0, 0
	d.beforeSync = func() { // on the committer's goroutine, in the middle of a commit
		if syncs++; syncs%9 != 0 {
			return
		}
		checked++
		wantAll(t, d, acknowledged.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	const rounds, each = 60, 20
	for n := range rounds {
		for _, c := range post(t, s, numbered(n*each+1, (n+1)*each)...) {
			if c.Err != nil {
				t.Fatal(c.Err)
			}
		}
		acknowledged.Store(int64(n+1) * each)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	wantAll(t, d, rounds*each)
	d.beforeSync = nil
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if checked < 5 || syncs <= rounds {
		t.Errorf("%d syncs, %d of them checked: no checkpoint was among them", syncs, checked)
	}
}

// Whatever moment the process or the power goes at while a folder is made, it can
// be opened after.
func TestHalfMadeFolderIsOpened(t *testing.T) {
	d := newDisk(t)
	dir := t.TempDir()
	var left []string
	d.beforeSync = func() {
		killed, cut := t.TempDir(), t.TempDir()
		copyFolder(t, dir, killed)
		d.afterPowerCut(t, cut)
		left = append(left, killed, cut)
	}
	_, stop := startOn(t, Config{Dir: dir}, d.name)
	d.beforeSync = nil
	stop()
	if len(left) < 6 {
		t.Fatalf("only %d moments", len(left)/2)
	}
	journals := 0
	for _, dir := range left {
		if _, err := os.Stat(filepath.Join(dir, databaseName+".partial-journal")); err == nil {
			journals++
		}
		s, err := Open(t.Context(), Config{Dir: dir})
		if err != nil {
			t.Errorf("%v: %v", folderNames(t, dir), err)
			continue
		}
		must(t, s.Close())
	}
	if journals == 0 {
		t.Error("no moment had a rollback journal")
	}
}

// wantAll opens what a power cut would leave now and looks for messages 1 to n.
func wantAll(t *testing.T, d *disk, n int64) {
	dir := t.TempDir()
	d.afterPowerCut(t, dir)
	s, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantNumbered(t, s, int(n))
}

// numbered returns messages that begin with the numbers from first to last,
// which are to be their seqs.
func numbered(first, last int) []chat.Draft {
	var ds []chat.Draft
	for n := first; n <= last; n++ {
		ds = append(ds, draft("lobby", ada, fmt.Sprint(n, strings.Repeat(" word", 100)), fmt.Sprint(n)))
	}
	return ds
}

// wantNumbered looks for numbered messages in the lobby: n of them or more,
// without a hole.
func wantNumbered(t *testing.T, s *Store, n int) {
	t.Helper()
	events := page(t, s.After, "lobby", 0, n+1000)
	if len(events) < n {
		t.Errorf("%d messages were acknowledged, %d are left", n, len(events))
	}
	for i, e := range events {
		if word, _, _ := strings.Cut(e.Text, " "); e.Seq != chat.Seq(i+1) || word != fmt.Sprint(i+1) {
			t.Fatalf("place %d holds seq %d, message %s", i+1, e.Seq, word)
		}
	}
}

// The process is gone in the middle of a commit: what it wrote is there, whole or
// with its last page torn.
func TestAcknowledgedMessagesSurviveAKill(t *testing.T) {
	for name, torn := range map[string]int64{"whole": 0, "torn": 100} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t)
			s, stop := startOn(t, Config{Dir: t.TempDir()}, d.name)
			var killed atomic.Bool
			dir := t.TempDir()
			const before = 200
			post(t, s, numbered(1, before)...)
			d.beforeSync = func() {
				if killed.Swap(true) {
					return
				}
				copyFolder(t, s.dir, dir)
				wal := filepath.Join(dir, databaseName+"-wal")
				info, err := os.Stat(wal)
				if err == nil {
					err = os.Truncate(wal, info.Size()-torn)
				}
				if err != nil {
					t.Error(err)
				}
			}
			post(t, s, numbered(before+1, 300)...)
			d.beforeSync = nil
			stop()
			if !killed.Load() {
				t.Fatal("no commit was met in its middle")
			}
			s, _ = start(t, dir)
			wantNumbered(t, s, before)
		})
	}
}

// Somebody with another program adds to a room, and then a message comes whose
// seq is taken: it replaces nothing.
func TestMessageNeverReplacesAnother(t *testing.T) {
	s, _ := start(t, t.TempDir())
	post(t, s, draft("lobby", ada, "ours", "n1"))
	other := openSQLite(filepath.Join(s.dir, databaseName), "rw", "", nil)
	defer other.Close()
	_, err := other.ExecContext(t.Context(),
		`INSERT INTO event (id, at_ms, author, name, text, nonce) SELECT id + 1, at_ms, author, name, 'theirs', `+
			`'n2' FROM event`)
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, post(t, s, draft("lobby", ada, "late", "n3")), chat.Unavailable)
	if c := post(t, s, draft("lobby", ada, "late", "n3"))[0]; c.Err != nil || c.Event.Seq != 3 {
		t.Errorf("%+v, want seq 3", c)
	}
	var texts []string
	for _, e := range page(t, s.After, "lobby", 0, 10) {
		texts = append(texts, e.Text)
	}
	if want := []string{"ours", "theirs", "late"}; !slices.Equal(texts, want) {
		t.Errorf("stored %q, want %q", texts, want)
	}
}

func TestQueuedTextIsBounded(t *testing.T) {
	s, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got []chat.Code
	note := func(c chat.Commit) { got = append(got, chat.CodeOf(c.Err)) }
	big := strings.Repeat("x", store.MaxWaitingText/4)
	for range 4 {
		s.Append(draft("lobby", ada, big, ""), note)
	}
	s.Append(draft("lobby", ada, "one byte too many", ""), note)
	if len(got) > 0 {
		t.Fatalf("Append called done: %v", got)
	}
	s.committer.Stop()
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []chat.Code{"", "", "", "", chat.Overloaded}; !slices.Equal(got, want) {
		t.Errorf("codes by text = %q, want %q", got, want)
	}
}

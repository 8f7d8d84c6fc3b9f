package search

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

const secret = "geheimniskramerei"

// isThere reports whether the secret is in a folder's files.
func isThere(t *testing.T, dir string) bool {
	t.Helper()
	return strings.Contains(folderBytes(t, dir), secret)
}

// A message that is deleted while the index does not run is removed at the next start, although its text is not known
// any more.
func TestDeletionsDuringDowntimeAreAppliedAtStart(t *testing.T) {
	l := newMemLog()
	l.say("lobby", "Ada", secret+" twice twice 東京都")
	two := l.say("lobby", "Ada", "something else twice")
	dir := t.TempDir()
	x := newIndex(t, l, dir)
	follow(t, x, l)
	x.close()
	if !isThere(t, dir) {
		t.Fatal("it was not indexed")
	}
	l.erase("lobby", 1)
	x = newIndex(t, l, dir)
	must(t, x.catchUp(t.Context()))
	wantFound(t, x, "twice", chat.MessageRef{Room: "lobby", Seq: two})
	if isThere(t, dir) {
		t.Error("it is in the files")
	}
}

// A deletion is carried out before indexing reaches it, which can take long. Here indexing never reaches it.
func TestADeletionOvertakesTheIndex(t *testing.T) {
	l := newMemLog()
	deleted := l.say("lobby", "Ada", secret)
	for range 20 {
		l.say("lobby", "Ada", "said")
	}
	dir := t.TempDir()
	x := newIndex(t, l, dir)
	follow(t, x, l)
	for range 20 {
		l.say("lobby", "Ada", "said later")
	}
	l.erase("lobby", deleted)
	for range 20 {
		touch(x, "lobby")
	}
	touchAt(x, "lobby", chat.Delete, time.Now())
	l.torn["lobby"] = errLog
	must(t, x.catchUp(t.Context()))
	if !errors.Is(x.readErr, errLog) {
		t.Errorf("the room could be read: %v", x.readErr)
	}
	if isThere(t, dir) {
		t.Error("it is in the files")
	}
	delete(l.torn, "lobby")
	x.lags["lobby"].retry = time.Time{}
	must(t, x.catchUp(t.Context()))
	if n := len(found(t, x, ParseQuery("later"), "lobby")); n != 20 {
		t.Errorf("%d found of what was said since", n)
	}
	if x.oldestDeletion() != (time.Time{}) {
		t.Error("it is still to be taken out")
	}
}

// A deletion that fails keeps its age, however often it is tried again.
func TestADeletionThatFailsGetsNoYounger(t *testing.T) {
	l := newMemLog()
	deleted := l.say("lobby", "Ada", secret)
	x := newIndex(t, l, t.TempDir())
	follow(t, x, l)
	begin := time.Now()
	l.erase("lobby", deleted)
	touchAt(x, "lobby", chat.Delete, begin)
	l.failed = errLog
	for range 3 {
		must(t, x.purge(t.Context(), nil))
		if got := x.oldestDeletion(); !got.Equal(begin) {
			t.Errorf("it is of %v, want %v", got, begin)
		}
	}
	l.failed = nil
	must(t, x.purge(t.Context(), nil))
	if got := x.oldestDeletion(); !got.IsZero() {
		t.Errorf("it is carried out, and of %v", got)
	}
}

// The same holds for a message that is read and not indexed yet.
func TestADeletionOvertakesEventsThatAreRead(t *testing.T) {
	l := newMemLog()
	for n := range 2 * maxBatch {
		text := "said"
		if n == maxBatch+9 {
			text = secret
		}
		l.say("lobby", "Ada", text)
	}
	l.edit("lobby", maxBatch+20, "edited")
	dir := t.TempDir()
	x := newIndex(t, l, dir)
	reads := 0
	l.read = func() {
		if reads++; reads == maxBatch/maxPage+1 {
			l.erase("lobby", maxBatch+10)
			touchAt(x, "lobby", chat.Delete, time.Now())
			l.torn["lobby"] = errLog
		}
	}
	must(t, x.catchUp(t.Context()))
	if n := len(found(t, x, ParseQuery("said"), "lobby")); n != maxBatch+maxPage-2 {
		t.Errorf("%d were indexed, want all that were read but one that is deleted and one that is edited", n)
	}
	if isThere(t, dir) {
		t.Error("it is in the files")
	}
}

// An index from which deleted text cannot be removed is removed as a whole in the end. The fault lasts for an hour.
func TestIndexIsRemovedWhenADeletionFails(t *testing.T) {
	for name, tt := range map[string]struct {
		trouble func(t *testing.T, x *Index, dir string)
		mend    func(t *testing.T, x *Index, dir string)
	}{
		"a full disk": {trouble: func(t *testing.T, x *Index, _ string) {
			var n int
			must(t, x.database().writer.QueryRowContext(t.Context(), `PRAGMA max_page_count = 1`).Scan(&n))
			_, err := x.database().writer.ExecContext(t.Context(),
				`CREATE TEMP TRIGGER full BEFORE UPDATE ON leaf BEGIN SELECT RAISE(ABORT, 'full'); END`)
			must(t, err)
		}},
		"a lock": {
			trouble: func(t *testing.T, x *Index, dir string) {
				db := pool(indexFile(dir), nil, 1)
				tx, err := db.BeginTx(context.WithoutCancel(t.Context()), nil) // t's ends before the clean-up
				must(t, err)
				t.Cleanup(func() { must(t, errors.Join(tx.Rollback(), db.Close())) })
			},
		},
		"another format": {trouble: func(t *testing.T, x *Index, _ string) {
			_, err := x.database().writer.ExecContext(t.Context(), `UPDATE leaf SET bytes = substr(bytes, 1, 100)`)
			must(t, err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				l := newMemLog()
				deleted := l.say("lobby", "Ada", secret)
				l.say("lobby", "Ada", "said")
				dir := t.TempDir()
				x := New(l, Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				stop := run(t, x)
				defer stop()
				time.Sleep(time.Second)
				if !isThere(t, dir) {
					t.Fatal("it was not indexed")
				}
				tt.trouble(t, x, dir)
				l.erase("lobby", deleted)
				touchAt(x, "lobby", chat.Delete, time.Now())
				time.Sleep(forgetWithin + 2*retryEvery)
				if isThere(t, dir) {
					t.Errorf("it is in the files:\n%s", &log)
				}
				wantFound(t, x, "said", chat.MessageRef{Room: "lobby", Seq: 2})
				if strings.Contains(log.String(), secret) {
					t.Error("the log holds what people wrote")
				}
			})
		})
	}
}

// An index that cannot be opened is removed too, because it may hold deleted text.
func TestUnopenableIndexIsRemoved(t *testing.T) {
	l := newMemLog()
	deleted := l.say("lobby", "Ada", secret)
	dir := t.TempDir()
	x := newIndex(t, l, dir)
	follow(t, x, l)
	x.close()
	l.erase("lobby", deleted)
	db := pool(indexFile(dir), []string{"locking_mode(EXCLUSIVE)"}, 1) // somebody keeps the file for themselves
	_, err := db.ExecContext(t.Context(), `PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE`)
	must(t, err)
	defer db.Close()
	x = newIndex(t, l, dir)
	try := func() {
		x.report(t.Context(), x.catchUp(t.Context()))
		if _, err := x.Search(t.Context(), ParseQuery("said"), l.Rooms()); chat.CodeOf(err) != chat.SearchUnavailable {
			t.Fatalf("it could be opened: %v", err)
		}
	}
	try()
	if !isThere(t, dir) {
		t.Error("it was removed at once, though another try may open it")
	}
	x.closedSince = x.closedSince.Add(-forgetWithin)
	try()
	if isThere(t, dir) {
		t.Error("it is in the files")
	}
}

// A deletion reads the segment with the message and writes only what changes in it, however large the index is.
func TestADeletionWritesOnlyItsOwnSegment(t *testing.T) {
	written := func(messages int) (leaves int) {
		l := newMemLog()
		for n := range messages {
			l.say("lobby", "Ada",
				strings.Repeat(string(rune('a'+n%26)), 1+n%30)+" said "+strings.Repeat(string(rune('a'+n%7)), n%17))
		}
		x := newIndex(t, l, t.TempDir())
		follow(t, x, l)
		before := leavesIn(t, x)
		l.erase("lobby", 77)
		follow(t, x, l)
		for id, leaf := range leavesIn(t, x) {
			if !bytes.Equal(leaf, before[id]) {
				leaves++
			}
		}
		return leaves
	}
	if few, many := written(1000), written(3*segmentDocuments); few == 0 || many > few+10 {
		t.Errorf("among 1000 messages %d leaves are written, among %d %d", few, 3*segmentDocuments, many)
	}
}

func leavesIn(t *testing.T, x *Index) map[int64][]byte {
	t.Helper()
	leaves := make(map[int64][]byte)
	must(t, eachRow(t.Context(), x.db.writer, `SELECT id, bytes FROM leaf`, nil, func(scan func(...any) error) error {
		var id int64
		var leaf []byte
		err := scan(&id, &leaf)
		leaves[id] = leaf
		return err
	}))
	return leaves
}

// An index of another format is made again, and nothing of the old one stays.
func TestAnIndexOfAnotherFormatIsRemoved(t *testing.T) {
	dir := t.TempDir()
	db := pool(indexFile(dir), nil, 1)
	must(t, os.WriteFile(indexFile(dir), nil, 0o600))
	_, err := db.ExecContext(t.Context(), `PRAGMA journal_mode = WAL;
		CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
		INSERT INTO meta VALUES ('format', '1'), ('epoch', 'first'), ('made', 'abcdefgh'), ('x', '`+secret+`')`)
	must(t, err)
	copied := t.TempDir() // as a kill leaves it
	copyFiles(t, dir, copied)
	must(t, db.Close())
	if _, err := os.Stat(filepath.Join(copied, fileName+"-wal")); err != nil || !isThere(t, copied) {
		t.Fatal("there is nothing to remove")
	}
	l := newMemLog()
	l.say("lobby", "Ada", "said")
	x := newIndex(t, l, copied)
	follow(t, x, l)
	wantFound(t, x, "said", chat.MessageRef{Room: "lobby", Seq: 1})
	if isThere(t, copied) {
		t.Error("it is in the files")
	}
}

package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/chat"
	"parley/internal/store"
)

// filled makes a folder with some hundred pages of messages.
func filled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, stop := start(t, dir)
	post(t, s, numbered(1, 2000)...)
	stop()
	return dir
}

// overwrite writes to n pages of a file, from the page first on or at random places
// after it.
func overwrite(t *testing.T, path string, n int, what func(page []byte)) {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range n {
		at := (3 + rnd.IntN(len(text)/4096-3)) * 4096
		what(text[at : at+4096])
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	_, err = f.WriteAt(text, 0)
	must(t, err)
}

func TestDamagedDatabaseIsRefusedAtTheStart(t *testing.T) {
	tests := map[string]struct {
		damage func(t *testing.T, dir, path string)
		says   string
	}{
		"pages of noise": {func(t *testing.T, _, path string) {
			overwrite(t, path, 20, func(page []byte) {
				for i := range page {
					page[i] = byte(i * 7)
				}
			})
		}, "is damaged"},
		"pages of nothing": {
			func(t *testing.T, _, path string) { overwrite(t, path, 20, func(page []byte) { clear(page) }) },
			"is damaged",
		},
		"one page": {
			func(t *testing.T, _, path string) { overwrite(t, path, 1, func(page []byte) { clear(page) }) },
			"is damaged",
		},
		"a page of another moment": {func(t *testing.T, dir, path string) {
			before, err := os.ReadFile(path)
			must(t, err)
			s, stop := start(t, dir)
			post(t, s, numbered(2001, 3000)...)
			stop()
			after, err := os.ReadFile(path)
			must(t, err)
			for at := 4096; at < len(before); at += 4096 { // all that was there then, but for the first page
				copy(after[at:at+4096], before[at:at+4096])
			}
			must(t, os.WriteFile(path, after, 0o600))
		}, "is damaged"},
		"cut off": {func(t *testing.T, _, path string) {
			must(t, os.Truncate(path, size(path)/2/4096*4096))
		}, "is damaged"},
		"a lost event": {func(t *testing.T, _, path string) {
			db := openSQLite(path, "rw", "", nil)
			_, err := db.ExecContext(t.Context(), `DELETE FROM event WHERE seq = 1000`)
			must(t, err)
			must(t, db.Close())
		}, "number 1000 is missing"},
		"another first page": {func(t *testing.T, _, path string) {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			must(t, err)
			_, err = f.WriteAt([]byte(strings.Repeat("my novel ", 100)), 0)
			must(t, err)
			must(t, f.Close())
		}, "is not a database"},
		"emptied": {func(t *testing.T, _, path string) { must(t, os.Truncate(path, 0)) }, "is empty"},
		"another program's": {func(t *testing.T, _, path string) {
			must(t, os.Remove(path))
			db := openSQLite(path, "rwc", "", nil)
			_, err := db.ExecContext(t.Context(),
				`CREATE TABLE bookmark (url TEXT); CREATE TABLE room (id INTEGER); CREATE TABLE goose_db_version `+
					`(id INTEGER)`)
			must(t, err)
			must(t, db.Close())
		}, "none of Parley's"},
		"only its log left": {func(t *testing.T, _, path string) {
			must(t, os.WriteFile(path+walSuffix, []byte("frames"), 0o600))
			must(t, os.Remove(path))
		}, "parley.db is missing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filled(t)
			path := filepath.Join(dir, databaseName)
			tt.damage(t, dir, path)
			before, _ := os.ReadFile(path)
			for range 2 { // the second start is as careful as the first
				_, err := Open(t.Context(), Config{Dir: dir})
				if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "back") {
					t.Fatalf("error %v, want %q and what to do", err, tt.says)
				}
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was written to")
			}
		})
	}
}

// A write-ahead log that another database has left is never applied.
func TestLogOfAnotherDatabaseIsSetAside(t *testing.T) {
	for name, how := range map[string]func(t *testing.T, dir, backup string){
		"moved in": func(t *testing.T, dir, backup string) {
			must(t, os.Rename(backup, filepath.Join(dir, databaseName)))
		},
		"written over": func(t *testing.T, dir, backup string) {
			text, err := os.ReadFile(backup)
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, databaseName), text, 0o600))
		},
	} {
		for _, messages := range []int{3, 2000} {
			t.Run(fmt.Sprint(name, ", ", messages), func(t *testing.T) {
				t.Parallel()
				running, crashed := filepath.Join(t.TempDir(), "running"), filepath.Join(t.TempDir(), "crashed")
				s, stop := start(t, running)
				post(t, s, numbered(1, messages)...)
				backup := filepath.Join(t.TempDir(), "backup.db")
				must(t, Backup(t.Context(), running, backup))
				post(t, s, numbered(messages+1, messages+50)...)
				copyFolder(t, running, crashed)
				stop()
				if size(filepath.Join(crashed, databaseName+walSuffix)) == 0 {
					t.Fatal("it has left no log")
				}
				how(t, crashed, backup)
				restored, stop := start(t, crashed)
				wantHead(t, restored, "lobby", chat.Seq(messages))
				wantNumbered(t, restored, messages)
				stop()
				if !slices.ContainsFunc(folderNames(t, crashed),
					func(name string) bool { return strings.HasPrefix(name, databaseName+walSuffix+"-") }) {
					t.Errorf("the log was not kept: %v", folderNames(t, crashed))
				}
			})
		}
	}
}

// Whoever writes or reads meets a damaged page: nothing is acknowledged after it,
// nobody is given a part of the history, and the operator is told.
func TestNothingIsWrittenAfterDamageIsMet(t *testing.T) {
	tests := map[string]func(t *testing.T, s *Store) error{
		"a reader of the log": func(t *testing.T, s *Store) error {
			_, err := s.After(t.Context(), "lobby", 0, 2000)
			return err
		},
		"a reader of a page": func(t *testing.T, s *Store) error {
			_, err := s.Page(t.Context(), "lobby", chat.PageQuery{Limit: 2000})
			return err
		},
		"a reader of texts": func(t *testing.T, s *Store) error {
			var places []chat.MessageRef
			for n := range 2000 {
				places = append(places, chat.MessageRef{Room: "lobby", Seq: chat.Seq(n + 1)})
			}
			_, err := s.Texts(t.Context(), places)
			return err
		},
		"a writer": func(t *testing.T, s *Store) error {
			return s.write(t.Context(), func(ctx context.Context, w *writer) error {
				return w.exec(ctx, `UPDATE event SET text = text || '!'`)
			})
		},
	}
	for name, meet := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filled(t)
			path := filepath.Join(dir, databaseName)
			var log bytes.Buffer
			s, _ := startOn(t, Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))}, "")
			is, err := os.Stat(path)
			must(t, err)
			post(t, s, draft("garden", ada, "before", ""))
			overwrite(t, path, 40, func(page []byte) { clear(page) })
			must(t, os.Chtimes(path, is.ModTime(), is.ModTime())) // so that nothing but the damage shows it
			if err := meet(t, s); chat.CodeOf(err) != chat.Unavailable {
				t.Errorf("whoever meets it is told %v", err)
			}
			wantRefused(t, post(t, s, draft("garden", ada, "after", "")), chat.Unavailable)
			if err := s.Healthy(t.Context()); err == nil || !strings.Contains(err.Error(), "parley check") {
				t.Errorf("healthy, but for %v", err)
			}
			if n := strings.Count(log.String(), "nothing is written until a restart"); n == 0 {
				t.Errorf("logged: %s", log.String())
			}
		})
	}
}

// The sync of the database's own file, which comes after its pages have moved there
// from the write-ahead log, is as important as that of the log.
func TestNothingIsWrittenAfterAFailedCheckpoint(t *testing.T) {
	for name, code := range map[string]int32{"sync": sqlite3.SQLITE_IOERR_FSYNC, "damaged": sqlite3.SQLITE_CORRUPT} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			d := newDisk(t)
			s, stop := startOn(t, Config{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, nil))}, d.name)
			post(t, s, draft("lobby", ada, "before", ""))
			d.fail(databaseName, code)
			must(t, <-s.start(func(_ context.Context, w *writer) error { // committed to the log, which is synced
				w.emptyAfter = 1
				return nil
			}))
			wantRefused(t, post(t, s, draft("lobby", ada, "after", "")), chat.Unavailable)
			if err := s.Healthy(t.Context()); err == nil || !strings.Contains(err.Error(), "restart") {
				t.Errorf("healthy, but for %v", err)
			}
			if !strings.Contains(log.String(), "nothing is written until a restart") {
				t.Errorf("logged: %s", log.String())
			}
			d.fail(databaseName, 0)
			stop()
			s, _ = start(t, s.dir)
			wantHead(t, s, "lobby", 1)
		})
	}
}

// Soon after the files have left the folder, commits to them are not acknowledged any more.
func TestNothingIsAcknowledgedOnceTheFolderIsReplaced(t *testing.T) {
	tests := map[string]func(t *testing.T, dir, backup string){
		"removed":          func(t *testing.T, dir, _ string) { must(t, os.RemoveAll(dir)) },
		"moved away":       func(t *testing.T, dir, _ string) { must(t, os.Rename(dir, dir+"-away")) },
		"database removed": func(t *testing.T, dir, _ string) { must(t, os.Remove(filepath.Join(dir, databaseName))) },
		"log removed": func(t *testing.T, dir, _ string) {
			must(t, os.Remove(filepath.Join(dir, databaseName+walSuffix)))
		},
		"database replaced": func(t *testing.T, dir, backup string) {
			must(t, os.Rename(filepath.Join(backup, databaseName), filepath.Join(dir, databaseName)))
		},
		"all replaced": func(t *testing.T, dir, backup string) {
			must(t, os.RemoveAll(dir))
			copyFolder(t, backup, dir)
		},
		"all written over": func(t *testing.T, dir, backup string) { copyFolder(t, backup, dir) },
	}
	for name, replace := range tests {
		t.Run(name, func(t *testing.T) {
			dir, backup := filepath.Join(t.TempDir(), "data"), t.TempDir()
			s, _ := start(t, dir)
			post(t, s, numbered(1, 100)...)
			copyFolder(t, dir, backup)
			post(t, s, numbered(101, 120)...)
			replace(t, dir, backup)
			began := time.Now() // it looks every 20 ms
			for post(t, s, draft("lobby", ada, "lost", ""))[0].Err == nil && time.Since(began) < patience {
			}
			wantRefused(t, post(t, s, numbered(121, 125)...), chat.Unavailable)
			if err := s.Healthy(t.Context()); err == nil || !strings.Contains(err.Error(), "data folder") {
				t.Errorf("healthy, but for %v", err)
			}
		})
	}
}

// One who is idle learns it from whoever asks after the server's health.
func TestReplacedFolderIsNoticedByWhoAsksAfterHealth(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s, _ := start(t, dir)
	must(t, s.Healthy(t.Context()))
	must(t, os.RemoveAll(dir))
	var err error
	for began := time.Now(); err == nil && time.Since(began) < patience; {
		s.health = store.NewHealth(s.writeHealth) // as if a second had passed
		err = s.Healthy(t.Context())
	}
	if err == nil {
		t.Error("it is healthy")
	}
}

// What an operator has put in place under a server that runs is not written to as that
// one stops.
func TestReplacedDatabaseIsNotWrittenToAsTheServerStops(t *testing.T) {
	dir, backup := filepath.Join(t.TempDir(), "data"), t.TempDir()
	s, stop := start(t, dir)
	post(t, s, numbered(1, 500)...)
	stop()
	copyFolder(t, dir, backup)
	s, err := Open(t.Context(), Config{Dir: dir})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	post(t, s, numbered(501, 900)...)
	copyFolder(t, backup, dir)
	cancel()
	must(t, <-ended)
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "data folder") {
		t.Errorf("closing it: %v", err)
	}
	want, err := os.ReadFile(filepath.Join(backup, databaseName))
	must(t, err)
	if is, err := os.ReadFile(filepath.Join(dir, databaseName)); err != nil || !bytes.Equal(is, want) {
		t.Errorf("the file was written to, %v", err)
	}
}

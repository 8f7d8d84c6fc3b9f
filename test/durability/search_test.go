package durability

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/search"
	"parley/internal/store/sqlite"
)

// Whatever state the search index is in, a deleted word disappears from every file of the data
// folder: the store does not keep it, and the index does not keep it for long.
func TestADeletedWordLeavesTheDataFolderWhateverTheIndexDoes(t *testing.T) {
	const secret = "geheimniskramerei"
	for name, tt := range map[string]struct {
		before  func(t *testing.T, dir string) // the deletion, with the store closed
		stopped bool                           // the index does not run during the deletion
	}{
		"it follows":      {},
		"it does not run": {stopped: true},
		"it is missing":   {before: func(t *testing.T, dir string) { removeIndex(t, dir) }},
		"it is broken":    {before: func(t *testing.T, dir string) { breakFile(t, filepath.Join(dir, "search.db")) }},
		"it cannot open": {before: func(t *testing.T, dir string) {
			removeIndex(t, dir)
			mkdirs(t, dir, "search.db", "mine")
		}},
		"its log is taken": {before: func(t *testing.T, dir string) { mkdirs(t, dir, "search.db-wal", "mine") }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			serve := func(follow bool, do func(s *sqlite.Store, x *search.Index)) {
				t.Helper()
				s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
				if err != nil {
					t.Fatal(err)
				}
				x := search.New(s,
					search.Config{Dir: dir, Epoch: s.Epoch(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
				stop := []func() error{background(t.Context(), s.Run)}
				if follow {
					stop = append(stop, background(t.Context(), x.Run))
				}
				do(s, x)
				for i := len(stop) - 1; i >= 0; i-- {
					if err := stop[i](); err != nil {
						t.Error(err)
					}
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			caughtUp := func(_ *sqlite.Store, x *search.Index) {
				await.True(t, "the index is up to date", func() bool { n, age := x.Lag(); return n == 0 && age == 0 })
			}
			serve(true, func(s *sqlite.Store, x *search.Index) {
				appendDraft(t, s, x, chat.Draft{Room: "lobby", Text: secret})
				caughtUp(s, x)
			})
			if !isIn(t, filepath.Join(dir, "search.db"), secret) || !isIn(t, filepath.Join(dir, "parley.db"), secret) {
				t.Fatal("it was not stored and indexed")
			}
			if tt.before != nil {
				tt.before(t, dir)
			}
			opens := name != "it cannot open" && name != "its log is taken"
			serve(!tt.stopped, func(s *sqlite.Store, x *search.Index) {
				appendDraft(t, s, x, chat.Draft{Room: "lobby", Kind: chat.Delete, Target: 1})
				switch {
				case opens && !tt.stopped:
					caughtUp(s, x)
				case name == "its log is taken": // the file cannot be used, so it is removed
					await.True(t, "the index is gone", func() bool {
						_, err := os.Stat(filepath.Join(dir, "search.db"))
						return errors.Is(err, fs.ErrNotExist)
					})
				}
			})
			wantGone := func(when string) {
				t.Helper()
				err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
					if err == nil && d.Type().IsRegular() && isIn(t, path, secret) {
						t.Errorf("%s: it is in %s", when, filepath.Base(path))
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
			if tt.stopped {
				if isIn(t, filepath.Join(dir, "parley.db"), secret) {
					t.Error("the store keeps it for an index that does not run")
				}
				serve(true, caughtUp)
			}
			wantGone("after the deletion")
		})
	}
}

func mkdirs(t *testing.T, elements ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(elements...), 0o700); err != nil {
		t.Fatal(err)
	}
}

func removeIndex(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "search.db")); err != nil {
		t.Fatal(err)
	}
}

// breakFile overwrites the first page of a database.
func breakFile(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte(strings.Repeat("broken ", 1000)), 0)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func isIn(t *testing.T, path, word string) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(b), word)
}

// appendDraft stores a draft and notifies the index.
func appendDraft(t *testing.T, s *sqlite.Store, x *search.Index, d chat.Draft) {
	t.Helper()
	d.From = chat.Person{ID: "ada", Name: "Ada"}
	done := make(chan error, 1)
	s.Append(d, func(c chat.Commit) {
		if c.Err == nil {
			x.EventStored(c)
		}
		done <- c.Err
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// background starts run. The function that it returns stops it and waits for it.
func background(ctx context.Context, run func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

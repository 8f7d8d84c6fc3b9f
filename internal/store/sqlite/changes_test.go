package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/chat"
)

// ask returns the one number that a statement finds in the store's file.
func ask(t testing.TB, s *Store, text string, args ...any) (n int) {
	t.Helper()
	if err := s.readers.QueryRowContext(t.Context(), text, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A word that only a deleted message had, in any of its versions, is not in the bytes of the files.
func TestDeletionErases(t *testing.T) {
	const word = "Quinquereme"
	s, stop := start(t, t.TempDir())
	do(t, s,
		draft("lobby", ada, word+" one", ""),
		draftOf(ada, chat.Edit, 1, word+" two"),
		draftOf(ada, chat.Edit, 1, word+strings.Repeat(" of Nineveh", 300)), // on more than one page
		answering(grace, 1, "a quotation"),
		draftOf(ada, chat.Delete, 1, ""))
	killed := t.TempDir()
	copyFolder(t, s.dir, killed)
	epochOf(t, killed) // a start settles it, too
	wantNowhere(t, killed, word)
	s.writerIdle(func(w *writer) {
		if !w.erased {
			t.Error("the write-ahead log is not to be emptied")
		}
		engine{w, s}.Idle(t.Context())
		if w.erased {
			t.Error("the write-ahead log was not emptied")
		}
		wantNowhere(t, s.dir, word)
	})
	stop()
	wantNowhere(t, s.dir, word)
}

// writerIdle stops the store's Run and calls f with its writer.
func (s *Store) writerIdle(f func(*writer)) {
	s.committer.Close()
	f(s.writer)
}

// wantNowhere looks for a word in the bytes of a folder's files.
func wantNowhere(t *testing.T, dir, word string) {
	t.Helper()
	for _, name := range folderNames(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		if n := strings.Count(string(b), word); n > 0 {
			t.Errorf("%s holds it %d times", name, n)
		}
	}
}

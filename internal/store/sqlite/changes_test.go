package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// A word that only what is deleted has said is in no answer, and not in the bytes
// of the files either.
func TestDeletionErases(t *testing.T) {
	const word = "Quinquereme"
	s, stop := start(t, t.TempDir())
	do(t, s,
		draft("lobby", grace, "hi", ""),                                            // 1
		draft("lobby", ada, "@Grace "+word+" one", ""),                             // 2
		deed(ada, chat.Edit, 2, "@Grace "+word+" two"),                             // 3
		deed(ada, chat.Edit, 2, word+strings.Repeat(" of Nineveh", 300)+" @Grace"), // 4: on more than one page
		deed(grace, chat.React, 2, "👍"),                                            // 5
		deed(grace, chat.Pin, 2, ""),                                               // 6
		answering(grace, 2, "a quotation"),                                         // 7
		deed(grace, chat.Reply, 2, "in its thread"),                                // 8
		draft("lobby", ada, "not this", ""))                                        // 9
	if q := standings(t, s, 7)[0].Extra.Quote; q == nil || !strings.HasPrefix(q.Text, word) ||
		len([]rune(q.Text)) != chat.MaxQuote {
		t.Fatalf("quote %+v", q)
	}
	mentions := `SELECT count(*) FROM mention WHERE event & 0xfffffffff = 2`
	if n := ask(t, s, mentions); n != 1 {
		t.Fatalf("%d mentions", n)
	}
	do(t, s, deed(ada, chat.Delete, 2, "")) // 10

	m := standings(t, s, 2)[0]
	want := chat.MessageState{Event: chat.Event{Room: "lobby", Seq: 2, At: m.At, Kind: chat.Message, From: ada}}
	want.Replies = m.Replies
	if diff := cmp.Diff(want, m); diff != "" || m.Replies == nil || m.Replies.Count != 1 {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if got := versionsOf(t, s, 2); len(got) != 0 {
		t.Errorf("versions %q", got)
	}
	if got := pageOf(t, s, chat.PageQuery{Pinned: true, Limit: 10}).Messages; len(got) != 0 {
		t.Errorf("pinned %+v", got)
	}
	if x := standings(t, s, 7)[0].Extra; x == nil || x.ReplyTo != 2 || x.Quote != nil {
		t.Errorf("what answers it quotes %+v", x)
	}
	for _, e := range page(t, s.After, "lobby", 0, 20) {
		if gone := e.Seq >= 2 && e.Seq <= 4; strings.Contains(e.Text, word) || e.IsDeleted() != gone ||
			gone && e.Extra != nil || e.Seq == 7 && e.Extra.Quote != nil {
			t.Errorf("in the log: %+v", e)
		}
	}
	for what, text := range map[string]string{
		"mentions": mentions, "reactions": `SELECT count(*) FROM reaction`, "pins": `SELECT count(*) FROM pin`,
	} {
		if n := ask(t, s, text); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
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

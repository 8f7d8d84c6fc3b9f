package sqlite

import (
	"testing"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// A deleted message's text is in none of the files, and neither is that of its copies. Nothing says any more which
// were its copies.
func TestCopiesLeaveTheFilesWithTheirSource(t *testing.T) {
	s, stop := start(t, t.TempDir())
	const words = "a very particular sentence"
	do(t, s, draft("attic", ada, words, ""),
		copying(grace, "lobby", chat.MessageRef{Room: "attic", Seq: 1}, words),
		copying(ada, "garden", chat.MessageRef{Room: "lobby", Seq: 1}, words),
		chat.Draft{Room: "attic", From: ada, Kind: chat.Delete, Target: 1})
	storetest.DeleteCopies(t, s)
	for _, table := range []string{"forward", "copies_due"} {
		if n := ask(t, s, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
	s.committer.Nudge()
	stop()
	wantNowhere(t, s.dir, words)
}

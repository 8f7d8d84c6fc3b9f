package sqlite

import (
	"testing"

	"parley/internal/chat"
)

// Whoever has once done what changed nothing sends as before.
func TestNonceOfWhatChangedNothingIsNoNewMessage(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s, draft("lobby", ada, "A", ""))
	noop := draftOf(ada, chat.Edit, 1, "A")
	noop.Nonce = "n1"
	got := post(t, s, noop, draft("lobby", ada, "hi", "n1"), draft("lobby", ada, "there", "n2"),
		draft("lobby", ada, "there", "n2"))
	if got[0].Event.Seq != 1 || chat.CodeOf(got[1].Err) != chat.NonceUsed || got[2].Event.Seq != 2 ||
		!got[3].Repeated || got[3].Event.Seq != 2 {
		t.Errorf("%+v", got)
	}
}

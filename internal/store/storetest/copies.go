package storetest

import (
	"fmt"
	"slices"
	"testing"

	"parley/internal/chat"
)

// Copies that are still to be deleted after a crash are found again. Deleting a copy
// twice changes nothing.
func testCopiesAreDeletedOnceAcrossRestarts(t *testing.T, open Open) {
	s := open(t)
	Do(t, s, Draft("attic", Ada, "said", ""))
	for i := range 4 {
		Do(t, s, Copying(Grace, chat.RoomName(fmt.Sprint("room", i)), chat.MessageRef{Room: "attic", Seq: 1}, "said"))
	}
	Do(t, s, chat.Draft{Room: "attic", From: Ada, Kind: chat.Delete, Target: 1})
	due, err := s.Copies(t.Context(), 10)
	Must(t, err)
	if len(due) != 4 {
		t.Fatalf("%d deletions are due, want 4", len(due))
	}
	Post(t, s, due[:2]...)
	s.restart()
	if left, err := s.Copies(t.Context(), 10); err != nil || len(left) != 2 {
		t.Fatalf("after a restart %v are due, %v", left, err)
	}
	DeleteCopies(t, s)
	for _, c := range Post(t, s, append(due, due...)...) {
		if c.Err != nil || !c.Repeated {
			t.Errorf("a deletion again: %+v", c)
		}
	}
	for i := range 4 {
		WantHead(t, s, chat.RoomName(fmt.Sprint("room", i)), 2)
	}
}

// If a message is deleted and forwarded in one transaction, no copy is left, whichever comes first.
func testNoCopyOutlivesADeletionAtTheSameMoment(t *testing.T, open Open) {
	for _, to := range []chat.RoomName{"before", "zoo"} { // rooms are written in the order of their making
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprint(to, " ", first), func(t *testing.T) {
				s := open(t)
				Do(t, s, Draft("before", Grace, "other", ""), Draft("attic", Ada, "said", ""))
				drafts := []chat.Draft{
					Copying(Grace, to, chat.MessageRef{Room: "attic", Seq: 1}, "said"),
					{Room: "attic", From: Ada, Kind: chat.Delete, Target: 1},
				}
				if !first {
					slices.Reverse(drafts)
				}
				got := Post(t, s, drafts...)
				DeleteCopies(t, s)
				for _, e := range Events(t, s.After, to, 0, 10) {
					if e.Text == "said" {
						t.Errorf("a copy is left: %+v of %+v", e, got)
					}
				}
			})
		}
	}
}

func testCopyOfWhatIsNotThereIsRefused(t *testing.T, open Open) {
	s := open(t)
	Do(t, s,
		Draft("lobby", Ada, "said", ""),                // 1
		Draft("lobby", Ada, "gone", ""),                // 2
		DraftOf(Ada, chat.Delete, 2, ""),               // 3
		DraftOf(Ada, chat.Edit, 1, "said otherwise"),   // 4
		DraftOf(Grace, chat.Reply, 1, "in its thread")) // 5
	first := Copying(Grace, "garden", chat.MessageRef{Room: "lobby", Seq: 5}, "in its thread")
	first.Nonce = "n1"
	Do(t, s, first)
	tests := map[string]struct {
		source chat.MessageRef
		want   chat.Code
	}{
		"a deleted message":    {chat.MessageRef{Room: "lobby", Seq: 2}, chat.Gone},
		"a deletion":           {chat.MessageRef{Room: "lobby", Seq: 3}, chat.NotFound},
		"an edit":              {chat.MessageRef{Room: "lobby", Seq: 4}, chat.NotFound},
		"what is to come":      {chat.MessageRef{Room: "lobby", Seq: 9}, chat.NotFound},
		"before the first":     {chat.MessageRef{Room: "lobby", Seq: -1}, chat.NotFound},
		"beyond everything":    {chat.MessageRef{Room: "lobby", Seq: 1 << 62}, chat.NotFound},
		"a message of nowhere": {chat.MessageRef{Room: "nowhere", Seq: 1}, chat.NotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if c := Post(t, s, Copying(Grace, "garden", tt.source, "text"))[0]; chat.CodeOf(c.Err) != tt.want {
				t.Errorf("%+v, want %s", c, tt.want)
			}
		})
	}
	if c := Post(t, s,
		Copying(Grace, "garden", chat.MessageRef{Room: "lobby", Seq: 1}, ""))[0]; chat.CodeOf(c.Err) != chat.NotFound {
		t.Errorf("a copy without its text: %+v", c)
	}
	Do(t, s, DraftOf(Grace, chat.Delete, 5, ""))
	DeleteCopies(t, s)
	first.Text = "" // as package room finds it now
	if c := Post(t, s, first)[0]; c.Err != nil || !c.Repeated || c.Event.Seq != 1 {
		t.Errorf("a retry of a copy that was made and deleted: %+v", c)
	}
}

package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"parley/internal/chat"
)

// copying is a draft that forwards a message, as package room makes it.
func copying(from chat.Person, to chat.RoomName, source chat.MessageRef, text string) chat.Draft {
	return chat.Draft{Room: to, From: from, Text: text, Source: source, Extra: &chat.Attrs{Forward: &chat.Forward{From: ada}}}
}

// deleteCopies makes the deletions that are due, until there are none.
func deleteCopies(t *testing.T, s *Store) (made []chat.Event) {
	t.Helper()
	for {
		due, err := s.Copies(t.Context(), 2)
		must(t, err)
		if len(due) == 0 {
			return made
		}
		for _, c := range post(t, s, due...) {
			must(t, c.Err)
			made = append(made, c.Event)
		}
	}
}

// A copy is deleted in its own room, and so is what was copied from it, however
// far that is away; what else was said there is not.
func TestCopiesAreDeletedWithWhatTheyRepeat(t *testing.T) {
	s, stop := start(t, t.TempDir())
	const words = "a very particular sentence"
	do(t, s, draft("attic", ada, words, ""))
	want := map[chat.RoomName]chat.Person{}
	for i := range 7 { // from the attic
		room := chat.RoomName(fmt.Sprint("room", i))
		do(t, s, draft(room, grace, "other", ""), copying(grace, room, chat.MessageRef{Room: "attic", Seq: 1}, words))
		want[room] = grace
	}
	at := chat.MessageRef{Room: "room3", Seq: 2}
	for i := range 5 { // each from the one before
		room := chat.RoomName(fmt.Sprint("far", i))
		do(t, s, copying(ada, room, at, words))
		at, want[room] = chat.MessageRef{Room: room, Seq: 1}, ada
	}
	do(t, s, copying(grace, "attic", at, words)) // and back into the first room
	must(t, s.SetListEntry(t.Context(), grace.ID, "room1", chat.ListEntryChange{Listed: new(false)}))

	if due, err := s.Copies(t.Context(), 10); err != nil || len(due) > 0 {
		t.Fatalf("before the deletion: %v, %v", due, err)
	}
	do(t, s, chat.Draft{Room: "attic", From: ada, Kind: chat.Delete, Target: 1})
	made := deleteCopies(t, s)
	if len(made) != len(want)+1 {
		t.Errorf("%d deletions, want %d", len(made), len(want)+1)
	}
	for _, e := range made {
		if by := want[e.Room]; e.Kind != chat.Delete || e.Room != "attic" && e.From != by || e.Extra != nil {
			t.Errorf("%+v", e)
		}
	}
	for room := range want {
		for _, e := range page(t, s.After, room, 0, 10) {
			if e.Text != "" && e.Text != "other" {
				t.Errorf("%s still has %q", room, e.Text)
			}
		}
	}
	for _, table := range []string{"forward", "copies_due"} {
		if n := ask(t, s, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
	list, err := s.RoomList(t.Context(), grace.ID)
	must(t, err)
	if slices.ContainsFunc(list, func(e chat.ListEntry) bool { return e.Room == "room1" }) {
		t.Error("a room that somebody took out of their list is in it again")
	}
	s.loop.Nudge()
	stop()
	for _, name := range folderNames(t, s.dir) {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		must(t, err)
		if bytes.Contains(b, []byte(words)) {
			t.Errorf("%s still holds the text", name)
		}
	}
}

// What is left to do after a crash is found again, and what was done once changes
// nothing when it is done again.
func TestCopiesAreDeletedOnceAcrossRestarts(t *testing.T) {
	s, stop := start(t, t.TempDir())
	do(t, s, draft("attic", ada, "said", ""))
	for i := range 4 {
		do(t, s, copying(grace, chat.RoomName(fmt.Sprint("room", i)), chat.MessageRef{Room: "attic", Seq: 1}, "said"))
	}
	do(t, s, chat.Draft{Room: "attic", From: ada, Kind: chat.Delete, Target: 1})
	due, err := s.Copies(t.Context(), 10)
	must(t, err)
	if len(due) != 4 {
		t.Fatalf("%d deletions are due, want 4", len(due))
	}
	post(t, s, due[:2]...)
	stop()
	s, _ = start(t, s.dir)
	if left, err := s.Copies(t.Context(), 10); err != nil || len(left) != 2 {
		t.Fatalf("after a restart %v are due, %v", left, err)
	}
	deleteCopies(t, s)
	for _, c := range post(t, s, append(due, due...)...) {
		if c.Err != nil || !c.Repeated {
			t.Errorf("a deletion again: %+v", c)
		}
	}
	for i := range 4 {
		wantHead(t, s, chat.RoomName(fmt.Sprint("room", i)), 2)
	}
}

// No copy is made of what is deleted at the same moment, whichever comes first.
func TestNoCopyOutlivesADeletionAtTheSameMoment(t *testing.T) {
	for _, to := range []chat.RoomName{"before", "zoo"} { // rooms are written in the order of their making
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprint(to, " ", first), func(t *testing.T) {
				s, _ := start(t, t.TempDir())
				do(t, s, draft("before", grace, "other", ""), draft("attic", ada, "said", ""))
				drafts := []chat.Draft{copying(grace, to, chat.MessageRef{Room: "attic", Seq: 1}, "said"), {Room: "attic", From: ada, Kind: chat.Delete, Target: 1}}
				if !first {
					slices.Reverse(drafts)
				}
				got := post(t, s, drafts...)
				deleteCopies(t, s)
				for _, e := range page(t, s.After, to, 0, 10) {
					if e.Text == "said" {
						t.Errorf("a copy is left: %+v of %+v", e, got)
					}
				}
			})
		}
	}
}

func TestCopyOfWhatIsNotThereIsRefused(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s,
		draft("lobby", ada, "said", ""),             // 1
		draft("lobby", ada, "gone", ""),             // 2
		deed(ada, chat.Delete, 2, ""),               // 3
		deed(ada, chat.Edit, 1, "said otherwise"),   // 4
		deed(grace, chat.Reply, 1, "in its thread")) // 5
	first := copying(grace, "garden", chat.MessageRef{Room: "lobby", Seq: 5}, "in its thread")
	first.Nonce = "n1"
	do(t, s, first)
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
			if c := post(t, s, copying(grace, "garden", tt.source, "text"))[0]; chat.CodeOf(c.Err) != tt.want {
				t.Errorf("%+v, want %s", c, tt.want)
			}
		})
	}
	if c := post(t, s, copying(grace, "garden", chat.MessageRef{Room: "lobby", Seq: 1}, ""))[0]; chat.CodeOf(c.Err) != chat.NotFound {
		t.Errorf("a copy without its text: %+v", c)
	}
	do(t, s, deed(grace, chat.Delete, 5, ""))
	deleteCopies(t, s)
	first.Text = "" // as package room finds it now
	if c := post(t, s, first)[0]; c.Err != nil || !c.Repeated || c.Event.Seq != 1 {
		t.Errorf("a retry of a copy that was made and deleted: %+v", c)
	}
}

package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

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
	made := storetest.DeleteCopies(t, s)
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
	s.committer.Nudge()
	stop()
	for _, name := range folderNames(t, s.dir) {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		must(t, err)
		if bytes.Contains(b, []byte(words)) {
			t.Errorf("%s still holds the text", name)
		}
	}
}

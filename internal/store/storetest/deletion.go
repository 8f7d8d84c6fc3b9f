package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

// A word that only a deleted message had, in any of its versions, is in no answer.
func testDeletionErases(t *testing.T, open OpenDatabase) {
	const word = "Quinquereme"
	s := open(t)
	Do(t, s,
		Draft("lobby", Grace, "hi", ""),                                               // 1
		Draft("lobby", Ada, "@Grace "+word+" one", ""),                                // 2
		DraftOf(Ada, chat.Edit, 2, "@Grace "+word+" two"),                             // 3
		DraftOf(Ada, chat.Edit, 2, word+strings.Repeat(" of Nineveh", 300)+" @Grace"), // 4
		DraftOf(Grace, chat.React, 2, "👍"),                                            // 5
		DraftOf(Grace, chat.Pin, 2, ""),                                               // 6
		Answering(Grace, 2, "a quotation"),                                            // 7
		DraftOf(Grace, chat.Reply, 2, "in its thread"),                                // 8
		Draft("lobby", Ada, "not this", ""))                                           // 9
	if q := States(t, s, 7)[0].Attrs.Quote; q == nil || !strings.HasPrefix(q.Text, word) ||
		len([]rune(q.Text)) != chat.MaxQuote {
		t.Fatalf("quote %+v", q)
	}
	wantMentions := func(want int) {
		t.Helper()
		if e, err := MarkRead(t, s, Grace.ID, inLobby(0), true, ""); err != nil || e.Mentions != want {
			t.Errorf("%+v, %v, want %d mentions", e, err, want)
		}
	}
	wantMentions(1)
	Do(t, s, DraftOf(Ada, chat.Delete, 2, "")) // 10
	wantMentions(0)

	m := States(t, s, 2)[0]
	want := chat.MessageState{Event: chat.Event{Room: "lobby", Seq: 2, At: m.At, Kind: chat.Message, From: Ada}}
	want.Replies = m.Replies
	if diff := cmp.Diff(want, m); diff != "" || m.Replies == nil || m.Replies.Count != 1 {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if got := VersionsOf(t, s, 2); len(got) != 0 {
		t.Errorf("versions %q", got)
	}
	if got := PageOf(t, s, chat.PageQuery{Pinned: true, Limit: 10}).Messages; len(got) != 0 {
		t.Errorf("pinned %+v", got)
	}
	if x := States(t, s, 7)[0].Attrs; x == nil || x.ReplyTo != 2 || x.Quote != nil {
		t.Errorf("what answers it quotes %+v", x)
	}
	for _, e := range Events(t, s.After, "lobby", 0, 20) {
		if gone := e.Seq >= 2 && e.Seq <= 4; strings.Contains(e.Text, word) || e.IsDeleted() != gone ||
			gone && e.Attrs != nil || e.Seq == 7 && e.Attrs.Quote != nil {
			t.Errorf("in the log: %+v", e)
		}
	}
}

// A copy is deleted in its own room, and so are the copies of the copy, however many are between them and the source.
// Nothing else in these rooms is.
func testCopiesAreDeletedWithTheirSource(t *testing.T, open OpenDatabase) {
	s := open(t)
	const words = "a very particular sentence"
	Do(t, s, Draft("attic", Ada, words, ""))
	want := map[chat.RoomName]chat.Person{}
	for i := range 7 { // from the attic
		room := chat.RoomName(fmt.Sprint("room", i))
		Do(t, s, Draft(room, Grace, "other", ""), Copying(Grace, room, chat.MessageRef{Room: "attic", Seq: 1}, words))
		want[room] = Grace
	}
	at := chat.MessageRef{Room: "room3", Seq: 2}
	for i := range 5 { // each from the one before
		room := chat.RoomName(fmt.Sprint("far", i))
		Do(t, s, Copying(Ada, room, at, words))
		at, want[room] = chat.MessageRef{Room: room, Seq: 1}, Ada
	}
	Do(t, s, Copying(Grace, "attic", at, words)) // and back into the first room
	Must(t, s.SetListEntry(t.Context(), Grace.ID, "room1", chat.ListEntryChange{Listed: new(false)}))

	if due, err := s.Copies(t.Context(), 10); err != nil || len(due) > 0 {
		t.Fatalf("before the deletion: %v, %v", due, err)
	}
	Do(t, s, chat.Draft{Room: "attic", From: Ada, Kind: chat.Delete, Target: 1})
	made := DeleteCopies(t, s)
	if len(made) != len(want)+1 {
		t.Errorf("%d deletions, want %d", len(made), len(want)+1)
	}
	for _, e := range made {
		if by := want[e.Room]; e.Kind != chat.Delete || e.Room != "attic" && e.From != by || e.Attrs != nil {
			t.Errorf("%+v", e)
		}
	}
	for room := range want {
		for _, e := range Events(t, s.After, room, 0, 10) {
			if e.Text != "" && e.Text != "other" {
				t.Errorf("%s still has %q", room, e.Text)
			}
		}
	}
	list, err := s.RoomList(t.Context(), Grace.ID)
	Must(t, err)
	if slices.ContainsFunc(list, func(e chat.ListEntry) bool { return e.Room == "room1" }) {
		t.Error("a room that somebody took out of their list is in it again")
	}
}

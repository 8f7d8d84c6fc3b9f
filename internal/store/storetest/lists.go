package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
	"parley/internal/store"
)

// MarkRead is the method MarkRead, but it waits for the result.
func MarkRead(t testing.TB, s Personal, who chat.PersonID, at chat.MessageRef, exact bool,
	nonce string,
) (chat.ListEntry, error) {
	t.Helper()
	type result struct {
		entry chat.ListEntry
		err   error
	}
	done := make(chan result, 1)
	s.MarkRead(who, at, exact, nonce, func(e chat.ListEntry, err error) { done <- result{e, err} })
	r := <-done
	return r.entry, r.err
}

func inLobby(seq chat.Seq) chat.MessageRef { return chat.MessageRef{Room: "lobby", Seq: seq} }

func testUnreadIsCountedFromTheReadMark(t *testing.T, open OpenDatabase) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "one", ""), Draft("lobby", Grace, "two", ""),
		Draft("lobby", Grace, "@Ada three", ""), Draft("lobby", Grace, "four", ""),
		DraftOf(Grace, chat.Reply, 1, "@Ada in the thread"))
	tests := map[string]struct {
		seq  chat.Seq
		want chat.ListEntry
	}{
		"nothing":            {0, chat.ListEntry{Room: "lobby", Head: 5, Read: 0, Unread: 3, Mentions: 2}},
		"less than nothing":  {-5, chat.ListEntry{Room: "lobby", Head: 5, Read: 0, Unread: 3, Mentions: 2}},
		"one's own":          {1, chat.ListEntry{Room: "lobby", Head: 5, Read: 1, Unread: 3, Mentions: 2}},
		"a mention":          {3, chat.ListEntry{Room: "lobby", Head: 5, Read: 3, Unread: 1, Mentions: 1}},
		"all but the thread": {4, chat.ListEntry{Room: "lobby", Head: 5, Read: 4, Unread: 0, Mentions: 1}},
		"all":                {5, chat.ListEntry{Room: "lobby", Head: 5, Read: 5, Unread: 0, Mentions: 0}},
		"more than all":      {99, chat.ListEntry{Room: "lobby", Head: 5, Read: 5, Unread: 0, Mentions: 0}},
	}
	for name, tt := range tests {
		got, err := MarkRead(t, s, Ada.ID, inLobby(tt.seq), true, "")
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		e, err := s.ListEntry(t.Context(), Ada.ID, "lobby")
		if err != nil || e.Read != tt.want.Read || e.Unread != tt.want.Unread || e.Mentions != tt.want.Mentions {
			t.Errorf("%s: the list has %+v, %v", name, e, err)
		}
	}
	_, err := MarkRead(t, s, Ada.ID, inLobby(4), true, "")
	Must(t, err)
	if e, err := MarkRead(t, s, Ada.ID, inLobby(2), false, ""); err != nil || e.Read != 4 {
		t.Errorf("reading what was read before: %+v, %v", e, err)
	}
	s.restart()
	if e, err := s.ListEntry(t.Context(), Ada.ID, "lobby"); err != nil || e.Read != 4 || e.Mentions != 1 {
		t.Errorf("after a restart: %+v, %v", e, err)
	}
	e, err := MarkRead(t, s, Ada.ID, chat.MessageRef{Room: "garden", Seq: 7}, false, "")
	if err != nil || e != (chat.ListEntry{Room: "garden"}) {
		t.Errorf("a room that nobody wrote to: %+v, %v", e, err)
	}
	e, err = MarkRead(t, s, "nobody", inLobby(3), false, "")
	if err != nil || e != (chat.ListEntry{Room: "lobby"}) {
		t.Errorf("a person who is unknown: %+v, %v", e, err)
	}
	if rooms, err := s.RoomList(t.Context(), Ada.ID); err != nil || len(rooms) != 1 {
		t.Errorf("the list is %+v, %v", rooms, err)
	}
}

// All writers wait while a read mark's unread messages are counted.
func testOnlyTheNewestEventsAreCounted(t *testing.T, open OpenDatabase) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "one", ""), Draft("lobby", Grace, "two", ""))
	run := make([]chat.Draft, store.MaxCounted-1)
	for i := range run {
		run[i] = Draft("lobby", Ada, fmt.Sprint("of a bot ", i), "")
	}
	Post(t, s, run...)
	want := func(unread int, last string) {
		t.Helper()
		if e, err := MarkRead(t, s, Ada.ID, inLobby(1), true, ""); err != nil || e.Unread != unread {
			t.Errorf("read: %+v, %v; want %d unread", e, err, unread)
		}
		if e, err := s.ListEntry(t.Context(), Ada.ID, "lobby"); err != nil || e.Unread != unread || e.Last == nil ||
			e.Last.Text != last {
			t.Errorf("the list has %+v, %v; want %d unread and %q", e, err, unread, last)
		}
	}
	want(1, fmt.Sprint("of a bot ", store.MaxCounted-2))
	Do(t, s, Draft("lobby", Ada, "one more", ""))
	want(0, "one more")
	Do(t, s, Draft("lobby", Grace, "hm", ""))
	want(1, "hm")
	for range chat.MaxUnread {
		Post(t, s, Draft("lobby", Grace, "@Ada", ""))
	}
	e, err := MarkRead(t, s, Ada.ID, inLobby(1), true, "")
	if err != nil || e.Unread != chat.MaxUnread || e.Mentions != chat.MaxUnread {
		t.Errorf("of very many: %+v, %v", e, err)
	}
	listed, err := s.ListEntry(t.Context(), Ada.ID, "lobby")
	if err != nil || listed.Unread != chat.MaxUnread || listed.Mentions != chat.MaxUnread {
		t.Errorf("of very many the list has %+v, %v", listed, err)
	}
}

func testAnEntryIsTheRoomAsItIsToItsPerson(t *testing.T, open OpenDatabase) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "one", ""))
	at := Post(t, s, DraftOf(Ada, chat.Topic, 0, "what it is about"), DraftOf(Ada, chat.Edit, 1, "uno"))[0].Event.At
	Must(t, AddToList(s, Grace.ID, "lobby", true))
	change := chat.ListEntryChange{Notify: new(chat.NotifyMentions), Muted: new(true), Favourite: new(true)}
	// The store does not know Grace yet, and only people whom it knows have a list.
	if rooms, err := s.RoomList(t.Context(), Grace.ID); err != nil || len(rooms) != 0 {
		t.Errorf("the list of a person who is unknown: %+v, %v", rooms, err)
	}
	if err := s.SetListEntry(t.Context(), Grace.ID, "lobby", change); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("for a person who is unknown: %v", err)
	}
	if err := s.SetListEntry(t.Context(), Ada.ID, "garden", change); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("for a room that is unknown: %v", err)
	}
	Must(t, s.SetListEntry(t.Context(), Ada.ID, "lobby", change))
	Must(t, s.SetListEntry(t.Context(), Ada.ID, "lobby", chat.ListEntryChange{Muted: new(false)}))
	rooms, err := s.RoomList(t.Context(), Ada.ID)
	if err != nil || len(rooms) != 1 {
		t.Fatalf("the list is %+v, %v", rooms, err)
	}
	want := chat.ListEntry{
		Room: "lobby", Topic: "what it is about", Head: 3, At: rooms[0].At, Last: &chat.Quote{From: Ada, Text: "uno"},
		Notify: chat.NotifyMentions, Favourite: true,
	}
	if diff := cmp.Diff(want, rooms[0]); diff != "" || rooms[0].At.After(at) || rooms[0].At.IsZero() {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	Must(t, s.SetListEntry(t.Context(), Ada.ID, "lobby", chat.ListEntryChange{Listed: new(false)}))
	if _, err := s.ListEntry(t.Context(), Ada.ID, "lobby"); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("after it left the list: %v", err)
	}
	Do(t, s, Draft("lobby", Ada, "back", ""))
	if e, err := s.ListEntry(t.Context(), Ada.ID, "lobby"); err != nil || e.Notify != chat.NotifyAll || e.Favourite {
		t.Errorf("after writing again: %+v, %v", e, err)
	}
	Do(t, s, DraftOf(Ada, chat.Delete, 1, ""), DraftOf(Ada, chat.Delete, 4, ""))
	if e, err := s.ListEntry(t.Context(), Ada.ID, "lobby"); err != nil || e.Last != nil || !e.At.IsZero() {
		t.Errorf("with all messages deleted: %+v, %v", e, err)
	}
}

func testARoomListHasALimit(t *testing.T, open OpenDatabase) {
	s := open(t)
	drafts := make([]chat.Draft, chat.MaxListed+20)
	for i := range drafts {
		drafts[i] = Draft(chat.RoomName(fmt.Sprint("room-", i)), Ada, "hi", "")
	}
	Post(t, s, drafts...)
	rooms, err := s.RoomList(t.Context(), Ada.ID)
	if err != nil || len(rooms) != chat.MaxListed {
		t.Errorf("%d rooms, %v", len(rooms), err)
	}
}

func testEveryoneHasTheirOwnRoomList(t *testing.T, open OpenDatabase) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "hi", ""), Draft("attic", Grace, "hi", ""))
	Must(t, AddToList(s, Grace.ID, "lobby", false))
	listed := func(who chat.PersonID) (names []chat.RoomName) {
		t.Helper()
		rooms, err := s.RoomList(t.Context(), who)
		Must(t, err)
		for _, e := range rooms {
			names = append(names, e.Room)
		}
		slices.Sort(names)
		return names
	}
	if a, g := listed(Ada.ID), listed(Grace.ID); !slices.Equal(a, []chat.RoomName{"lobby"}) ||
		!slices.Equal(g, []chat.RoomName{"attic"}) {
		t.Errorf("the lists are %v and %v", a, g)
	}
	Must(t, AddToList(s, Grace.ID, "lobby", true))
	Must(t, AddToList(s, Grace.ID, "lobby", true))
	_, err := MarkRead(t, s, Ada.ID, chat.MessageRef{Room: "attic", Seq: 1}, false, "") // lists it
	Must(t, err)
	Do(t, s, DraftOf(Ada, chat.Delete, 1, ""))
	both := []chat.RoomName{"attic", "lobby"}
	if a, g := listed(Ada.ID), listed(Grace.ID); !slices.Equal(a, both) || !slices.Equal(g, both) {
		t.Errorf("the lists are %v and %v", a, g)
	}
}

// Read marks, settings and new rooms of many people, in different orders, are stored in the same transactions as
// messages. With row locks in several orders some of them would fail.
func testWritesOfManyPeopleAtOnceAllSucceed(t *testing.T, open OpenDatabase) {
	s := open(t)
	const people, rooms, rounds = 8, 5, 10
	person := func(n int) chat.Person {
		return chat.Person{ID: chat.PersonID(fmt.Sprint("p", n)), Name: fmt.Sprint("P", n)}
	}
	for p := range people {
		for r := range rooms {
			Post(t, s, Draft(chat.RoomName(fmt.Sprint("room-", r)), person(p), "hi", ""))
		}
	}
	var wg sync.WaitGroup
	for p := range people {
		wg.Go(func() {
			for n := range rounds {
				at := chat.MessageRef{Room: chat.RoomName(fmt.Sprint("room-", (p*3+n)%rooms)), Seq: chat.Seq(n + 1)}
				if c := Post(t, s, Draft(at.Room, person(p), "again", ""))[0]; c.Err != nil {
					t.Error(c.Err)
				}
				if _, err := MarkRead(t, s, person(p).ID, at, true, fmt.Sprint("n", n)); err != nil {
					t.Error(err)
				}
				if err := s.SetListEntry(t.Context(), person(p).ID, at.Room,
					chat.ListEntryChange{Muted: new(n%2 == 0)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for p := range people {
		list, err := s.RoomList(t.Context(), person(p).ID)
		if err != nil || len(list) != rooms {
			t.Fatalf("%d rooms, %v", len(list), err)
		}
		for _, e := range list {
			if e.Head != people+people*rounds/rooms || e.Read == 0 {
				t.Errorf("%+v", e)
			}
		}
	}
}

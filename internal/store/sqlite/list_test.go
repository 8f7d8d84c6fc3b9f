package sqlite

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

// markRead is MarkRead for tests, which wait.
func markRead(t *testing.T, s *Store, who chat.Person, room chat.RoomName, seq chat.Seq,
	exact bool,
) (chat.ListEntry, error) {
	t.Helper()
	type result struct {
		entry chat.ListEntry
		err   error
	}
	done := make(chan result, 1)
	s.MarkRead(who.ID, chat.MessageRef{Room: room, Seq: seq}, exact, "",
		func(e chat.ListEntry, err error) { done <- result{e, err} })
	r := <-done
	return r.entry, r.err
}

func TestWhatIsUnreadIsCountedFromWhereSomebodyStopped(t *testing.T) {
	s, stop := start(t, t.TempDir())
	post(t, s, draft("lobby", ada, "one", ""), draft("lobby", grace, "two", ""),
		draft("lobby", grace, "@Ada three", ""), draft("lobby", grace, "four", ""))
	reply := draft("lobby", grace, "@Ada in the thread", "")
	reply.Kind, reply.Target = chat.Reply, 1
	post(t, s, reply)
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
		got, err := markRead(t, s, ada, "lobby", tt.seq, true)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		e, err := s.ListEntry(t.Context(), ada.ID, "lobby")
		if err != nil || e.Read != tt.want.Read || e.Unread != tt.want.Unread || e.Mentions != tt.want.Mentions {
			t.Errorf("%s: the list has %+v, %v", name, e, err)
		}
	}
	if _, err := markRead(t, s, ada, "lobby", 4, true); err != nil {
		t.Fatal(err)
	}
	if e, err := markRead(t, s, ada, "lobby", 2, false); err != nil || e.Read != 4 {
		t.Errorf("reading what was read before: %+v, %v", e, err)
	}
	stop()
	s, _ = start(t, s.dir)
	if e, err := s.ListEntry(t.Context(), ada.ID, "lobby"); err != nil || e.Read != 4 || e.Mentions != 1 {
		t.Errorf("after reopening: %+v, %v", e, err)
	}
	if e, err := markRead(t, s, ada, "garden", 7, false); err != nil || e.Read != 0 {
		t.Errorf("a room that nobody wrote to: %+v, %v", e, err)
	}
	if rooms, err := s.RoomList(t.Context(), ada.ID); err != nil || len(rooms) != 1 {
		t.Errorf("the list is %+v, %v", rooms, err)
	}
}

// Whoever waits for the disk waits for the counting too.
func TestOfALongRoomOnlyTheNewestEventsAreCounted(t *testing.T) {
	s, _ := start(t, t.TempDir())
	post(t, s, draft("lobby", ada, "one", ""), draft("lobby", grace, "two", ""))
	run := make([]chat.Draft, maxCounted-1)
	for i := range run {
		run[i] = draft("lobby", ada, fmt.Sprint("of a bot ", i), "")
	}
	post(t, s, run...)
	want := func(unread int, last string) {
		t.Helper()
		if e, err := markRead(t, s, ada, "lobby", 1, true); err != nil || e.Unread != unread {
			t.Errorf("read: %+v, %v; want %d unread", e, err, unread)
		}
		if e, err := s.ListEntry(t.Context(), ada.ID, "lobby"); err != nil || e.Unread != unread || e.Last == nil ||
			e.Last.Text != last {
			t.Errorf("the list has %+v, %v; want %d unread and %q", e, err, unread, last)
		}
	}
	want(1, fmt.Sprint("of a bot ", maxCounted-2))
	post(t, s, draft("lobby", ada, "one more", ""))
	want(0, "one more")
	post(t, s, draft("lobby", grace, "hm", ""))
	want(1, "hm")
}

func TestAnEntryIsTheRoomAsItIsToItsPerson(t *testing.T) {
	s, _ := start(t, t.TempDir())
	post(t, s, draft("lobby", ada, "one", ""))
	topic := draft("lobby", ada, "what it is about", "")
	topic.Kind = chat.Topic
	edit := draft("lobby", ada, "uno", "")
	edit.Kind, edit.Target = chat.Edit, 1
	at := post(t, s, topic, edit)[0].Event.At
	if err := <-s.AddToList(grace.ID, "lobby", true); err != nil {
		t.Fatal(err)
	}
	if err := <-s.AddToList(grace.ID, "garden", true); err != nil {
		t.Fatal(err)
	}
	change := chat.ListEntryChange{Notify: new(chat.NotifyMentions), Muted: new(true), Favourite: new(true)}
	if _, err := s.RoomList(t.Context(), grace.ID); err != nil {
		t.Fatal(err)
	}
	// Grace is nobody yet to the store: only who is known has a list.
	if err := s.SetListEntry(t.Context(), grace.ID, "lobby", change); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("for a person who is unknown: %v", err)
	}
	if err := s.SetListEntry(t.Context(), ada.ID, "lobby", change); err != nil {
		t.Fatal(err)
	}
	if err := s.SetListEntry(t.Context(), ada.ID, "lobby", chat.ListEntryChange{Muted: new(false)}); err != nil {
		t.Fatal(err)
	}
	rooms, err := s.RoomList(t.Context(), ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := []chat.ListEntry{{
		Room: "lobby", Topic: "what it is about", Head: 3, At: rooms[0].At, Last: &chat.Quote{From: ada, Text: "uno"},
		Notify: chat.NotifyMentions, Favourite: true,
	}}
	if diff := cmp.Diff(want, rooms); diff != "" || rooms[0].At.After(at) {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	if err := s.SetListEntry(t.Context(), ada.ID, "lobby", chat.ListEntryChange{Listed: new(false)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ListEntry(t.Context(), ada.ID, "lobby"); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("after it left the list: %v", err)
	}
	post(t, s, draft("lobby", ada, "back", ""))
	if e, err := s.ListEntry(t.Context(), ada.ID, "lobby"); err != nil || e.Notify != chat.NotifyAll {
		t.Errorf("after writing again: %+v, %v", e, err)
	}
}

// BenchmarkRooms reads a list of 200 rooms with 50 unread messages each.
func BenchmarkRooms(b *testing.B) {
	s, _ := startOn(b, Config{Dir: b.TempDir()}, "")
	var drafts []chat.Draft
	for n := range 200 * 60 {
		from := grace
		if n/200 == 9 {
			from = ada
		}
		drafts = append(drafts,
			draft(chat.RoomName(fmt.Sprint("room-", n%200)), from, "A message of a usual length.", ""))
	}
	post(b, s, drafts...)
	for b.Loop() {
		if rooms, err := s.RoomList(b.Context(), ada.ID); err != nil || len(rooms) != 200 {
			b.Fatal(len(rooms), err)
		}
	}
}

// What is refused leaves no trace.
func TestAChangeInARoomThatNobodyWroteToMakesNone(t *testing.T) {
	s, _ := start(t, t.TempDir())
	post(t, s, draft("lobby", ada, "one", ""))
	for _, kind := range []chat.Kind{chat.Edit, chat.Delete, chat.React, chat.Pin, chat.Reply} {
		d := draft("garden", ada, "👍", "")
		d.Kind, d.Target = kind, 1
		if c := post(t, s, d)[0]; chat.CodeOf(c.Err) != chat.NotFound {
			t.Errorf("%s: %+v", kind, c)
		}
	}
	if heads, err := s.Heads(t.Context()); err != nil || len(heads) != 1 {
		t.Errorf("the rooms are %v, %v", heads, err)
	}
}

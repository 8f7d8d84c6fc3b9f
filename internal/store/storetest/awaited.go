package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

// Whoever has entered a room before anybody wrote to it is told of its first message, whatever happened in between.
func testWhoAwaitsARoomIsToldOfItsFirstMessage(t *testing.T, open OpenDatabase) {
	type step = func(*testing.T, *DatabaseSubject)
	enter := func(t *testing.T, s *DatabaseSubject) { Must(t, AddToList(s, Grace.ID, "garden", true)) }
	look := func(t *testing.T, s *DatabaseSubject) { Must(t, AddToList(s, Grace.ID, "garden", false)) }
	restart := func(_ *testing.T, s *DatabaseSubject) { s.restart() }
	set := func(change chat.ListEntryChange) step {
		return func(t *testing.T, s *DatabaseSubject) {
			Must(t, s.SetListEntry(t.Context(), Grace.ID, "garden", change))
		}
	}
	hide := set(chat.ListEntryChange{Listed: new(false)})
	read := func(t *testing.T, s *DatabaseSubject) {
		_, err := MarkRead(t, s, Grace.ID, chat.MessageRef{Room: "garden", Seq: 5}, true, "")
		Must(t, err)
	}
	react := func(t *testing.T, s *DatabaseSubject) {
		Post(t, s, chat.Draft{Room: "garden", From: Ada, Kind: chat.React, Target: 1, Text: "👍"})
	}
	told := chat.ListEntry{Room: "garden", Head: 1, Unread: 1, Mentions: 1, Notify: chat.NotifyAll}
	quiet := told
	quiet.Notify, quiet.Favourite = chat.NotifyMentions, true
	tests := map[string]struct {
		before []step
		want   chat.ListEntry // zero: it is not in the list
	}{
		"never entered":              {},
		"entered":                    {[]step{enter}, told},
		"entered twice":              {[]step{enter, enter}, told},
		"only looked at":             {[]step{look}, chat.ListEntry{}},
		"hidden":                     {[]step{enter, hide}, chat.ListEntry{}},
		"hidden and entered again":   {[]step{enter, hide, enter}, told},
		"after a restart":            {[]step{enter, restart}, told},
		"read before":                {[]step{enter, read}, told},
		"a change that made no room": {[]step{enter, react}, told},
		"with settings": {[]step{
			enter,
			set(chat.ListEntryChange{
				Notify: new(chat.NotifyMentions), Favourite: new(true), Muted: new(true), Nonce: "n",
			}),
			set(chat.ListEntryChange{Muted: new(false), Nonce: "m"}),
		}, quiet},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			Post(t, s, Draft("lobby", Grace, "the store knows me", ""))
			for _, do := range tt.before {
				do(t, s)
			}
			Do(t, s, Draft("garden", Ada, "@Grace, come", ""))
			got, err := s.ListEntry(t.Context(), Grace.ID, "garden")
			if tt.want.Room == "" {
				if chat.CodeOf(err) != chat.NotFound {
					t.Errorf("the list has %+v, %v", got, err)
				}
				return
			}
			tt.want.Last, tt.want.At = &chat.Quote{From: Ada, Text: "@Grace, come"}, got.At
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if list, err := s.RoomList(t.Context(), Grace.ID); err != nil || len(list) != 2 {
				t.Errorf("the list is %+v, %v", list, err)
			}
			Post(t, s, Draft("garden", Ada, "again", ""))
			if got, err := s.ListEntry(t.Context(), Grace.ID, "garden"); err != nil || got.Unread != 2 {
				t.Errorf("after another message: %+v, %v", got, err)
			}
		})
	}
}

// An awaited room is an entry without a message, with the time when it was entered.
func testAnAwaitedRoomIsAnEntry(t *testing.T, open OpenDatabase) {
	s := open(t)
	Post(t, s, Draft("lobby", Grace, "the store knows me", ""))
	before := time.Now().Truncate(time.Millisecond)
	Must(t, AddToList(s, Grace.ID, "garden", true))
	e, err := s.ListEntry(t.Context(), Grace.ID, "garden")
	if e.At.Before(before) || e.At.After(time.Now()) {
		t.Errorf("it was entered at %v", e.At)
	}
	e.At = time.Time{}
	if diff := cmp.Diff(chat.ListEntry{Room: "garden", Notify: chat.NotifyAll}, e); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	err = s.SetListEntry(t.Context(), Grace.ID, "attic", chat.ListEntryChange{})
	if chat.CodeOf(err) != chat.NotFound {
		t.Errorf("a room that was not entered: %v", err)
	}
	Must(t, AddToList(s, "nobody", "garden", true)) // only people whom the store knows have a list
	if list, err := s.RoomList(t.Context(), "nobody"); err != nil || len(list) != 0 {
		t.Errorf("of nobody: %+v, %v", list, err)
	}
	// Whoever writes first awaits the room no more, but has nothing unread.
	Must(t, AddToList(s, Grace.ID, "attic", true))
	Do(t, s, Draft("attic", Grace, "mine", ""))
	if e, err := s.ListEntry(t.Context(), Grace.ID, "attic"); err != nil || e.Head != 1 || e.Unread != 0 {
		t.Errorf("one's own room: %+v, %v", e, err)
	}
}

// A person awaits only so many rooms. Those entered longest ago leave the list, and the store tells which.
func testAwaitedRoomsHaveALimit(t *testing.T, open OpenDatabase) {
	s := open(t)
	Post(t, s, Draft("lobby", Grace, "the store knows me", ""), Draft("lobby", Ada, "me too", ""))
	enter := func(who chat.PersonID, room chat.RoomName) []chat.RoomName {
		t.Helper()
		done := make(chan []chat.RoomName, 1)
		s.AddToList(who, room, true, func(dropped []chat.RoomName, err error) {
			if err != nil {
				t.Error(err)
			}
			done <- dropped
		})
		return <-done
	}
	name := func(n int) chat.RoomName { return chat.RoomName(fmt.Sprintf("room-%03d", n)) }
	const more = 10
	for n := range chat.MaxAwaited + more {
		dropped := enter(Grace.ID, name(n))
		if n < chat.MaxAwaited && dropped != nil || n >= chat.MaxAwaited && len(dropped) != 1 {
			t.Errorf("entering %s drops %v", name(n), dropped)
		}
		enter(Ada.ID, name(n/20)) // another person's are not counted
		for at := time.Now().UnixMilli(); time.Now().UnixMilli() == at; {
			Must(t, AddToList(s, Ada.ID, "lobby", true)) // the next room is entered at a later millisecond
		}
	}
	list, err := s.RoomList(t.Context(), Grace.ID)
	Must(t, err)
	var names []chat.RoomName
	for _, e := range list {
		if e.Room != "lobby" {
			names = append(names, e.Room)
		}
	}
	slices.Sort(names)
	if len(names) != chat.MaxAwaited || names[0] != name(more) {
		t.Errorf("%d rooms from %s on", len(names), names[0])
	}
	if dropped := enter(Grace.ID, name(more)); dropped != nil {
		t.Errorf("entering one of them again drops %v", dropped)
	}
	if dropped := enter(Grace.ID, "new"); !slices.Equal(dropped, []chat.RoomName{name(more + 1)}) {
		t.Errorf("entering another one drops %v", dropped)
	}
	Do(t, s, Draft(name(more), Ada, "hi", ""), Draft(name(0), Ada, "hi", ""))
	if e, err := s.ListEntry(t.Context(), Grace.ID, name(more)); err != nil || e.Unread != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := s.ListEntry(t.Context(), Grace.ID, name(0)); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("a room that has left the list: %+v, %v", e, err)
	}
}

// Whoever enters a room while its first message is written is told of it, or was there after it.
func testNoneIsOverlookedWhoEntersWhileARoomIsMade(t *testing.T, open OpenDatabase) {
	s := open(t)
	Post(t, s, Draft("lobby", Grace, "the store knows me", ""))
	const rooms = 40
	name := func(n int) chat.RoomName { return chat.RoomName(fmt.Sprintf("room-%03d", n)) }
	var wg sync.WaitGroup
	for n := range rooms {
		wg.Go(func() {
			if err := AddToList(s, Grace.ID, name(n), true); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { Post(t, s, Draft(name(n), Ada, "hi", "")) })
	}
	wg.Wait()
	for n := range rooms {
		if e, err := s.ListEntry(t.Context(), Grace.ID, name(n)); err != nil || e.Head != 1 || e.Unread != 1 {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

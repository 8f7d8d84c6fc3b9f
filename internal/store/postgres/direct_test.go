package postgres

import (
	"fmt"
	"testing"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// direct returns drafts of plain messages in rooms, after each of them and Ada are known.
func direct(t *testing.T, s *Store, rooms ...chat.RoomName) (drafts []chat.Draft) {
	t.Helper()
	for _, room := range rooms {
		storetest.Do(t, s, storetest.Draft(room, storetest.Ada, "before", ""))
	}
	for i := range 3 {
		for _, room := range rooms {
			drafts = append(drafts, storetest.Draft(room, storetest.Ada, fmt.Sprint(room, i), ""))
		}
	}
	return drafts
}

// See also TestFewRoundTrips.
func TestPlainMessagesGetTheirSeqsInTheDatabase(t *testing.T) {
	for name, rooms := range map[string][]chat.RoomName{"one room": {"b"}, "several": {"c", "a", "b"}} {
		t.Run(name, func(t *testing.T) {
			url := newDatabase(t)
			s, _ := start(t, url)
			other, _ := start(t, url)
			drafts := direct(t, s, rooms...)
			storetest.Do(t, other, storetest.Draft("b", storetest.Grace, "meanwhile", ""))
			for i, c := range storetest.Together(t, s, drafts...) {
				want := chat.Seq(2 + i/len(rooms))
				if drafts[i].Room == "b" {
					want++
				}
				if c.Err != nil || c.Repeated || c.Event.Seq != want {
					t.Errorf("%d: %+v, want seq %d", i, c, want)
				}
			}
			for _, room := range rooms {
				events := allEvents(t, s, room)
				if last := events[len(events)-1].Text; last != fmt.Sprint(room, 2) {
					t.Errorf("the last event of %s is %q", room, last)
				}
			}
		})
	}
}

// What the statement for plain messages cannot do is done in the general way.
func TestPlainMessagesWithKnownNonces(t *testing.T) {
	s, _ := start(t, newDatabase(t))
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "first", "n1"))
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Grace, "hi", ""))
	react := storetest.DraftOf(storetest.Ada, chat.React, 1, "👍")
	storetest.Do(t, s, react)
	react.Nonce = "n2" // it changes nothing, so it makes no event
	storetest.Do(t, s, react)
	connection := s.writer.conn
	got := storetest.Together(t, s,
		storetest.Draft("lobby", storetest.Grace, "new", ""),
		storetest.Draft("lobby", storetest.Ada, "first", "n1"),
		storetest.Draft("lobby", storetest.Ada, "second", "n2"),
		storetest.Draft("lobby", storetest.Ada, "third", "n3"),
		storetest.Draft("lobby", storetest.Ada, "third", "n3"))
	if c := got[0]; c.Err != nil || c.Event.Seq != 4 {
		t.Errorf("a message with a new nonce: %+v", c)
	}
	if c := got[1]; !c.Repeated || c.Event.Seq != 1 {
		t.Errorf("a message with the nonce of another: %+v", c)
	}
	if c := got[2]; chat.CodeOf(c.Err) != chat.NonceUsed {
		t.Errorf("a message with the nonce of a reaction: %+v", c)
	}
	if a, b := got[3], got[4]; a.Repeated || !b.Repeated || a.Event.Seq != 5 || b.Event.Seq != 5 {
		t.Errorf("a message twice: %+v, %+v", a, b)
	}
	if n := len(allEvents(t, s, "lobby")); n != 5 {
		t.Errorf("%d events", n)
	}
	if s.writer.conn != connection { // which would cost others more than a second attempt
		t.Error("the connection was given up")
	}
}

// Whoever sends a plain message is told of it as new if its COMMIT was lost, whether the database has carried
// it out or not.
func TestLostCommitOfPlainMessages(t *testing.T) {
	w, through := newWire(t, newDatabase(t))
	s, _ := start(t, through)
	drafts := direct(t, s, "lobby", "attic")
	for range 2 {
		before := len(allEvents(t, s, "lobby"))
		w.cutCommit.Store(1)
		for i, c := range storetest.Together(t, s, drafts...) {
			if want := chat.Seq(before + 1 + i/2); c.Err != nil || c.Repeated || c.Event.Seq != want {
				t.Errorf("%d: %+v, want seq %d", i, c, want)
			}
		}
		if n := len(allEvents(t, s, "lobby")); n != before+3 {
			t.Errorf("%d events, want %d", n, before+3)
		}
	}
}

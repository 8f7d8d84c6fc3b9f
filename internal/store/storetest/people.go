package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/internal/chat"
)

func testGuestComesBackWithTheirSession(t *testing.T, open Open) {
	s := open(t)
	p, session, err := s.NewGuest(t.Context(), "Ada", "")
	Must(t, err)
	if p.Name != "Ada" || len(p.ID) != 26 || len(session) < 26 {
		t.Errorf("guest %+v with a session of %d characters", p, len(session))
	}
	same := func(want chat.Person) {
		t.Helper()
		if got, err := s.Person(t.Context(), session); err != nil || got != want {
			t.Errorf("person = %+v, %v, want %+v", got, err, want)
		}
	}
	same(p)
	Post(t, s, Draft("lobby", p, "as Ada", ""))
	name, err := s.Rename(t.Context(), p.ID, "Countess", "")
	if err != nil || name != "Countess" {
		t.Errorf("renamed to %q, %v", name, err)
	}
	p.Name = "Countess"
	same(p)
	if e := Events(t, s.After, "lobby", 0, 1)[0]; e.From != (chat.Person{ID: p.ID, Name: "Ada"}) {
		t.Errorf("an older message is now from %+v", e.From)
	}
	s.restart()
	same(p)

	Must(t, s.Forget(t.Context(), session))
	if err := s.Forget(t.Context(), session); err != nil {
		t.Errorf("forgetting again: %v", err)
	}
	if _, err := s.Person(t.Context(), session); chat.CodeOf(err) != chat.BadSession {
		t.Errorf("after Forget: %v", err)
	}
	if c := Post(t, s, Draft("lobby", p, "still the same person", ""))[0]; c.Err != nil || c.Event.Seq != 2 {
		t.Errorf("after Forget: %+v", c)
	}
}

func testUnknownPeople(t *testing.T, open Open) {
	s := open(t)
	if _, err := s.Person(t.Context(), ""); chat.CodeOf(err) != chat.BadSession {
		t.Errorf("no session: %v", err)
	}
	if _, err := s.Rename(t.Context(), "nobody", "Eve", ""); chat.CodeOf(err) != chat.BadSession {
		t.Errorf("renaming nobody: %v", err)
	}
	Post(t, s, Draft("lobby", Ada, "known from now on", ""))
	if _, err := s.Rename(t.Context(), Ada.ID, "Countess", ""); err != nil {
		t.Errorf("renaming who was first seen by a message: %v", err)
	}
}

func testSessionIsMarkedAsSeenOnceADay(t *testing.T, open OpenDatabase) {
	s := open(t)
	ada, session, err := s.NewGuest(t.Context(), "Ada", "")
	Must(t, err)
	seenAfter := func(at time.Time) time.Time {
		t.Helper()
		s.SetSeen(at)
		_, err := s.Person(t.Context(), session)
		Must(t, err)
		_, err = s.Rename(t.Context(), ada.ID, "Grace", "") // stored behind what Person began
		Must(t, err)
		return s.Seen()
	}
	recent := time.Now().Add(-23 * time.Hour).Truncate(time.Millisecond)
	if got := seenAfter(recent); !got.Equal(recent) {
		t.Errorf("seen 23 hours ago: written again, %v", got)
	}
	if got := seenAfter(time.Now().Add(-25 * time.Hour)); got.Before(recent) {
		t.Errorf("seen 25 hours ago: not written, %v", got)
	}
}

func testWaitingForACommitEndsWithItsContext(t *testing.T, open OpenDatabase) {
	s := open(t)
	defer holdCommitter(s)()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.NewGuest(ctx, "Ada", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("NewGuest: %v", err)
	}
	if err := s.Healthy(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Healthy: %v", err)
	}
}

// A client that got no answer asks again with the same key, perhaps while the first try is still under way.
func testAGuestMadeTwiceIsOne(t *testing.T, open OpenDatabase) {
	s := open(t)
	const key = "a key that the client has made, with enough bits"
	made := make([]chat.Person, 8)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			p, session, err := s.NewGuest(t.Context(), fmt.Sprint("Guest ", i), key)
			if err != nil || session != key {
				t.Errorf("%q, %v", session, err)
			}
			made[i] = p
		})
	}
	wg.Wait()
	now, err := s.Person(t.Context(), key)
	Must(t, err)
	for i, p := range made {
		if p != now {
			t.Errorf("try %d made %+v, and the session is %+v's", i, p, now)
		}
	}
	s.restart()
	if p, _, err := s.NewGuest(t.Context(), "Another", key); err != nil || p != now {
		t.Errorf("after a restart: %+v, %v, want %+v", p, err, now)
	}
}

func testPeopleAreReadWithTheirSessions(t *testing.T, open OpenDatabase) {
	s := open(t)
	states := func(ids ...chat.PersonID) map[chat.PersonID]chat.PersonState {
		t.Helper()
		found, err := s.PersonStates(t.Context(), ids)
		Must(t, err)
		byID := map[chat.PersonID]chat.PersonState{}
		for _, p := range found {
			byID[p.ID] = p
		}
		if len(byID) != len(found) {
			t.Errorf("somebody is there twice: %+v", found)
		}
		return byID
	}
	if found := states(); len(found) != 0 {
		t.Errorf("of nobody: %+v", found)
	}
	ada, session, err := s.NewGuest(t.Context(), "Ada", "")
	Must(t, err)
	grace, other, err := s.NewGuest(t.Context(), "Grace", "")
	Must(t, err)
	Post(t, s, Draft("lobby", chat.Person{ID: "eve", Name: "Eve"}, "I have no session", ""))
	_, err = s.Rename(t.Context(), grace.ID, "Hopper", "")
	Must(t, err)
	hopper := chat.Person{ID: grace.ID, Name: "Hopper"}
	want := map[chat.PersonID]chat.PersonState{
		ada.ID:    {Person: ada, Sessions: []chat.SessionHash{chat.HashSession(session)}},
		hopper.ID: {Person: hopper, Sessions: []chat.SessionHash{chat.HashSession(other)}},
		"eve":     {Person: chat.Person{ID: "eve", Name: "Eve"}},
	}
	if diff := cmp.Diff(want, states(grace.ID, "nobody", "eve", ada.ID), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	Must(t, s.Forget(t.Context(), session))
	if found := states(ada.ID)[ada.ID]; found.Name != "Ada" || len(found.Sessions) > 0 {
		t.Errorf("after the session's end: %+v", found)
	}
	many := []chat.PersonID{grace.ID}
	for i := range 1000 {
		many = append(many, chat.PersonID(fmt.Sprint("nobody ", i)))
	}
	if found := states(many...); len(found) != 1 {
		t.Errorf("among a thousand who do not exist: %+v", found)
	}
}

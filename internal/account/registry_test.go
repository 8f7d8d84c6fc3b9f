package account

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"parley/internal/chat"
)

// An owner counts how often it was told that its session had ended.
type owner struct{ ended atomic.Int32 }

func (o *owner) SessionEnded() { o.ended.Add(1) }

// guest makes a guest and returns their session.
func guest(t *testing.T, a *Accounts, name string) (chat.Person, string) {
	t.Helper()
	p, session, err := a.Guest(t.Context(), nowhere, name, "")
	if err != nil {
		t.Fatal(err)
	}
	return p, session
}

// enter registers a connection with a session.
func enter(t *testing.T, a *Accounts, session string) (*Registration, *owner) {
	t.Helper()
	o := &owner{}
	r := &Registration{Owner: o}
	if _, err := a.Enter(t.Context(), r, session); err != nil {
		t.Fatal(err)
	}
	return r, o
}

func TestRegistryHoldsExactlyWhatWasAdded(t *testing.T) {
	var l registry
	rnd := rand.New(rand.NewPCG(1, 2))
	live := map[*Registration]bool{}
	of := func(who chat.PersonID, session sessionKey) (n int) {
		for r := range live {
			if r.Person().ID == who && r.session == session {
				n++
			}
		}
		return n
	}
	for range 10_000 {
		if rnd.IntN(2) == 0 {
			r := &Registration{}
			l.add(r, chat.Person{ID: chat.PersonID(rune('a' + rnd.IntN(4)))}, sessionKey(rnd.IntN(2)))
			live[r] = true
		} else {
			for r := range live {
				delete(live, r)
				l.remove(r)
				l.remove(r) // once more does nothing
				break
			}
		}
		who, session := chat.PersonID(rune('a'+rnd.IntN(4))), sessionKey(rnd.IntN(2))
		found := l.of(who, session)
		if len(found) != of(who, session) {
			t.Fatalf("%d of %s, want %d", len(found), who, of(who, session))
		}
		for _, r := range found {
			if !live[r] {
				t.Fatal("it has one that was removed")
			}
		}
	}
	for r := range live {
		l.remove(r)
	}
	if len(l.byPerson) != 0 {
		t.Errorf("left behind: %v", l.byPerson)
	}
}

func TestEndOfASessionEndsItsConnectionsOnly(t *testing.T) {
	a := newFakeStore().start(Config{})
	ada, session := guest(t, a, "Ada")
	_, other := guest(t, a, "Grace")
	first, told := enter(t, a, session)
	second, _ := enter(t, a, session)
	third, untold := enter(t, a, other)
	a.Remove(second)
	if got := first.Person(); got != ada {
		t.Errorf("%+v, want %+v", got, ada)
	}
	for range 2 {
		if err := a.EndSession(t.Context(), session); err != nil {
			t.Fatal(err)
		}
	}
	if first.Begin() || told.ended.Load() != 1 {
		t.Errorf("the connection was told %d times", told.ended.Load())
	}
	if !third.Begin() || untold.ended.Load() != 0 {
		t.Error("another session has ended")
	}
	third.Done()
	if _, err := a.Enter(t.Context(), &Registration{}, session); chat.CodeOf(err) != chat.BadSession {
		t.Errorf("whoever comes back: %v", err)
	}
	a.Remove(first)
	a.Remove(third)
	if n := a.Live(); n != 0 {
		t.Errorf("%d people are registered", n)
	}
}

func TestEndOfASessionThatIsNotStoredEndsNothing(t *testing.T) {
	s := newFakeStore()
	a := s.start(Config{})
	_, session := guest(t, a, "Ada")
	r, told := enter(t, a, session)
	s.broken = true
	if err := a.EndSession(t.Context(), session); err == nil {
		t.Error("no error")
	}
	if !r.Begin() || told.ended.Load() != 0 {
		t.Error("the connection was told")
	}
}

func TestEndOfASessionWaitsForWhatHasBegun(t *testing.T) {
	s := newFakeStore()
	a := s.start(Config{})
	_, session := guest(t, a, "Ada")
	r, _ := enter(t, a, session)
	asked, finished := make(chan struct{}), atomic.Bool{}
	s.looked = sync.OnceFunc(func() { close(asked) })
	s.forgets = func() {
		if !finished.Load() {
			t.Error("the session was forgotten while something was carried out for it")
		}
	}
	if !r.Begin() {
		t.Fatal("the session has ended")
	}
	ended := make(chan error, 1)
	go func() { ended <- a.EndSession(t.Context(), session) }()
	<-asked
	for range 1000 { // opportunities to forget the session too early
		runtime.Gosched()
	}
	finished.Store(true)
	r.Done()
	if err := <-ended; err != nil || r.Begin() {
		t.Errorf("err %v, or the session goes on", err)
	}
}

func TestSessionThatEndsWhileItIsEnteredIsNotMissed(t *testing.T) {
	s := newFakeStore()
	a := s.start(Config{})
	_, session := guest(t, a, "Ada")
	s.looked = func() {
		s.looked = nil
		if err := a.EndSession(context.Background(), session); err != nil {
			t.Error(err)
		}
	}
	r := &Registration{}
	if _, err := a.Enter(t.Context(), r, session); chat.CodeOf(err) != chat.BadSession {
		t.Errorf("err %v, want that the session is unknown", err)
	}
	if a.Live() != 0 {
		t.Error("it is registered")
	}
}

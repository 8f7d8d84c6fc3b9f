package account

import (
	"context"
	"testing"

	"parley/internal/chat"
)

func TestEveryConnectionOfAPersonHearsOfANewName(t *testing.T) {
	a := newFakeStore().start(Config{})
	p, session := guest(t, a, "Grace")
	_, other := guest(t, a, "Ada")
	first, _ := enter(t, a, session)
	second, _ := enter(t, a, session)
	third, _ := enter(t, a, other)
	renamed, err := a.Rename(t.Context(), chat.Who{Person: p, Network: nowhere}, "Hopper", "")
	if want := (chat.Person{ID: p.ID, Name: "Hopper"}); err != nil || renamed != want {
		t.Errorf("%+v, %v, want %+v", renamed, err, want)
	}
	for _, r := range []*Registration{first, second} {
		if r.Person() != renamed {
			t.Errorf("a connection is %+v, want %+v", r.Person(), renamed)
		}
	}
	if third.Person().Name != "Ada" {
		t.Errorf("another person is %+v", third.Person())
	}
}

func TestRenameWhileASessionIsEnteredIsNotMissed(t *testing.T) {
	s := newFakeStore()
	a := s.start(Config{})
	p, session := guest(t, a, "Grace")
	s.looked = func() { // after the old name was read, and before it is registered
		s.looked = nil
		if _, err := a.Rename(context.Background(), chat.Who{Person: p, Network: nowhere}, "Hopper", ""); err != nil {
			t.Error(err)
		}
	}
	r, _ := enter(t, a, session)
	if got := r.Person().Name; got != "Hopper" {
		t.Errorf("the connection is %s", got)
	}
}

func TestNewNamesComeAtARate(t *testing.T) {
	a := newFakeStore().start(Config{})
	p, _ := guest(t, a, "Ada")
	who := chat.Who{Person: p, Network: nowhere}
	names := []string{"Augusta", "Ada"}
	for i := range renameBurst + 1 {
		_, err := a.Rename(t.Context(), who, names[i%2], "a nonce")
		if limited := chat.CodeOf(err) == chat.RateLimited; limited != (i == renameBurst) {
			t.Errorf("rename %d: %v", i, err)
		}
	}
	if _, err := a.Rename(t.Context(), who, "Ada", ""); err != nil {
		t.Errorf("the name that it is already: %v", err)
	}
}

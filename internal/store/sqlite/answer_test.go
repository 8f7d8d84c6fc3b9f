package sqlite

import (
	"fmt"
	"testing"

	"parley/internal/chat"
)

// What is one's own is done once for a nonce too, and what the same person does
// meanwhile elsewhere is not undone.
func TestWhatIsOnesOwnIsDoneOnceForANonce(t *testing.T) {
	at := chat.MessageRef{Room: "lobby", Seq: 1}
	keep := func(as chat.PersonalRefKind, keep bool) func(*testing.T, *Store, string) error {
		return func(t *testing.T, s *Store, nonce string) error {
			return s.SetPersonal(t.Context(), ada.ID, as, at, keep, nonce)
		}
	}
	set := func(change chat.ListEntryChange) func(*testing.T, *Store, string) error {
		return func(t *testing.T, s *Store, nonce string) error {
			change.Nonce = nonce
			return s.SetListEntry(t.Context(), ada.ID, "lobby", change)
		}
	}
	read := func(seq chat.Seq) func(*testing.T, *Store, string) error {
		return func(_ *testing.T, s *Store, nonce string) error {
			done := make(chan error, 1)
			s.MarkRead(ada.ID, chat.MessageRef{Room: "lobby", Seq: seq}, true, nonce,
				func(_ chat.ListEntry, err error) { done <- err })
			return <-done
		}
	}
	name := func(name string) func(*testing.T, *Store, string) error {
		return func(t *testing.T, s *Store, nonce string) error {
			_, err := s.Rename(t.Context(), ada.ID, name, nonce)
			return err
		}
	}
	type deed = func(*testing.T, *Store, string) error
	tests := map[string]struct{ before, retry, other deed }{
		"save":               {nil, keep(chat.Bookmark, true), keep(chat.Bookmark, false)},
		"save what is saved": {keep(chat.Bookmark, true), keep(chat.Bookmark, true), keep(chat.Bookmark, false)},
		"unsave":             {keep(chat.Bookmark, true), keep(chat.Bookmark, false), keep(chat.Bookmark, true)},
		"unsave what is not": {nil, keep(chat.Bookmark, false), keep(chat.Bookmark, true)},
		"follow": {
			keep(chat.Subscription, false), keep(chat.Subscription, true), keep(chat.Subscription, false),
		},
		"follow what is": {
			keep(chat.Subscription, true), keep(chat.Subscription, true), keep(chat.Subscription, false),
		},
		"unfollow": {
			keep(chat.Subscription, true), keep(chat.Subscription, false), keep(chat.Subscription, true),
		},
		"mute": {
			nil, set(chat.ListEntryChange{Muted: new(true)}), set(chat.ListEntryChange{Muted: new(false)}),
		},
		"a favourite that is": {
			set(chat.ListEntryChange{Favourite: new(true)}), set(chat.ListEntryChange{Favourite: new(true)}),
			set(chat.ListEntryChange{Favourite: new(false)}),
		},
		"set, then left": {
			nil, set(chat.ListEntryChange{Muted: new(true)}), set(chat.ListEntryChange{Listed: new(false)}),
		},
		"leave": {
			nil, set(chat.ListEntryChange{Listed: new(false)}), set(chat.ListEntryChange{Muted: new(false)}),
		},
		"mark as unread":        {nil, read(1), read(2)},
		"read, then left":       {nil, read(1), set(chat.ListEntryChange{Listed: new(false)})},
		"a new name":            {nil, name("Countess"), name("Ada L.")},
		"a name that one has":   {nil, name("Ada"), name("Ada L.")},
		"a message, then left":  {nil, say("lobby"), set(chat.ListEntryChange{Listed: new(false)})},
		"a reaction, then left": {nil, thumb, set(chat.ListEntryChange{Listed: new(false)})},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, stop := start(t, t.TempDir())
			do(t, s, draft("lobby", ada, "A", ""), draft("lobby", grace, "B", ""), draft("attic", ada, "C", ""))
			if tt.before != nil {
				must(t, tt.before(t, s, ""))
			}
			must(t, tt.retry(t, s, "n1"))
			must(t, tt.other(t, s, "n2"))
			before := owned(t, s)
			for _, restart := range []bool{false, true} {
				if restart {
					stop()
					s, stop = start(t, s.dir)
				}
				must(t, tt.retry(t, s, "n1"))
				if now := owned(t, s); now != before {
					t.Errorf("it was\n%s\nand is\n%s", before, now)
				}
			}
		})
	}
	ops := map[string]deed{
		"save": keep(chat.Bookmark, true), "unsave": keep(chat.Bookmark, false),
		"follow": keep(chat.Subscription, true), "unfollow": keep(chat.Subscription, false),
		"set": set(chat.ListEntryChange{Muted: new(true)}), "read": read(1), "send": say("lobby"), "react": thumb,
	}
	for first, do1 := range ops {
		t.Run("the nonce of "+first, func(t *testing.T) {
			s, _ := start(t, t.TempDir())
			do(t, s, draft("lobby", ada, "A", ""), draft("lobby", grace, "B", ""))
			must(t, do1(t, s, "n1"))
			before := owned(t, s)
			for second, do2 := range ops {
				if err := do2(t, s, "n1"); second != first && chat.CodeOf(err) != chat.NonceUsed ||
					second == first && err != nil {
					t.Errorf("of %s: %v", second, err)
				}
			}
			if now := owned(t, s); now != before {
				t.Errorf("it was\n%s\nand is\n%s", before, now)
			}
			if first != "send" && first != "react" { // which package room checks
				if err := do1(t, s, fmt.Sprintf("%065d", 1)); chat.CodeOf(err) != chat.BadNonce {
					t.Errorf("one that is too long: %v", err)
				}
			}
		})
	}
}

func say(room chat.RoomName) func(*testing.T, *Store, string) error {
	return func(t *testing.T, s *Store, nonce string) error {
		return post(t, s, draft(room, ada, "said", nonce))[0].Err
	}
}

func thumb(t *testing.T, s *Store, nonce string) error {
	d := chat.Draft{Room: "lobby", From: ada, Kind: chat.React, Target: 2, Text: "👍", Nonce: nonce}
	return post(t, s, d)[0].Err
}

// owned returns what is Ada's own.
func owned(t *testing.T, s *Store) string {
	t.Helper()
	var name string
	var kept, followed, members, reads int
	must(t, s.readers.QueryRowContext(t.Context(), `
		SELECT name, (SELECT count(*) FROM saved), (SELECT count(*) FROM follow WHERE person = p.id),
			(SELECT sum(1 + 2 * muted + 4 * favourite) FROM member WHERE person = p.id),
			(SELECT sum(read) FROM member WHERE person = p.id)
		FROM person p WHERE public = 'ada'`).Scan(&name, &kept, &followed, &members, &reads))
	return fmt.Sprint(name, " saved ", kept, " follows ", followed, " in ", members, " read ", reads)
}

// Whoever has once done what changed nothing sends as before.
func TestNonceOfWhatChangedNothingIsNoNewMessage(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s, draft("lobby", ada, "A", ""))
	noop := deed(ada, chat.Edit, 1, "A")
	noop.Nonce = "n1"
	got := post(t, s, noop, draft("lobby", ada, "hi", "n1"), draft("lobby", ada, "there", "n2"),
		draft("lobby", ada, "there", "n2"))
	if got[0].Event.Seq != 1 || chat.CodeOf(got[1].Err) != chat.NonceUsed || got[2].Event.Seq != 2 ||
		!got[3].Repeated || got[3].Event.Seq != 2 {
		t.Errorf("%+v", got)
	}
}

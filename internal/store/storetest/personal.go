package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
)

// An owner is a person with a session, so that a test can read what is theirs.
type owner struct {
	*DatabaseSubject
	chat.Person
	session string
}

func newOwner(t testing.TB, s *DatabaseSubject) *owner {
	t.Helper()
	p, session, err := s.NewGuest(t.Context(), "Ada", "")
	Must(t, err)
	return &owner{s, p, session}
}

// owned returns all that is the person's own, but for times.
func (o *owner) owned(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	p, err := o.DatabaseSubject.Person(t.Context(), o.session)
	Must(t, err)
	b.WriteString(p.Name)
	for _, as := range []chat.PersonalRefKind{chat.Bookmark, chat.Subscription} {
		refs, err := o.PersonalRefs(t.Context(), o.ID, as, time.Time{}, 100)
		Must(t, err)
		fmt.Fprint(&b, " ", as)
		for _, ref := range refs {
			fmt.Fprint(&b, " ", ref.MessageRef)
		}
		fmt.Fprint(&b, " ", o.isSubscribed(t, o.ID, inLobby(1)))
	}
	list, err := o.RoomList(t.Context(), o.ID)
	Must(t, err)
	slices.SortFunc(list, func(a, b chat.ListEntry) int { return strings.Compare(string(a.Room), string(b.Room)) })
	for _, e := range list {
		fmt.Fprintf(&b, "; %s read %d %s muted %v favourite %v", e.Room, e.Read, e.Notify, e.Muted, e.Favourite)
	}
	return b.String()
}

func (s *DatabaseSubject) isSubscribed(t testing.TB, who chat.PersonID, at chat.MessageRef) bool {
	t.Helper()
	is, err := s.IsSubscribed(t.Context(), who, at)
	Must(t, err)
	return is
}

// An ownWrite changes a person's own data: bookmarks, read marks, settings, the name.
type ownWrite func(t *testing.T, o *owner, nonce string) error

func keep(as chat.PersonalRefKind, on bool) ownWrite {
	return func(t *testing.T, o *owner, nonce string) error {
		return o.SetPersonal(t.Context(), o.ID, as, inLobby(1), on, nonce)
	}
}

func set(change chat.ListEntryChange) ownWrite {
	return func(t *testing.T, o *owner, nonce string) error {
		change.Nonce = nonce
		return o.SetListEntry(t.Context(), o.ID, "lobby", change)
	}
}

func read(seq chat.Seq) ownWrite {
	return func(t *testing.T, o *owner, nonce string) error {
		_, err := MarkRead(t, o, o.ID, inLobby(seq), true, nonce)
		return err
	}
}

func rename(name string) ownWrite {
	return func(t *testing.T, o *owner, nonce string) error {
		_, err := o.Rename(t.Context(), o.ID, name, nonce)
		return err
	}
}

func say(t *testing.T, o *owner, nonce string) error {
	return Post(t, o, Draft("lobby", o.Person, "said", nonce))[0].Err
}

func thumb(t *testing.T, o *owner, nonce string) error {
	d := DraftOf(o.Person, chat.React, 2, "👍")
	d.Nonce = nonce
	return Post(t, o, d)[0].Err
}

// A retry changes nothing, and undoes nothing that the same person has done meanwhile.
func testWhatIsOnesOwnIsDoneOnceForANonce(t *testing.T, open OpenDatabase) {
	const save, follow = chat.Bookmark, chat.Subscription
	leave := set(chat.ListEntryChange{Listed: new(false)})
	tests := map[string]struct{ before, retry, other ownWrite }{
		"save":               {nil, keep(save, true), keep(save, false)},
		"save what is saved": {keep(save, true), keep(save, true), keep(save, false)},
		"unsave":             {keep(save, true), keep(save, false), keep(save, true)},
		"unsave what is not": {nil, keep(save, false), keep(save, true)},
		"follow":             {keep(follow, false), keep(follow, true), keep(follow, false)},
		"follow what is":     {keep(follow, true), keep(follow, true), keep(follow, false)},
		"unfollow":           {keep(follow, true), keep(follow, false), keep(follow, true)},
		"mute": {
			nil, set(chat.ListEntryChange{Muted: new(true)}), set(chat.ListEntryChange{Muted: new(false)}),
		},
		"a favourite that is": {
			set(chat.ListEntryChange{Favourite: new(true)}), set(chat.ListEntryChange{Favourite: new(true)}),
			set(chat.ListEntryChange{Favourite: new(false)}),
		},
		"set, then left":        {nil, set(chat.ListEntryChange{Muted: new(true)}), leave},
		"leave":                 {nil, leave, set(chat.ListEntryChange{Muted: new(false)})},
		"mark as unread":        {nil, read(1), read(2)},
		"read, then left":       {nil, read(1), leave},
		"a new name":            {nil, rename("Countess"), rename("Ada L.")},
		"a name that one has":   {nil, rename("Ada"), rename("Ada L.")},
		"a message, then left":  {nil, say, leave},
		"a reaction, then left": {nil, thumb, leave},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOwner(t, open(t))
			Do(t, o, Draft("lobby", o.Person, "A", ""), Draft("lobby", Grace, "B", ""),
				Draft("attic", o.Person, "C", ""))
			if tt.before != nil {
				Must(t, tt.before(t, o, ""))
			}
			Must(t, tt.retry(t, o, "n1"))
			Must(t, tt.other(t, o, "n2"))
			before := o.owned(t)
			for _, restart := range []bool{false, true} {
				if restart {
					o.restart()
				}
				Must(t, tt.retry(t, o, "n1"))
				if now := o.owned(t); now != before {
					t.Errorf("it was\n%s\nand is\n%s", before, now)
				}
			}
		})
	}
}

func testNonceOfOnesOwnIsNotReused(t *testing.T, open OpenDatabase) {
	writes := map[string]ownWrite{
		"save": keep(chat.Bookmark, true), "unsave": keep(chat.Bookmark, false),
		"follow": keep(chat.Subscription, true), "unfollow": keep(chat.Subscription, false),
		"set": set(chat.ListEntryChange{Muted: new(true)}), "read": read(1), "send": say, "react": thumb,
	}
	for first, do1 := range writes {
		t.Run(first, func(t *testing.T) {
			o := newOwner(t, open(t))
			Do(t, o, Draft("lobby", o.Person, "A", ""), Draft("lobby", Grace, "B", ""))
			Must(t, do1(t, o, "n1"))
			before := o.owned(t)
			for second, do2 := range writes {
				if err := do2(t, o, "n1"); second != first && chat.CodeOf(err) != chat.NonceUsed ||
					second == first && err != nil {
					t.Errorf("of %s: %v", second, err)
				}
			}
			if now := o.owned(t); now != before {
				t.Errorf("it was\n%s\nand is\n%s", before, now)
			}
			if first != "send" && first != "react" { // package room checks the nonces of drafts
				if err := do1(t, o, fmt.Sprintf("%065d", 1)); chat.CodeOf(err) != chat.BadNonce {
					t.Errorf("one that is too long: %v", err)
				}
			}
		})
	}
}

func testBookmarksAndSubscriptions(t *testing.T, open OpenDatabase) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "one", ""), Draft("lobby", Ada, "two", ""), Draft("lobby", Grace, "three", ""),
		DraftOf(Ada, chat.React, 3, "👍"), Draft("attic", Ada, "four", ""))
	for name, at := range map[string]chat.MessageRef{
		"a reaction": inLobby(4), "what is to come": inLobby(9), "nothing": inLobby(0), "less": inLobby(-1),
		"in no room": {Room: "garden", Seq: 1}, "beyond": inLobby(1 << 50),
	} {
		for _, as := range []chat.PersonalRefKind{chat.Bookmark, chat.Subscription} {
			if err := s.SetPersonal(t.Context(), Ada.ID, as, at, true, "n0"); chat.CodeOf(err) != chat.NotFound {
				t.Errorf("%s as %s: %v", name, as, err)
			}
			if err := s.SetPersonal(t.Context(), Ada.ID, as, at, false, "n0"); at.Room == "lobby" && err != nil {
				t.Errorf("%s, no longer as %s: %v", name, as, err)
			}
		}
	}
	err := s.SetPersonal(t.Context(), "nobody", chat.Bookmark, inLobby(1), true, "")
	if chat.CodeOf(err) != chat.NotFound {
		t.Errorf("for a person who is unknown: %v", err)
	}
	want := func(what string, as chat.PersonalRefKind, before time.Time, limit int, want ...chat.MessageRef) (
		refs []chat.PersonalRef,
	) {
		t.Helper()
		refs, err := s.PersonalRefs(t.Context(), Ada.ID, as, before, limit)
		Must(t, err)
		var got []chat.MessageRef
		for i, ref := range refs {
			if got = append(got, ref.MessageRef); i > 0 && ref.At.After(refs[i-1].At) {
				t.Errorf("%s: not the newest first: %+v", what, refs)
			}
		}
		byPlace := func(a, b chat.MessageRef) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
		slices.SortFunc(got, byPlace) // several may be of one millisecond
		slices.SortFunc(want, byPlace)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		return refs
	}
	attic := chat.MessageRef{Room: "attic", Seq: 1}
	for _, at := range []chat.MessageRef{inLobby(1), inLobby(3), attic} {
		Must(t, s.SetPersonal(t.Context(), Ada.ID, chat.Bookmark, at, true, ""))
	}
	Must(t, s.SetPersonal(t.Context(), Grace.ID, chat.Bookmark, inLobby(2), true, ""))
	all := want("bookmarks", chat.Bookmark, time.Time{}, 10, inLobby(1), inLobby(3), attic)
	want("older than the oldest", chat.Bookmark, all[2].At, 10)
	want("none", chat.Bookmark, time.Time{}, 0)
	if refs, err := s.PersonalRefs(t.Context(), Ada.ID, chat.Bookmark, time.Time{}, 2); err != nil || len(refs) != 2 {
		t.Errorf("two of them: %+v, %v", refs, err)
	}
	Must(t, s.SetPersonal(t.Context(), Ada.ID, chat.Bookmark, inLobby(1), false, ""))
	want("after one was removed", chat.Bookmark, time.Time{}, 10, inLobby(3), attic)

	Must(t, s.SetPersonal(t.Context(), Ada.ID, chat.Subscription, attic, true, ""))
	want("a thread without replies", chat.Subscription, time.Time{}, 10)
	if s.isSubscribed(t, Ada.ID, inLobby(2)) || !s.isSubscribed(t, Ada.ID, attic) ||
		s.isSubscribed(t, Grace.ID, attic) {
		t.Error("the wrong people are subscribed")
	}
	// Replies subscribe their author, and the thread's.
	reply := Post(t, s, DraftOf(Grace, chat.Reply, 2, "a reply"))[0]
	Must(t, reply.Err)
	if !s.isSubscribed(t, Ada.ID, inLobby(2)) || !s.isSubscribed(t, Grace.ID, inLobby(2)) {
		t.Error("a reply subscribes nobody")
	}
	refs := want("a thread with a reply", chat.Subscription, time.Time{}, 10, inLobby(2))
	if len(refs) != 1 || !refs[0].At.Equal(reply.Event.At) {
		t.Errorf("%+v, want that of %v", refs, reply.Event.At)
	}
	echo := Post(t, s, chat.Draft{Room: "lobby", From: Grace, Target: 2, Text: "shown in the room too"})[0]
	Must(t, echo.Err)
	if refs = want("its newest", chat.Subscription, time.Time{}, 10, inLobby(2)); !refs[0].At.Equal(echo.Event.At) {
		t.Errorf("%+v, want that of %v", refs, echo.Event.At)
	}
	want("older than it", chat.Subscription, echo.Event.At, 10)
	s.restart()
	want("after a restart", chat.Bookmark, time.Time{}, 10, inLobby(3), attic)
	want("after a restart", chat.Subscription, time.Time{}, 10, inLobby(2))
}

// A mention is counted for those whom the newest version of a message tells, until it is deleted.
func testMentionsAreKeptForWhomTheyTell(t *testing.T, open OpenDatabase) {
	s := open(t)
	people := []chat.Person{{ID: "Ben1", Name: "Ben"}, {ID: "Eve2", Name: "Eve"}, {ID: "Grace0", Name: "Grace"}, Ada}
	for _, p := range people {
		Do(t, s, Draft("lobby", p, "hi", "")) // 1 to 4
	}
	wantTold := func(seq chat.Seq, want ...string) {
		t.Helper()
		var got []string
		for _, p := range people {
			before, err := MarkRead(t, s, p.ID, inLobby(seq-1), true, "")
			Must(t, err)
			after, err := MarkRead(t, s, p.ID, inLobby(seq), true, "")
			Must(t, err)
			if before.Mentions != after.Mentions {
				got = append(got, p.Name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("message %d tells %q, want %q", seq, got, want)
		}
	}
	Do(t, s, Draft("lobby", Ada, "@Grace @Ada @Ben", "")) // 5
	wantTold(5, "Ben", "Grace")
	Do(t, s, DraftOf(Ada, chat.Edit, 5, "@Eve @Ben")) // 6
	wantTold(5, "Ben", "Eve")
	wantTold(6)
	Do(t, s, DraftOf(Ada, chat.Edit, 5, "nobody"), DraftOf(Ada, chat.Edit, 5, "@Eve")) // 7, 8
	wantTold(5, "Eve")
	if x := States(t, s, 5)[0].Attrs; x == nil || len(x.Mentions) != 1 || x.Mentions[0].Name != "Eve" {
		t.Errorf("%+v", x)
	}
	Do(t, s, DraftOf(Ada, chat.Delete, 5, "")) // 9
	wantTold(5)

	here := chat.Draft{
		Room: "lobby", From: Ada, Text: "@here @Eve",
		Attrs: &chat.Attrs{Here: true, Present: []chat.PersonID{"Grace0", Ada.ID, "nobody", "Eve2"}},
	}
	Do(t, s, here, here, here) // 10, 11, 12
	if here.Attrs.Mentions != nil {
		t.Error("the draft was changed")
	}
	wantTold(10, "Eve", "Grace")
	if x := States(t, s, 10)[0].Attrs; x == nil || !x.Here || len(x.Mentions) != 1 || x.Present != nil {
		t.Errorf("%+v", x)
	}
	Do(t, s, DraftOf(Ada, chat.Delete, 11, ""), DraftOf(Ada, chat.Edit, 12, "@Ben"))
	wantTold(11)
	wantTold(12, "Ben")
	if x := States(t, s, 12)[0].Attrs; x == nil || x.Here {
		t.Errorf("%+v", x)
	}
}

package sqlite

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

// An outcome is what somebody was answered and what is so then.
type outcome struct {
	seq  chat.Seq
	at   int64
	kind chat.Kind
	code chat.Code
}

func told(c chat.Commit) outcome {
	return outcome{c.Event.Seq, c.Event.At.UnixMilli(), c.Event.Kind, chat.CodeOf(c.Err)}
}

// For each operation: it is done, with what is so already; somebody changes it; and
// the first comes again. The answer is the first one, and nothing is undone, also
// after a restart.
func TestAnswerToARetryIsTheFirstAnswer(t *testing.T) {
	tests := map[string]struct {
		before []chat.Draft // from seq 4 on
		retry  chat.Draft
		noop   bool // the first try changes nothing
		other  []chat.Draft
	}{
		"an edit":                           {nil, deed(ada, chat.Edit, 1, "B"), false, []chat.Draft{deed(ada, chat.Edit, 1, "C")}},
		"an edit to the first text":         {nil, deed(ada, chat.Edit, 1, "A"), true, []chat.Draft{deed(ada, chat.Edit, 1, "C")}},
		"an edit to an edit's text":         {[]chat.Draft{deed(ada, chat.Edit, 1, "B")}, deed(ada, chat.Edit, 1, "B"), true, []chat.Draft{deed(ada, chat.Edit, 1, "C")}},
		"an edit, then deleted":             {nil, deed(ada, chat.Edit, 1, "A"), true, []chat.Draft{deed(ada, chat.Delete, 1, "")}},
		"a deletion":                        {nil, deed(ada, chat.Delete, 1, ""), false, nil},
		"a deletion of what is deleted":     {[]chat.Draft{deed(ada, chat.Delete, 1, "")}, deed(ada, chat.Delete, 1, ""), true, []chat.Draft{draft("lobby", ada, "more", "")}},
		"a reaction":                        {nil, deed(ada, chat.React, 2, "👍"), false, []chat.Draft{deed(ada, chat.Unreact, 2, "👍")}},
		"a reaction that is there":          {[]chat.Draft{deed(ada, chat.React, 2, "👍")}, deed(ada, chat.React, 2, "👍"), true, []chat.Draft{deed(ada, chat.Unreact, 2, "👍")}},
		"a reaction taken back":             {[]chat.Draft{deed(ada, chat.React, 2, "👍")}, deed(ada, chat.Unreact, 2, "👍"), false, []chat.Draft{deed(ada, chat.React, 2, "👍")}},
		"a reaction that is not there":      {nil, deed(ada, chat.Unreact, 2, "👍"), true, []chat.Draft{deed(ada, chat.React, 2, "👍")}},
		"a pin":                             {nil, deed(ada, chat.Pin, 2, ""), false, []chat.Draft{deed(grace, chat.Unpin, 2, "")}},
		"a pin that is there":               {[]chat.Draft{deed(grace, chat.Pin, 2, "")}, deed(ada, chat.Pin, 2, ""), true, []chat.Draft{deed(grace, chat.Unpin, 2, "")}},
		"an unpin":                          {[]chat.Draft{deed(grace, chat.Pin, 2, "")}, deed(ada, chat.Unpin, 2, ""), false, []chat.Draft{deed(grace, chat.Pin, 2, "")}},
		"an unpin of what is not":           {nil, deed(ada, chat.Unpin, 2, ""), true, []chat.Draft{deed(grace, chat.Pin, 2, "")}},
		"a topic":                           {nil, deed(ada, chat.Topic, 0, "ships"), false, []chat.Draft{deed(grace, chat.Topic, 0, "sails")}},
		"a topic that is so":                {[]chat.Draft{deed(grace, chat.Topic, 0, "ships")}, deed(ada, chat.Topic, 0, "ships"), true, []chat.Draft{deed(grace, chat.Topic, 0, "sails")}},
		"no topic where there is none":      {nil, deed(ada, chat.Topic, 0, ""), true, []chat.Draft{deed(grace, chat.Topic, 0, "sails")}},
		"a message":                         {nil, draft("lobby", ada, "said", ""), false, []chat.Draft{draft("lobby", ada, "more", "")}},
		"a message, then deleted":           {nil, draft("lobby", ada, "said", ""), false, []chat.Draft{deed(ada, chat.Delete, 4, "")}},
		"a reply":                           {nil, deed(ada, chat.Reply, 2, "said"), false, []chat.Draft{draft("lobby", ada, "more", "")}},
		"a reply to a reply in its thread":  {nil, deed(ada, chat.Reply, 3, "said"), false, []chat.Draft{draft("lobby", ada, "more", "")}},
		"an echo":                           {nil, deed(ada, chat.Message, 2, "said"), false, []chat.Draft{draft("lobby", ada, "more", "")}},
		"an answer":                         {nil, answering(ada, 2, "said"), false, []chat.Draft{deed(grace, chat.Delete, 2, "")}},
		"a copy whose source is gone since": {nil, copying(ada, "lobby", chat.MessageRef{Room: "lobby", Seq: 2}, "Grace's"), false, []chat.Draft{deed(grace, chat.Delete, 2, "")}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, stop := start(t, t.TempDir())
			do(t, s, draft("lobby", ada, "A", ""), draft("lobby", grace, "Grace's", ""), deed(grace, chat.Reply, 2, "in a thread"))
			do(t, s, tt.before...)
			tt.retry.Nonce = "n1"
			first := post(t, s, tt.retry)[0]
			if first.Err != nil || first.Repeated != tt.noop {
				t.Fatalf("first %+v", first)
			}
			do(t, s, tt.other...)
			head, _, err := s.Head(t.Context(), "lobby")
			must(t, err)
			before := pageOf(t, s, chat.PageQuery{Limit: 50})
			for _, restart := range []bool{false, true} {
				if restart {
					stop()
					s, stop = start(t, s.dir)
				}
				again := post(t, s, tt.retry, draft("attic", ada, "beside it", ""))[0]
				if !again.Repeated || told(again) != told(first) || again.Event.Target != first.Event.Target && first.Event.Kind != chat.Reply {
					t.Errorf("again %+v, at first %+v", again, first)
				}
				wantHead(t, s, "lobby", head)
				if diff := cmp.Diff(before, pageOf(t, s, chat.PageQuery{Limit: 50})); diff != "" {
					t.Errorf("the room (-before +now):\n%s", diff)
				}
			}
		})
	}
}

// A nonce belongs to one thing that somebody did in a room. With another kind,
// another message or another emoji it is refused, and nothing is done.
func TestNonceOfSomethingElseIsRefused(t *testing.T) {
	all := map[string]chat.Draft{
		"a message":          draft("lobby", ada, "said", ""),
		"a reply":            deed(ada, chat.Reply, 2, "said"),
		"an echo":            deed(ada, chat.Message, 2, "said"),
		"a reply elsewhere":  deed(ada, chat.Reply, 1, "said"),
		"an edit":            deed(ada, chat.Edit, 1, "B"),
		"an edit of another": deed(ada, chat.Edit, 4, "B"),
		"a deletion":         deed(ada, chat.Delete, 1, ""),
		"a reaction":         deed(ada, chat.React, 2, "👍"),
		"another reaction":   deed(ada, chat.React, 2, "🎉"),
		"a reaction back":    deed(ada, chat.Unreact, 2, "👍"),
		"a pin":              deed(ada, chat.Pin, 2, ""),
		"an unpin":           deed(ada, chat.Unpin, 2, ""),
		"a topic":            deed(ada, chat.Topic, 0, "ships"),
		"no topic":           deed(ada, chat.Topic, 0, ""),
		"an edit to itself":  deed(ada, chat.Edit, 1, "A"),
	}
	same := map[string]string{"a topic": "no topic", "no topic": "a topic", "an edit": "an edit to itself", "an edit to itself": "an edit"} // but for the text
	for first, one := range all {
		t.Run(first, func(t *testing.T) {
			s, _ := start(t, t.TempDir())
			do(t, s, draft("lobby", ada, "A", ""), draft("lobby", grace, "Grace's", ""), deed(grace, chat.Reply, 2, "in a thread"), draft("lobby", ada, "another", ""))
			one.Nonce = "n1"
			do(t, s, one)
			head, _, err := s.Head(t.Context(), "lobby")
			must(t, err)
			for second, other := range all {
				other.Nonce = "n1"
				c := post(t, s, other)[0]
				if repeat := second == first || same[second] == first; repeat != c.Repeated || !repeat && chat.CodeOf(c.Err) != chat.NonceUsed {
					t.Errorf("%s with the nonce of %s: %+v", second, first, c)
				}
			}
			wantHead(t, s, "lobby", head)
			for name, other := range map[string]chat.Draft{"another person's": draft("lobby", grace, "hi", "n1"), "in another room": draft("attic", ada, "hi", "n1")} {
				if c := post(t, s, other)[0]; c.Err != nil || c.Repeated {
					t.Errorf("%s: %+v", name, c)
				}
			}
		})
	}
}

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
			s.MarkRead(ada.ID, chat.MessageRef{Room: "lobby", Seq: seq}, true, nonce, func(_ chat.ListEntry, err error) { done <- err })
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
		"save":                  {nil, keep(chat.Bookmark, true), keep(chat.Bookmark, false)},
		"save what is saved":    {keep(chat.Bookmark, true), keep(chat.Bookmark, true), keep(chat.Bookmark, false)},
		"unsave":                {keep(chat.Bookmark, true), keep(chat.Bookmark, false), keep(chat.Bookmark, true)},
		"unsave what is not":    {nil, keep(chat.Bookmark, false), keep(chat.Bookmark, true)},
		"follow":                {keep(chat.Subscription, false), keep(chat.Subscription, true), keep(chat.Subscription, false)},
		"follow what is":        {keep(chat.Subscription, true), keep(chat.Subscription, true), keep(chat.Subscription, false)},
		"unfollow":              {keep(chat.Subscription, true), keep(chat.Subscription, false), keep(chat.Subscription, true)},
		"mute":                  {nil, set(chat.ListEntryChange{Muted: new(true)}), set(chat.ListEntryChange{Muted: new(false)})},
		"a favourite that is":   {set(chat.ListEntryChange{Favourite: new(true)}), set(chat.ListEntryChange{Favourite: new(true)}), set(chat.ListEntryChange{Favourite: new(false)})},
		"set, then left":        {nil, set(chat.ListEntryChange{Muted: new(true)}), set(chat.ListEntryChange{Listed: new(false)})},
		"leave":                 {nil, set(chat.ListEntryChange{Listed: new(false)}), set(chat.ListEntryChange{Muted: new(false)})},
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
		"save": keep(chat.Bookmark, true), "unsave": keep(chat.Bookmark, false), "follow": keep(chat.Subscription, true), "unfollow": keep(chat.Subscription, false),
		"set": set(chat.ListEntryChange{Muted: new(true)}), "read": read(1), "send": say("lobby"), "react": thumb,
	}
	for first, do1 := range ops {
		t.Run("the nonce of "+first, func(t *testing.T) {
			s, _ := start(t, t.TempDir())
			do(t, s, draft("lobby", ada, "A", ""), draft("lobby", grace, "B", ""))
			must(t, do1(t, s, "n1"))
			before := owned(t, s)
			for second, do2 := range ops {
				if err := do2(t, s, "n1"); second != first && chat.CodeOf(err) != chat.NonceUsed || second == first && err != nil {
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
			(SELECT sum(1 + 2 * muted + 4 * favourite) FROM member WHERE person = p.id), (SELECT sum(read) FROM member WHERE person = p.id)
		FROM person p WHERE public = 'ada'`).Scan(&name, &kept, &followed, &members, &reads))
	return fmt.Sprint(name, " saved ", kept, " follows ", followed, " in ", members, " read ", reads)
}

// Whoever has once done what changed nothing sends as before.
func TestNonceOfWhatChangedNothingIsNoNewMessage(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s, draft("lobby", ada, "A", ""))
	noop := deed(ada, chat.Edit, 1, "A")
	noop.Nonce = "n1"
	got := post(t, s, noop, draft("lobby", ada, "hi", "n1"), draft("lobby", ada, "there", "n2"), draft("lobby", ada, "there", "n2"))
	if got[0].Event.Seq != 1 || chat.CodeOf(got[1].Err) != chat.NonceUsed || got[2].Event.Seq != 2 || !got[3].Repeated || got[3].Event.Seq != 2 {
		t.Errorf("%+v", got)
	}
}

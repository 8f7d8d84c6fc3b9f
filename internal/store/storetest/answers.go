package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

// An outcome is the answer to a draft, and the state of its message afterwards.
type outcome struct {
	seq  chat.Seq
	at   int64
	kind chat.Kind
	code chat.Code
}

func told(c chat.Commit) outcome {
	return outcome{c.Event.Seq, c.Event.At.UnixMilli(), c.Event.Kind, chat.CodeOf(c.Err)}
}

// For each operation: it is carried out, perhaps without changing anything; somebody else
// changes the same; then it is retried. The retry gets the first answer and undoes
// nothing, also after a restart.
func testAnswerToARetryIsTheFirstAnswer(t *testing.T, open Open) {
	tests := map[string]struct {
		before []chat.Draft // from seq 4 on
		retry  chat.Draft
		noop   bool // the first try changes nothing
		other  []chat.Draft
	}{
		"an edit": {
			nil, Deed(Ada, chat.Edit, 1, "B"), false, []chat.Draft{Deed(Ada, chat.Edit, 1, "C")},
		},
		"an edit to the first text": {
			nil, Deed(Ada, chat.Edit, 1, "A"), true, []chat.Draft{Deed(Ada, chat.Edit, 1, "C")},
		},
		"an edit to an edit's text": {
			[]chat.Draft{Deed(Ada, chat.Edit, 1, "B")},
			Deed(Ada, chat.Edit, 1, "B"), true,
			[]chat.Draft{Deed(Ada, chat.Edit, 1, "C")},
		},
		"an edit, then deleted": {
			nil, Deed(Ada, chat.Edit, 1, "A"), true, []chat.Draft{Deed(Ada, chat.Delete, 1, "")},
		},
		"a deletion": {nil, Deed(Ada, chat.Delete, 1, ""), false, nil},
		"a deletion of what is deleted": {
			[]chat.Draft{Deed(Ada, chat.Delete, 1, "")},
			Deed(Ada, chat.Delete, 1, ""), true,
			[]chat.Draft{Draft("lobby", Ada, "more", "")},
		},
		"a reaction": {
			nil, Deed(Ada, chat.React, 2, "👍"), false, []chat.Draft{Deed(Ada, chat.Unreact, 2, "👍")},
		},
		"a reaction that is there": {
			[]chat.Draft{Deed(Ada, chat.React, 2, "👍")},
			Deed(Ada, chat.React, 2, "👍"), true,
			[]chat.Draft{Deed(Ada, chat.Unreact, 2, "👍")},
		},
		"a reaction taken back": {
			[]chat.Draft{Deed(Ada, chat.React, 2, "👍")},
			Deed(Ada, chat.Unreact, 2, "👍"), false,
			[]chat.Draft{Deed(Ada, chat.React, 2, "👍")},
		},
		"a reaction that is not there": {
			nil, Deed(Ada, chat.Unreact, 2, "👍"), true, []chat.Draft{Deed(Ada, chat.React, 2, "👍")},
		},
		"a pin": {
			nil, Deed(Ada, chat.Pin, 2, ""), false, []chat.Draft{Deed(Grace, chat.Unpin, 2, "")},
		},
		"a pin that is there": {
			[]chat.Draft{Deed(Grace, chat.Pin, 2, "")},
			Deed(Ada, chat.Pin, 2, ""), true,
			[]chat.Draft{Deed(Grace, chat.Unpin, 2, "")},
		},
		"an unpin": {
			[]chat.Draft{Deed(Grace, chat.Pin, 2, "")},
			Deed(Ada, chat.Unpin, 2, ""), false,
			[]chat.Draft{Deed(Grace, chat.Pin, 2, "")},
		},
		"an unpin of what is not": {
			nil, Deed(Ada, chat.Unpin, 2, ""), true, []chat.Draft{Deed(Grace, chat.Pin, 2, "")},
		},
		"a topic": {
			nil, Deed(Ada, chat.Topic, 0, "ships"), false, []chat.Draft{Deed(Grace, chat.Topic, 0, "sails")},
		},
		"a topic that is so": {
			[]chat.Draft{Deed(Grace, chat.Topic, 0, "ships")},
			Deed(Ada, chat.Topic, 0, "ships"), true,
			[]chat.Draft{Deed(Grace, chat.Topic, 0, "sails")},
		},
		"no topic where there is none": {
			nil, Deed(Ada, chat.Topic, 0, ""), true, []chat.Draft{Deed(Grace, chat.Topic, 0, "sails")},
		},
		"a message": {
			nil, Draft("lobby", Ada, "said", ""), false, []chat.Draft{Draft("lobby", Ada, "more", "")},
		},
		"a message, then deleted": {
			nil, Draft("lobby", Ada, "said", ""), false, []chat.Draft{Deed(Ada, chat.Delete, 4, "")},
		},
		"a reply": {
			nil, Deed(Ada, chat.Reply, 2, "said"), false, []chat.Draft{Draft("lobby", Ada, "more", "")},
		},
		"a reply to a reply in its thread": {
			nil, Deed(Ada, chat.Reply, 3, "said"), false, []chat.Draft{Draft("lobby", Ada, "more", "")},
		},
		"an echo": {
			nil, Deed(Ada, chat.Message, 2, "said"), false, []chat.Draft{Draft("lobby", Ada, "more", "")},
		},
		"an answer": {
			nil, Answering(Ada, 2, "said"), false, []chat.Draft{Deed(Grace, chat.Delete, 2, "")},
		},
		"a copy whose source is gone since": {
			nil, Copying(Ada, "lobby", chat.MessageRef{Room: "lobby", Seq: 2}, "Grace's"), false,
			[]chat.Draft{Deed(Grace, chat.Delete, 2, "")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			Do(t, s, Draft("lobby", Ada, "A", ""), Draft("lobby", Grace, "Grace's", ""),
				Deed(Grace, chat.Reply, 2, "in a thread"))
			Do(t, s, tt.before...)
			tt.retry.Nonce = "n1"
			first := Post(t, s, tt.retry)[0]
			if first.Err != nil || first.Repeated != tt.noop {
				t.Fatalf("first %+v", first)
			}
			Do(t, s, tt.other...)
			head, _, err := s.Head(t.Context(), "lobby")
			Must(t, err)
			before := PageOf(t, s, chat.PageQuery{Limit: 50})
			for _, restart := range []bool{false, true} {
				if restart {
					s.restart()
				}
				again := Post(t, s, tt.retry, Draft("attic", Ada, "beside it", ""))[0]
				if !again.Repeated || told(again) != told(first) ||
					again.Event.Target != first.Event.Target && first.Event.Kind != chat.Reply {
					t.Errorf("again %+v, at first %+v", again, first)
				}
				WantHead(t, s, "lobby", head)
				if diff := cmp.Diff(before, PageOf(t, s, chat.PageQuery{Limit: 50})); diff != "" {
					t.Errorf("the room (-before +now):\n%s", diff)
				}
			}
		})
	}
}

// A nonce belongs to one thing that somebody did in a room. With another kind,
// another message or another emoji it is refused, and nothing is done.
func testNonceOfSomethingElseIsRefused(t *testing.T, open Open) {
	all := map[string]chat.Draft{
		"a message":          Draft("lobby", Ada, "said", ""),
		"a reply":            Deed(Ada, chat.Reply, 2, "said"),
		"an echo":            Deed(Ada, chat.Message, 2, "said"),
		"a reply elsewhere":  Deed(Ada, chat.Reply, 1, "said"),
		"an edit":            Deed(Ada, chat.Edit, 1, "B"),
		"an edit of another": Deed(Ada, chat.Edit, 4, "B"),
		"a deletion":         Deed(Ada, chat.Delete, 1, ""),
		"a reaction":         Deed(Ada, chat.React, 2, "👍"),
		"another reaction":   Deed(Ada, chat.React, 2, "🎉"),
		"a reaction back":    Deed(Ada, chat.Unreact, 2, "👍"),
		"a pin":              Deed(Ada, chat.Pin, 2, ""),
		"an unpin":           Deed(Ada, chat.Unpin, 2, ""),
		"a topic":            Deed(Ada, chat.Topic, 0, "ships"),
		"no topic":           Deed(Ada, chat.Topic, 0, ""),
		"an edit to itself":  Deed(Ada, chat.Edit, 1, "A"),
	}
	// but for the text
	same := map[string]string{
		"a topic": "no topic", "no topic": "a topic", "an edit": "an edit to itself", "an edit to itself": "an edit",
	}
	for first, one := range all {
		t.Run(first, func(t *testing.T) {
			s := open(t)
			Do(t, s, Draft("lobby", Ada, "A", ""), Draft("lobby", Grace, "Grace's", ""),
				Deed(Grace, chat.Reply, 2, "in a thread"), Draft("lobby", Ada, "another", ""))
			one.Nonce = "n1"
			Do(t, s, one)
			head, _, err := s.Head(t.Context(), "lobby")
			Must(t, err)
			for second, other := range all {
				other.Nonce = "n1"
				c := Post(t, s, other)[0]
				if repeat := second == first || same[second] == first; repeat != c.Repeated ||
					!repeat && chat.CodeOf(c.Err) != chat.NonceUsed {
					t.Errorf("%s with the nonce of %s: %+v", second, first, c)
				}
			}
			WantHead(t, s, "lobby", head)
			for name, other := range map[string]chat.Draft{
				"another person's": Draft("lobby", Grace, "hi", "n1"),
				"in another room":  Draft("attic", Ada, "hi", "n1"),
			} {
				if c := Post(t, s, other)[0]; c.Err != nil || c.Repeated {
					t.Errorf("%s: %+v", name, c)
				}
			}
		})
	}
}

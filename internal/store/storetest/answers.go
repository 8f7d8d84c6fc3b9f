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
			nil, DraftOf(Ada, chat.Edit, 1, "B"), false, []chat.Draft{DraftOf(Ada, chat.Edit, 1, "C")},
		},
		"an edit to the first text": {
			nil, DraftOf(Ada, chat.Edit, 1, "A"), true, []chat.Draft{DraftOf(Ada, chat.Edit, 1, "C")},
		},
		"an edit to an edit's text": {
			[]chat.Draft{DraftOf(Ada, chat.Edit, 1, "B")},
			DraftOf(Ada, chat.Edit, 1, "B"), true,
			[]chat.Draft{DraftOf(Ada, chat.Edit, 1, "C")},
		},
		"an edit, then deleted": {
			nil, DraftOf(Ada, chat.Edit, 1, "A"), true, []chat.Draft{DraftOf(Ada, chat.Delete, 1, "")},
		},
		"a deletion": {nil, DraftOf(Ada, chat.Delete, 1, ""), false, nil},
		"a deletion of what is deleted": {
			[]chat.Draft{DraftOf(Ada, chat.Delete, 1, "")},
			DraftOf(Ada, chat.Delete, 1, ""), true,
			[]chat.Draft{Draft("lobby", Ada, "more", "")},
		},
		"a reaction": {
			nil, DraftOf(Ada, chat.React, 2, "👍"), false, []chat.Draft{DraftOf(Ada, chat.Unreact, 2, "👍")},
		},
		"a reaction that is there": {
			[]chat.Draft{DraftOf(Ada, chat.React, 2, "👍")},
			DraftOf(Ada, chat.React, 2, "👍"), true,
			[]chat.Draft{DraftOf(Ada, chat.Unreact, 2, "👍")},
		},
		"a reaction taken back": {
			[]chat.Draft{DraftOf(Ada, chat.React, 2, "👍")},
			DraftOf(Ada, chat.Unreact, 2, "👍"), false,
			[]chat.Draft{DraftOf(Ada, chat.React, 2, "👍")},
		},
		"a reaction that is not there": {
			nil, DraftOf(Ada, chat.Unreact, 2, "👍"), true, []chat.Draft{DraftOf(Ada, chat.React, 2, "👍")},
		},
		"a pin": {
			nil, DraftOf(Ada, chat.Pin, 2, ""), false, []chat.Draft{DraftOf(Grace, chat.Unpin, 2, "")},
		},
		"a pin that is there": {
			[]chat.Draft{DraftOf(Grace, chat.Pin, 2, "")},
			DraftOf(Ada, chat.Pin, 2, ""), true,
			[]chat.Draft{DraftOf(Grace, chat.Unpin, 2, "")},
		},
		"an unpin": {
			[]chat.Draft{DraftOf(Grace, chat.Pin, 2, "")},
			DraftOf(Ada, chat.Unpin, 2, ""), false,
			[]chat.Draft{DraftOf(Grace, chat.Pin, 2, "")},
		},
		"an unpin of what is not": {
			nil, DraftOf(Ada, chat.Unpin, 2, ""), true, []chat.Draft{DraftOf(Grace, chat.Pin, 2, "")},
		},
		"a topic": {
			nil, DraftOf(Ada, chat.Topic, 0, "ships"), false, []chat.Draft{DraftOf(Grace, chat.Topic, 0, "sails")},
		},
		"a topic that is so": {
			[]chat.Draft{DraftOf(Grace, chat.Topic, 0, "ships")},
			DraftOf(Ada, chat.Topic, 0, "ships"), true,
			[]chat.Draft{DraftOf(Grace, chat.Topic, 0, "sails")},
		},
		"no topic where there is none": {
			nil, DraftOf(Ada, chat.Topic, 0, ""), true, []chat.Draft{DraftOf(Grace, chat.Topic, 0, "sails")},
		},
		"a message": {
			nil, Draft("lobby", Ada, "said", ""), false, []chat.Draft{Draft("lobby", Ada, "more", "")},
		},
		"a message, then deleted": {
			nil, Draft("lobby", Ada, "said", ""), false, []chat.Draft{DraftOf(Ada, chat.Delete, 4, "")},
		},
		"a reply": {
			nil, DraftOf(Ada, chat.Reply, 2, "said"), false, []chat.Draft{Draft("lobby", Ada, "more", "")},
		},
		"a reply to a reply in its thread": {
			nil, DraftOf(Ada, chat.Reply, 3, "said"), false, []chat.Draft{Draft("lobby", Ada, "more", "")},
		},
		"an echo": {
			nil, DraftOf(Ada, chat.Message, 2, "said"), false, []chat.Draft{Draft("lobby", Ada, "more", "")},
		},
		"an answer": {
			nil, Answering(Ada, 2, "said"), false, []chat.Draft{DraftOf(Grace, chat.Delete, 2, "")},
		},
		"a copy whose source is gone since": {
			nil, Copying(Ada, "lobby", chat.MessageRef{Room: "lobby", Seq: 2}, "Grace's"), false,
			[]chat.Draft{DraftOf(Grace, chat.Delete, 2, "")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			Do(t, s, Draft("lobby", Ada, "A", ""), Draft("lobby", Grace, "Grace's", ""),
				DraftOf(Grace, chat.Reply, 2, "in a thread"))
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
		"a reply":            DraftOf(Ada, chat.Reply, 2, "said"),
		"an echo":            DraftOf(Ada, chat.Message, 2, "said"),
		"a reply elsewhere":  DraftOf(Ada, chat.Reply, 1, "said"),
		"an edit":            DraftOf(Ada, chat.Edit, 1, "B"),
		"an edit of another": DraftOf(Ada, chat.Edit, 4, "B"),
		"a deletion":         DraftOf(Ada, chat.Delete, 1, ""),
		"a reaction":         DraftOf(Ada, chat.React, 2, "👍"),
		"another reaction":   DraftOf(Ada, chat.React, 2, "🎉"),
		"a reaction back":    DraftOf(Ada, chat.Unreact, 2, "👍"),
		"a pin":              DraftOf(Ada, chat.Pin, 2, ""),
		"an unpin":           DraftOf(Ada, chat.Unpin, 2, ""),
		"a topic":            DraftOf(Ada, chat.Topic, 0, "ships"),
		"no topic":           DraftOf(Ada, chat.Topic, 0, ""),
		"an edit to itself":  DraftOf(Ada, chat.Edit, 1, "A"),
	}
	// but for the text
	same := map[string]string{
		"a topic": "no topic", "no topic": "a topic", "an edit": "an edit to itself", "an edit to itself": "an edit",
	}
	for first, one := range all {
		t.Run(first, func(t *testing.T) {
			s := open(t)
			Do(t, s, Draft("lobby", Ada, "A", ""), Draft("lobby", Grace, "Grace's", ""),
				DraftOf(Grace, chat.Reply, 2, "in a thread"), Draft("lobby", Ada, "another", ""))
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

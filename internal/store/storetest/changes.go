package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

// A draft that is not allowed is refused and stores nothing. Other drafts of the same
// transaction are stored.
func testWhatMayNotBeIsRefused(t *testing.T, open Open) {
	s := open(t)
	Do(t, s,
		Draft("lobby", Ada, "Ada's", ""),        // 1
		Draft("lobby", Ada, "gone", ""),         // 2
		DraftOf(Ada, chat.Delete, 2, ""),        // 3
		DraftOf(Ada, chat.Edit, 1, "Ada's own"), // 4
		DraftOf(Ada, chat.Topic, 0, "ships"),    // 5
		// 6
		chat.Draft{
			Room: "lobby", From: Ada, Text: "Grace's, once", Attrs: &chat.Attrs{Forward: &chat.Forward{From: Grace}},
		},
	)
	Post(t, s, Draft("attic", Ada, "elsewhere", ""))
	tests := map[string]struct {
		draft chat.Draft
		want  chat.Code
	}{
		"another's message edited":      {DraftOf(Grace, chat.Edit, 1, "mine"), chat.NotYours},
		"another's message deleted":     {DraftOf(Grace, chat.Delete, 1, ""), chat.NotYours},
		"an edit of a forward":          {DraftOf(Ada, chat.Edit, 6, "Grace's, twice"), chat.NotYours},
		"an edit of what is gone":       {DraftOf(Ada, chat.Edit, 2, "back"), chat.Gone},
		"a reaction to what is gone":    {DraftOf(Ada, chat.React, 2, "👍"), chat.Gone},
		"a reaction taken from it":      {DraftOf(Ada, chat.Unreact, 2, "👍"), chat.Gone},
		"a pin of what is gone":         {DraftOf(Ada, chat.Pin, 2, ""), chat.Gone},
		"an edit of an edit":            {DraftOf(Ada, chat.Edit, 4, "x"), chat.NotFound},
		"a deletion deleted":            {DraftOf(Ada, chat.Delete, 3, ""), chat.NotFound},
		"a reaction to a topic":         {DraftOf(Ada, chat.React, 5, "👍"), chat.NotFound},
		"a pin of an edit":              {DraftOf(Ada, chat.Pin, 4, ""), chat.NotFound},
		"an unpin of an edit":           {DraftOf(Ada, chat.Unpin, 4, ""), chat.NotFound},
		"an answer to an edit":          {Answering(Ada, 4, "x"), chat.NotFound},
		"an answer to what is to come":  {Answering(Ada, 99, "x"), chat.NotFound},
		"a thread of an edit":           {DraftOf(Ada, chat.Reply, 4, "x"), chat.NotFound},
		"an edit of what is to come":    {DraftOf(Ada, chat.Edit, 99, "x"), chat.NotFound},
		"an edit before the first":      {DraftOf(Ada, chat.Edit, -1, "x"), chat.NotFound},
		"an edit in another room":       {DraftOf(Ada, chat.Edit, 2<<36|1, "x"), chat.NotFound},
		"an edit far beyond everything": {DraftOf(Ada, chat.Edit, 1<<62, "x"), chat.NotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			head, _, err := s.Head(t.Context(), "lobby")
			Must(t, err)
			got := Post(t, s, Draft("lobby", Grace, "before", ""), tt.draft, Draft("lobby", Grace, "after", ""))
			if code := chat.CodeOf(got[1].Err); code != tt.want || got[1].Event != (chat.Event{}) {
				t.Errorf("%+v, want %s", got[1], tt.want)
			}
			if got[0].Event.Seq != head+1 || got[2].Event.Seq != head+2 {
				t.Errorf("beside it: seqs %d, %d after %d", got[0].Event.Seq, got[2].Event.Seq, head)
			}
			WantHead(t, s, "lobby", head+2)
		})
	}
	if got := States(t, s, 1)[0]; got.Text != "Ada's own" || got.Reactions != nil || got.Pinned {
		t.Errorf("%+v", got)
	}
}

func testTheNewestEditCounts(t *testing.T, open Open) {
	s := open(t)
	Do(t, s,
		Draft("lobby", Ada, "one", ""),
		DraftOf(Grace, chat.Reply, 1, "a reply"),
		DraftOf(Ada, chat.Edit, 1, "two"),
		DraftOf(Grace, chat.Edit, 2, "a better reply"),
		DraftOf(Ada, chat.Edit, 1, "three"),
		DraftOf(Ada, chat.Edit, 1, "one"))
	check := func() {
		t.Helper()
		m := States(t, s, 1, 2)
		if m[0].Text != "one" || m[0].Edited != 6 || m[0].EditedAt.IsZero() || m[1].Text != "a better reply" ||
			m[1].Edited != 4 {
			t.Errorf("%+v", m)
		}
		if diff := cmp.Diff([]string{"1 one", "3 two", "5 three", "6 one"}, VersionsOf(t, s, 1)); diff != "" {
			t.Errorf("versions (-want +got):\n%s", diff)
		}
		var log []string
		for _, e := range Events(t, s.After, "lobby", 0, 10) {
			log = append(log, fmt.Sprint(e.Seq, " ", e.Kind, " ", e.Target, " ", e.Text))
		}
		want := []string{
			"1 message 0 one", "2 reply 1 a reply", "3 edit 1 two", "4 edit 2 a better reply", "5 edit 1 three",
			"6 edit 1 one",
		}
		if diff := cmp.Diff(want, log); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	}
	check()
	s.restart()
	check()
	for seq, what := range map[chat.Seq]string{
		3: "an edit", 7: "nothing", 0: "zero", -1: "less", 1 << 40: "more than a room holds",
	} {
		if events, err := s.Versions(t.Context(), "lobby", seq); chat.CodeOf(err) != chat.NotFound {
			t.Errorf("versions of %s: %v, %v", what, events, err)
		}
	}
}

// The number of versions is limited, because one deletion deletes and one request shows all of them.
func testMessageIsEditedOnlySoOften(t *testing.T, open Open) {
	s := open(t)
	ds := []chat.Draft{Draft("lobby", Ada, "0", "")}
	for n := range chat.MaxEdits {
		ds = append(ds, DraftOf(Ada, chat.Edit, 1, fmt.Sprint(n+1)))
	}
	for _, c := range Post(t, s, ds...) {
		Must(t, c.Err)
	}
	if c := Post(t, s, DraftOf(Ada, chat.Edit, 1, "once more"))[0]; chat.CodeOf(c.Err) != chat.TooMany {
		t.Errorf("%+v", c)
	}
	if got := VersionsOf(t, s, 1); len(got) != chat.MaxEdits+1 {
		t.Errorf("%d versions", len(got))
	}
	Do(t, s, DraftOf(Ada, chat.Delete, 1, ""))
	if m := States(t, s, 1)[0]; !m.IsDeleted() || len(VersionsOf(t, s, 1)) != 0 {
		t.Errorf("%+v", m)
	}
}

// A change that changes nothing makes no event. The answer names the event that made it.
func testWhatIsSoAlreadyChangesNothing(t *testing.T, open Open) {
	s := open(t)
	Do(t, s,
		Draft("lobby", Ada, "one", ""),        // 1
		DraftOf(Ada, chat.Edit, 1, "two"),     // 2
		DraftOf(Grace, chat.React, 1, "👍"),    // 3
		DraftOf(Grace, chat.Pin, 1, ""),       // 4
		DraftOf(Ada, chat.Topic, 0, "ships"),  // 5
		Draft("lobby", Ada, "to be gone", ""), // 6
		DraftOf(Ada, chat.Delete, 6, ""))      // 7
	for name, tt := range map[string]struct {
		draft chat.Draft
		want  chat.Seq
	}{
		"the same text":            {DraftOf(Ada, chat.Edit, 1, "two"), 2},
		"the same reaction":        {DraftOf(Grace, chat.React, 1, "👍"), 3},
		"a reaction never put":     {DraftOf(Ada, chat.Unreact, 1, "👍"), 7},
		"a pin":                    {DraftOf(Ada, chat.Pin, 1, ""), 4},
		"a pin that is not there":  {DraftOf(Ada, chat.Unpin, 6, ""), 7},
		"the same topic":           {DraftOf(Grace, chat.Topic, 0, "ships"), 5 + 2},
		"a deletion":               {DraftOf(Ada, chat.Delete, 6, ""), 7},
		"the text of the original": {DraftOf(Ada, chat.Edit, 1, "two"), 2},
	} {
		c := Post(t, s, tt.draft)[0]
		if c.Err != nil || !c.Repeated || c.Event.Seq != tt.want || c.Event.Kind != tt.draft.Kind ||
			c.Event.Target != tt.draft.Target {
			t.Errorf("%s: %+v, want a repeat of %d", name, c, tt.want)
		}
	}
	WantHead(t, s, "lobby", 7)
}

func testRepeatedNonceOfAChangeGetsItsAnswer(t *testing.T, open Open) {
	s := open(t)
	with := func(nonce string, d chat.Draft) chat.Draft { d.Nonce = nonce; return d }
	Post(t, s, with("n1", Draft("lobby", Ada, "one", "")))
	changes := []chat.Draft{
		with("n2", DraftOf(Ada, chat.Edit, 1, "two")),
		with("n3", DraftOf(Ada, chat.React, 1, "👍")),
		with("n4", DraftOf(Ada, chat.Unreact, 1, "👍")),
		with("n5", Answering(Ada, 1, "hm")),
		with("n6", DraftOf(Ada, chat.Delete, 1, "")),
	}
	again := func(when string) {
		t.Helper()
		for i, d := range changes {
			for range 2 {
				c := Post(t, s, d)[0]
				if c.Err != nil || c.Event.Seq != chat.Seq(i+2) || c.Event.Kind != d.Is() ||
					c.Event.Target != d.Target {
					t.Errorf("%s, %s: %+v, want seq %d", when, d.Is(), c, i+2)
				}
			}
		}
		// The message is deleted, and its nonce still says that it was sent.
		c := Post(t, s, with("n1", Draft("lobby", Ada, "one", "")))[0]
		if c.Err != nil || !c.Repeated || c.Event.Seq != 1 || c.Event.Text != "" {
			t.Errorf("%s, the message: %+v", when, c)
		}
		WantHead(t, s, "lobby", 6)
	}
	again("at once")
	s.restart()
	again("after a restart")
	// Both in one transaction.
	twice := with("n7", DraftOf(Ada, chat.Edit, 5, "hm, hm"))
	if got := Post(t, s, twice, twice); got[0].Repeated || !got[1].Repeated || got[1].Event.Seq != 7 {
		t.Errorf("%+v", got)
	}
}

func testReactions(t *testing.T, open Open) {
	s := open(t)
	eve := chat.Person{ID: "eve", Name: "Eve"}
	Do(t, s,
		Draft("lobby", Ada, "one", ""),
		DraftOf(Grace, chat.React, 1, "🎉"),
		DraftOf(Ada, chat.React, 1, "👍"),
		DraftOf(eve, chat.React, 1, "🎉"),
		DraftOf(Ada, chat.React, 1, "🎉"),
		DraftOf(Grace, chat.Unreact, 1, "🎉"),
		DraftOf(Grace, chat.React, 1, "🎉"))
	want := []chat.Reaction{
		{Emoji: "👍", People: []chat.Person{Ada}}, {Emoji: "🎉", People: []chat.Person{eve, Ada, Grace}},
	}
	if diff := cmp.Diff(want, States(t, s, 1)[0].Reactions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The number of different emoji is limited, for all people together. Others may add
	// themselves to an emoji that is there, and an emoji that is removed makes room.
	for n := range chat.MaxEmoji - 2 {
		Do(t, s, DraftOf([]chat.Person{Ada, eve}[n%2], chat.React, 1, fmt.Sprint("e", n)))
	}
	if c := Post(t, s, DraftOf(Grace, chat.React, 1, "one more"))[0]; chat.CodeOf(c.Err) != chat.TooMany {
		t.Errorf("one more: %+v", c)
	}
	Do(t, s, DraftOf(Grace, chat.React, 1, "e0"), DraftOf(Ada, chat.Unreact, 1, "👍"),
		DraftOf(Grace, chat.React, 1, "one more"))
	if got := States(t, s, 1)[0].Reactions; len(got) != chat.MaxEmoji {
		t.Errorf("%d different emoji", len(got))
	}
	// They are under the names that people have now.
	_, err := s.Rename(t.Context(), "grace", "Admiral", "")
	Must(t, err)
	if p := States(t, s, 1)[0].Reactions[0].People; p[len(p)-1].Name != "Admiral" {
		t.Errorf("%+v", p)
	}
}

func testPins(t *testing.T, open Open) {
	s := open(t)
	Post(t, s, Drafts("lobby", chat.MaxPins+1)...)
	Post(t, s, Draft("attic", Ada, "x", ""), chat.Draft{Room: "attic", From: Ada, Kind: chat.Pin, Target: 1})
	for n := range chat.Seq(chat.MaxPins) {
		Do(t, s, DraftOf(Grace, chat.Pin, chat.MaxPins-n, "")) // the newest message first
	}
	if c := Post(t, s, DraftOf(Ada, chat.Pin, chat.MaxPins+1, ""))[0]; chat.CodeOf(c.Err) != chat.TooMany {
		t.Errorf("one more: %+v", c)
	}
	Do(t, s, DraftOf(Ada, chat.Unpin, 100, ""), DraftOf(Ada, chat.Delete, 99, ""), DraftOf(Ada, chat.Pin, 101, ""))
	got := SeqsOf(PageOf(t, s, chat.PageQuery{Pinned: true, Limit: chat.MaxPins}).Messages)
	if len(got) != 99 || got[0] != 98 || got[97] != 1 || got[98] != 101 {
		t.Errorf("pinned %v", got)
	}
	for _, m := range States(t, s, 98, 99, 100, 101) {
		if want := m.Seq == 98 || m.Seq == 101; m.Pinned != want {
			t.Errorf("%d is pinned: %v", m.Seq, m.Pinned)
		}
	}
}

func testThreads(t *testing.T, open Open) {
	s := open(t)
	Do(t, s,
		Draft("lobby", Ada, "the root", ""),                 // 1
		DraftOf(Grace, chat.Reply, 1, "a reply"),            // 2
		Draft("lobby", Ada, "beside it", ""),                // 3
		DraftOf(Ada, chat.Reply, 2, "a reply to the reply"), // 4
		DraftOf(Grace, chat.Message, 4, "an echo"),          // 5
		DraftOf(Ada, chat.Reply, 5, "a reply to the echo"),  // 6
		DraftOf(Grace, chat.Reply, 3, "of another thread"),  // 7
		DraftOf(Grace, chat.Reply, 1, "the last"),           // 8
		DraftOf(Ada, chat.React, 8, "👍"),                    // 9
		DraftOf(Grace, chat.Edit, 8, "the very last"))       // 10
	WantSeqs(t, "the room's own talk", SeqsOf(PageOf(t, s, chat.PageQuery{Limit: 10}).Messages), 1, 3, 5)
	tests := map[string]struct {
		sel  chat.PageQuery
		want []chat.Seq
		more bool
	}{
		"all":               {chat.PageQuery{Thread: 1, Limit: 10}, []chat.Seq{2, 4, 5, 6, 8}, false},
		"the newest":        {chat.PageQuery{Thread: 1, Limit: 2}, []chat.Seq{6, 8}, true},
		"before":            {chat.PageQuery{Thread: 1, Limit: 2, Before: 6}, []chat.Seq{4, 5}, true},
		"before the second": {chat.PageQuery{Thread: 1, Limit: 2, Before: 4}, []chat.Seq{2}, false},
		"after":             {chat.PageQuery{Thread: 1, Limit: 2, After: 2, Oldest: true}, []chat.Seq{4, 5}, true},
		"after, to the end": {chat.PageQuery{Thread: 1, Limit: 9, After: 5, Oldest: true}, []chat.Seq{6, 8}, false},
		"exactly all":       {chat.PageQuery{Thread: 1, Limit: 5}, []chat.Seq{2, 4, 5, 6, 8}, false},
		"another":           {chat.PageQuery{Thread: 3, Limit: 9}, []chat.Seq{7}, false},
		"of a reply":        {chat.PageQuery{Thread: 2, Limit: 9}, nil, false},
		"of nothing":        {chat.PageQuery{Thread: 99, Limit: 9}, nil, false},
		"of a huge number":  {chat.PageQuery{Thread: 1 << 60, Limit: 9}, nil, false},
	}
	for name, tt := range tests {
		page := PageOf(t, s, tt.sel)
		WantSeqs(t, name, SeqsOf(page.Messages), tt.want...)
		if page.More != tt.more || page.Head != 10 {
			t.Errorf("%s: more %v, head %d", name, page.More, page.Head)
		}
		for _, m := range page.Messages {
			if m.Target != tt.sel.Thread {
				t.Errorf("%s: %d is in the thread of %d", name, m.Seq, m.Target)
			}
		}
	}
	wantReplies := func(seq chat.Seq, count int, last chat.Seq, from chat.Person) {
		t.Helper()
		m := States(t, s, seq)[0]
		if r := m.Replies; r == nil || r.Count != count || r.Last != last || r.From != from || r.At.IsZero() {
			t.Errorf("thread of %d: %+v", seq, r)
		}
	}
	wantReplies(1, 5, 8, Grace)
	wantReplies(3, 1, 7, Grace)
	Do(t, s, DraftOf(Grace, chat.Delete, 8, ""), DraftOf(Grace, chat.Delete, 2, ""))
	wantReplies(1, 3, 6, Ada)
	WantSeqs(t, "with what was deleted", SeqsOf(PageOf(t, s, chat.PageQuery{Thread: 1, Limit: 10}).Messages), 2, 4, 5,
		6, 8)
	Do(t, s, DraftOf(Grace, chat.Delete, 7, ""))
	if m := States(t, s, 3)[0]; m.Replies != nil {
		t.Errorf("a thread of nothing but deleted replies: %+v", m.Replies)
	}
}

func testForwardsTopicsAndActions(t *testing.T, open Open) {
	s := open(t)
	at := Post(t, s, Draft("attic", Grace, "said before", ""))[0].Event.At
	Do(t, s,
		chat.Draft{
			Room: "lobby", From: Ada, Text: "said before",
			Attrs: &chat.Attrs{Forward: &chat.Forward{From: Grace, At: at}},
		},
		chat.Draft{Room: "lobby", From: Ada, Text: "waves", Attrs: &chat.Attrs{Action: true}},
		DraftOf(Ada, chat.Topic, 0, "ships"),
		DraftOf(Grace, chat.Topic, 0, ""))
	s.restart()
	m := States(t, s, 1, 2)
	if diff := cmp.Diff(&chat.Forward{From: Grace, At: at}, m[0].Attrs.Forward); diff != "" || m[0].From != Ada {
		t.Errorf("forward (-want +got):\n%s", diff)
	}
	if !m[1].Attrs.Action {
		t.Errorf("%+v", m[1])
	}
	Do(t, s, DraftOf(Ada, chat.Edit, 2, "waves again"))
	if m := States(t, s, 2)[0]; !m.Attrs.Action || m.Text != "waves again" {
		t.Errorf("edited: %+v", m)
	}
	var topics []string
	for _, e := range Events(t, s.After, "lobby", 2, 2) {
		topics = append(topics, string(e.Kind)+" "+e.Text)
	}
	if want := []string{"topic ships", "topic "}; !slices.Equal(topics, want) {
		t.Errorf("%q, want %q", topics, want)
	}
}

package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

// A deed is a draft of whatever kind, without the room, which is the lobby.
func deed(from chat.Person, kind chat.Kind, target chat.Seq, text string) chat.Draft {
	return chat.Draft{Room: "lobby", From: from, Kind: kind, Target: target, Text: text}
}

func answering(from chat.Person, seq chat.Seq, text string) chat.Draft {
	return chat.Draft{Room: "lobby", From: from, Text: text, Extra: &chat.Attrs{ReplyTo: seq}}
}

// do posts drafts one after the other and fails if one is refused. It returns
// the seqs of their events.
func do(t testing.TB, s *Store, drafts ...chat.Draft) []chat.Seq {
	t.Helper()
	got := make([]chat.Seq, len(drafts))
	for i, d := range drafts {
		c := post(t, s, d)[0]
		if c.Err != nil {
			t.Fatalf("%s %d %q: %v", d.Is(), d.Target, d.Text, c.Err)
		}
		got[i] = c.Event.Seq
	}
	return got
}

// standings returns the lobby's messages that have one of seqs, as they stand.
func standings(t testing.TB, s *Store, seqs ...chat.Seq) []chat.MessageState {
	t.Helper()
	return pageOf(t, s, chat.PageQuery{Seqs: seqs}).Messages
}

func pageOf(t testing.TB, s *Store, sel chat.PageQuery) chat.Page {
	t.Helper()
	page, err := s.Page(t.Context(), "lobby", sel)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func seqsOf(found []chat.MessageState) []chat.Seq {
	var got []chat.Seq
	for _, m := range found {
		got = append(got, m.Seq)
	}
	return got
}

func wantSeqs(t testing.TB, what string, got []chat.Seq, want ...chat.Seq) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: seqs %v, want %v", what, got, want)
	}
}

func versionsOf(t testing.TB, s *Store, seq chat.Seq) (texts []string) {
	t.Helper()
	events, err := s.Versions(t.Context(), "lobby", seq)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		texts = append(texts, fmt.Sprint(e.Seq, " ", e.Text))
	}
	return texts
}

// ask returns the one number that a statement finds in the store's file.
func ask(t testing.TB, s *Store, text string, args ...any) (n int) {
	t.Helper()
	if err := s.readers.QueryRowContext(t.Context(), text, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Whatever may not be is told to who asks for it, and nothing comes of it, while
// what came with it in the same transaction goes on.
func TestWhatMayNotBeIsRefused(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s,
		draft("lobby", ada, "Ada's", ""),     // 1
		draft("lobby", ada, "gone", ""),      // 2
		deed(ada, chat.Delete, 2, ""),        // 3
		deed(ada, chat.Edit, 1, "Ada's own"), // 4
		deed(ada, chat.Topic, 0, "ships"),    // 5
		chat.Draft{Room: "lobby", From: ada, Text: "Grace's, once", Extra: &chat.Attrs{Forward: &chat.Forward{From: grace}}}, // 6
	)
	post(t, s, draft("attic", ada, "elsewhere", ""))
	tests := map[string]struct {
		draft chat.Draft
		want  chat.Code
	}{
		"another's message edited":      {deed(grace, chat.Edit, 1, "mine"), chat.NotYours},
		"another's message deleted":     {deed(grace, chat.Delete, 1, ""), chat.NotYours},
		"an edit of a forward":          {deed(ada, chat.Edit, 6, "Grace's, twice"), chat.NotYours},
		"an edit of what is gone":       {deed(ada, chat.Edit, 2, "back"), chat.Gone},
		"a reaction to what is gone":    {deed(ada, chat.React, 2, "👍"), chat.Gone},
		"a reaction taken from it":      {deed(ada, chat.Unreact, 2, "👍"), chat.Gone},
		"a pin of what is gone":         {deed(ada, chat.Pin, 2, ""), chat.Gone},
		"an edit of an edit":            {deed(ada, chat.Edit, 4, "x"), chat.NotFound},
		"a deletion deleted":            {deed(ada, chat.Delete, 3, ""), chat.NotFound},
		"a reaction to a topic":         {deed(ada, chat.React, 5, "👍"), chat.NotFound},
		"a pin of an edit":              {deed(ada, chat.Pin, 4, ""), chat.NotFound},
		"an unpin of an edit":           {deed(ada, chat.Unpin, 4, ""), chat.NotFound},
		"an answer to an edit":          {answering(ada, 4, "x"), chat.NotFound},
		"an answer to what is to come":  {answering(ada, 99, "x"), chat.NotFound},
		"a thread of an edit":           {deed(ada, chat.Reply, 4, "x"), chat.NotFound},
		"an edit of what is to come":    {deed(ada, chat.Edit, 99, "x"), chat.NotFound},
		"an edit before the first":      {deed(ada, chat.Edit, -1, "x"), chat.NotFound},
		"an edit in another room":       {deed(ada, chat.Edit, chat.Seq(eventID(2, 1)), "x"), chat.NotFound},
		"an edit far beyond everything": {deed(ada, chat.Edit, 1<<62, "x"), chat.NotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			head, _, err := s.Head(t.Context(), "lobby")
			must(t, err)
			got := post(t, s, draft("lobby", grace, "before", ""), tt.draft, draft("lobby", grace, "after", ""))
			if code := chat.CodeOf(got[1].Err); code != tt.want || got[1].Event != (chat.Event{}) {
				t.Errorf("%+v, want %s", got[1], tt.want)
			}
			if got[0].Event.Seq != head+1 || got[2].Event.Seq != head+2 {
				t.Errorf("beside it: seqs %d, %d after %d", got[0].Event.Seq, got[2].Event.Seq, head)
			}
			wantHead(t, s, "lobby", head+2)
		})
	}
	if got := standings(t, s, 1)[0]; got.Text != "Ada's own" || got.Reactions != nil || got.Pinned {
		t.Errorf("%+v", got)
	}
}

func TestTheNewestEditCounts(t *testing.T) {
	s, stop := start(t, t.TempDir())
	do(t, s,
		draft("lobby", ada, "one", ""),
		deed(grace, chat.Reply, 1, "a reply"),
		deed(ada, chat.Edit, 1, "two"),
		deed(grace, chat.Edit, 2, "a better reply"),
		deed(ada, chat.Edit, 1, "three"),
		deed(ada, chat.Edit, 1, "one"))
	check := func() {
		t.Helper()
		m := standings(t, s, 1, 2)
		if m[0].Text != "one" || m[0].Edited != 6 || m[0].EditedAt.IsZero() || m[1].Text != "a better reply" || m[1].Edited != 4 {
			t.Errorf("%+v", m)
		}
		if diff := cmp.Diff([]string{"1 one", "3 two", "5 three", "6 one"}, versionsOf(t, s, 1)); diff != "" {
			t.Errorf("versions (-want +got):\n%s", diff)
		}
		var log []string
		for _, e := range page(t, s.After, "lobby", 0, 10) {
			log = append(log, fmt.Sprint(e.Seq, " ", e.Kind, " ", e.Target, " ", e.Text))
		}
		want := []string{"1 message 0 one", "2 reply 1 a reply", "3 edit 1 two", "4 edit 2 a better reply", "5 edit 1 three", "6 edit 1 one"}
		if diff := cmp.Diff(want, log); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	}
	check()
	stop()
	s, _ = start(t, s.dir)
	check()
	for seq, what := range map[chat.Seq]string{3: "an edit", 7: "nothing", 0: "zero", -1: "less", 1 << 40: "more than a room holds"} {
		if events, err := s.Versions(t.Context(), "lobby", seq); chat.CodeOf(err) != chat.NotFound {
			t.Errorf("versions of %s: %v, %v", what, events, err)
		}
	}
}

// What one deletion takes away, and one request shows, has a bound.
func TestMessageIsEditedOnlySoOften(t *testing.T) {
	s, _ := start(t, t.TempDir())
	ds := []chat.Draft{draft("lobby", ada, "0", "")}
	for n := range chat.MaxEdits {
		ds = append(ds, deed(ada, chat.Edit, 1, fmt.Sprint(n+1)))
	}
	for _, c := range post(t, s, ds...) {
		must(t, c.Err)
	}
	if c := post(t, s, deed(ada, chat.Edit, 1, "once more"))[0]; chat.CodeOf(c.Err) != chat.TooMany {
		t.Errorf("%+v", c)
	}
	if got := versionsOf(t, s, 1); len(got) != chat.MaxEdits+1 {
		t.Errorf("%d versions", len(got))
	}
	do(t, s, deed(ada, chat.Delete, 1, ""))
	if m := standings(t, s, 1)[0]; !m.IsDeleted() || len(versionsOf(t, s, 1)) != 0 {
		t.Errorf("%+v", m)
	}
}

// Doing what is done already is no event. The answer names the one that did it.
func TestWhatIsSoAlreadyChangesNothing(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s,
		draft("lobby", ada, "one", ""),        // 1
		deed(ada, chat.Edit, 1, "two"),        // 2
		deed(grace, chat.React, 1, "👍"),       // 3
		deed(grace, chat.Pin, 1, ""),          // 4
		deed(ada, chat.Topic, 0, "ships"),     // 5
		draft("lobby", ada, "to be gone", ""), // 6
		deed(ada, chat.Delete, 6, ""))         // 7
	for name, tt := range map[string]struct {
		draft chat.Draft
		want  chat.Seq
	}{
		"the same text":            {deed(ada, chat.Edit, 1, "two"), 2},
		"the same reaction":        {deed(grace, chat.React, 1, "👍"), 3},
		"a reaction never put":     {deed(ada, chat.Unreact, 1, "👍"), 7},
		"a pin":                    {deed(ada, chat.Pin, 1, ""), 4},
		"a pin that is not there":  {deed(ada, chat.Unpin, 6, ""), 7},
		"the same topic":           {deed(grace, chat.Topic, 0, "ships"), 5 + 2},
		"a deletion":               {deed(ada, chat.Delete, 6, ""), 7},
		"the text of the original": {deed(ada, chat.Edit, 1, "two"), 2},
	} {
		c := post(t, s, tt.draft)[0]
		if c.Err != nil || !c.Repeated || c.Event.Seq != tt.want || c.Event.Kind != tt.draft.Kind || c.Event.Target != tt.draft.Target {
			t.Errorf("%s: %+v, want a repeat of %d", name, c, tt.want)
		}
	}
	wantHead(t, s, "lobby", 7)
}

func TestRepeatedNonceOfAChangeGetsItsAnswer(t *testing.T) {
	s, stop := start(t, t.TempDir())
	with := func(nonce string, d chat.Draft) chat.Draft { d.Nonce = nonce; return d }
	post(t, s, with("n1", draft("lobby", ada, "one", "")))
	changes := []chat.Draft{
		with("n2", deed(ada, chat.Edit, 1, "two")),
		with("n3", deed(ada, chat.React, 1, "👍")),
		with("n4", deed(ada, chat.Unreact, 1, "👍")),
		with("n5", answering(ada, 1, "hm")),
		with("n6", deed(ada, chat.Delete, 1, "")),
	}
	again := func(when string) {
		t.Helper()
		for i, d := range changes {
			for range 2 {
				c := post(t, s, d)[0]
				if c.Err != nil || c.Event.Seq != chat.Seq(i+2) || c.Event.Kind != d.Is() || c.Event.Target != d.Target {
					t.Errorf("%s, %s: %+v, want seq %d", when, d.Is(), c, i+2)
				}
			}
		}
		// The message is gone, and its nonce still says that it was sent.
		c := post(t, s, with("n1", draft("lobby", ada, "one", "")))[0]
		if c.Err != nil || !c.Repeated || c.Event.Seq != 1 || c.Event.Text != "" {
			t.Errorf("%s, the message: %+v", when, c)
		}
		wantHead(t, s, "lobby", 6)
	}
	again("at once")
	stop()
	s, _ = start(t, s.dir)
	again("after a restart")
	// In one transaction, beside each other.
	twice := with("n7", deed(ada, chat.Edit, 5, "hm, hm"))
	if got := post(t, s, twice, twice); got[0].Repeated || !got[1].Repeated || got[1].Event.Seq != 7 {
		t.Errorf("%+v", got)
	}
}

// A word that only what is deleted has said is in no answer, and not in the bytes
// of the files either.
func TestDeletionErases(t *testing.T) {
	const word = "Quinquereme"
	s, stop := start(t, t.TempDir())
	do(t, s,
		draft("lobby", grace, "hi", ""),                                            // 1
		draft("lobby", ada, "@Grace "+word+" one", ""),                             // 2
		deed(ada, chat.Edit, 2, "@Grace "+word+" two"),                             // 3
		deed(ada, chat.Edit, 2, word+strings.Repeat(" of Nineveh", 300)+" @Grace"), // 4: on more than one page
		deed(grace, chat.React, 2, "👍"),                                            // 5
		deed(grace, chat.Pin, 2, ""),                                               // 6
		answering(grace, 2, "a quotation"),                                         // 7
		deed(grace, chat.Reply, 2, "in its thread"),                                // 8
		draft("lobby", ada, "not this", ""))                                        // 9
	if q := standings(t, s, 7)[0].Extra.Quote; q == nil || !strings.HasPrefix(q.Text, word) || len([]rune(q.Text)) != chat.MaxQuote {
		t.Fatalf("quote %+v", q)
	}
	mentions := `SELECT count(*) FROM mention WHERE event & 0xfffffffff = 2`
	if n := ask(t, s, mentions); n != 1 {
		t.Fatalf("%d mentions", n)
	}
	do(t, s, deed(ada, chat.Delete, 2, "")) // 10

	m := standings(t, s, 2)[0]
	want := chat.MessageState{Event: chat.Event{Room: "lobby", Seq: 2, At: m.At, Kind: chat.Message, From: ada}}
	want.Replies = m.Replies
	if diff := cmp.Diff(want, m); diff != "" || m.Replies == nil || m.Replies.Count != 1 {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if got := versionsOf(t, s, 2); len(got) != 0 {
		t.Errorf("versions %q", got)
	}
	if got := pageOf(t, s, chat.PageQuery{Pinned: true, Limit: 10}).Messages; len(got) != 0 {
		t.Errorf("pinned %+v", got)
	}
	if x := standings(t, s, 7)[0].Extra; x == nil || x.ReplyTo != 2 || x.Quote != nil {
		t.Errorf("what answers it quotes %+v", x)
	}
	for _, e := range page(t, s.After, "lobby", 0, 20) {
		if gone := e.Seq >= 2 && e.Seq <= 4; strings.Contains(e.Text, word) || e.IsDeleted() != gone || gone && e.Extra != nil || e.Seq == 7 && e.Extra.Quote != nil {
			t.Errorf("in the log: %+v", e)
		}
	}
	for what, text := range map[string]string{"mentions": mentions, "reactions": `SELECT count(*) FROM reaction`, "pins": `SELECT count(*) FROM pin`} {
		if n := ask(t, s, text); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	killed := t.TempDir()
	copyFolder(t, s.dir, killed)
	epochOf(t, killed) // a start settles it, too
	wantNowhere(t, killed, word)
	s.committerIdle(func(c *committer) {
		if !c.erased {
			t.Error("the write-ahead log is not to be emptied")
		}
		engine{c, s}.Idle(t.Context())
		if c.erased {
			t.Error("the write-ahead log was not emptied")
		}
		wantNowhere(t, s.dir, word)
	})
	stop()
	wantNowhere(t, s.dir, word)
}

// committerIdle stops the store's Run and hands out its committer.
func (s *Store) committerIdle(f func(*committer)) {
	s.loop.Close()
	f(s.committer)
}

// wantNowhere looks for a word in the bytes of a folder's files.
func wantNowhere(t *testing.T, dir, word string) {
	t.Helper()
	for _, name := range folderNames(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		if n := strings.Count(string(b), word); n > 0 {
			t.Errorf("%s holds it %d times", name, n)
		}
	}
}

func TestReactions(t *testing.T) {
	s, _ := start(t, t.TempDir())
	eve := chat.Person{ID: "eve", Name: "Eve"}
	do(t, s,
		draft("lobby", ada, "one", ""),
		deed(grace, chat.React, 1, "🎉"),
		deed(ada, chat.React, 1, "👍"),
		deed(eve, chat.React, 1, "🎉"),
		deed(ada, chat.React, 1, "🎉"),
		deed(grace, chat.Unreact, 1, "🎉"),
		deed(grace, chat.React, 1, "🎉"))
	want := []chat.Reaction{{Emoji: "👍", People: []chat.Person{ada}}, {Emoji: "🎉", People: []chat.Person{eve, ada, grace}}}
	if diff := cmp.Diff(want, standings(t, s, 1)[0].Reactions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// At most so many different ones, whoever puts them; one that is there may be
	// put by more, and one that is taken away makes room.
	for n := range chat.MaxEmoji - 2 {
		do(t, s, deed([]chat.Person{ada, eve}[n%2], chat.React, 1, fmt.Sprint("e", n)))
	}
	if c := post(t, s, deed(grace, chat.React, 1, "one more"))[0]; chat.CodeOf(c.Err) != chat.TooMany {
		t.Errorf("one more: %+v", c)
	}
	do(t, s, deed(grace, chat.React, 1, "e0"), deed(ada, chat.Unreact, 1, "👍"), deed(grace, chat.React, 1, "one more"))
	if got := standings(t, s, 1)[0].Reactions; len(got) != chat.MaxEmoji {
		t.Errorf("%d different emoji", len(got))
	}
	// They are under the names that people have now.
	rename(t, s, "grace", "Admiral")
	if p := standings(t, s, 1)[0].Reactions[0].People; p[len(p)-1].Name != "Admiral" {
		t.Errorf("%+v", p)
	}
}

func TestPins(t *testing.T) {
	s, _ := start(t, t.TempDir())
	post(t, s, drafts("lobby", chat.MaxPins+1)...)
	post(t, s, draft("attic", ada, "x", ""), chat.Draft{Room: "attic", From: ada, Kind: chat.Pin, Target: 1})
	for n := range chat.Seq(chat.MaxPins) {
		do(t, s, deed(grace, chat.Pin, chat.MaxPins-n, "")) // the newest message first
	}
	if c := post(t, s, deed(ada, chat.Pin, chat.MaxPins+1, ""))[0]; chat.CodeOf(c.Err) != chat.TooMany {
		t.Errorf("one more: %+v", c)
	}
	do(t, s, deed(ada, chat.Unpin, 100, ""), deed(ada, chat.Delete, 99, ""), deed(ada, chat.Pin, 101, ""))
	got := seqsOf(pageOf(t, s, chat.PageQuery{Pinned: true, Limit: chat.MaxPins}).Messages)
	if len(got) != 99 || got[0] != 98 || got[97] != 1 || got[98] != 101 {
		t.Errorf("pinned %v", got)
	}
	for _, m := range standings(t, s, 98, 99, 100, 101) {
		if want := m.Seq == 98 || m.Seq == 101; m.Pinned != want {
			t.Errorf("%d is pinned: %v", m.Seq, m.Pinned)
		}
	}
}

func TestThreads(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s,
		draft("lobby", ada, "the root", ""),              // 1
		deed(grace, chat.Reply, 1, "a reply"),            // 2
		draft("lobby", ada, "beside it", ""),             // 3
		deed(ada, chat.Reply, 2, "a reply to the reply"), // 4
		deed(grace, chat.Message, 4, "an echo"),          // 5
		deed(ada, chat.Reply, 5, "a reply to the echo"),  // 6
		deed(grace, chat.Reply, 3, "of another thread"),  // 7
		deed(grace, chat.Reply, 1, "the last"),           // 8
		deed(ada, chat.React, 8, "👍"),                    // 9
		deed(grace, chat.Edit, 8, "the very last"))       // 10
	wantSeqs(t, "the room's own talk", seqsOf(pageOf(t, s, chat.PageQuery{Limit: 10}).Messages), 1, 3, 5)
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
		page := pageOf(t, s, tt.sel)
		wantSeqs(t, name, seqsOf(page.Messages), tt.want...)
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
		m := standings(t, s, seq)[0]
		if r := m.Replies; r == nil || r.Count != count || r.Last != last || r.From != from || r.At.IsZero() {
			t.Errorf("thread of %d: %+v", seq, r)
		}
	}
	wantReplies(1, 5, 8, grace)
	wantReplies(3, 1, 7, grace)
	do(t, s, deed(grace, chat.Delete, 8, ""), deed(grace, chat.Delete, 2, ""))
	wantReplies(1, 3, 6, ada)
	wantSeqs(t, "with what was deleted", seqsOf(pageOf(t, s, chat.PageQuery{Thread: 1, Limit: 10}).Messages), 2, 4, 5, 6, 8)
	do(t, s, deed(grace, chat.Delete, 7, ""))
	if m := standings(t, s, 3)[0]; m.Replies != nil {
		t.Errorf("a thread of nothing but deleted replies: %+v", m.Replies)
	}
	// Who began a thread and who wrote to it follow it.
	if n := ask(t, s, `SELECT count(*) FROM follow WHERE target & 0xfffffffff = 1`); n != 2 {
		t.Errorf("%d follow the thread", n)
	}
}

func TestForwardsTopicsAndActions(t *testing.T) {
	s, stop := start(t, t.TempDir())
	at := post(t, s, draft("attic", grace, "said before", ""))[0].Event.At
	do(t, s,
		chat.Draft{Room: "lobby", From: ada, Text: "said before", Extra: &chat.Attrs{Forward: &chat.Forward{From: grace, At: at}}},
		chat.Draft{Room: "lobby", From: ada, Text: "waves", Extra: &chat.Attrs{Action: true}},
		deed(ada, chat.Topic, 0, "ships"),
		deed(grace, chat.Topic, 0, ""))
	stop()
	s, _ = start(t, s.dir)
	m := standings(t, s, 1, 2)
	if diff := cmp.Diff(&chat.Forward{From: grace, At: at}, m[0].Extra.Forward); diff != "" || m[0].From != ada {
		t.Errorf("forward (-want +got):\n%s", diff)
	}
	if !m[1].Extra.Action {
		t.Errorf("%+v", m[1])
	}
	do(t, s, deed(ada, chat.Edit, 2, "waves again"))
	if m := standings(t, s, 2)[0]; !m.Extra.Action || m.Text != "waves again" {
		t.Errorf("edited: %+v", m)
	}
	var topics []string
	for _, e := range page(t, s.After, "lobby", 2, 2) {
		topics = append(topics, string(e.Kind)+" "+e.Text)
	}
	if want := []string{"topic ships", "topic "}; !slices.Equal(topics, want) {
		t.Errorf("%q, want %q", topics, want)
	}
}

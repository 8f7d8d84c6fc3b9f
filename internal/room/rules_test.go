package room

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

// stored posts a draft to the lobby and returns what became of it.
func (b *bench) stored(d chat.Draft) (chat.Event, error) {
	b.t.Helper()
	if d.Room == "" {
		d.Room = "lobby"
	}
	if d.From.ID == "" {
		d.From = ada
	}
	var got chat.Commit
	if err := b.Post(d, func(c chat.Commit) { got = c }); err != nil {
		return chat.Event{}, err
	}
	synctest.Wait()
	return got.Event, got.Err
}

func TestEachKindOfEventHasItsRules(t *testing.T) {
	long := strings.Repeat("x", 11)
	tests := map[string]struct {
		draft chat.Draft
		want  chat.Code // "" if it is stored
		text  string    // which says then
	}{
		"a message":                       {draft: chat.Draft{Text: "hi"}, text: "hi"},
		"a message by its name":           {draft: chat.Draft{Kind: chat.Message, Text: "hi"}, text: "hi"},
		"an echo":                         {draft: chat.Draft{Kind: chat.Message, Text: "hi", Target: 1}, text: "hi"},
		"a reply":                         {draft: chat.Draft{Kind: chat.Reply, Text: "hi", Target: 1}, text: "hi"},
		"a reply to nothing":              {draft: chat.Draft{Kind: chat.Reply, Text: "hi"}, want: chat.BadRequest},
		"a reply before the first":        {draft: chat.Draft{Kind: chat.Reply, Text: "hi", Target: -1}, want: chat.BadRequest},
		"a blank reply":                   {draft: chat.Draft{Kind: chat.Reply, Text: " ", Target: 1}, want: chat.BadText},
		"an edit":                         {draft: chat.Draft{Kind: chat.Edit, Text: "hi", Target: 1}, text: "hi"},
		"an edit of nothing":              {draft: chat.Draft{Kind: chat.Edit, Text: "hi"}, want: chat.BadRequest},
		"an edit to nothing":              {draft: chat.Draft{Kind: chat.Edit, Target: 1}, want: chat.BadText},
		"an edit too long":                {draft: chat.Draft{Kind: chat.Edit, Text: long, Target: 1}, want: chat.TooLong},
		"an edit that is no text":         {draft: chat.Draft{Kind: chat.Edit, Text: "\xff", Target: 1}, want: chat.BadText},
		"an edit with a slash":            {draft: chat.Draft{Kind: chat.Edit, Text: "/me waves", Target: 1}, text: "/me waves"},
		"a deletion":                      {draft: chat.Draft{Kind: chat.Delete, Text: "with words", Target: 1}},
		"a deletion of nothing":           {draft: chat.Draft{Kind: chat.Delete}, want: chat.BadRequest},
		"a reaction":                      {draft: chat.Draft{Kind: chat.React, Text: "👍", Target: 1}, text: "👍"},
		"a reaction to nothing":           {draft: chat.Draft{Kind: chat.React, Text: "👍"}, want: chat.BadRequest},
		"a reaction in words":             {draft: chat.Draft{Kind: chat.React, Text: "ok", Target: 1}, want: chat.BadText},
		"a reaction taken back":           {draft: chat.Draft{Kind: chat.Unreact, Text: "👍", Target: 1}, text: "👍"},
		"words taken back":                {draft: chat.Draft{Kind: chat.Unreact, Text: "ok", Target: 1}, want: chat.BadText},
		"a pin":                           {draft: chat.Draft{Kind: chat.Pin, Text: "with words", Target: 1}},
		"a pin of nothing":                {draft: chat.Draft{Kind: chat.Pin}, want: chat.BadRequest},
		"a pin taken away":                {draft: chat.Draft{Kind: chat.Unpin, Target: 1}},
		"a topic":                         {draft: chat.Draft{Kind: chat.Topic, Text: " all\n\tabout  ships "}, text: "all about ships"},
		"no topic":                        {draft: chat.Draft{Kind: chat.Topic}},
		"a topic that is longer than all": {draft: chat.Draft{Kind: chat.Topic, Text: strings.Repeat("é", chat.MaxTopic+1)}, want: chat.TooLong},
		"presence":                        {draft: chat.Draft{Kind: chat.Presence, Target: 1}, want: chat.BadRequest},
		"typing":                          {draft: chat.Draft{Kind: chat.Typing, Text: "hi", Target: 1}, want: chat.BadRequest},
		"a kind that there is not":        {draft: chat.Draft{Kind: "shout", Text: "hi", Target: 1}, want: chat.BadRequest},
		"a nonce with a space":            {draft: chat.Draft{Kind: chat.Pin, Target: 1, Nonce: "a b"}, want: chat.BadNonce},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{MessageLength: 10, Format: func(s string, _ *Budget) string { return "<" + s + ">" }}, func(t *testing.T, b *bench) {
				b.say(ada, "one")
				e, err := b.stored(tt.draft)
				if code := chat.CodeOf(err); code != tt.want {
					t.Fatalf("code %q, want %q", code, tt.want)
				}
				want := chat.Event{}
				if tt.want == "" {
					want = chat.Event{Room: "lobby", Seq: 2, At: e.At, Kind: tt.draft.Is(), From: ada, Text: tt.text, Target: tt.draft.Target}
					if e.Kind.IsSaid() || e.Kind == chat.Edit {
						want.HTML = "<" + tt.text + ">"
					}
				}
				if diff := cmp.Diff(want, e); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Whatever somebody does counts; what was refused for itself does not.
func TestChangesCountAsMessagesDo(t *testing.T) {
	inBubble(t, Config{MessageRate: 1, MessageBurst: 5}, func(t *testing.T, b *bench) {
		for i, d := range []chat.Draft{
			{Text: "one"},
			{Kind: chat.React, Target: 1, Text: "👍"},
			{Kind: chat.Topic, Text: "ships"},
			{Kind: chat.Pin, Target: 1},
			{Text: "/topic boats"},
		} {
			if _, err := b.stored(d); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		if _, err := b.stored(chat.Draft{Kind: chat.React, Target: 1, Text: "text"}); chat.CodeOf(err) != chat.BadText {
			t.Errorf("no emoji: %v", err)
		}
		for _, kind := range []chat.Kind{chat.Edit, chat.Delete, chat.React, chat.Unreact, chat.Pin, chat.Unpin, chat.Topic} {
			_, err := b.stored(chat.Draft{Kind: kind, Target: 1, Text: "👍"})
			if e, ok := errors.AsType[*chat.Error](err); !ok || e.Code != chat.RateLimited || e.RetryAfter != time.Second {
				t.Errorf("%s: %v", kind, err)
			}
		}
	})
}

func TestSlashCommandsMeanSomethingElse(t *testing.T) {
	const shrug, flip = `¯\_(ツ)_/¯`, "(╯°□°)╯︵ ┻━┻"
	type meaning struct {
		Kind   chat.Kind
		Text   string
		Action bool
		Target chat.Seq
	}
	tests := map[string]struct {
		draft chat.Draft
		want  meaning // without a kind: refused
	}{
		"/me":                         {chat.Draft{Text: "/me  waves\n"}, meaning{chat.Message, "waves", true, 0}},
		"/me in a thread":             {chat.Draft{Kind: chat.Reply, Target: 1, Text: "/me waves"}, meaning{chat.Reply, "waves", true, 1}},
		"/me over lines":              {chat.Draft{Text: "/me\nwaves\nand goes"}, meaning{chat.Message, "waves\nand goes", true, 0}},
		"/me a command":               {chat.Draft{Text: "/me /topic x"}, meaning{chat.Message, "/topic x", true, 0}},
		"/me nothing":                 {chat.Draft{Text: "/me \n"}, meaning{}},
		"/me something invisible":     {chat.Draft{Text: "/me \u200b"}, meaning{}},
		"/topic":                      {chat.Draft{Text: "/topic  ships\nand boats"}, meaning{chat.Topic, "ships and boats", false, 0}},
		"/topic nothing":              {chat.Draft{Text: "/topic"}, meaning{chat.Topic, "", false, 0}},
		"/topic in a thread":          {chat.Draft{Kind: chat.Reply, Target: 1, Text: "/topic ships"}, meaning{chat.Topic, "ships", false, 0}},
		"/topic in an answer":         {chat.Draft{Text: "/topic ships", Extra: &chat.Attrs{ReplyTo: 1}}, meaning{chat.Topic, "ships", false, 0}},
		"/topic too long":             {chat.Draft{Text: "/topic " + strings.Repeat("x", chat.MaxTopic+1)}, meaning{}},
		"/shrug":                      {chat.Draft{Text: "/shrug"}, meaning{chat.Message, shrug, false, 0}},
		"/shrug text":                 {chat.Draft{Text: "/shrug who knows "}, meaning{chat.Message, "who knows " + shrug, false, 0}},
		"/tableflip":                  {chat.Draft{Text: "/tableflip no!"}, meaning{chat.Message, "no! " + flip, false, 0}},
		"/code":                       {chat.Draft{Text: "/code x := 1"}, meaning{chat.Message, "```\nx := 1\n```", false, 0}},
		"/code in a language":         {chat.Draft{Text: "/code go\nx := 1\n\n"}, meaning{chat.Message, "```go\nx := 1\n```", false, 0}},
		"/code below it":              {chat.Draft{Text: "/code\n  x := 1"}, meaning{chat.Message, "```\n  x := 1\n```", false, 0}},
		"/code of one word":           {chat.Draft{Text: "/code go\n"}, meaning{chat.Message, "```\ngo\n```", false, 0}},
		"/code of a sentence":         {chat.Draft{Text: "/code if x\ngo()"}, meaning{chat.Message, "```\nif x\ngo()\n```", false, 0}},
		"/code with a fence":          {chat.Draft{Text: "/code a\n```\nb"}, meaning{chat.Message, "````a\n```\nb\n````", false, 0}},
		"/code with a longer fence":   {chat.Draft{Text: "/code a b\n`````\n```"}, meaning{chat.Message, "``````\na b\n`````\n```\n``````", false, 0}},
		"/code whose language is one": {chat.Draft{Text: "/code ```\nb"}, meaning{chat.Message, "````\n```\nb\n````", false, 0}},
		"/code nothing":               {chat.Draft{Text: "/code \n "}, meaning{}},
		"/spoiler":                    {chat.Draft{Text: "/spoiler he did it"}, meaning{chat.Message, "||he did it||", false, 0}},
		"/spoiler nothing":            {chat.Draft{Text: "/spoiler"}, meaning{}},
		"two slashes":                 {chat.Draft{Text: "//me waves"}, meaning{chat.Message, "/me waves", false, 0}},
		"three slashes":               {chat.Draft{Text: "///"}, meaning{chat.Message, "//", false, 0}},
		"a slash":                     {chat.Draft{Text: "/"}, meaning{chat.Message, "/", false, 0}},
		"a path":                      {chat.Draft{Text: "/usr/bin"}, meaning{chat.Message, "/usr/bin", false, 0}},
		"an unknown word":             {chat.Draft{Text: "/dance all night"}, meaning{chat.Message, "/dance all night", false, 0}},
		"a longer word":               {chat.Draft{Text: "/men at work"}, meaning{chat.Message, "/men at work", false, 0}},
		"in capitals":                 {chat.Draft{Text: "/ME waves"}, meaning{chat.Message, "/ME waves", false, 0}},
		"not at the start":            {chat.Draft{Text: " /me waves"}, meaning{chat.Message, " /me waves", false, 0}},
		"one that a client does":      {chat.Draft{Text: "/nick Countess"}, meaning{chat.Message, "/nick Countess", false, 0}},
		"what was said elsewhere":     {chat.Draft{Text: "/topic x", Extra: &chat.Attrs{Forward: &chat.Forward{From: grace}}}, meaning{chat.Message, "/topic x", false, 0}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{}, func(t *testing.T, b *bench) {
				b.say(ada, "one")
				given := tt.draft.Extra
				var before chat.Attrs
				if given != nil {
					before = *given
				}
				e, err := b.stored(tt.draft)
				got := meaning{e.Kind, e.Text, e.Extra != nil && e.Extra.Action, e.Target}
				if got != tt.want || (err != nil) != (tt.want.Kind == "") {
					t.Errorf("%+v, %v\nwant %+v", got, err, tt.want)
				}
				if given != nil && !cmp.Equal(*given, before) {
					t.Errorf("the draft's own was changed: %+v", given)
				}
			})
		})
	}
}

func TestSlashCommandCountsWhatItMakes(t *testing.T) {
	inBubble(t, Config{MessageLength: 20}, func(t *testing.T, b *bench) {
		if _, err := b.stored(chat.Draft{Text: "/spoiler " + strings.Repeat("x", 16)}); err != nil {
			t.Error(err)
		}
		if _, err := b.stored(chat.Draft{Text: "/spoiler " + strings.Repeat("x", 17)}); chat.CodeOf(err) != chat.TooLong {
			t.Error(err)
		}
		if _, err := b.stored(chat.Draft{Kind: chat.Edit, Target: 1, Text: strings.Repeat("x", 21)}); chat.CodeOf(err) != chat.TooLong {
			t.Error(err)
		}
	})
}

// A fence that is looked for again and again, a little longer each time, would
// take seconds of everybody's time for one frame.
func TestCodeFullOfFencesTakesNoTime(t *testing.T) {
	for name, text := range map[string]string{
		"one fence":   strings.Repeat("`", 1<<20),
		"ever longer": strings.Join(slices.Collect(growing(1400)), " "),
	} {
		d := chat.Draft{Text: "/code x y\n" + text}
		begun := time.Now()
		if err := expand(&d); err != nil {
			t.Error(err)
		}
		fence, rest, _ := strings.Cut(d.Text, "\n")
		if took := time.Since(begun); took > time.Second || strings.Contains(strings.TrimSuffix(rest, fence), fence) {
			t.Errorf("%s: took %v for a fence of %d", name, took, len(fence))
		}
	}
}

func growing(n int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := 1; i < n && yield(strings.Repeat("`", i)); i++ {
		}
	}
}

func TestHereMeansThoseWhoAreInTheRoom(t *testing.T) {
	says := map[string]bool{
		"@here": true, "hi @here!": true, "(@here)": true, "@@here": true, "@heres @here": true,
		"@hereby": false, "a@here": false, "@here1": false, "@Here": false, "here": false, "@here\u00e9": false, "": false,
	}
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		rd1, _ := b.join(&ada, newSlate())
		rd2, _ := b.join(&grace, newSlate())
		defer rd2.Leave()
		defer rd1.Leave()
		for text, want := range says {
			if mentionsHere(text) != want {
				t.Errorf("%q", text)
			}
		}
		x := &chat.Attrs{ReplyTo: 1}
		b.say(ada, "one")
		e, err := b.stored(chat.Draft{Text: "@here", Extra: x})
		if err != nil || !e.Extra.Here || e.Extra.ReplyTo != 1 || !slices.Equal(e.Extra.Present, []chat.PersonID{"ada", "grace"}) {
			t.Errorf("%+v, %v", e.Extra, err)
		}
		if x.Here {
			t.Error("the draft's own was changed")
		}
		for _, d := range []chat.Draft{{Text: "@here", Room: "attic"}, {Kind: chat.Edit, Target: 1, Text: "@here"}, {Kind: chat.Topic, Text: "@here"}} {
			if e, err := b.stored(d); err != nil || e.Extra != nil {
				t.Errorf("%s in %s: %+v, %v", d.Is(), e.Room, e.Extra, err)
			}
		}
	})
}

func TestHereMeansNobodyInALargeRoom(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		var readers []*Reader
		for n := range chat.MaxHere {
			p := guest(n)
			rd, _ := b.join(&p, newSlate())
			readers = append(readers, rd)
		}
		if e, err := b.stored(chat.Draft{Text: "@here"}); err != nil || !e.Extra.Here || len(e.Extra.Present) != chat.MaxHere {
			t.Errorf("%+v, %v", e, err)
		}
		p := guest(chat.MaxHere)
		rd, _ := b.join(&p, newSlate())
		readers = append(readers, rd)
		if e, err := b.stored(chat.Draft{Text: "@here"}); err != nil || e.Extra != nil {
			t.Errorf("%+v, %v", e, err)
		}
		for _, rd := range readers {
			rd.Leave()
		}
	})
}

// The bytes in memory hold what a message said. Once it is deleted they are
// dropped: whoever lags is given what the store has left.
func TestDeletedTextIsGivenToNobodyWhoLags(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		quick, slow, late := newSlate(), newSlate(), newSlate()
		rd1, _ := b.join(&ada, quick)
		b.sayMany(3)
		rd2, _ := b.join(&grace, slow)
		synctest.Wait()
		slow.take(0)
		b.say(ada, "Quinquereme")
		b.sayMany(5)
		if _, err := b.stored(chat.Draft{Kind: chat.Delete, Target: 4}); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.rooms.all() {
			for _, l := range r.logs {
				if strings.Contains(string(l.buf), "Quinquereme") {
					t.Error("it is in memory")
				}
			}
		}
		b.sayMany(5)
		slow.take(-1)
		rd3, found := b.join(&grace, late, 3)
		synctest.Wait()
		quick.wantRun(t, 1, 15)
		slow.wantRun(t, 4, 15)
		late.wantRun(t, 4, 15)
		for name, s := range map[string]*slate{"lagging": slow, "late": late} {
			got := s.messages()
			if got[0].Text != "" || got[6].Kind != chat.Delete || got[6].Target != 4 {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if got := quick.messages(); got[3].Text != "Quinquereme" || got[9].Kind != chat.Delete {
			t.Errorf("live: %+v", got)
		}
		if found.Behind {
			t.Error("behind")
		}
		for _, rd := range []*Reader{rd1, rd2, rd3} {
			rd.Leave()
		}
	})
}

func TestChangesDoNotEndTyping(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd, _ := b.join(&ada, s)
		b.say(ada, "one")
		synctest.Wait()
		typed := func() (n int) {
			synctest.Wait()
			for _, l := range s.moments() {
				if l.Kind == chat.Typing {
					n++
				}
			}
			return n
		}
		rd.Typing()
		for i, d := range []chat.Draft{{Kind: chat.React, Target: 1, Text: "👍"}, {Text: "two"}} {
			if _, err := b.stored(d); err != nil {
				t.Fatal(err)
			}
			rd.Typing()
			if got := typed(); got != i+1 {
				t.Errorf("after a %s: typing was told %d times", d.Is(), got)
			}
		}
		rd.Leave()
	})
}

func TestForwardRepeatsWhatAMessageSaysNow(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		first := chat.Forward{From: chat.Person{ID: "eve", Name: "Eve"}, At: time.Unix(1, 0)}
		for _, d := range []chat.Draft{
			{Room: "attic", From: grace, Text: "said"},
			{Room: "attic", From: grace, Text: "/me waves"},
			{Room: "attic", From: grace, Text: "older", Extra: &chat.Attrs{Forward: &first, ReplyTo: 1}},
			{Room: "attic", From: grace, Text: "gone"},
			{Room: "attic", From: grace, Kind: chat.Delete, Target: 4},
		} {
			if _, err := b.stored(d); err != nil {
				t.Fatal(err)
			}
		}
		for seq, want := range map[chat.Seq]struct {
			text string
			by   chat.Person
			act  bool
			code chat.Code
		}{1: {"said", grace, false, ""}, 2: {"waves", grace, true, ""}, 3: {"older", first.From, false, ""}, 4: {code: chat.Gone}, 5: {code: chat.NotFound}, 9: {code: chat.NotFound}, -1: {code: chat.NotFound}} {
			d, err := b.Forward(t.Context(), by(&ada), chat.Draft{Room: "lobby", From: ada}, "attic", seq)
			if err == nil {
				_, err = b.stored(d)
			}
			if chat.CodeOf(err) != want.code {
				t.Errorf("%d: %v, want %q", seq, err, want.code)
			}
			if err == nil && (d.Text != want.text || d.Extra.Forward.From != want.by || d.Extra.Action != want.act || d.Extra.ReplyTo != 0 || d.From != ada || d.Room != "lobby") {
				t.Errorf("%d: %+v %+v", seq, d, d.Extra)
			}
		}
		d, err := b.Forward(t.Context(), nobody, chat.Draft{}, "nowhere", 1)
		if err == nil {
			_, err = b.stored(d)
		}
		if chat.CodeOf(err) != chat.NotFound {
			t.Error(err)
		}
	})
}

// A copy, and the copy of a copy, is deleted after what it repeats: once, in the
// name of who forwarded it, and those who are in its room are told.
func TestCopiesOfADeletedMessageAreDeleted(t *testing.T) {
	inBubble(t, Config{MessageLength: 10}, func(t *testing.T, b *bench) {
		forward := func(from chat.Person, to, room chat.RoomName, seq chat.Seq) {
			t.Helper()
			d, err := b.Forward(t.Context(), by(&from), chat.Draft{Room: to, From: from}, room, seq)
			if err == nil {
				_, err = b.stored(d)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		post := func(d chat.Draft) {
			t.Helper()
			if _, err := b.stored(d); err != nil {
				t.Fatal(err)
			}
		}
		post(chat.Draft{Room: "attic", From: ada, Text: "said"})
		forward(grace, "lobby", "attic", 1)
		forward(ada, "garden", "lobby", 1)
		post(chat.Draft{Room: "garden", From: ada, Text: "other"})
		s := newSlate()
		rd, _ := b.join(&chat.Person{ID: "eve", Name: "Eve"}, s)
		post(chat.Draft{Room: "attic", From: ada, Kind: chat.Delete, Target: 1})
		for room, want := range map[chat.RoomName]chat.Person{"lobby": grace, "garden": ada} {
			events, err := b.log.After(t.Context(), room, 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			last := events[len(events)-1]
			if events[0].Text != "" || last.Kind != chat.Delete || last.Target != 1 || last.From != want {
				t.Errorf("%s: %+v", room, events)
			}
			if n := len(slices.DeleteFunc(slices.Clone(events), func(e chat.Event) bool { return e.Kind != chat.Delete })); n != 1 {
				t.Errorf("%d deletions in %s, want 1", n, room)
			}
		}
		if got := s.messages(); len(got) != 1 || got[0] != (line{Seq: 2, Kind: chat.Delete, From: "Grace", Target: 1}) {
			t.Errorf("who is in the room has been told %+v", got)
		}
		rd.Leave()
	})
}

func TestEverySlashCommandIsDescribedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range SlashCommands {
		if seen[c.Name] || c.Name == "" || strings.ToLower(c.Name) != c.Name || c.Help == "" || (c.run != nil) != (c.By == "server") {
			t.Errorf("%+v", c)
		}
		seen[c.Name] = true
	}
}

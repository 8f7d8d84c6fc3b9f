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
	"parley/internal/format"
)

// stored posts a draft to the lobby and returns the event, or why it was refused.
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

// draft returns a draft of a kind, about a message.
func draft(kind chat.Kind, text string, target chat.Seq) chat.Draft {
	return chat.Draft{Kind: kind, Text: text, Target: target}
}

func TestEachKindOfEventHasItsRules(t *testing.T) {
	long := strings.Repeat("x", 11)
	tests := map[string]struct {
		draft chat.Draft
		want  chat.Code // "" if it is stored
		text  string    // text of the stored event
		noop  bool      // it is so already, since the first event
	}{
		"a message":                {draft: chat.Draft{Text: "hi"}, text: "hi"},
		"a message by its name":    {draft: draft(chat.Message, "hi", 0), text: "hi"},
		"an echo":                  {draft: draft(chat.Message, "hi", 1), text: "hi"},
		"a reply":                  {draft: draft(chat.Reply, "hi", 1), text: "hi"},
		"a reply to nothing":       {draft: draft(chat.Reply, "hi", 0), want: chat.BadRequest},
		"a reply before the first": {draft: draft(chat.Reply, "hi", -1), want: chat.BadRequest},
		"a blank reply":            {draft: draft(chat.Reply, " ", 1), want: chat.BadText},
		"an edit":                  {draft: draft(chat.Edit, "hi", 1), text: "hi"},
		"an edit of nothing":       {draft: draft(chat.Edit, "hi", 0), want: chat.BadRequest},
		"an edit to nothing":       {draft: chat.Draft{Kind: chat.Edit, Target: 1}, want: chat.BadText},
		"an edit too long":         {draft: draft(chat.Edit, long, 1), want: chat.TooLong},
		"an edit that is no text":  {draft: draft(chat.Edit, "\xff", 1), want: chat.BadText},
		"an edit with a slash":     {draft: draft(chat.Edit, "/me waves", 1), text: "/me waves"},
		"a deletion":               {draft: draft(chat.Delete, "with words", 1)},
		"a deletion of nothing":    {draft: chat.Draft{Kind: chat.Delete}, want: chat.BadRequest},
		"a reaction":               {draft: draft(chat.React, "👍", 1), text: "👍"},
		"a reaction to nothing":    {draft: draft(chat.React, "👍", 0), want: chat.BadRequest},
		"a reaction in words":      {draft: draft(chat.React, "ok", 1), want: chat.BadText},
		"a reaction taken back":    {draft: draft(chat.Unreact, "👍", 1), text: "👍", noop: true},
		"words taken back":         {draft: draft(chat.Unreact, "ok", 1), want: chat.BadText},
		"a pin":                    {draft: draft(chat.Pin, "with words", 1)},
		"a pin of nothing":         {draft: chat.Draft{Kind: chat.Pin}, want: chat.BadRequest},
		"a pin taken away":         {draft: chat.Draft{Kind: chat.Unpin, Target: 1}, noop: true},
		"a topic": {
			draft: draft(chat.Topic, " all\n\tabout  ships ", 0),
			text:  "all about ships",
		},
		"no topic": {draft: chat.Draft{Kind: chat.Topic}, noop: true},
		"a topic that is longer than all": {
			draft: draft(chat.Topic, strings.Repeat("é", chat.MaxTopic+1), 0),
			want:  chat.TooLong,
		},
		"presence":                 {draft: chat.Draft{Kind: chat.Presence, Target: 1}, want: chat.BadRequest},
		"typing":                   {draft: draft(chat.Typing, "hi", 1), want: chat.BadRequest},
		"a kind that there is not": {draft: draft("shout", "hi", 1), want: chat.BadRequest},
		"a nonce with a space": {
			draft: chat.Draft{Kind: chat.Pin, Target: 1, Nonce: "a b"},
			want:  chat.BadNonce,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			brackets := func(s string, _ *Budget) string { return "<" + s + ">" }
			inBubble(t, Config{MessageLength: 10, Format: brackets}, func(t *testing.T, b *bench) {
				b.say(ada, "one")
				e, err := b.stored(tt.draft)
				if code := chat.CodeOf(err); code != tt.want {
					t.Fatalf("code %q, want %q", code, tt.want)
				}
				want := chat.Event{}
				if tt.want == "" {
					want = chat.Event{
						Room: "lobby", Seq: 2, At: e.At, Kind: tt.draft.Is(), From: ada, Text: tt.text,
						Target: tt.draft.Target,
					}
					if tt.noop {
						want.Seq = 1
					}
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

// Every change counts for the rate limit, except those that are refused as invalid.
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
		for _, kind := range []chat.Kind{
			chat.Edit, chat.Delete, chat.React, chat.Unreact, chat.Pin, chat.Unpin, chat.Topic,
		} {
			_, err := b.stored(chat.Draft{Kind: kind, Target: 1, Text: "👍"})
			if e, ok := errors.AsType[*chat.Error](err); !ok || e.Code != chat.RateLimited ||
				e.RetryAfter != time.Second {
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
	said := func(text string) meaning { return meaning{Kind: chat.Message, Text: text} }
	tests := map[string]struct {
		draft chat.Draft
		want  meaning // without a kind: the draft is refused
	}{
		"/me":             {draft("", "/me  waves\n", 0), meaning{chat.Message, "waves", true, 0}},
		"/me in a thread": {draft(chat.Reply, "/me waves", 1), meaning{chat.Reply, "waves", true, 1}},
		"/me over lines": {
			draft("", "/me\nwaves\nand goes", 0),
			meaning{chat.Message, "waves\nand goes", true, 0},
		},
		"/me a command":           {draft("", "/me /topic x", 0), meaning{chat.Message, "/topic x", true, 0}},
		"/me nothing":             {draft("", "/me \n", 0), meaning{}},
		"/me something invisible": {draft("", "/me \u200b", 0), meaning{}},
		"/topic": {
			draft("", "/topic  ships\nand boats", 0),
			meaning{chat.Topic, "ships and boats", false, 0},
		},
		"/topic nothing":     {draft("", "/topic", 0), meaning{chat.Topic, "", false, 0}},
		"/topic in a thread": {draft(chat.Reply, "/topic ships", 1), meaning{chat.Topic, "ships", false, 0}},
		"/topic in an answer": {
			chat.Draft{Text: "/topic ships", Attrs: &chat.Attrs{ReplyTo: 1}}, meaning{chat.Topic, "ships", false, 0},
		},
		"/topic too long":             {draft("", "/topic "+strings.Repeat("x", chat.MaxTopic+1), 0), meaning{}},
		"/shrug":                      {draft("", "/shrug", 0), said(shrug)},
		"/shrug text":                 {draft("", "/shrug who knows ", 0), said("who knows " + shrug)},
		"/tableflip":                  {draft("", "/tableflip no!", 0), said("no! " + flip)},
		"/code":                       {draft("", "/code x := 1", 0), said("```\nx := 1\n```")},
		"/code in a language":         {draft("", "/code go\nx := 1\n\n", 0), said("```go\nx := 1\n```")},
		"/code below it":              {draft("", "/code\n  x := 1", 0), said("```\n  x := 1\n```")},
		"/code of one word":           {draft("", "/code go\n", 0), said("```\ngo\n```")},
		"/code of a sentence":         {draft("", "/code if x\ngo()", 0), said("```\nif x\ngo()\n```")},
		"/code with a fence":          {draft("", "/code a\n```\nb", 0), said("````a\n```\nb\n````")},
		"/code with a longer fence":   {draft("", "/code a b\n`````\n```", 0), said("``````\na b\n`````\n```\n``````")},
		"/code whose language is one": {draft("", "/code ```\nb", 0), said("````\n```\nb\n````")},
		"/code nothing":               {draft("", "/code \n ", 0), meaning{}},
		"/spoiler":                    {draft("", "/spoiler he did it", 0), said("||he did it||")},
		"/spoiler nothing":            {draft("", "/spoiler", 0), meaning{}},
		"/spoiler of two paragraphs":  {draft("", "/spoiler he\n\ndid it\n", 0), said("||\nhe\n\ndid it\n||")},
		"/spoiler of a list":          {draft("", "/spoiler\n- a\n- b", 0), said("||\n- a\n- b\n||")},
		"/spoiler with bars":          {draft("", "/spoiler |x|", 0), said("||\n|x|\n||")},
		"/spoiler with a spoiler":     {draft("", "/spoiler a ||b||", 0), said("|||\na ||b||\n|||")},
		"/spoiler with lines of bars": {draft("", "/spoiler a\n|||\nb", 0), said("||||\na\n|||\nb\n||||")},
		"/spoiler of a path":          {draft("", `/spoiler C:\`, 0), said("||\nC:\\\n||")},
		"two slashes":                 {draft("", "//me waves", 0), said("/me waves")},
		"three slashes":               {draft("", "///", 0), said("//")},
		"a slash":                     {draft("", "/", 0), said("/")},
		"a path":                      {draft("", "/usr/bin", 0), said("/usr/bin")},
		"an unknown word":             {draft("", "/dance all night", 0), said("/dance all night")},
		"a longer word":               {draft("", "/men at work", 0), said("/men at work")},
		"in capitals":                 {draft("", "/ME waves", 0), said("/ME waves")},
		"not at the start":            {draft("", " /me waves", 0), said(" /me waves")},
		"one that a client does":      {draft("", "/nick Countess", 0), said("/nick Countess")},
		"a forward": {
			chat.Draft{Text: "/topic x", Attrs: &chat.Attrs{Forward: &chat.Forward{From: grace}}}, said("/topic x"),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{}, func(t *testing.T, b *bench) {
				b.say(ada, "one")
				given := tt.draft.Attrs
				var before chat.Attrs
				if given != nil {
					before = *given
				}
				e, err := b.stored(tt.draft)
				got := meaning{e.Kind, e.Text, e.Attrs != nil && e.Attrs.Action, e.Target}
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

func TestSlashCommandIsCheckedByItsResult(t *testing.T) {
	inBubble(t, Config{MessageLength: 20}, func(t *testing.T, b *bench) {
		if _, err := b.stored(chat.Draft{Text: "/spoiler " + strings.Repeat("x", 16)}); err != nil {
			t.Error(err)
		}
		_, err := b.stored(draft("", "/spoiler "+strings.Repeat("x", 17), 0))
		if chat.CodeOf(err) != chat.TooLong {
			t.Error(err)
		}
		_, err = b.stored(draft(chat.Edit, strings.Repeat("x", 21), 1))
		if chat.CodeOf(err) != chat.TooLong {
			t.Error(err)
		}
	})
}

// Looking for ever longer fences, one after the other, would take seconds for one frame.
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
		"@hereby": false, "a@here": false, "@here1": false, "@Here": false, "here": false, "@here\u00e9": false,
		"": false, "`@here`": false, "```\n@here\n```": false, "https://example.org/@here": false, "@here/core": false,
		"@here@example.org": false, "大家@here看一下": true, "**@here**": true, "||@here||": true,
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
		e, err := b.stored(chat.Draft{Text: "@here", Attrs: x})
		if err != nil || !e.Attrs.Here || e.Attrs.ReplyTo != 1 ||
			!slices.Equal(b.log.last.Attrs.Present, []chat.PersonID{"ada", "grace"}) {
			t.Errorf("%+v, %v", e.Attrs, err)
		}
		if x.Here {
			t.Error("the draft's own was changed")
		}
		if e, err := b.stored(draft(chat.Edit, "@here", 1)); err != nil || !e.Attrs.Here {
			t.Errorf("an edit: %+v, %v", e.Attrs, err)
		}
		for _, d := range []chat.Draft{{Text: "@here", Room: "attic"}, draft(chat.Topic, "@here", 0)} {
			if e, err := b.stored(d); err != nil || e.Attrs != nil {
				t.Errorf("%s in %s: %+v, %v", d.Is(), e.Room, e.Attrs, err)
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
		if e, err := b.stored(chat.Draft{Text: "@here"}); err != nil || !e.Attrs.Here ||
			len(b.log.last.Attrs.Present) != chat.MaxHere {
			t.Errorf("%+v, %v", e, err)
		}
		p := guest(chat.MaxHere)
		rd, _ := b.join(&p, newSlate())
		readers = append(readers, rd)
		if e, err := b.stored(chat.Draft{Text: "@here"}); err != nil || e.Attrs != nil {
			t.Errorf("%+v, %v", e, err)
		}
		for _, rd := range readers {
			rd.Leave()
		}
	})
}

// The byte logs hold a message's text. A deletion drops these bytes: readers that are not live get what is left from
// the store.
func TestDeletedTextReachesNoReaderThatCatchesUp(t *testing.T) {
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
			for _, l := range s.ephemerals() {
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

func TestForwardCopiesTheNewestText(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		first := chat.Forward{From: chat.Person{ID: "eve", Name: "Eve"}, At: time.Unix(1, 0)}
		for _, d := range []chat.Draft{
			{Room: "attic", From: grace, Text: "said"},
			{Room: "attic", From: grace, Text: "/me waves"},
			{Room: "attic", From: grace, Text: "older", Attrs: &chat.Attrs{Forward: &first, ReplyTo: 1}},
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
		}{
			1: {"said", grace, false, ""}, 2: {"waves", grace, true, ""}, 3: {"older", first.From, false, ""},
			4: {code: chat.Gone}, 5: {code: chat.NotFound}, 9: {code: chat.NotFound}, -1: {code: chat.NotFound},
		} {
			d, err := b.Forward(t.Context(), by(&ada), chat.Draft{Room: "lobby", From: ada}, "attic", seq)
			if err == nil {
				_, err = b.stored(d)
			}
			if chat.CodeOf(err) != want.code {
				t.Errorf("%d: %v, want %q", seq, err, want.code)
			}
			if err == nil &&
				(d.Text != want.text || d.Attrs.Forward.From != want.by || d.Attrs.Action != want.act ||
					d.Attrs.ReplyTo != 0 || d.From != ada || d.Room != "lobby") {
				t.Errorf("%d: %+v %+v", seq, d, d.Attrs)
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

// After a message, its copies and their copies are deleted, each once, in the name of the person who made the copy, and
// the readers of its room get the deletion.
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
			isNoDeletion := func(e chat.Event) bool { return e.Kind != chat.Delete }
			if n := len(slices.DeleteFunc(slices.Clone(events), isNoDeletion)); n != 1 {
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
		if seen[c.Name] || c.Name == "" || strings.ToLower(c.Name) != c.Name || c.Help == "" ||
			(c.run != nil) != (c.By == "server") {
			t.Errorf("%+v", c)
		}
		seen[c.Name] = true
	}
}

// Mentions are found in the rendered text. It is rendered within the limit of the author's network, not before.
func TestTextWithAMentionIsRenderedWithinTheLimit(t *testing.T) {
	format.ForgetAll() // of an earlier run of this test
	calls := 0
	rendered := func(text string, _ *Budget) string {
		calls++
		if html := format.HTML(text, &format.Budget{}); html != "" { // nothing is left: only what is cached has HTML
			t.Errorf("%q has been rendered before: %s", text, html)
		}
		return ""
	}
	inBubble(t, Config{Format: rendered}, func(t *testing.T, b *bench) {
		for _, text := range []string{"**1** @here", "**2** @Ada"} {
			if _, err := b.stored(chat.Draft{Text: text}); err != nil {
				t.Error(err)
			}
		}
		if _, err := b.stored(draft(chat.Edit, "**3** @here", 1)); err != nil {
			t.Error(err)
		}
		if calls < 3 {
			t.Errorf("%d texts were rendered", calls)
		}
	})
}

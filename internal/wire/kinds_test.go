package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/internal/chat"
)

var grace = chat.Person{ID: "g2", Name: "Grace"}

func event(kind chat.Kind, target chat.Seq, text string) chat.Event {
	return chat.Event{Room: "lobby", Seq: 57, At: at, Kind: kind, From: ada, Text: text, Target: target}
}

// with returns a message with attributes.
func with(x chat.Attrs) chat.Event {
	e := event(chat.Message, 0, "hi")
	e.Attrs = &x
	return e
}

func TestEachKindHasItsFields(t *testing.T) {
	edited := event(chat.Edit, 42, "hi *you*")
	edited.HTML = "<p>hi <em>you</em></p>"
	edited.Attrs = &chat.Attrs{Mentions: []chat.Person{grace}}
	tests := map[string]struct {
		event chat.Event
		want  string // what follows from
	}{
		"message":        {event(chat.Message, 0, "hi"), `,"text":"hi"`},
		"an echo":        {event(chat.Message, 42, "hi"), `,"thread":42,"text":"hi"`},
		"reply":          {event(chat.Reply, 42, "hi"), `,"thread":42,"text":"hi"`},
		"a message gone": {event(chat.Message, 0, ""), `,"gone":true`},
		"a reply gone":   {event(chat.Reply, 42, ""), `,"thread":42,"gone":true`},
		"edit": {
			edited,
			`,"target":42,"text":"hi *you*","html":"<p>hi <em>you</em></p>","mentions":[{"id":"g2","name":"Grace"}]`,
		},
		"an edit gone": {event(chat.Edit, 42, ""), `,"target":42,"gone":true`},
		"delete":       {event(chat.Delete, 42, ""), `,"target":42`},
		"react":        {event(chat.React, 42, "👨‍👩‍👧"), `,"target":42,"emoji":"👨‍👩‍👧"`},
		"unreact":      {event(chat.Unreact, 42, "👍"), `,"target":42,"emoji":"👍"`},
		"pin":          {event(chat.Pin, 42, ""), `,"target":42`},
		"unpin":        {event(chat.Unpin, 42, ""), `,"target":42`},
		"topic":        {event(chat.Topic, 0, "ships"), `,"text":"ships"`},
		"no topic":     {event(chat.Topic, 0, ""), `,"text":""`},
		"an answer": {
			with(chat.Attrs{ReplyTo: 41, Quote: &chat.Quote{From: grace, Text: "so?"}}),
			`,"text":"hi","reply_to":41,"quote":{"from":{"id":"g2","name":"Grace"},"text":"so?"}`,
		},
		"to what is gone": {with(chat.Attrs{ReplyTo: 41}), `,"text":"hi","reply_to":41`},
		"an action":       {with(chat.Attrs{Action: true}), `,"text":"hi","action":true`},
		"a forward": {
			with(chat.Attrs{Forward: &chat.Forward{From: grace, At: at}}),
			`,"text":"hi","forward":{"from":{"id":"g2","name":"Grace"},"at":"2026-11-23T09:41:05.123Z"}`,
		},
		"mentions": {
			with(chat.Attrs{Mentions: []chat.Person{grace, ada}}),
			`,"text":"hi","mentions":[{"id":"g2","name":"Grace"},{"id":"a1","name":"Ada"}]`,
		},
		"for everybody": {
			with(chat.Attrs{Here: true, Present: []chat.PersonID{"secret"}}), `,"text":"hi","at_here":true`,
		},
		"hostile in a quote": {
			with(chat.Attrs{
				ReplyTo: 1, Quote: &chat.Quote{From: chat.Person{ID: "x", Name: "\"\\\n"}, Text: "</script>\u2028\x00"},
			}),
			`,"text":"hi","reply_to":1,"quote":{"from":{"id":"x","name":"\"\\\n"},"text":"</script>\u2028\u0000"}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := fmt.Sprintf(
				`{"op":"event","room":"lobby","seq":57,"at":"2026-11-23T09:41:05.123Z","kind":"%s",`+
					`"from":{"id":"a1","name":"Ada"}%s}`,
				tt.event.Kind, tt.want,
			)
			got := payload(t, EventFrames{}.Append(nil, tt.event))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			stream := fmt.Sprintf("id: e:57:2026-11-23T09:41:05.123Z\nevent: %s\ndata: %s\n\n", tt.event.Kind, want)
			if diff := cmp.Diff(stream, string(SSE{Epoch: "e"}.Append(nil, tt.event))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChatroomFramesShowMessages(t *testing.T) {
	echo := event(chat.Message, 42, "hi")
	tests := map[string]struct {
		event chat.Event
		want  string // "" if it is not shown
	}{
		"a message":   {event(chat.Message, 0, "hi"), "hi"},
		"an echo":     {echo, "hi"},
		"an action":   {with(chat.Attrs{Action: true}), "/me hi"},
		"an answer":   {with(chat.Attrs{ReplyTo: 1, Quote: &chat.Quote{Text: "x"}}), "hi"},
		"one gone":    {event(chat.Message, 0, ""), ""},
		"a reply":     {event(chat.Reply, 42, "hi"), ""},
		"an edit":     {event(chat.Edit, 42, "hi"), ""},
		"a deletion":  {event(chat.Delete, 42, ""), ""},
		"a reaction":  {event(chat.React, 42, "👍"), ""},
		"a topic":     {event(chat.Topic, 0, "ships"), ""},
		"a pin":       {event(chat.Pin, 42, ""), ""},
		"an unknown":  {event("shout", 42, "HI"), ""},
		"with markup": {event(chat.Message, 0, `"<b>`), `\"<b>`},
	}
	for name, tt := range tests {
		before := []byte("before")
		got := ChatroomFrames{}.Append(bytes.Clone(before), tt.event)
		if tt.want == "" {
			if !bytes.Equal(got, before) {
				t.Errorf("%s is shown: %q", name, got)
			}
		} else if want := `{"from":"Ada","message":"` + tt.want + `"}`; payload(t, got[len(before):]) != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestAnswerNamesTheKindIfNotAMessage(t *testing.T) {
	for _, kind := range []chat.Kind{
		chat.Reply, chat.Edit, chat.Delete, chat.React, chat.Unreact, chat.Pin, chat.Unpin, chat.Topic,
	} {
		want := `{"op":"ok","id":-4,"room":"lobby","seq":57,"at":"2026-11-23T09:41:05.123Z",` +
			`"kind":"` + string(kind) + `"}`
		if got := payload(t, AppendStored(nil, -4, event(kind, 42, "x"))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A read is an event as a client decodes it.
type read struct {
	Op, Room, Kind, Text, HTML, Emoji string
	Seq, Target, Thread               chat.Seq
	ReplyTo                           chat.Seq `json:"reply_to"`
	From                              chat.Person
	Gone, Action                      bool
	Here                              bool `json:"at_here"`
	Mentions                          []chat.Person
	Quote                             *chat.Quote
	Forward                           *struct{ From chat.Person }
}

// Whatever people write, and in whatever kind of event, a client decodes it unchanged.
func TestEventsAreReadAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(), rapid.SampledFrom([]string{"", "\"},{", "</script>", "\u2028\x00\x1b", "\\u0041"}),
		)
		person := rapid.Custom(func(t *rapid.T) chat.Person {
			return chat.Person{
				ID: chat.PersonID(rapid.StringMatching(`[a-z2-7]{4}`).Draw(t, "id")), Name: text.Draw(t, "name"),
			}
		})
		e := event(
			rapid.SampledFrom([]chat.Kind{
				chat.Message, chat.Reply, chat.Edit, chat.Delete, chat.React, chat.Unreact, chat.Pin, chat.Unpin,
				chat.Topic,
			}).Draw(t, "kind"),
			chat.Seq(rapid.Int64Range(0, 1<<53).Draw(t, "target")), text.Draw(t, "text"),
		)
		e.From, e.HTML = person.Draw(t, "from"), text.Draw(t, "html")
		want := read{Op: "event", Room: "lobby", Kind: string(e.Kind), HTML: e.HTML, Seq: e.Seq, From: e.From}
		if e.Kind.IsSaid() {
			want.Thread = e.Target
		} else {
			want.Target = e.Target
		}
		switch e.Kind {
		case chat.Message, chat.Reply, chat.Edit, chat.Topic:
			want.Text, want.Gone = e.Text, e.Text == "" && e.Kind != chat.Topic
		case chat.React, chat.Unreact:
			want.Emoji = e.Text
		}
		if rapid.Bool().Draw(t, "extra") {
			x := chat.Attrs{
				ReplyTo: chat.Seq(rapid.Int64Range(0, 9).Draw(t, "reply to")), Action: rapid.Bool().Draw(t, "action"),
				Here:     rapid.Bool().Draw(t, "here"),
				Mentions: rapid.SliceOfN(person, 0, 3).Draw(t, "mentions"), Quote: &chat.Quote{
					From: person.Draw(t, "quoted"), Text: text.Draw(t, "quote"),
				},
				Forward: &chat.Forward{From: person.Draw(t, "forwarded"), At: at},
			}
			e.Attrs = &x
			want.ReplyTo, want.Action, want.Here, want.Quote = x.ReplyTo, x.Action, x.Here, x.Quote
			want.Forward = &struct{ From chat.Person }{x.Forward.From}
			if len(x.Mentions) > 0 {
				want.Mentions = x.Mentions
			}
		}
		b := AppendEvent(nil, e)
		var got read
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if s := string(SSE{Epoch: "e"}.Append(nil, e)); strings.Count(s, "\n") != 4 || !strings.HasSuffix(s, "\n\n") {
			t.Errorf("%q has other than three lines", s)
		}
	})
}

func TestDecodeChanges(t *testing.T) {
	is, all := true, "all"
	tests := map[string]struct {
		in    string
		want  Command
		quick bool // without encoding/json
	}{
		"a react": {
			`{"op":"react","id":3,"room":"r","seq":42,"emoji":"👍","nonce":"n"}`,
			Command{Op: "react", ID: 3, Room: "r", Nonce: "n", CommandOptions: &CommandOptions{Seq: 42, Emoji: "👍"}},
			true,
		},
		"an edit": {
			`{"op":"edit","seq":42,"text":"hi"}`,
			Command{Op: "edit", Text: "hi", CommandOptions: &CommandOptions{Seq: 42}},
			true,
		},
		"an answer": {
			`{"op":"send","reply_to":41,"thread":40,"text":"hi"}`,
			Command{
				Op: "send", Text: "hi",
				CommandOptions: &CommandOptions{SendOptions: SendOptions{ReplyTo: 41, Thread: 40}},
			},
			true,
		},
		"an echo": {
			`{"op":"send","thread":40,"echo":true}`,
			Command{Op: "send", CommandOptions: &CommandOptions{SendOptions: SendOptions{Thread: 40, Echo: true}}},
			false,
		},
		"a forward": {
			`{"op":"send","forward":{"room":"r","seq":9}}`,
			Command{
				Op: "send", CommandOptions: &CommandOptions{SendOptions: SendOptions{Forward: &MessageRef{"r", 9}}},
			},
			false,
		},
		"a read": {
			`{"op":"read","seq":9,"exact":true}`,
			Command{Op: "read", CommandOptions: &CommandOptions{Seq: 9, Exact: true}},
			false,
		},
		"a set": {
			`{"op":"set","notify":"all","muted":true,"favourite":true,"listed":true}`,
			Command{Op: "set", CommandOptions: &CommandOptions{Notify: &all, Muted: &is, Favourite: &is, Listed: &is}},
			false,
		},
		"less than nothing": {
			`{"op":"pin","seq":-5}`, Command{Op: "pin", CommandOptions: &CommandOptions{Seq: -5}}, false,
		},
		"nothing": {
			`{"op":"pin","seq":null,"forward":null,"emoji":null}`,
			Command{Op: "pin", CommandOptions: &CommandOptions{}},
			false,
		},
		"a large number": {
			`{"op":"pin","seq":9007199254740991}`,
			Command{Op: "pin", CommandOptions: &CommandOptions{Seq: 9007199254740991}},
			true,
		},
		"an escape": {
			`{"op":"react","emoji":"\ud83d\udc4d"}`,
			Command{Op: "react", CommandOptions: &CommandOptions{Emoji: "👍"}},
			false,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeCommand([]byte(tt.in))
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if quick := scanCommand([]byte(tt.in), &Command{}); quick != tt.quick {
				t.Errorf("quick: %v", quick)
			}
		})
	}
	for name, in := range map[string]string{
		"a seq in words": `{"op":"pin","seq":"42"}`, "a seq of parts": `{"op":"pin","seq":4.2}`,
		"a seq too large": `{"op":"pin","seq":9223372036854775808}`, "a list for a seq": `{"op":"pin","seq":[42]}`,
		"an emoji as a number": `{"op":"react","emoji":1}`, "a forward as text": `{"op":"send","forward":"lobby/9"}`,
		"an echo as text": `{"op":"send","echo":"true"}`, "muted as a number": `{"op":"set","muted":1}`,
	} {
		if c, err := DecodeCommand([]byte(in)); chat.CodeOf(err) != chat.InvalidJSON {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

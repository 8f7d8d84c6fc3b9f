package client

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// told returns a line for each event of a room's log, and leaves out ephemeral events.
func told(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		switch e := e.(type) {
		case Message:
			fmt.Fprintf(&b, "%d message %s\n", e.Seq, e.Text)
		case Reply:
			fmt.Fprintf(&b, "%d reply in %d %s\n", e.Seq, e.Thread, e.Text)
		case Edit:
			fmt.Fprintf(&b, "%d edit of %d %s\n", e.Seq, e.Target, e.Text)
		case Delete:
			fmt.Fprintf(&b, "%d delete of %d\n", e.Seq, e.Target)
		case Reaction:
			fmt.Fprintf(&b, "%d %s on %d removed %t\n", e.Seq, e.Emoji, e.Target, e.Removed)
		case Pin:
			fmt.Fprintf(&b, "%d pin of %d removed %t\n", e.Seq, e.Target, e.Removed)
		case Topic:
			fmt.Fprintf(&b, "%d topic %s\n", e.Seq, e.Text)
		}
	}
	return b.String()
}

// everything has each kind of event happen once in the lobby, which has one
// message, and one of a kind that nobody knows.
func everything(s *fakeServer) {
	for _, e := range []fakeEvent{
		{"kind": "edit", "target": 1, "text": "ho"},
		{"kind": "react", "target": 1, "emoji": "👍"},
		{"kind": "poll", "mentions": map[string]any{}},
		{"kind": "unreact", "target": 1, "emoji": "👍"},
		{"kind": "reply", "thread": 1, "text": "aside"},
		{"kind": "pin", "target": 1},
		{"kind": "unpin", "target": 1},
		{"kind": "topic", "text": "tea"},
		{"kind": "delete", "target": 1},
	} {
		s.happen("lobby", e)
	}
}

const everythingTold = `1 message hi
2 edit of 1 ho
3 👍 on 1 removed false
5 👍 on 1 removed true
6 reply in 1 aside
7 pin of 1 removed false
8 pin of 1 removed true
9 topic tea
10 delete of 1
`

func TestEventsOfEachKindComeOnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		live := s.dial(Options{})
		join(t, live, "lobby", Position{})
		s.post("lobby", 1)
		everything(s)
		if got := told(rest(t, live)); got != everythingTold {
			t.Errorf("live came\n%s", got)
		}
		s.setDown(true)
		s.happen("lobby", fakeEvent{"kind": "react", "target": 1, "emoji": "🎉"})
		s.setDown(false)
		time.Sleep(time.Minute)
		if got, want := told(rest(t, live)), "11 🎉 on 1 removed false\n"; got != want {
			t.Errorf("after a reconnect came\n%s", got)
		}
		late := s.dial(Options{})
		join(t, late, "lobby", Position{})
		if got, want := told(rest(t, late)), everythingTold+"11 🎉 on 1 removed false\n"; got != want {
			t.Errorf("on resuming came\n%s", got)
		}
	})
}

// A room where people do much and say little: more happened than a join delivers,
// more than the queue holds, and all of it is read from the log.
func TestChangesAreReadPageByPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.post("lobby", 1)
		everything(s)
		var want strings.Builder
		want.WriteString(everythingTold)
		for seq := 11; seq <= 3000; seq++ {
			emoji := fmt.Sprintf("%d", seq)
			s.happen("lobby", fakeEvent{"kind": "react", "target": 1, "emoji": emoji})
			fmt.Fprintf(&want, "%d %s on 1 removed false\n", seq, emoji)
		}
		c := s.dial(Options{})
		join(t, c, "lobby", Position{})
		if got := told(rest(t, c)); got != want.String() {
			t.Errorf("came %d bytes, want %d", len(got), want.Len())
		}
	})
}

// One name can have one thing in an event and another in an answer.
func TestMessageTellsWhomItIsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(Options{})
		join(t, c, "lobby", Position{})
		rest(t, c)
		s.happen("lobby", fakeEvent{
			"kind": "message", "text": "@here and @Ada", "at_here": true, "mentions": []Person{{"a", "Ada"}},
			"reply_to": 1,
			"quote":    Quote{Person{"g", "Grace"}, "who?"}, "action": true,
		})
		got := rest(t, c)
		if len(got) != 1 {
			t.Fatalf("came %v", got)
		}
		m, ok := got[0].(Message)
		if !ok || !m.AtHere || len(m.Mentions) != 1 || m.Mentions[0].Name != "Ada" || m.ReplyTo != 1 ||
			m.Quote.Text != "who?" || !m.Action {
			t.Errorf("came %+v", got[0])
		}
	})
}

func TestEachChangeIsMadeOnceThoughItsAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.post("lobby", 1)
		c := s.dial(Options{})
		ctx := t.Context()
		for i, do := range []func(context.Context) (Receipt, error){
			func(ctx context.Context) (Receipt, error) { return c.Edit(ctx, "lobby", 1, "ho") },
			func(ctx context.Context) (Receipt, error) { return c.React(ctx, "lobby", 1, "👍") },
			func(ctx context.Context) (Receipt, error) { return c.Unreact(ctx, "lobby", 1, "👍") },
			func(ctx context.Context) (Receipt, error) { return c.Pin(ctx, "lobby", 1) },
			func(ctx context.Context) (Receipt, error) { return c.Unpin(ctx, "lobby", 1) },
			func(ctx context.Context) (Receipt, error) { return c.SetTopic(ctx, "lobby", "tea") },
			func(ctx context.Context) (Receipt, error) { return c.Delete(ctx, "lobby", 1) },
			func(ctx context.Context) (Receipt, error) {
				return c.SendWith(ctx, "lobby", "aside", SendOptions{Thread: 1, ReplyTo: 1})
			},
		} {
			cuts := 2
			s.onCommand(func(cmd command) fakeFault {
				if cmd.Op == "hello" || cuts == 0 {
					return fakeFault{}
				}
				cuts--
				return fakeFault{cut: true}
			})
			r, err := do(ctx)
			if want := int64(i + 2); err != nil || r.Seq != want || r.At.IsZero() || r.Kind == "" ||
				int64(s.logLen("lobby")) != want {
				t.Errorf("%d: %+v, %v; %d events in the log", i, r, err, s.logLen("lobby"))
			}
		}
	})
}

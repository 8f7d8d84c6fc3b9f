package room

import (
	"errors"
	"testing"
	"time"

	"parley/internal/chat"
)

// The rules are package access's. This test shows that every method of the Hub asks for the right action.
func TestUnknownPersonReadsAndChangesNothing(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		b.sayMany(1)
		q := b.reading(nobody.Network)
		for what, do := range map[string]func() error{
			"history":  func() error { _, err := q.History(t.Context(), "lobby", chat.PageQuery{}); return err },
			"pins":     func() error { _, err := q.Pins(t.Context(), "lobby", 0); return err },
			"message":  func() error { _, err := q.Message(t.Context(), "lobby", 1); return err },
			"events":   func() error { _, _, _, err := q.Events(t.Context(), "lobby", 0, 1); return err },
			"state":    func() error { _, _, _, err := b.State(t.Context(), nobody, "lobby"); return err },
			"position": func() error { return b.CheckPosition(t.Context(), nobody, "lobby", 1, time.Time{}, "epoch") },
			"search":   func() error { return b.MaySearch(nobody) },
			"follow": func() error {
				for _, err := range b.Follow(t.Context(), nobody, "lobby", 0) {
					return err
				}
				return errors.New("no event")
			},
			"reader": func() error {
				j := JoinRequest{Sink: newSlate(), Encoder: lines{}}
				rd, err := b.Join(t.Context(), nobody, "lobby", j, func(JoinResult) {})
				if err == nil {
					rd.Leave()
				}
				return err
			},
		} {
			if err := do(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		j := JoinRequest{Member: true, Sink: newSlate(), Encoder: lines{}}
		if _, err := b.Join(t.Context(), nobody, "lobby", j, func(JoinResult) {}); chat.CodeOf(err) != chat.BadSession {
			t.Errorf("joining: %v", err)
		}
		for _, kind := range []chat.Kind{
			chat.Message, chat.Reply, chat.Delete, chat.Pin, chat.Unpin, chat.Topic,
		} {
			d := chat.Draft{Room: "lobby", Kind: kind, Text: "hello", Target: 1}
			err := b.Post(d, func(chat.Commit) { t.Errorf("%s was stored", kind) })
			if chat.CodeOf(err) != chat.BadSession {
				t.Errorf("%s: %v", kind, err)
			}
		}
		if s := b.Stats(); s.Rooms != 0 || s.Posted != 1 {
			t.Errorf("%+v", s)
		}
	})
}

package cluster

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/internal/chat"
	"parley/internal/room"
)

func TestEventsAreReadAsTheyWereWritten(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_123).UTC()
	person := chat.Person{ID: "ada", Name: "Ada 🦊"}
	attrs := []*chat.Attrs{nil, {Action: true}, {
		ReplyTo: 7, Quote: &chat.Quote{From: person, Text: "what was said"},
		Forward: &chat.Forward{From: person, At: at}, Mentions: []chat.Person{person}, Here: true,
		Present: []chat.PersonID{"ada"},
	}}
	rapid.Check(t, func(t *rapid.T) {
		var want []chat.Event
		var payload []byte
		for range rapid.IntRange(1, 5).Draw(t, "events") {
			e := chat.Event{
				Room: "lobby", Seq: chat.Seq(rapid.Int64Min(1).Draw(t, "seq")), At: at, From: person,
				Kind:   rapid.SampledFrom([]chat.Kind{chat.Message, chat.Delete, chat.React}).Draw(t, "kind"),
				Text:   rapid.String().Draw(t, "text"),
				HTML:   rapid.String().Draw(t, "html"),
				Target: chat.Seq(rapid.Int64Min(0).Draw(t, "target")),
				Attrs:  rapid.SampledFrom(attrs).Draw(t, "attrs"),
			}
			want = append(want, e)
			payload = appendEvent(payload, &e)
		}
		got, ok := decodeEvents("lobby", payload)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Fatalf("%v (-want +got):\n%s", ok, diff)
		}
		if _, ok := decodeEvents("lobby", payload[:len(payload)-1]); ok {
			t.Fatal("what is cut off is accepted")
		}
		payload[0]++
		if _, ok := decodeEvents("lobby", payload); ok {
			t.Fatal("another version is accepted")
		}
	})
}

func TestMembersAreReadAsTheyWereWritten(t *testing.T) {
	for name, want := range map[string]room.Members{
		"none":   {Version: 1},
		"listed": {Version: 2, Count: 2, People: []chat.Person{{ID: "ada", Name: "Ada"}, {ID: "grace"}}},
		"many":   {Version: 1 << 60, Count: 1000},
	} {
		b := appendMembers(nil, want)
		f := &fields{rest: b}
		if diff := cmp.Diff(want, readMembers(f)); diff != "" || f.bad || len(f.rest) != 0 {
			t.Errorf("%s: bad %v, %d bytes left:\n%s", name, f.bad, len(f.rest), diff)
		}
	}
}

// No message can make a node panic.
func FuzzRoomMessage(f *testing.F) {
	f.Add([]byte("\x01\x01\x01\x00\x03ada\x03Ada\x02hi\x00\x00\x00"))
	f.Add([]byte("m\x01\x02\x01\x03ada\x03Ada"))
	f.Add([]byte("t\x03ada\x03Ada"))
	f.Add([]byte("a\x01\x05lobby"))
	f.Add([]byte("r\x01\x05lobby\x01\x01\x01\x03ada\x03Ada"))
	f.Add([]byte("s\x05lobby\x09\x09\x01"))
	f.Add([]byte("d\x05lobby\x09\x09\x01\x04text"))
	hub := room.New(nil, nil, "epoch", room.Config{})
	r := &rooms{
		node: New(deafBus{}, Config{}), hub: hub,
		cfg: RoomsConfig{Stored: func(chat.RoomName, chat.Seq, time.Time, bool) {}, Deleted: func([]string) {}},
	}
	hub.SetOthers(r, func(context.Context, []chat.RoomName) (map[chat.RoomName]chat.Seq, error) { return nil, nil })
	f.Fuzz(func(t *testing.T, payload []byte) {
		r.receive("a/1", "", payload)
		r.receiveMembers("a/1", "lobby", payload)
		if events, ok := decodeEvents("lobby", payload); ok && len(payload) > 0 {
			for _, e := range events {
				if e.Seq < 1 || e.Room != "lobby" {
					t.Errorf("%+v", e)
				}
			}
		}
	})
}

// A deafBus carries nothing.
type deafBus struct{}

func (deafBus) Publish(string, []byte)   {}
func (deafBus) Subscribe(string)         {}
func (deafBus) Unsubscribe(string)       {}
func (deafBus) Messages() <-chan Message { return nil }
func (deafBus) IsConnected() bool        { return true }
func (deafBus) Close() error             { return nil }

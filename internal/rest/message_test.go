package rest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
	"parley/internal/wire"
)

func TestMessagesAreAsDescribed(t *testing.T) {
	at := time.Time(exampleAt)
	full := chat.MessageState{
		Event: chat.Event{
			Seq: 42, At: at, Kind: chat.Reply, From: ada, Text: "*hi*", HTML: "<p><em>hi</em></p>", Target: 40,
			Attrs: &chat.Attrs{
				ReplyTo: 41, Quote: &chat.Quote{From: ada, Text: "so?"}, Action: true,
				Forward: &chat.Forward{From: ada, At: at}, Mentions: []chat.Person{ada}, Here: true,
			},
		},
		Edited: 43, EditedAt: at, Pinned: true, Pin: 44,
		Reactions: []chat.Reaction{{Emoji: "👍", People: []chat.Person{ada}}},
		Replies:   &chat.Replies{Count: 2, Last: 45, At: at, From: ada},
	}
	deleted := chat.MessageState{Event: chat.Event{Seq: 42, At: at, Kind: chat.Message, From: ada}}
	described := map[string]bool{}
	for name, m := range map[string]*chat.MessageState{"full": &full, "deleted": &deleted} {
		written := wire.AppendMessage(nil, m)
		var got message
		dec := json.NewDecoder(bytes.NewReader(written))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&got); err != nil {
			t.Fatalf("%s: a field is not described: %v in %s", name, err, written)
		}
		if diff := cmp.Diff(anyJSON(t, encoded(got)), anyJSON(t, written)); diff != "" {
			t.Errorf("%s (-described +written):\n%s", name, diff)
		}
		for field, value := range reflect.ValueOf(got).Fields() {
			described[field.Name] = described[field.Name] || !value.IsZero()
		}
	}
	for field, is := range described {
		if !is {
			t.Errorf("%s is described, and never written", field)
		}
	}
}

func TestListEntriesAreAsDescribed(t *testing.T) {
	full := chat.ListEntry{
		Room: "lobby", Topic: "ships", Head: 57, At: time.Time(exampleAt), Last: &chat.Quote{From: ada, Text: "<hi>"},
		Read: 42, Unread: 7, Mentions: 1, Notify: chat.NotifyAll, Muted: true, Favourite: true,
	}
	for name, e := range map[string]chat.ListEntry{"full": full, "empty": {Room: "lobby", Notify: chat.NotifyNone}} {
		written := wire.AppendListEntryJSON(nil, &e)
		var got entry
		dec := json.NewDecoder(bytes.NewReader(written))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&got); err != nil {
			t.Fatalf("%s: a field is not described: %v in %s", name, err, written)
		}
		if diff := cmp.Diff(anyJSON(t, encoded(got)), anyJSON(t, written)); diff != "" {
			t.Errorf("%s (-described +written):\n%s", name, diff)
		}
	}
}

func anyJSON(t *testing.T, b []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

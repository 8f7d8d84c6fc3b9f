package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

func TestMessagesHaveTheFieldsOfEventsAndTheirState(t *testing.T) {
	const head = `{"seq":57,"at":"2026-11-23T09:41:05.123Z","kind":"message","from":{"id":"a1","name":"Ada"}`
	tests := map[string]struct {
		state chat.MessageState
		want  string // after from
	}{
		"plain":   {chat.MessageState{Event: event(chat.Message, 0, "hi")}, `,"text":"hi"}`},
		"deleted": {chat.MessageState{Event: event(chat.Message, 0, "")}, `,"text":"","gone":true}`},
		"echo":    {chat.MessageState{Event: event(chat.Message, 42, "hi")}, `,"thread":42,"text":"hi"}`},
		"action":  {chat.MessageState{Event: with(chat.Attrs{Action: true})}, `,"text":"hi","action":true}`},
		"edited": {
			chat.MessageState{Event: event(chat.Message, 0, "hi"), Edited: 58, EditedAt: at},
			`,"text":"hi","edited":{"seq":58,"at":"2026-11-23T09:41:05.123Z"}}`,
		},
		"reactions": {
			chat.MessageState{Event: event(chat.Message, 0, "hi"), Reactions: []chat.Reaction{
				{Emoji: "👍", People: []chat.Person{grace, ada}}, {Emoji: "🎉", People: []chat.Person{ada}},
			}},
			`,"text":"hi","reactions":[` +
				`{"emoji":"👍","count":2,"people":[{"id":"g2","name":"Grace"},{"id":"a1","name":"Ada"}]},` +
				`{"emoji":"🎉","count":1,"people":[{"id":"a1","name":"Ada"}]}]}`,
		},
		"root": {
			chat.MessageState{
				Event: event(chat.Message, 0, "hi"), Replies: &chat.Replies{Count: 2, Last: 59, At: at, From: grace},
			},
			`,"text":"hi","replies":{"count":2,"seq":59,"at":"2026-11-23T09:41:05.123Z","from":{"id":"g2",` +
				`"name":"Grace"}}}`,
		},
		"pinned": {
			chat.MessageState{Event: event(chat.Message, 0, "hi"), Pinned: true, Pin: 60},
			`,"text":"hi","pinned":true}`,
		},
	}
	for name, tt := range tests {
		if diff := cmp.Diff(head+tt.want, string(AppendMessage(nil, &tt.state))); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

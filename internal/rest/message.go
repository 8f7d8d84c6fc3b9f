package rest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
	"parley/internal/wire"
)

// A message describes the JSON of wire.AppendMessage for OpenAPI. A test compares
// the two.
type message struct {
	Seq       chat.Seq      `json:"seq" doc:"Its number in the room, among all events."`
	At        stamp         `json:"at"`
	Kind      chat.Kind     `json:"kind" enum:"message,reply" doc:"Where it was said: in the room, or only in a thread."`
	From      chat.Person   `json:"from"`
	Text      string        `json:"text" doc:"What it says now; empty if it has been deleted."`
	HTML      string        `json:"html,omitempty" doc:"Its formatting, rendered and sanitised; missing if it has none."`
	Gone      bool          `json:"gone,omitempty" doc:"It has been deleted."`
	Edited    *edited       `json:"edited,omitempty" doc:"Its newest edit."`
	Thread    chat.Seq      `json:"thread,omitempty" doc:"The message in whose thread it was said."`
	ReplyTo   chat.Seq      `json:"reply_to,omitempty" doc:"The message that it answers."`
	Quote     *quote        `json:"quote,omitempty" doc:"What that one says."`
	Action    bool          `json:"action,omitempty" doc:"It is what its author does."`
	Forward   *forwarded    `json:"forward,omitempty" doc:"Who said it first."`
	Mentions  []chat.Person `json:"mentions,omitempty" doc:"Whom it names."`
	Here      bool          `json:"at_here,omitempty" doc:"It is for everybody who was here."`
	Reactions []reaction    `json:"reactions,omitempty"`
	Replies   *replies      `json:"replies,omitempty" doc:"Its thread."`
	Pinned    bool          `json:"pinned,omitempty"`
}

type edited struct {
	Seq chat.Seq `json:"seq"`
	At  stamp    `json:"at"`
}

type quote struct {
	From chat.Person `json:"from"`
	Text string      `json:"text"`
}

type forwarded struct {
	From chat.Person `json:"from"`
	At   stamp       `json:"at"`
}

type reaction struct {
	Emoji  string        `json:"emoji"`
	Count  int           `json:"count"`
	People []chat.Person `json:"people" nullable:"false"`
}

type replies struct {
	Count int         `json:"count"`
	Seq   chat.Seq    `json:"seq" doc:"The newest."`
	At    stamp       `json:"at" doc:"When that was said."`
	From  chat.Person `json:"from" doc:"Who said it."`
}

// An encodedMessage is the JSON of a message.
type encodedMessage struct{ json.RawMessage }

func encodeMessage(m *chat.MessageState) encodedMessage {
	return encodedMessage{wire.AppendMessage(nil, m)}
}

// Schema implements huma.SchemaProvider.
func (encodedMessage) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[message](), true, "")
}

// encodeMessages adds messages to the list of an answer.
func encodeMessages(list *encodedItems, found []chat.MessageState) largeList[message] {
	var buf []byte
	for i := range found {
		buf = wire.AppendMessage(buf[:0], &found[i])
		list.append(bytes.Clone(buf))
	}
	return largeList[message]{list}
}

// The message in the examples of the API's description.
var (
	exampleAt      = stamp(time.Date(2026, time.November, 23, 9, 41, 5, 123e6, time.UTC))
	exampleMessage = chat.MessageState{Event: chat.Event{
		Room: "lobby", Seq: 42, At: time.Time(exampleAt), Kind: chat.Message, From: ada,
		Text: "Hello, **world**", HTML: "<p>Hello, <strong>world</strong></p>",
	}}
)

// exampleMessages returns a list of exampleMessage alone.
func exampleMessages() largeList[message] {
	return encodeMessages(&encodedItems{}, []chat.MessageState{exampleMessage})
}

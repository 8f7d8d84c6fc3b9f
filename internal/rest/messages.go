package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
	"parley/internal/room"
	"parley/internal/wire"
)

// SeqParam, in the input of an operation, is the message in its URL.
type SeqParam struct {
	Seq chat.Seq `path:"seq" minimum:"1" example:"42" doc:"The message's number in the room."`
}

type messageInput struct {
	Caller
	RoomParam
	SeqParam
	After chat.Seq `query:"after" minimum:"0" doc:"Only versions with a greater seq."`
}

type version struct {
	Seq  chat.Seq `json:"seq" doc:"The number of the edit; of the first version, the message's own."`
	At   stamp    `json:"at"`
	Text string   `json:"text"`
	HTML string   `json:"html,omitempty"`
}

type messageAnswer struct {
	Room     chat.RoomName      `json:"room"`
	Message  encodedMessage     `json:"message"`
	More     bool               `json:"more,omitempty" doc:"There are more versions, after the last one."`
	Versions largeList[version] `json:"versions" doc:"What it has said, oldest first; none if it has been deleted."`
}

func (a messageAnswer) split() (any, *encodedItems) {
	list := a.Versions.take()
	return a, list
}

type messageOutput struct{ Body messageAnswer }

type repliesInput struct {
	Caller
	RoomParam
	SeqParam
	PageParam
}

type threadAnswer struct {
	Room     chat.RoomName      `json:"room"`
	Seq      chat.Seq           `json:"seq" doc:"As in a page of the room."`
	At       *stamp             `json:"at,omitempty" doc:"Likewise."`
	Epoch    string             `json:"epoch"`
	More     bool               `json:"more"`
	Newer    bool               `json:"more_after,omitempty"`
	Root     encodedMessage     `json:"root" doc:"The message that the thread began with."`
	Follows  bool               `json:"following" doc:"The person whose session it is follows the thread."`
	Messages largeList[message] `json:"messages" doc:"Oldest first."`
}

func (a threadAnswer) split() (any, *encodedItems) {
	list := a.Messages.take()
	return a, list
}

type threadOutput struct{ Body threadAnswer }

type pinsInput struct {
	Caller
	RoomParam
	Before chat.Seq `query:"before" minimum:"0" doc:"Only what was pinned before this event: what the page before said as “before”."`
}

type pinsAnswer struct {
	Room     chat.RoomName      `json:"room"`
	Seq      chat.Seq           `json:"seq"`
	More     bool               `json:"more,omitempty" doc:"There are more, that were pinned earlier."`
	Before   chat.Seq           `json:"before,omitempty" doc:"With “more”: what to ask for next."`
	Messages largeList[message] `json:"messages" doc:"What was pinned last comes first."`
}

func (a pinsAnswer) split() (any, *encodedItems) {
	list := a.Messages.take()
	return a, list
}

type pinsOutput struct{ Body pinsAnswer }

type logInput struct {
	Caller
	RoomParam
	After int64 `query:"after" minimum:"0" doc:"Only events with a greater seq."`
	Limit int   `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most; a page that is large ends earlier."`
	ResumeParam
}

type logAnswer struct {
	Room   chat.RoomName              `json:"room"`
	Seq    chat.Seq                   `json:"seq" doc:"The number of the room's newest event: there are more if the last one here has a lesser one."`
	At     *stamp                     `json:"at,omitempty" doc:"When that event was stored. Missing in a room that nobody has written to."`
	Epoch  string                     `json:"epoch"`
	Events largeList[json.RawMessage] `json:"events" doc:"Oldest first, each as on /ws."`
}

func (a logAnswer) split() (any, *encodedItems) {
	list := a.Events.take()
	return a, list
}

type logOutput struct{ Body logAnswer }

type commandsAnswer struct {
	Commands []room.SlashCommand `json:"commands" nullable:"false"`
}

type commandsOutput struct{ Body commandsAnswer }

type emojiAnswer struct {
	Emoji [][]string `json:"emoji" nullable:"false" doc:"Each emoji, followed by its short-codes, in the order of Unicode's charts."`
}

type emojiOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         emojiAnswer
}

func (a *API) registerMessage(api huma.API) {
	at := exampleAt
	hello := encodeMessage(&exampleMessage)
	tags := []string{"Messages"}

	register(a, api, huma.Operation{
		OperationID: "message", Method: http.MethodGet, Path: "/api/rooms/{room}/messages/{seq}", Tags: tags,
		Summary: "One message, and what it said before",
		Responses: map[string]*huma.Response{"200": {Description: "The message", Content: content(messageAnswer{
			Room: "lobby", Message: hello,
			Versions: largeListOf(version{Seq: 42, At: at, Text: exampleMessage.Text, HTML: exampleMessage.HTML}),
		})}},
		Errors: []int{400, 404, 429, 503},
	}, a.message)

	register(a, api, huma.Operation{
		OperationID: "replies", Method: http.MethodGet, Path: "/api/rooms/{room}/messages/{seq}/replies", Tags: tags,
		Summary: "A page of a thread",
		Responses: map[string]*huma.Response{"200": {
			Description: "The page",
			Content: content(threadAnswer{
				Room: "lobby", Seq: 42, At: &at, Epoch: "qk3v8d", Root: hello, Messages: exampleMessages(),
			}),
		}},
		Errors: []int{400, 404, 409, 429, 503},
	}, a.thread)

	register(a, api, huma.Operation{
		OperationID: "pins", Method: http.MethodGet, Path: "/api/rooms/{room}/pins", Tags: tags,
		Summary: "What is pinned in a room",
		Responses: map[string]*huma.Response{"200": {
			Description: "The pinned messages",
			Content:     content(pinsAnswer{Room: "lobby", Seq: 42, Messages: exampleMessages()}),
		}},
		Errors: []int{400, 429, 503},
	}, a.pins)

	event := wire.AppendEvent(nil, exampleMessage.Event)
	register(a, api, huma.Operation{
		OperationID: "log", Method: http.MethodGet, Path: "/api/rooms/{room}/log", Tags: []string{"Rooms"},
		Summary: "A page of a room's log",
		Description: "Every event as it happened, for who keeps the whole log: edits, reactions and all. What was " +
			"deleted says nothing any more.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The page",
			Content: content(logAnswer{
				Room: "lobby", Seq: 42, At: &at, Epoch: "qk3v8d", Events: largeListOf[json.RawMessage](event),
			}),
		}},
		Errors: []int{400, 409, 429, 503},
	}, a.roomLog)

	register(a, api, a.limitReads(huma.Operation{
		OperationID: "commands", Method: http.MethodGet, Path: "/api/commands", Tags: tags,
		Summary: "What can be typed behind a slash",
		Responses: map[string]*huma.Response{"200": {
			Description: "All commands", Content: content(commandsAnswer{room.SlashCommands[:1]}),
		}},
		Errors: []int{429},
	}), func(context.Context, *struct{}) (*commandsOutput, error) {
		return &commandsOutput{commandsAnswer{room.SlashCommands}}, nil
	})

	register(a, api, a.limitReads(huma.Operation{
		OperationID: "emoji", Method: http.MethodGet, Path: "/api/emoji", Tags: tags,
		Summary: "The emoji that have short-codes",
		Responses: map[string]*huma.Response{"200": {
			Description: "All of them", Content: content(emojiAnswer{[][]string{{"👍", "+1", "thumbsup"}}}),
		}},
		Errors: []int{429},
	}), a.emoji)
}

// emoji answers GET /api/emoji. The answer can be cached, as it changes only with the
// version of the server.
func (a *API) emoji(context.Context, *struct{}) (*emojiOutput, error) {
	out := &emojiOutput{CacheControl: "public, max-age=86400", Body: emojiAnswer{Emoji: [][]string{}}}
	if a.cfg.Emoji != nil {
		out.Body.Emoji = a.cfg.Emoji()
	}
	return out, nil
}

// message answers GET /api/rooms/{room}/messages/{seq}.
func (a *API) message(ctx context.Context, in *messageInput) (*messageOutput, error) {
	name, err := a.roomOf(ctx, &in.Caller, in.RoomParam)
	if err != nil {
		return nil, err
	}
	out := &messageOutput{}
	return out, a.buildList(ctx, a.door.UnknownCaller(in.r), func(query *room.Query, list *encodedItems) error {
		m, err := query.Message(ctx, name, in.Seq)
		if err != nil {
			return err
		}
		events, more, err := query.Versions(ctx, name, in.Seq, in.After)
		if err != nil {
			return fmt.Errorf("versions of %s %d: %w", name, in.Seq, err)
		}
		out.Body = messageAnswer{Room: name, Message: encodeMessage(&m), More: more, Versions: largeList[version]{list}}
		for _, e := range events {
			out.Body.Versions.add(version{Seq: e.Seq, At: stamp(e.At), Text: e.Text, HTML: e.HTML})
		}
		return nil
	})
}

// thread answers GET /api/rooms/{room}/messages/{seq}/replies.
func (a *API) thread(ctx context.Context, in *repliesInput) (*threadOutput, error) {
	name, err := a.roomOf(ctx, &in.Caller, in.RoomParam)
	if err != nil {
		return nil, err
	}
	if err := a.resumes(ctx, a.door.UnknownCaller(in.r), name, in.After.pointer(), in.ResumeParam); err != nil {
		return nil, err
	}
	me, known, err := a.door.Identify(in.r)
	who, follows := a.door.UnknownCaller(in.r), false
	if err == nil && known {
		who.Person = me
		follows, err = a.accounts.IsSubscribed(ctx, me.ID, chat.MessageRef{Room: name, Seq: in.Seq})
	}
	if err != nil {
		return nil, err
	}
	out := &threadOutput{}
	return out, a.buildList(ctx, who, func(query *room.Query, list *encodedItems) error {
		page, err := query.History(ctx, name, in.query(in.Seq))
		if err != nil {
			return fmt.Errorf("thread of %s %d: %w", name, in.Seq, err)
		}
		out.Body = threadAnswer{
			Room: name, Follows: follows, Seq: page.Head, At: stampOf(page.At), Epoch: a.hub.Epoch(), More: page.More,
			Newer: page.Newer,
			Root:  encodeMessage(page.Root), Messages: encodeMessages(list, page.Messages),
		}
		return nil
	})
}

// pins answers GET /api/rooms/{room}/pins.
func (a *API) pins(ctx context.Context, in *pinsInput) (*pinsOutput, error) {
	name, err := a.roomOf(ctx, &in.Caller, in.RoomParam)
	if err != nil {
		return nil, err
	}
	out := &pinsOutput{}
	return out, a.buildList(ctx, a.door.UnknownCaller(in.r), func(query *room.Query, list *encodedItems) error {
		page, err := query.Pins(ctx, name, in.Before)
		if err != nil {
			return fmt.Errorf("pins of %s: %w", name, err)
		}
		out.Body = pinsAnswer{Room: name, Seq: page.Head, More: page.More}
		if page.More {
			out.Body.Before = page.Messages[0].Pin
		}
		slices.Reverse(page.Messages)
		out.Body.Messages = encodeMessages(list, page.Messages)
		return nil
	})
}

// roomLog answers GET /api/rooms/{room}/log.
func (a *API) roomLog(ctx context.Context, in *logInput) (*logOutput, error) {
	name, err := a.roomOf(ctx, &in.Caller, in.RoomParam)
	if err != nil {
		return nil, err
	}
	if err := a.resumes(ctx, a.door.UnknownCaller(in.r), name, new(chat.Seq(in.After)), in.ResumeParam); err != nil {
		return nil, err
	}
	out := &logOutput{}
	return out, a.buildList(ctx, a.door.UnknownCaller(in.r), func(query *room.Query, list *encodedItems) error {
		events, head, at, err := query.Events(ctx, name, chat.Seq(in.After), in.Limit)
		if err != nil {
			return fmt.Errorf("log of %s: %w", name, err)
		}
		out.Body = logAnswer{
			Room: name, Seq: head, At: stampOf(at), Epoch: a.hub.Epoch(), Events: largeList[json.RawMessage]{list},
		}
		for _, e := range events {
			list.append(wire.AppendEvent(nil, e))
		}
		return nil
	})
}

package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
	"parley/internal/room"
)

type roomInput struct{ RoomParam }

type roomAnswer struct {
	Room  chat.RoomName `json:"room"`
	Seq   chat.Seq      `json:"seq" doc:"The number of the newest event; 0 if nobody has written."`
	Count int           `json:"count" doc:"How many people are here."`
	Epoch string        `json:"epoch"`
}

type roomOutput struct{ Body roomAnswer }

type pageInput struct {
	RoomParam
	Before optionalSeq `query:"before" minimum:"0" doc:"Only messages with a lesser seq."`
	After  optionalSeq `query:"after" minimum:"0" doc:"Only messages with a greater seq, the oldest of them first."`
	Limit  int         `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many messages at most."`
}

// An optionalSeq is a seq that may be missing, which is not the same as 0.
type optionalSeq struct {
	seq   chat.Seq
	isSet bool
}

func (o *optionalSeq) pointer() *chat.Seq {
	if !o.isSet {
		return nil
	}
	return &o.seq
}

// Schema, Receiver and OnParamSet are what huma asks of an optional parameter.

func (optionalSeq) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64"}
}

func (o *optionalSeq) Receiver() reflect.Value { return reflect.ValueOf(&o.seq).Elem() }

func (o *optionalSeq) OnParamSet(isSet bool, _ any) { o.isSet = isSet }

type message struct {
	Seq  chat.Seq    `json:"seq" doc:"Its number in the room: 1, 2, 3 … without a hole."`
	At   stamp       `json:"at"`
	Kind chat.Kind   `json:"kind" doc:"What it is. Ignore a kind that you do not know."`
	From chat.Person `json:"from"`
	Text string      `json:"text" doc:"What was written."`
	HTML string      `json:"html,omitempty" doc:"Its formatting, rendered and sanitised; missing if it has none."`
}

type pageAnswer struct {
	Room     chat.RoomName `json:"room"`
	Seq      chat.Seq      `json:"seq" doc:"The number of the room's newest event."`
	Epoch    string        `json:"epoch"`
	Messages []message     `json:"messages" nullable:"false" doc:"Oldest first."`
}

type pageOutput struct{ Body pageAnswer }

type postRequest struct {
	Text  string `json:"text,omitempty" doc:"1 to 4,000 characters, unless the operator says otherwise."`
	Nonce string `json:"nonce,omitempty" doc:"At most 64 printable ASCII characters, best a UUIDv7. The same one again by the same person in the same room gets the first answer again, and no second message."`
	Name  string `json:"name,omitempty" doc:"Without a session: the name of the new guest to be."`
}

type postInput struct {
	Caller
	RoomParam
	Body postRequest
}

type postAnswer struct {
	Room    chat.RoomName `json:"room"`
	Seq     chat.Seq      `json:"seq" doc:"The message's number."`
	At      stamp         `json:"at" doc:"When it was stored."`
	Session string        `json:"session,omitempty" doc:"For a new guest: the secret to come back with."`
}

type postOutput struct {
	Status int
	Body   postAnswer
}

func (s *Server) restRoom(api huma.API) {
	at := stamp(time.Date(2026, time.November, 23, 9, 41, 5, 123e6, time.UTC))
	hello := message{Seq: 42, At: at, Kind: chat.Message, From: ada, Text: "Hello, **world**", HTML: "<p>Hello, <strong>world</strong></p>"}
	stored := postAnswer{Room: "lobby", Seq: 43, At: at}

	register(s, api, huma.Operation{
		OperationID: "room", Method: http.MethodGet, Path: "/api/rooms/{room}", Tags: []string{"Rooms"},
		Summary:   "What a room is now",
		Responses: map[string]*huma.Response{"200": {Description: "The room", Content: content(roomAnswer{Room: "lobby", Seq: 42, Count: 3, Epoch: "qk3v8d"})}},
		Errors:    []int{400, 503},
	}, s.state)

	register(s, api, huma.Operation{
		OperationID: "messages", Method: http.MethodGet, Path: "/api/rooms/{room}/messages", Tags: []string{"Rooms"},
		Summary:     "A page of a room's history",
		Description: "The newest `limit` messages before `before`, or the oldest `limit` after `after`, or, without both, the newest. Oldest first.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The page", Content: content(pageAnswer{Room: "lobby", Seq: 42, Epoch: "qk3v8d", Messages: []message{hello}}),
		}},
		Errors: []int{400, 503},
	}, s.messages)

	register(s, api, huma.Operation{
		OperationID: "post-message", Method: http.MethodPost, Path: "/api/rooms/{room}/messages", Tags: []string{"Rooms"},
		Summary: "Say something",
		Description: "The answer comes once the message is on the disk. Without a session give a `name`, and be a new guest. " +
			"When no answer comes, send it again with the same `nonce`.",
		DefaultStatus: http.StatusCreated,
		RequestBody:   &huma.RequestBody{Content: content(postRequest{Name: "CI", Text: "deploy finished", Nonce: "0198c1d2-7a3b-7c4d-8e5f-60718293a4b5"})},
		Responses: map[string]*huma.Response{
			"200": {Description: "Stored before, with this nonce", Content: content(stored)},
			"201": {Description: "Stored", Content: content(stored)},
		},
		Security: append(identified, map[string][]string{}),
		Errors:   []int{400, 401, 403, 413, 422, 429, 503},
	}, s.post)
}

// state answers GET /api/rooms/{room}.
func (s *Server) state(ctx context.Context, in *roomInput) (*roomOutput, error) {
	name, err := in.name()
	if err != nil {
		return nil, err
	}
	head, here, err := s.hub.State(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("state of %s: %w", name, err)
	}
	return &roomOutput{Body: roomAnswer{Room: name, Seq: head, Count: here, Epoch: s.hub.Epoch()}}, nil
}

// messages answers GET /api/rooms/{room}/messages.
func (s *Server) messages(ctx context.Context, in *pageInput) (*pageOutput, error) {
	name, err := in.name()
	if err != nil {
		return nil, err
	}
	events, head, err := s.hub.History(ctx, name, room.Page{Before: in.Before.pointer(), After: in.After.pointer(), Limit: in.Limit})
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", name, err)
	}
	messages := make([]message, len(events))
	for i, e := range events {
		messages[i] = message{Seq: e.Seq, At: stamp(e.At), Kind: e.Kind, From: e.From, Text: e.Text, HTML: e.HTML}
	}
	return &pageOutput{Body: pageAnswer{Room: name, Seq: head, Epoch: s.hub.Epoch(), Messages: messages}}, nil
}

// post answers POST /api/rooms/{room}/messages.
func (s *Server) post(ctx context.Context, in *postInput) (*postOutput, error) {
	name, err := in.name()
	if err != nil {
		return nil, err
	}
	from, session, err := s.author(ctx, in)
	if err != nil {
		return nil, err
	}
	c, err := s.postAndWait(ctx, chat.Draft{Room: name, From: from, Text: in.Body.Text, Nonce: in.Body.Nonce})
	if err != nil {
		if session != "" { // nobody will ever learn it
			err = errors.Join(err, s.people.Forget(context.WithoutCancel(ctx), session))
		}
		return nil, err
	}
	out := &postOutput{Status: http.StatusCreated, Body: postAnswer{Room: name, Seq: c.Event.Seq, At: stamp(c.Event.At), Session: session}}
	if c.Repeat {
		out.Status = http.StatusOK
	}
	return out, nil
}

// author says who posts: whose session it is or, without one, a new guest,
// whose session is then returned too.
func (s *Server) author(ctx context.Context, in *postInput) (p chat.Person, session string, err error) {
	p, known, err := s.identifyOrNew(in.r, in.Body.Name)
	if err != nil || known {
		return p, "", err
	}
	if in.Body.Name == "" {
		return p, "", &chat.Error{Code: chat.BadName, Message: "Without a session a message needs the name of who writes it."}
	}
	name, err := chat.ParseName(in.Body.Name)
	if err != nil {
		return p, "", err
	}
	return s.newGuest(ctx, s.address(in.r), name)
}

// postAndWait posts a draft and waits until it is stored. If the client goes
// before, the message may have been stored all the same: that is what nonces
// are for.
func (s *Server) postAndWait(ctx context.Context, d chat.Draft) (chat.Commit, error) {
	done := make(chan chat.Commit, 1)
	if err := s.hub.Post(d, func(c chat.Commit) { done <- c }); err != nil {
		return chat.Commit{}, err
	}
	select {
	case c := <-done:
		if c.Err != nil {
			return c, fmt.Errorf("a message to %s: %w", d.Room, c.Err)
		}
		return c, nil
	case <-ctx.Done():
		return chat.Commit{}, fmt.Errorf("a message to %s: %w", d.Room, ctx.Err())
	}
}

package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
	"parley/internal/wire"
)

type roomInput struct {
	Caller
	RoomParam
}

type roomAnswer struct {
	Room  chat.RoomName `json:"room"`
	Seq   chat.Seq      `json:"seq" doc:"The number of the newest event; 0 if nobody has written."`
	At    *stamp        `json:"at,omitempty" doc:"When that event was stored."`
	Count int           `json:"count" doc:"How many people are here."`
	Epoch string        `json:"epoch"`
}

type roomOutput struct{ Body roomAnswer }

// PageParam, in the input of an operation, are the parameters of a page of messages.
type PageParam struct {
	Before optional[chat.Seq] `query:"before" minimum:"0" doc:"Only messages with a lesser seq."`
	After  optional[chat.Seq] `query:"after" minimum:"0" doc:"Only messages with a greater seq, the oldest of them first."`
	Around optional[chat.Seq] `query:"around" minimum:"0" doc:"Messages on both sides of this one."`
	Limit  int                `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many messages at most; a page that is large ends earlier, with “more”."`
	ResumeParam
}

// query returns the query for the page, in a thread or, if thread is 0, in the room.
// A bound of 0 counts too: no message is before it, and all messages are after it.
func (in *PageParam) query(thread chat.Seq) chat.PageQuery {
	q := chat.PageQuery{Thread: thread, Limit: in.Limit}
	switch {
	case in.After.isSet:
		q.After, q.Oldest = in.After.value, true
		if in.Before.isSet {
			q.Before = max(in.Before.value, 1)
		}
	case in.Around.isSet:
		q.Around = max(in.Around.value, 1)
	case in.Before.isSet:
		q.Before = max(in.Before.value, 1) // in a PageQuery 0 means no bound; no message is before 1 either
	}
	return q
}

type pageInput struct {
	Caller
	RoomParam
	PageParam
	Since optional[time.Time] `query:"since" doc:"Instead of the others: the oldest messages that were stored at this time or later. RFC 3339."`
}

func (in *pageInput) query() chat.PageQuery {
	if in.Since.isSet { // the zero time, which is before all messages, is no bound in a PageQuery either
		return chat.PageQuery{Since: in.Since.value, Oldest: true, Limit: in.Limit}
	}
	return in.PageParam.query(0)
}

// An optional is a parameter that may be missing. Missing is not the same as 0.
type optional[T any] struct {
	value T
	isSet bool
}

func (o *optional[T]) pointer() *T {
	if !o.isSet {
		return nil
	}
	return &o.value
}

// Schema, Receiver and OnParamSet implement huma.SchemaProvider, huma.ParamWrapper
// and huma.ParamReactor.

func (optional[T]) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[T]())
}

func (o *optional[T]) Receiver() reflect.Value { return reflect.ValueOf(&o.value).Elem() }

func (o *optional[T]) OnParamSet(isSet bool, _ any) { o.isSet = isSet }

type pageAnswer struct {
	Room     chat.RoomName      `json:"room"`
	Seq      chat.Seq           `json:"seq" doc:"The number of the room's newest event when this was read: what happened to these messages up to then is in them."`
	At       *stamp             `json:"at,omitempty" doc:"When that event was stored. Missing in a room that nobody has written to."`
	Epoch    string             `json:"epoch"`
	More     bool               `json:"more" doc:"There are more in the direction that was asked for: newer ones after “after” and “since”, else older ones."`
	Newer    bool               `json:"more_after,omitempty" doc:"Of a page around a message: there are newer ones too."`
	Messages largeList[message] `json:"messages" doc:"Oldest first."`
}

func (a pageAnswer) split() (any, *encodedItems) {
	list := a.Messages.take()
	return a, list
}

type pageOutput struct{ Body pageAnswer }

type postRequest struct {
	Text  string `json:"text,omitempty" doc:"1 to 4,000 characters, unless the operator says otherwise. What begins with a slash may be a command."`
	Nonce string `json:"nonce,omitempty" doc:"At most 64 printable ASCII characters, best a UUIDv7. The same one again by the same person in the same room gets the first answer again, and no second message."`
	Name  string `json:"name,omitempty" doc:"Without a session: the name of the new guest to be."`
	Key   string `json:"guest_key,omitempty" doc:"With a name, without a session: a secret of 32 to 128 printable ASCII characters that you make once and keep. It becomes the new guest's session: the same key is the same guest again."`
	wire.SendOptions
}

type postInput struct {
	Caller
	IdempotencyKey
	RoomParam
	Body postRequest
}

type postAnswer struct {
	Room    chat.RoomName `json:"room"`
	Seq     chat.Seq      `json:"seq" doc:"The event's number."`
	At      stamp         `json:"at" doc:"When it was stored."`
	Kind    chat.Kind     `json:"kind" doc:"What it has become."`
	Session string        `json:"session,omitempty" doc:"For a new guest: the secret to come back with."`
}

type postOutput struct {
	Status int
	Body   postAnswer
}

func (a *API) registerRoom(api huma.API) {
	at := exampleAt
	stored := postAnswer{Room: "lobby", Seq: 43, At: at, Kind: chat.Message}

	register(a, api, a.limitReads(huma.Operation{
		OperationID: "room", Method: http.MethodGet, Path: "/api/rooms/{room}", Tags: []string{"Rooms"},
		Summary: "What a room is now",
		Responses: map[string]*huma.Response{"200": {
			Description: "The room",
			Content:     content(roomAnswer{Room: "lobby", Seq: 42, At: &at, Count: 3, Epoch: "qk3v8d"}),
		}},
		Errors: []int{400, 429, 503},
	}), a.state)

	register(a, api, huma.Operation{
		OperationID: "messages", Method: http.MethodGet, Path: "/api/rooms/{room}/messages", Tags: []string{"Rooms"},
		Summary: "A page of a room's history",
		Description: "The newest `limit` messages before `before`, or the oldest `limit` after `after`, or those on " +
			"both sides of `around`, or the oldest that were stored at the time `since` or later, or, without any of " +
			"these, the newest. Oldest first.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The page",
			Content: content(pageAnswer{
				Room: "lobby", Seq: 42, At: &at, Epoch: "qk3v8d", Messages: exampleMessages(),
			}),
		}},
		Errors: []int{400, 409, 429, 503},
	}, a.messages)

	register(a, api, huma.Operation{
		OperationID: "post-message", Method: http.MethodPost, Path: "/api/rooms/{room}/messages",
		Tags:    []string{"Rooms"},
		Summary: "Say something",
		Description: "The answer comes once the message is on the disk. Without a session give a `name`, and be a " +
			"new guest. When no answer comes, send it again with the same `nonce` (or `Idempotency-Key`), as the " +
			"same person: " +
			"with the session or, as a guest, with the same `guest_key`. " +
			"Without either each try is a new guest's, and the message may be there twice.",
		DefaultStatus: http.StatusCreated,
		RequestBody: &huma.RequestBody{Content: content(postRequest{
			Name: "CI", Key: exampleKey, Text: "deploy finished", Nonce: "0198c1d2-7a3b-7c4d-8e5f-60718293a4b5",
		})},
		Responses: map[string]*huma.Response{
			"200": {Description: "Stored before, with this nonce", Content: content(stored)},
			"201": {Description: "Stored", Content: content(stored)},
		},
		Security: append(identified, map[string][]string{}),
		Errors:   []int{400, 401, 403, 404, 410, 413, 422, 429, 503},
	}, a.post)
}

// state answers GET /api/rooms/{room}.
func (a *API) state(ctx context.Context, in *roomInput) (*roomOutput, error) {
	name, err := a.roomOf(ctx, &in.Caller, in.RoomParam)
	if err != nil {
		return nil, err
	}
	head, at, here, err := a.hub.State(ctx, a.door.UnknownCaller(in.r), name)
	if err != nil {
		return nil, fmt.Errorf("state of %s: %w", name, err)
	}
	return &roomOutput{Body: roomAnswer{Room: name, Seq: head, At: stampOf(at), Count: here, Epoch: a.hub.Epoch()}}, nil
}

// messages answers GET /api/rooms/{room}/messages.
func (a *API) messages(ctx context.Context, in *pageInput) (*pageOutput, error) {
	name, err := a.roomOf(ctx, &in.Caller, in.RoomParam)
	if err != nil {
		return nil, err
	}
	if err := a.resumes(ctx, a.door.UnknownCaller(in.r), name, in.After.pointer(), in.ResumeParam); err != nil {
		return nil, err
	}
	out := &pageOutput{}
	return out, a.buildList(ctx, a.door.UnknownCaller(in.r), func(query *room.Query, list *encodedItems) error {
		page, err := query.History(ctx, name, in.query())
		if err != nil {
			return fmt.Errorf("history of %s: %w", name, err)
		}
		out.Body = pageAnswer{
			Room: name, Seq: page.Head, At: stampOf(page.At), Epoch: a.hub.Epoch(), More: page.More, Newer: page.Newer,
			Messages: encodeMessages(list, page.Messages),
		}
		return nil
	})
}

// post answers POST /api/rooms/{room}/messages.
func (a *API) post(ctx context.Context, in *postInput) (*postOutput, error) {
	name, err := a.roomOf(ctx, &in.Caller, in.RoomParam)
	if err != nil {
		return nil, err
	}
	who, session := a.door.UnknownCaller(in.r), ""
	if who.Person, session, err = a.author(ctx, in); err != nil {
		return nil, err
	}
	c, err := a.postMessage(ctx, who, name, in)
	if err != nil {
		if session != "" && in.Body.Key == "" { // the client will never learn it
			err = errors.Join(err, a.accounts.Forget(context.WithoutCancel(ctx), session))
		}
		return nil, err
	}
	out := &postOutput{Status: http.StatusCreated, Body: storedAnswer(c)}
	out.Body.Session = session
	if c.Repeated {
		out.Status = http.StatusOK
	}
	return out, nil
}

func (a *API) postMessage(
	ctx context.Context, who chat.Who, name chat.RoomName, in *postInput,
) (c chat.Commit, err error) {
	d := chat.Draft{Room: name, From: who.Person, Network: who.Network, Text: in.Body.Text}
	if d.Nonce, err = in.orBody(in.Body.Nonce); err != nil {
		return c, err
	}
	from, isListed := a.door.Address(in.r), a.door.ListChecker(ctx, in.r)
	if err = a.door.SetOptions(ctx, &d, &in.Body.SendOptions, who, from, isListed); err != nil {
		return c, err
	}
	return a.postAndWait(ctx, d)
}

func storedAnswer(c chat.Commit) postAnswer {
	return postAnswer{Room: c.Event.Room, Seq: c.Event.Seq, At: stamp(c.Event.At), Kind: c.Event.Kind}
}

// author returns the person who posts: the one of the session or, without a session,
// a new guest. It returns the session of a new guest.
func (a *API) author(ctx context.Context, in *postInput) (p chat.Person, session string, err error) {
	p, known, err := a.door.IdentifyOrNew(in.r, in.Body.Name)
	if err != nil {
		return p, "", err
	}
	if known {
		return p, "", chat.CheckName(p.Name)
	}
	if in.Body.Name == "" {
		return p, "", &chat.Error{
			Code: chat.BadName, Message: "Without a session a message needs the name of who writes it.",
		}
	}
	name, err := chat.ParseName(in.Body.Name)
	if err != nil {
		return p, "", err
	}
	return a.accounts.Guest(ctx, httpdoor.Network(a.door.Address(in.r)), name, in.Body.Key)
}

// postAndWait posts a draft and waits until it is stored. If ctx ends first, the
// event may be stored nevertheless; a retry with the same nonce finds out.
func (a *API) postAndWait(ctx context.Context, d chat.Draft) (chat.Commit, error) {
	done := make(chan chat.Commit, 1)
	if err := a.hub.Post(d, func(c chat.Commit) { done <- c }); err != nil {
		return chat.Commit{}, err
	}
	select {
	case c := <-done:
		if c.Err != nil {
			return c, fmt.Errorf("a message to %s: %w", d.Room, c.Err)
		}
		if !c.Repeated { // after a retry the room may have been removed from the list
			a.accounts.AddToListAfterWrite(ctx, d.From.ID, d.Room)
		}
		return c, nil
	case <-ctx.Done():
		return chat.Commit{}, fmt.Errorf("a message to %s: %w", d.Room, ctx.Err())
	}
}

package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
	"parley/internal/httpdoor"
)

type editInput struct {
	Caller
	IdempotencyKey
	RoomParam
	SeqParam
	Body editRequest
}

type editRequest struct {
	Text  string `json:"text,omitempty" doc:"What it says from now on."`
	Nonce string `json:"nonce,omitempty" doc:"As for a message: makes a retry safe."`
}

type changeInput struct {
	Caller
	IdempotencyKey
	RoomParam
	SeqParam
}

type reactionInput struct {
	Caller
	IdempotencyKey
	RoomParam
	SeqParam
	Emoji string `path:"emoji" example:"👍" doc:"One emoji."`
}

type topicInput struct {
	Caller
	IdempotencyKey
	RoomParam
	Body topicRequest
}

type topicRequest struct {
	Text string `json:"text,omitempty" doc:"What the room is about; empty for nothing."`
}

type changeOutput struct{ Body postAnswer }

// registerChange adds the operations that change a message or a room.
func (a *API) registerChange(api huma.API) {
	change := func(op huma.Operation) huma.Operation {
		op.Tags, op.Security, op.Errors = []string{"Messages"}, identified, []int{
			400, 401, 403, 404, 410, 413, 422, 429, 503,
		}
		op.Responses = map[string]*huma.Response{"200": {
			Description: "Stored, or so already",
			Content:     content(postAnswer{Room: "lobby", Seq: 57, At: exampleAt, Kind: chat.Edit}),
		}}
		return op
	}
	const one = "/api/rooms/{room}/messages/{seq}"
	register(a, api, change(huma.Operation{
		OperationID: "edit", Method: http.MethodPatch, Path: one, Summary: "Have one's message say something else",
		RequestBody: &huma.RequestBody{Content: content(editRequest{Text: "Hello, *world*"})},
	}), a.edit)
	register(a, api, change(huma.Operation{
		OperationID: "delete", Method: http.MethodDelete, Path: one, Summary: "Delete one's message",
		Description: "Its text is gone for good, with all that it said before; its number stays.",
	}), a.changeOperation(chat.Delete))
	register(a, api, change(huma.Operation{
		OperationID: "react", Method: http.MethodPut, Path: one + "/reactions/{emoji}", Summary: "React to a message",
	}), a.reactionOperation(chat.React))
	register(a, api, change(huma.Operation{
		OperationID: "unreact", Method: http.MethodDelete, Path: one + "/reactions/{emoji}",
		Summary: "Take a reaction back",
	}), a.reactionOperation(chat.Unreact))
	register(a, api, change(huma.Operation{
		OperationID: "pin", Method: http.MethodPut, Path: "/api/rooms/{room}/pins/{seq}", Summary: "Pin a message",
	}), a.changeOperation(chat.Pin))
	register(a, api, change(huma.Operation{
		OperationID: "unpin", Method: http.MethodDelete, Path: "/api/rooms/{room}/pins/{seq}",
		Summary: "Take a pin away",
	}), a.changeOperation(chat.Unpin))
	register(a, api, change(huma.Operation{
		OperationID: "topic", Method: http.MethodPut, Path: "/api/rooms/{room}/topic",
		Summary:     "Say what the room is about",
		RequestBody: &huma.RequestBody{Content: content(topicRequest{Text: "Ships, and what sails them"})},
	}), a.setTopic)
}

// change posts a draft of a person with a session and waits until it is stored.
func (a *API) change(ctx context.Context, by *Caller, in RoomParam, d chat.Draft) (*changeOutput, error) {
	name, err := a.roomOf(ctx, by, in)
	if err != nil {
		return nil, err
	}
	if d.From, err = a.identified(by.r); err != nil {
		return nil, err
	}
	d.Room, d.Network = name, httpdoor.Network(a.door.Address(by.r))
	c, err := a.postAndWait(ctx, d)
	if err != nil {
		return nil, err
	}
	return &changeOutput{storedAnswer(c)}, nil
}

// edit answers PATCH /api/rooms/{room}/messages/{seq}.
func (a *API) edit(ctx context.Context, in *editInput) (*changeOutput, error) {
	nonce, err := in.orBody(in.Body.Nonce)
	if err != nil {
		return nil, err
	}
	d := chat.Draft{Kind: chat.Edit, Target: in.Seq, Text: in.Body.Text, Nonce: nonce}
	return a.change(ctx, &in.Caller, in.RoomParam, d)
}

// setTopic answers PUT /api/rooms/{room}/topic.
func (a *API) setTopic(ctx context.Context, in *topicInput) (*changeOutput, error) {
	d := chat.Draft{Kind: chat.Topic, Text: in.Body.Text, Nonce: in.nonce()}
	return a.change(ctx, &in.Caller, in.RoomParam, d)
}

// changeOperation answers requests for changes that need only a target.
func (a *API) changeOperation(kind chat.Kind) func(context.Context, *changeInput) (*changeOutput, error) {
	return func(ctx context.Context, in *changeInput) (*changeOutput, error) {
		return a.change(ctx, &in.Caller, in.RoomParam, chat.Draft{Kind: kind, Target: in.Seq, Nonce: in.nonce()})
	}
}

// reactionOperation answers requests to add or remove a reaction.
func (a *API) reactionOperation(kind chat.Kind) func(context.Context, *reactionInput) (*changeOutput, error) {
	return func(ctx context.Context, in *reactionInput) (*changeOutput, error) {
		d := chat.Draft{Kind: kind, Target: in.Seq, Text: in.Emoji, Nonce: in.nonce()}
		return a.change(ctx, &in.Caller, in.RoomParam, d)
	}
}

package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
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

// restChange adds the operations that change a message or a room.
func (s *Server) restChange(api huma.API) {
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
	register(s, api, change(huma.Operation{
		OperationID: "edit", Method: http.MethodPatch, Path: one, Summary: "Have one's message say something else",
		RequestBody: &huma.RequestBody{Content: content(editRequest{Text: "Hello, *world*"})},
	}), s.edit)
	register(s, api, change(huma.Operation{
		OperationID: "delete", Method: http.MethodDelete, Path: one, Summary: "Delete one's message",
		Description: "Its text is gone for good, with all that it said before; its number stays.",
	}), s.changeOperation(chat.Delete))
	register(s, api, change(huma.Operation{
		OperationID: "react", Method: http.MethodPut, Path: one + "/reactions/{emoji}", Summary: "React to a message",
	}), s.reactionOperation(chat.React))
	register(s, api, change(huma.Operation{
		OperationID: "unreact", Method: http.MethodDelete, Path: one + "/reactions/{emoji}",
		Summary: "Take a reaction back",
	}), s.reactionOperation(chat.Unreact))
	register(s, api, change(huma.Operation{
		OperationID: "pin", Method: http.MethodPut, Path: "/api/rooms/{room}/pins/{seq}", Summary: "Pin a message",
	}), s.changeOperation(chat.Pin))
	register(s, api, change(huma.Operation{
		OperationID: "unpin", Method: http.MethodDelete, Path: "/api/rooms/{room}/pins/{seq}",
		Summary: "Take a pin away",
	}), s.changeOperation(chat.Unpin))
	register(s, api, change(huma.Operation{
		OperationID: "topic", Method: http.MethodPut, Path: "/api/rooms/{room}/topic",
		Summary:     "Say what the room is about",
		RequestBody: &huma.RequestBody{Content: content(topicRequest{Text: "Ships, and what sails them"})},
	}), s.setTopic)
}

// change posts a draft of a person with a session and waits until it is stored.
func (s *Server) change(ctx context.Context, by *Caller, in RoomParam, d chat.Draft) (*changeOutput, error) {
	name, err := s.roomOf(ctx, by, in)
	if err != nil {
		return nil, err
	}
	if d.From, err = s.identified(by.r); err != nil {
		return nil, err
	}
	d.Room, d.Network = name, network(s.address(by.r))
	c, err := s.postAndWait(ctx, d)
	if err != nil {
		return nil, err
	}
	return &changeOutput{storedAnswer(c)}, nil
}

// edit answers PATCH /api/rooms/{room}/messages/{seq}.
func (s *Server) edit(ctx context.Context, in *editInput) (*changeOutput, error) {
	nonce, err := in.orBody(in.Body.Nonce)
	if err != nil {
		return nil, err
	}
	d := chat.Draft{Kind: chat.Edit, Target: in.Seq, Text: in.Body.Text, Nonce: nonce}
	return s.change(ctx, &in.Caller, in.RoomParam, d)
}

// setTopic answers PUT /api/rooms/{room}/topic.
func (s *Server) setTopic(ctx context.Context, in *topicInput) (*changeOutput, error) {
	d := chat.Draft{Kind: chat.Topic, Text: in.Body.Text, Nonce: in.nonce()}
	return s.change(ctx, &in.Caller, in.RoomParam, d)
}

// changeOperation answers requests for changes that need only a target.
func (s *Server) changeOperation(kind chat.Kind) func(context.Context, *changeInput) (*changeOutput, error) {
	return func(ctx context.Context, in *changeInput) (*changeOutput, error) {
		return s.change(ctx, &in.Caller, in.RoomParam, chat.Draft{Kind: kind, Target: in.Seq, Nonce: in.nonce()})
	}
}

// reactionOperation answers requests to add or remove a reaction.
func (s *Server) reactionOperation(kind chat.Kind) func(context.Context, *reactionInput) (*changeOutput, error) {
	return func(ctx context.Context, in *reactionInput) (*changeOutput, error) {
		d := chat.Draft{Kind: kind, Target: in.Seq, Text: in.Emoji, Nonce: in.nonce()}
		return s.change(ctx, &in.Caller, in.RoomParam, d)
	}
}

package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
	"parley/internal/httpdoor"
)

var ada = chat.Person{ID: "p7q2mzk4v6xw3t5n", Name: "Ada"}

// The session and the guest_key of the examples.
const (
	exampleSession = "w0Zf3k9QmB1xT7uVhY2cRg"
	exampleKey     = "6f1c9a4e7d2b85030c4be1f96a7d8e52"
)

type sessionRequest struct {
	Name string `json:"name,omitempty" doc:"A display name: 1 to 32 characters once it is normalised (RFC 8266)."`
	Key  string `json:"guest_key,omitempty" doc:"As for a message: the session of a new guest, chosen by them."`
}

type sessionAnswer struct {
	Person  chat.Person `json:"person"`
	Session string      `json:"session,omitempty" doc:"The secret to come back with. Given once, to a new guest."`
	Epoch   string      `json:"epoch" doc:"A word that stays the same as long as the log does. With another one, forget every seq."`
}

type sessionInput struct {
	Caller
	IdempotencyKey
	Body sessionRequest
}

type sessionOutput struct {
	Status    int
	SetCookie []string `header:"Set-Cookie" hidden:"true"`
	Body      sessionAnswer
}

type callerInput struct{ Caller }

type forgottenOutput struct {
	SetCookie []string `header:"Set-Cookie" hidden:"true"`
}

func (a *API) registerSession(api huma.API) {
	made := sessionAnswer{Person: ada, Session: exampleSession, Epoch: "qk3v8d"}
	found := sessionAnswer{Person: ada, Epoch: "qk3v8d"}
	renamed := sessionAnswer{Person: chat.Person{ID: ada.ID, Name: "Ada L."}, Epoch: "qk3v8d"}
	register(a, api, huma.Operation{
		OperationID: "open-session", Method: http.MethodPost, Path: "/api/session", Tags: []string{"Session"},
		Summary: "Be a new guest, or take another name",
		Description: "Without a session, makes a guest (201), gives the session and sets the cookie. " +
			"With one, renames the person (200).",
		DefaultStatus: http.StatusCreated,
		RequestBody:   &huma.RequestBody{Content: content(sessionRequest{Name: "Ada"})},
		Responses: map[string]*huma.Response{
			"200": {Description: "Renamed", Content: content(renamed)},
			"201": {Description: "A new guest", Content: content(made)},
		},
		Security: append(identified, map[string][]string{}),
		Errors:   []int{400, 401, 403, 413, 429, 503},
	}, a.openSession)

	register(a, api, a.limitReads(huma.Operation{
		OperationID: "session", Method: http.MethodGet, Path: "/api/session", Tags: []string{"Session"},
		Summary:   "Who am I?",
		Responses: map[string]*huma.Response{"200": {Description: "Whose session it is", Content: content(found)}},
		Security:  identified,
		Errors:    []int{401, 429, 503},
	}), a.session)

	register(a, api, huma.Operation{
		OperationID: "forget-session", Method: http.MethodDelete, Path: "/api/session", Tags: []string{"Session"},
		Summary: "Forget the session",
		Description: "The session is nobody's from now on, and all connections that it has end. " +
			"Once the answer is there nothing is accepted from it any more. " +
			"One that was nobody's already is no error.",
		Responses: map[string]*huma.Response{"204": {Description: "Forgotten"}},
		Security:  identified,
		Errors:    []int{403, 503},
	}, a.forgetSession)
}

// openSession answers POST /api/session.
func (a *API) openSession(ctx context.Context, in *sessionInput) (*sessionOutput, error) {
	p, known, err := a.door.IdentifyOrNew(in.r, in.Body.Name)
	if err != nil {
		return nil, err
	}
	who := chat.Who{Person: p, Network: httpdoor.Network(a.door.Address(in.r))}
	name, err := chat.ParseName(in.Body.Name)
	if err != nil {
		return nil, err
	}
	if !known {
		p, session, err := a.accounts.Guest(ctx, who.Network, name, in.Body.Key)
		if err != nil {
			return nil, err
		}
		if session == "" { // the key is a guest's already
			return &sessionOutput{Status: http.StatusOK, Body: sessionAnswer{Person: p, Epoch: a.hub.Epoch()}}, nil
		}
		return &sessionOutput{
			Status:    http.StatusCreated,
			SetCookie: a.door.SetCookie(in.r, session),
			Body:      sessionAnswer{Person: p, Session: session, Epoch: a.hub.Epoch()},
		}, nil
	}
	if p, err = a.accounts.Rename(ctx, who, name, in.nonce()); err != nil {
		return nil, err
	}
	answer := sessionAnswer{Person: p, Epoch: a.hub.Epoch()}
	return &sessionOutput{Status: http.StatusOK, SetCookie: a.renewedCookie(in.r), Body: answer}, nil
}

// session answers GET /api/session.
func (a *API) session(_ context.Context, in *callerInput) (*sessionOutput, error) {
	p, err := a.identified(in.r)
	if err != nil {
		return nil, err
	}
	answer := sessionAnswer{Person: p, Epoch: a.hub.Epoch()}
	return &sessionOutput{Status: http.StatusOK, SetCookie: a.renewedCookie(in.r), Body: answer}, nil
}

// identified is identify for requests that need a session. Without one, the error has
// code BadSession.
func (a *API) identified(r *http.Request) (chat.Person, error) {
	p, known, err := a.door.Identify(r)
	if err == nil && !known {
		err = &chat.Error{Code: chat.BadSession, Message: "The request brings no session."}
	}
	return p, err
}

// renewedCookie returns the Set-Cookie lines that make a browser keep its cookie for
// another 400 days, so that a person who comes now and then stays the same person.
// The caller has looked the session up.
func (a *API) renewedCookie(r *http.Request) []string {
	if httpdoor.SessionBearer(r) != "" {
		return nil
	}
	if c := a.door.SessionCookie(r); c != "" {
		return a.door.SetCookie(r, c)
	}
	return nil
}

// forgetSession answers DELETE /api/session.
func (a *API) forgetSession(ctx context.Context, in *callerInput) (*forgottenOutput, error) {
	if token := httpdoor.SessionBearer(in.r); token != "" {
		return &forgottenOutput{}, a.accounts.EndSession(ctx, token)
	}
	session := a.door.SessionCookie(in.r)
	if session != "" {
		if err := a.accounts.EndSession(ctx, session); err != nil {
			return nil, err
		}
	}
	return &forgottenOutput{SetCookie: a.door.DropCookie(in.r, session)}, nil
}

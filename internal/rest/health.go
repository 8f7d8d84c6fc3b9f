package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
)

// healthTimeout is how long a write may take before the store counts as failed. It
// is shorter than the time-outs of usual health checks, so that they see the reason.
const healthTimeout = 4 * time.Second

type healthAnswer struct {
	Status string `json:"status" enum:"ok"`
}

type healthOutput struct{ Body healthAnswer }

func (a *API) restHealth(api huma.API) {
	register(a, api, huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/healthz", Tags: []string{"Operation"},
		Summary: "Can the server store messages?",
		Responses: map[string]*huma.Response{"200": {
			Description: "It can", Content: content(healthAnswer{Status: "ok"}),
		}},
		Errors: []int{503},
	}, a.healthz)
}

// healthz answers GET /healthz.
func (a *API) healthz(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if err := a.cfg.Health(ctx); err != nil {
		if _, coded := errors.AsType[*chat.Error](err); !coded {
			err = &chat.Error{Code: chat.Unavailable, Message: "The store cannot write: " + err.Error()}
		}
		return nil, err
	}
	return &healthOutput{Body: healthAnswer{Status: "ok"}}, nil
}

// describeStreams adds the operations whose answers are not JSON to the document.
func (a *API) describeStreams(doc *huma.OpenAPI) {
	text := &huma.Schema{Type: huma.TypeString}
	number := &huma.Schema{Type: huma.TypeInteger}
	problem := map[string]*huma.MediaType{
		"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
	}
	doc.AddOperation(&huma.Operation{
		OperationID: "events", Method: http.MethodGet, Path: "/api/rooms/{room}/events", Tags: []string{"Rooms"},
		Summary: "Listen, as server-sent events",
		Description: "Each event is `id: EPOCH:SEQ:AT`, `event: message` and `data:` with one JSON object; presence " +
			"and typing come without an id. A stream begins with an id alone, so that it can be resumed before its " +
			"first event. `Last-Event-ID`, or `after` with `epoch` and `at`, continues where one stopped. If that is " +
			"too far back, or in another log, the first event is `event: behind`. " +
			"A stream that brings a session ends with `event: ended` when that session is signed out.",
		Parameters: []*huma.Param{
			{Name: "room", In: "path", Required: true, Schema: text, Description: "The room's name.", Example: "lobby"},
			{Name: "after", In: "query", Schema: number, Description: "The last seq that you have."},
			{Name: "epoch", In: "query", Schema: text, Description: "The epoch that `after` belongs to."},
			{
				Name: "at", In: "query", Schema: text,
				Description: "When the event `after` was stored, as the server told it.",
			},
			{
				Name: "Last-Event-ID", In: "header", Schema: text,
				Description: "The last `id` that you have. A plain seq is taken too.",
			},
		},
		Responses: map[string]*huma.Response{
			"200": {
				Description: "Events until you hang up",
				Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: text}},
			},
			"400": {Description: "Bad Request", Content: problem},
			"429": {Description: "Too Many Requests", Content: problem},
			"503": {Description: "Service Unavailable", Content: problem},
		},
	})
	if a.cfg.WithoutMetrics {
		return
	}
	doc.AddOperation(&huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"Operation"},
		Summary: "Counts, for Prometheus",
		Responses: map[string]*huma.Response{
			"200": {Description: "Metrics", Content: map[string]*huma.MediaType{"text/plain": {Schema: text}}},
		},
	})
}

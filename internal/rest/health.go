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

func (a *API) registerHealth(api huma.API) {
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

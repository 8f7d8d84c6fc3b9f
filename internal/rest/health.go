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
		Summary:     "Can the server store messages?",
		Description: "For whoever restarts it otherwise. A server that is about to stop still can.",
		Responses: map[string]*huma.Response{"200": {
			Description: "It can", Content: content(healthAnswer{Status: "ok"}),
		}},
		Errors: []int{503},
	}, a.healthz)
	register(a, api, huma.Operation{
		OperationID: "readiness", Method: http.MethodGet, Path: "/readyz", Tags: []string{"Operation"},
		Summary:     "Should new clients come to this server?",
		Description: "For load balancers. Not while it cannot store messages, and not when it is about to stop.",
		Responses: map[string]*huma.Response{"200": {
			Description: "They should", Content: content(healthAnswer{Status: "ok"}),
		}},
		Errors: []int{503},
	}, a.readyz)
}

// healthz answers GET /healthz.
func (a *API) healthz(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	return healthOf(ctx, a.cfg.Health)
}

// readyz answers GET /readyz.
func (a *API) readyz(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	return healthOf(ctx, a.cfg.Ready)
}

// healthOf returns what a check finds. A check that takes too long has failed.
func healthOf(ctx context.Context, check func(context.Context) error) (*healthOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if err := check(ctx); err != nil {
		if _, coded := errors.AsType[*chat.Error](err); !coded {
			err = &chat.Error{Code: chat.Unavailable, Message: "The store cannot write: " + err.Error()}
		}
		return nil, err
	}
	return &healthOutput{Body: healthAnswer{Status: "ok"}}, nil
}

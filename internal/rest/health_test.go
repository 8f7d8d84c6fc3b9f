package rest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

func TestHealthzDoesNotWaitForADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		a := &API{cfg: Config{Health: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
		if _, err := a.healthz(t.Context(), nil); chat.CodeOf(err) != chat.Unavailable ||
			time.Since(start) > healthTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHealthIsAskedOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writes []chan error
		h := NewHealth(func() <-chan error {
			done := make(chan error, 1)
			writes = append(writes, done)
			return done
		})
		for range 2 { // the second one waits for the same write
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := h.Check(ctx); !errors.Is(err, context.DeadlineExceeded) || len(writes) != 1 {
				t.Errorf("while a write lasts: %v, %d writes", err, len(writes))
			}
			cancel()
		}
		failed := errors.New("it failed")
		writes[0] <- failed
		for range 3 {
			if err := h.Check(t.Context()); !errors.Is(err, failed) || len(writes) != 1 {
				t.Errorf("%v, %d writes", err, len(writes))
			}
			time.Sleep(healthEvery / 4)
		}
		time.Sleep(healthEvery)
		var waiting sync.WaitGroup
		for range 3 { // they get the result of one write
			waiting.Go(func() {
				if err := h.Check(t.Context()); err != nil {
					t.Errorf("a second later: %v", err)
				}
			})
		}
		synctest.Wait()
		if len(writes) != 2 {
			t.Fatalf("%d writes, want 2", len(writes))
		}
		writes[1] <- nil
		waiting.Wait()
		if len(writes) != 2 {
			t.Errorf("%d writes, want 2", len(writes))
		}
	})
}

package store

import (
	"context"
	"fmt"
	"time"
)

// healthEvery is how often a Health writes at most. More frequent callers get the last result.
const healthEvery = time.Second

// A Health knows whether a store can write, by writing.
type Health struct {
	write   func() <-chan error
	turn    chan struct{} // holds one value while a goroutine is in Check
	checked time.Time
	err     error
	pending <-chan error // a write that is still awaited; nil: none
}

// NewHealth returns a Health that writes with write, which must not block. The channel gets the result.
func NewHealth(write func() <-chan error) *Health {
	return &Health{write: write, turn: make(chan struct{}, 1)}
}

// Check returns the result of a write, which may be up to a second old. It fails if ctx ends first.
func (h *Health) Check(ctx context.Context) error {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return fmt.Errorf("waiting to write: %w", ctx.Err())
	}
	if time.Since(h.checked) < healthEvery {
		return h.err
	}
	if h.pending == nil {
		h.pending = h.write()
	}
	select {
	case err := <-h.pending:
		h.pending, h.err, h.checked = nil, err, time.Now()
		return err
	case <-ctx.Done():
		return fmt.Errorf("writing: %w", ctx.Err())
	}
}

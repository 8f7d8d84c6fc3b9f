package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// healthEvery is how often Healthy writes at most. More frequent callers get the last result.
const healthEvery = time.Second

// health is the last known result of a write.
type health struct {
	turn    chan struct{} // holds one value while a goroutine is in Healthy
	checked time.Time
	err     error
	pending <-chan error // a write that is still awaited; nil: none
}

// Healthy reports whether the store can write, by writing. It fails if ctx ends first.
func (s *Store) Healthy(ctx context.Context) error {
	h := &s.health
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return fmt.Errorf("waiting to write: %w", ctx.Err())
	}
	if why := s.broken.Load(); why != nil {
		return why
	}
	if time.Since(h.checked) < healthEvery {
		return h.err
	}
	if h.pending == nil {
		h.pending = s.start(func(ctx context.Context, w *writer) error {
			return w.setMeta(ctx, "healthy", strconv.FormatInt(time.Now().UnixMilli(), 10))
		})
	}
	select {
	case err := <-h.pending:
		h.pending, h.err, h.checked = nil, err, time.Now()
		return err
	case <-ctx.Done():
		return fmt.Errorf("writing: %w", ctx.Err())
	}
}

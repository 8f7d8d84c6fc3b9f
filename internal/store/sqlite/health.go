package sqlite

import (
	"context"
	"strconv"
	"time"
)

// Healthy reports whether the store can write, by writing. It fails if ctx ends first.
func (s *Store) Healthy(ctx context.Context) error {
	if why := s.broken.Load(); why != nil {
		return why
	}
	return s.health.Check(ctx)
}

// writeHealth begins the write of a health check.
func (s *Store) writeHealth() <-chan error {
	return s.start(func(ctx context.Context, w *writer) error {
		return w.setMeta(ctx, "healthy", strconv.FormatInt(time.Now().UnixMilli(), 10))
	})
}

package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// patience is how long a counter may stand still before its waiter gives up.
const patience = 20 * time.Second

// A counter counts what many connections see, and wakes one waiter.
type counter struct {
	what    string
	n       atomic.Int64
	target  atomic.Int64
	reached chan struct{} // capacity 1
}

func newCounter(what string) *counter {
	return &counter{what: what, reached: make(chan struct{}, 1)}
}

func (t *counter) add(k int) {
	n := t.n.Add(int64(k))
	if target := t.target.Load(); n >= target && n-int64(k) < target {
		select {
		case t.reached <- struct{}{}:
		default:
		}
	}
}

// await waits until the count is n. It gives up if the count stands still.
func (t *counter) await(ctx context.Context, n int64) error {
	t.target.Store(n)
	still, last := time.NewTimer(patience), t.n.Load()
	defer still.Stop()
	for t.n.Load() < n {
		select {
		case <-t.reached:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-still.C:
			now := t.n.Load()
			if now == last {
				return fmt.Errorf("nothing came for %v: %d %s of %d", patience, now, t.what, n)
			}
			last = now
			still.Reset(patience)
		}
	}
	return nil
}

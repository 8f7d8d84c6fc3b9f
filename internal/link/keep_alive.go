package link

import (
	"context"
	"sync"
	"time"
)

// A keepAliveWheel holds every connection in one of its buckets. At each tick
// it checks the connections of one bucket, so one timer serves all of them.
type keepAliveWheel struct {
	mu      sync.Mutex
	buckets [32]map[*Conn]struct{}
	next    int // bucket of the next connection
	turn    int // bucket to check next
}

// checksPerTimeout is how often a connection is checked within the idle timeout.
const checksPerTimeout = 3

func (w *keepAliveWheel) init() {
	for i := range w.buckets {
		w.buckets[i] = map[*Conn]struct{}{}
	}
}

func (w *keepAliveWheel) add(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.bucket = w.next
	w.next = (w.next + 1) % len(w.buckets)
	w.buckets[c.bucket][c] = struct{}{}
}

func (w *keepAliveWheel) remove(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.buckets[c.bucket], c)
}

func (w *keepAliveWheel) all() []*Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	var conns []*Conn
	for _, bucket := range w.buckets {
		for c := range bucket {
			conns = append(conns, c)
		}
	}
	return conns
}

func (w *keepAliveWheel) run(ctx context.Context, idle time.Duration) {
	if idle <= 0 {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(max(idle/checksPerTimeout/time.Duration(len(w.buckets)), time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, c := range w.take() {
				c.checkAlive(now, idle)
			}
		}
	}
}

// take returns the connections of the next bucket to check.
func (w *keepAliveWheel) take() []*Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	bucket := w.buckets[w.turn]
	w.turn = (w.turn + 1) % len(w.buckets)
	conns := make([]*Conn, 0, len(bucket))
	for c := range bucket {
		conns = append(conns, c)
	}
	return conns
}

package server

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"parley/internal/chat"
)

// connections is what the long-lived connections share.
type connections struct {
	conns  sync.WaitGroup // they, and goroutines of theirs
	poller *poller        // nil: none
	wheel  keepAliveWheel
	acks   ackQueue

	admission sync.Mutex      // between admit and closeConns
	draining  context.Context // ends when the server goes down; no connection begins after that
	leave     context.CancelFunc
}

func (s *Server) initConnections() {
	s.draining, s.leave = context.WithCancel(context.Background())
	s.acks.more.L = &s.acks.mu
	for i := range s.wheel.buckets {
		s.wheel.buckets[i] = map[*conn]struct{}{}
	}
}

// runConnections wakes connections, keeps them alive and sends late answers until
// ctx ends.
func (s *Server) runConnections(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(s.poller.run)
	wg.Go(func() { s.acks.run() })
	wg.Go(func() { s.wheel.run(ctx, s.cfg.IdleTimeout) })
	<-ctx.Done()
	s.acks.close()
	s.poller.close()
	wg.Wait()
	return nil
}

// admit counts one connection, which closeConns waits for, until release. It
// refuses one too many from one address, and any once the server is stopping.
func (s *Server) admit(from netip.Addr) error {
	if s.stopping.Load() {
		return errStopping()
	}
	if err := s.addresses.enter(network(from)); err != nil {
		return err
	}
	s.admission.Lock()
	defer s.admission.Unlock()
	if s.draining.Err() != nil {
		s.addresses.leave(network(from))
		return errStopping()
	}
	s.conns.Add(1)
	return nil
}

func (s *Server) release(from netip.Addr) {
	s.addresses.leave(network(from))
	s.conns.Done()
}

func errStopping() error {
	return &chat.Error{Code: chat.Stopping, Message: "The server is going down.", RetryAfter: time.Second}
}

// closeConns has each connection answer what it has accepted and say goodbye,
// and waits for that; when ctx ends it cuts those that are left.
func (s *Server) closeConns(ctx context.Context) {
	s.admission.Lock()
	s.leave()
	s.admission.Unlock()
	for _, c := range s.wheel.all() {
		c.drain()
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		s.conns.Wait()
		close(done)
	})
	select {
	case <-done:
	case <-ctx.Done():
		for _, c := range s.wheel.all() {
			c.abort()
		}
	}
	wg.Wait()
}

// A keepAliveWheel holds every connection in one of its buckets and looks at one bucket
// a turn: one timer keeps all connections alive.
type keepAliveWheel struct {
	mu      sync.Mutex
	buckets [32]map[*conn]struct{}
	next    int // bucket of the next connection
	turn    int // bucket to look at next
}

// checksPerTimeout is how often a connection is looked at within the idle time-out.
const checksPerTimeout = 3

func (w *keepAliveWheel) add(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.bucket = w.next
	w.next = (w.next + 1) % len(w.buckets)
	w.buckets[c.bucket][c] = struct{}{}
}

func (w *keepAliveWheel) remove(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.buckets[c.bucket], c)
}

func (w *keepAliveWheel) all() []*conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	var conns []*conn
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

// take returns the connections of the next bucket.
func (w *keepAliveWheel) take() []*conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	bucket := w.buckets[w.turn]
	w.turn = (w.turn + 1) % len(w.buckets)
	conns := make([]*conn, 0, len(bucket))
	for c := range bucket {
		conns = append(conns, c)
	}
	return conns
}

// ackQueue holds the connections with answers that no flush of a room takes
// along. The log's goroutine, which must not write, leaves them here.
type ackQueue struct {
	mu     sync.Mutex
	more   sync.Cond
	conns  []*conn
	closed bool
}

func (q *ackQueue) push(c *conn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !c.inAckQueue {
		c.inAckQueue = true
		q.conns = append(q.conns, c)
		q.more.Signal()
	}
}

func (q *ackQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Signal()
}

func (q *ackQueue) run() {
	for {
		q.mu.Lock()
		for len(q.conns) == 0 && !q.closed {
			q.more.Wait()
		}
		conns, closed := q.conns, q.closed
		q.conns = nil
		for _, c := range conns {
			c.inAckQueue = false
		}
		q.mu.Unlock()
		for _, c := range conns {
			c.sendAnswers()
		}
		if closed {
			return
		}
	}
}

// sendAnswers is called on a goroutine that serves others too.
func (c *conn) sendAnswers() {
	defer c.s.recoverConn(c.abort)
	c.outbound.flush()
}

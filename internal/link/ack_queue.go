package link

import "sync"

// An ackQueue holds connections whose queued answers no flush of a room will
// send. The store's committer adds them, as it must not write to sockets.
type ackQueue struct {
	mu     sync.Mutex
	more   sync.Cond
	conns  []*Conn
	closed bool
}

func (q *ackQueue) init() { q.more.L = &q.mu }

func (q *ackQueue) push(c *Conn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !c.inAckQueue {
		c.inAckQueue = true
		q.conns = append(q.conns, c)
		q.more.Signal()
	}
}

// SendLater sends the queued answers on another goroutine. It does not block.
func (c *Conn) SendLater() { c.links.acks.push(c) }

func (q *ackQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Signal()
}

// run sends answers until close.
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

// sendAnswers writes queued answers. Its goroutine serves other connections
// too, so a panic must not reach it.
func (c *Conn) sendAnswers() {
	defer c.Recover()
	c.out.Flush()
}

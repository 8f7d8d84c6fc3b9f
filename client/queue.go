package client

import (
	"context"
	"sync"
)

// queueLimit is how many events wait for the consumer. When the queue is full, the
// cursors stop, and the events are fetched later.
const queueLimit = 1024

// A queue holds events between the reading goroutine and the consumer.
type queue struct {
	ready chan struct{} // holds a token when the queue may be non-empty
	space chan struct{} // holds a token when the queue may have room

	mu     sync.Mutex
	events []Event
	err    error // set: no further events come
}

func newQueue() *queue {
	return &queue{ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

// offer adds e, or returns false if the queue is full.
func (q *queue) offer(e Event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) >= queueLimit {
		return false
	}
	q.add(e)
	if len(q.events) < queueLimit {
		signal(q.space) // another room may wait for it too
	}
	return true
}

// force adds e even if the queue is full. It is for rare events that must not be
// lost.
func (q *queue) force(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(e)
}

func (q *queue) add(e Event) {
	q.events = append(q.events, e)
	signal(q.ready)
}

// waitSpace blocks until the queue may have room, or cancel or ctx is done.
func (q *queue) waitSpace(ctx context.Context, cancel <-chan struct{}) {
	select {
	case <-q.space:
	case <-cancel:
	case <-ctx.Done():
	}
}

func (q *queue) next(ctx context.Context) (Event, error) {
	for {
		q.mu.Lock()
		if len(q.events) > 0 {
			e := q.events[0]
			q.events[0] = nil
			q.events = q.events[1:]
			signal(q.space)
			if len(q.events) > 0 {
				signal(q.ready) // for another consumer
			}
			q.mu.Unlock()
			return e, nil
		}
		err := q.err
		q.mu.Unlock()
		if err != nil {
			signal(q.ready)
			return nil, err
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// end makes next return err once the queue is empty. Only the first call counts.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	signal(q.ready)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

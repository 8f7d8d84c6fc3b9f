package client

import (
	"context"
	"sync"
)

// queueLimit is how many events wait for the consumer; beyond, the cursors wait.
const queueLimit = 1024

// A queue holds events between the goroutine that reads and the consumer.
type queue struct {
	ready chan struct{} // holds a token when there may be something to take
	space chan struct{} // holds a token when there may be room

	mu     sync.Mutex
	events []Event
	err    error // set: nothing comes any more
}

func newQueue() *queue {
	return &queue{ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

// offer adds e if there is room.
func (q *queue) offer(e Event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) >= queueLimit {
		return false
	}
	q.add(e)
	if len(q.events) < queueLimit {
		signal(q.space) // somebody else may wait for it too
	}
	return true
}

// force adds e in any case. It is for what happens rarely and must not get lost.
func (q *queue) force(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(e)
}

func (q *queue) add(e Event) {
	q.events = append(q.events, e)
	signal(q.ready)
}

// waitSpace returns when there may be room, or cancel or ctx is done.
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

// end lets the consumer have what there is and then err. The first end counts.
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

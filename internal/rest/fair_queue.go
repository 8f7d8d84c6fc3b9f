package rest

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"parley/internal/chat"
)

// fairQueue limits how many pieces of work are done at a time, so that a client with
// many requests gets no more than its share of the processor. Addresses take turns:
// many requests of one address wait for each other, and hardly delay other addresses.
type fairQueue struct {
	mu      sync.Mutex
	free    int                      // so many more may be made now
	each    int                      // so many at most for one network
	busy    map[netip.Addr]int       // are made now, by network
	waiting map[netip.Addr][]*waiter // in order of arrival; no empty ones
	order   []netip.Addr             // of the networks that wait: the one whose turn it is first
	total   int                      // that wait
}

// A waiter is one request that waits.
type waiter struct{ granted chan struct{} }

// Bounds of what waits for its turn.
const (
	maxWait       = 3 * time.Second
	maxWaiting    = 8192
	mostTurnsEach = 1024 // from one network: an office where all open the page at once
)

// init sets how many there are at a time, and how many of these for one network.
func (t *fairQueue) init(all, each int) {
	t.free, t.each = all, each
	t.busy = map[netip.Addr]int{}
	t.waiting = map[netip.Addr][]*waiter{}
}

// enter waits until a page may be made for a network, until leave. The error has
// code RateLimited if that takes too long.
func (t *fairQueue) enter(ctx context.Context, from netip.Addr) error {
	mine, err := t.ask(from)
	if err != nil || mine == nil {
		return err
	}
	late := time.NewTimer(maxWait)
	defer late.Stop()
	select {
	case <-mine.granted:
		return nil
	case <-late.C:
		err = errNoTurn()
	case <-ctx.Done():
		err = ctx.Err()
	}
	if !t.giveUp(from, mine) { // it was granted in this moment
		t.leave(from)
	}
	return err
}

// ask returns nil if the page may be made at once, else the turn to wait for.
func (t *fairQueue) ask(from netip.Addr) (*waiter, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free > 0 && t.busy[from] < t.each {
		t.grant(from)
		return nil, nil
	}
	if t.total >= maxWaiting || len(t.waiting[from]) >= mostTurnsEach {
		return nil, errNoTurn()
	}
	mine := &waiter{granted: make(chan struct{})}
	if len(t.waiting[from]) == 0 {
		t.order = append(t.order, from)
	}
	t.waiting[from] = append(t.waiting[from], mine)
	t.total++
	return mine, nil
}

func errNoTurn() error {
	return &chat.Error{
		Code:       chat.RateLimited,
		Message:    "Too much is being read at the moment. It will be possible again in a moment.",
		RetryAfter: time.Second,
	}
}

// grant counts one page that is made. The caller holds mu.
func (t *fairQueue) grant(from netip.Addr) {
	t.free--
	t.busy[from]++
}

// leave ends what enter began.
func (t *fairQueue) leave(from netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free++
	if t.busy[from]--; t.busy[from] == 0 {
		delete(t.busy, from)
	}
	for t.free > 0 {
		i := slices.IndexFunc(t.order, func(n netip.Addr) bool { return t.busy[n] < t.each })
		if i < 0 {
			return
		}
		next := t.order[i]
		t.order = slices.Delete(t.order, i, i+1)
		first := t.waiting[next][0]
		t.take(next, 0)
		if len(t.waiting[next]) > 0 {
			t.order = append(t.order, next)
		}
		t.grant(next)
		close(first.granted)
	}
}

// giveUp reports whether a turn has not been granted, which it will not be then.
func (t *fairQueue) giveUp(from netip.Addr, mine *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting[from], mine)
	if i < 0 {
		return false
	}
	t.take(from, i)
	if len(t.waiting[from]) == 0 {
		t.order = slices.DeleteFunc(t.order, func(n netip.Addr) bool { return n == from })
	}
	return true
}

// take takes one turn out of those that wait. The caller holds mu, and sees to
// order.
func (t *fairQueue) take(from netip.Addr, i int) {
	t.total--
	if t.waiting[from] = slices.Delete(t.waiting[from], i, i+1); len(t.waiting[from]) == 0 {
		delete(t.waiting, from)
	}
}

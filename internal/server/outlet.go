package server

import (
	"errors"
	"sync"

	"parley/internal/chat"
)

// An outlet is what goes out on one connection: a room.Sink shared by all the
// rooms that the connection is in, and by its own answers. Nothing waits in it
// but answers and the rest of a frame that was cut by a full socket, so a slow
// client costs next to no memory.
//
// Locks of rooms are taken before an outlet's, so an outlet calls nothing of a
// room while it holds its own.
type outlet struct {
	port  egress
	owner *sync.WaitGroup                 // waits for the goroutine of drain
	ended func(code chat.Code)            // what Close does; set at birth
	whole func(p []byte, n int) (end int) // where the event that byte n lies in ends; nil: port never cuts

	mu       sync.Mutex
	changed  sync.Cond // out has become shorter, pending less, or the outlet dead
	out      []byte    // goes before anything else
	waiters  []func()
	draining bool // a goroutine waits for the port
	sealed   bool // the last word has been said
	dead     bool
	pending  int // sends that are not answered yet
}

// An egress is a connection's way out.
type egress interface {
	// write takes as much of a and then b as it can without waiting. It may
	// keep b, which never changes, but not a.
	write(a, b []byte) (n int, err error)
	// wait waits until write may take something.
	wait() error
}

var errEnded = errors.New("the connection has ended")

// Bounds of what one connection may have the server remember. Beyond, its
// commands are not read until some have been answered.
const (
	maxOut     = 64 << 10 // bytes of answers that the client has not taken
	maxPending = 512      // sends that the store has not answered
)

func newOutlet(p egress, owner *sync.WaitGroup, ended func(chat.Code)) *outlet {
	o := &outlet{port: p, owner: owner, ended: ended}
	o.changed.L = &o.mu
	return o
}

// TryWrite implements room.Sink.
func (o *outlet) TryWrite(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead || o.sealed {
		return 0, errEnded
	}
	n, err := o.write(p)
	if err != nil {
		return 0, err
	}
	if n < len(p) && o.whole != nil {
		if end := o.whole(p, n); end > n {
			o.out = append(o.out, p[n:end]...)
			o.drainLater()
			return end, nil
		}
	}
	return n, nil
}

// Park implements room.Sink.
func (o *outlet) Park(ready func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dead {
		o.waiters = append(o.waiters, ready)
		o.drainLater()
	}
}

// Close implements room.Sink.
func (o *outlet) Close(code chat.Code) { o.ended(code) }

// answer has frame append to what goes out, and does not send it yet.
func (o *outlet) answer(frame func(dst []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dead && !o.sealed {
		o.out = frame(o.out)
	}
}

// flush sends what waits, or has it sent as soon as the port takes it.
func (o *outlet) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead || len(o.out) == 0 {
		return
	}
	if _, err := o.write(nil); err == nil && len(o.out) > 0 {
		o.drainLater()
	}
}

// seal appends the last word; nothing goes out after it. What waited stays in
// front of it, as the first of it may be the rest of a cut frame.
func (o *outlet) seal(lastWord func(dst []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dead && !o.sealed {
		o.sealed = true
		o.out = lastWord(o.out)
		o.drainLater()
	}
}

// kill says that the connection is gone.
func (o *outlet) kill() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.die()
}

// write gives out and then p to the port and returns how much of p it took.
// The caller holds mu.
func (o *outlet) write(p []byte) (int, error) {
	n, err := o.port.write(o.out, p)
	if err != nil {
		o.die()
		return 0, err
	}
	if n < len(o.out) {
		o.out = append(o.out[:0], o.out[n:]...)
		return 0, nil
	}
	n -= len(o.out)
	if cap(o.out) > 4<<10 {
		o.out = nil
	} else {
		o.out = o.out[:0]
	}
	o.changed.Broadcast()
	return n, nil
}

func (o *outlet) die() {
	o.dead = true
	o.out, o.waiters = nil, nil
	o.changed.Broadcast()
}

// drainLater has a goroutine wait for the port. There is one only while the
// port is full. The caller holds mu.
func (o *outlet) drainLater() {
	if !o.draining {
		o.draining = true
		o.owner.Go(o.drain)
	}
}

func (o *outlet) drain() {
	for {
		err := o.port.wait()
		o.mu.Lock()
		if err != nil {
			o.die()
		}
		if !o.dead && len(o.out) > 0 {
			o.write(nil) // an error makes it dead
		}
		if !o.dead && len(o.out) > 0 {
			o.mu.Unlock()
			continue
		}
		waiters := o.waiters
		o.waiters, o.draining = nil, false
		o.mu.Unlock()
		for _, ready := range waiters {
			ready()
		}
		return
	}
}

// begin counts a send that will be answered.
func (o *outlet) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending++
}

// end answers a send.
func (o *outlet) end(frame func(dst []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending--
	if !o.dead && !o.sealed {
		o.out = frame(o.out)
	}
	if o.pending == 0 || o.pending == maxPending/2 {
		o.changed.Broadcast()
	}
}

// awaitRoom waits until the connection may be served another command.
func (o *outlet) awaitRoom() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.dead && (len(o.out) > maxOut || o.pending >= maxPending) {
		if len(o.out) > maxOut {
			o.drainLater()
		}
		o.changed.Wait()
	}
}

// awaitAnswers waits until every send has been answered.
func (o *outlet) awaitAnswers() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.pending > 0 && !o.dead {
		o.changed.Wait()
	}
}

// awaitEmpty waits until all has gone out.
func (o *outlet) awaitEmpty() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.out) > 0 && !o.dead {
		o.changed.Wait()
	}
}

package link

import (
	"sync"

	"parley/internal/chat"
)

// An outbound is what goes out on one connection: a room.Sink shared by all the
// rooms that the connection is in, and by its own answers. Nothing waits in it
// but answers and the rest of a frame that was cut by a full socket, so a slow
// client costs next to no memory.
//
// Locks of rooms are taken before an outlet's, so an outlet calls nothing of a
// room while it holds its own.
type Outbound struct {
	// What each delivery reads comes first, in one line of the processor's cache.
	mu          sync.Mutex
	transport   transportWriter // set at birth
	out         []byte          // goes before anything else
	draining    bool            // the port will say when it takes something
	closeQueued bool            // the last word has been said
	dead        bool

	ended    func(code chat.Code)            // what Close does; set at birth
	frameEnd func(p []byte, n int) (end int) // where the event that byte n lies in ends; nil: port never cuts

	changed     sync.Cond // out has become shorter, pending less, or the outlet sealed or dead
	lent        *[]byte   // out's buffer; nil while it is empty
	unsolicited int       // bytes that tell has put in out since it was empty
	waiters     []func()
	pending     int // sends that are not answered yet
}

var outBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

// Bounds of what one connection may have the server remember. Beyond, its
// commands are not read until some have been answered.
const (
	maxOut     = 64 << 10 // bytes of answers that the client has not taken
	maxPending = 512      // sends that the store has not answered
)

// maxUnsolicited bounds what a connection is told that it has not asked for, and does not
// take: a person may read a thousand rooms at once on another device.
const maxUnsolicited = 128 << 10

// init is called once, before anything else.
func (o *Outbound) init(p transportWriter, ended func(chat.Code)) {
	o.transport, o.ended = p, ended
	o.changed.L = &o.mu
}

// TryWrite implements room.Sink.
func (o *Outbound) TryWrite(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead || o.closeQueued {
		return 0, errEnded
	}
	n, err := o.write(p)
	return o.took(p, n, err)
}

// took returns what TryWrite returns for p, of which the port has taken n bytes: the
// rest of a frame that it has cut goes to out. The caller holds mu.
func (o *Outbound) took(p []byte, n int, err error) (int, error) {
	if err != nil {
		o.die()
		return 0, err
	}
	if n < len(p) && o.frameEnd != nil {
		if end := o.frameEnd(p, n); end > n {
			o.append(func(dst []byte) []byte { return append(dst, p[n:end]...) })
			o.drainLater()
			return end, nil
		}
	}
	return n, nil
}

// OnWritable implements room.Sink.
func (o *Outbound) OnWritable(ready func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dead {
		o.waiters = append(o.waiters, ready)
		o.drainLater()
	}
}

// Close implements room.Sink.
func (o *Outbound) Close(code chat.Code) { o.ended(code) }

// queueAnswer has frame append to what goes out, and does not send it yet.
func (o *Outbound) QueueAnswer(frame func(dst []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dead && !o.closeQueued {
		o.append(frame)
	}
}

// queueUnsolicited is answer for what nobody has asked for. It reports false, and does not keep
// the frame, if too much of that waits.
func (o *Outbound) QueueUnsolicited(frame func(dst []byte) []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead || o.closeQueued {
		return true
	}
	if o.unsolicited >= maxUnsolicited {
		return false
	}
	before := len(o.out)
	o.append(frame)
	o.unsolicited += len(o.out) - before
	return true
}

// append has frame append to out, which is in a borrowed buffer unless it is
// empty. The caller holds mu.
func (o *Outbound) append(frame func(dst []byte) []byte) {
	if o.lent == nil {
		o.lent = outBuffers.Get().(*[]byte)
		o.out = (*o.lent)[:0]
	}
	if o.out = frame(o.out); len(o.out) == 0 {
		o.giveBack()
	}
}

// giveBack gives out's buffer back. The caller holds mu.
func (o *Outbound) giveBack() {
	if o.lent != nil && cap(o.out) <= 16<<10 {
		*o.lent = o.out[:0]
		outBuffers.Put(o.lent)
	}
	o.lent, o.out, o.unsolicited = nil, nil, 0
}

// flush sends what waits, or has it sent as soon as the port takes it.
func (o *Outbound) Flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead || len(o.out) == 0 {
		return
	}
	if _, err := o.write(nil); err == nil && len(o.out) > 0 {
		o.drainLater()
	}
}

// appendClose appends the last word; nothing goes out after it. What waited stays in
// front of it, as the first of it may be the rest of a cut frame.
func (o *Outbound) appendClose(lastWord func(dst []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dead && !o.closeQueued {
		o.closeQueued = true
		o.changed.Broadcast()
		o.append(lastWord)
		o.drainLater()
	}
}

// fail says that the connection is gone.
func (o *Outbound) fail() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.die()
}

// write gives out and then p to the port and returns how much of p it took.
// The caller holds mu.
func (o *Outbound) write(p []byte) (int, error) {
	n, err := o.transport.write(o.out, p)
	if err != nil {
		o.die()
		return 0, err
	}
	if n < len(o.out) {
		o.out = append(o.out[:0], o.out[n:]...)
		return 0, nil
	}
	n -= len(o.out)
	if len(o.out) > 0 {
		o.giveBack()
		o.changed.Broadcast()
	}
	return n, nil
}

func (o *Outbound) die() {
	o.dead = true
	o.giveBack()
	o.waiters = nil
	o.changed.Broadcast()
}

// drainLater has drain called as soon as the port takes something. The caller
// holds mu.
func (o *Outbound) drainLater() {
	if !o.draining {
		o.draining = true
		o.transport.notify(o.drain)
	}
}

func (o *Outbound) drain() {
	for _, ready := range o.drained() {
		ready()
	}
}

// drained writes what waits and returns who waits for more room, if there is
// some.
func (o *Outbound) drained() (waiters []func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.draining = false
	if !o.dead && len(o.out) > 0 {
		o.write(nil) // an error makes it dead
	}
	if !o.dead && len(o.out) > 0 {
		o.drainLater()
		return nil
	}
	waiters, o.waiters = o.waiters, nil
	return waiters
}

// beginSend counts a send that will be answered.
func (o *Outbound) BeginSend() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending++
}

// endSend answers a send.
func (o *Outbound) EndSend(frame func(dst []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending--
	if !o.dead && !o.closeQueued {
		o.append(frame)
	}
	if o.pending == 0 || o.pending == maxPending/2 {
		o.changed.Broadcast()
	}
}

// awaitRoom waits until the connection may be served another command.
func (o *Outbound) awaitRoom() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.dead && !o.closeQueued && (len(o.out) > maxOut || o.pending >= maxPending) {
		if len(o.out) > maxOut {
			o.drainLater()
		}
		o.changed.Wait()
	}
}

// awaitAnswers waits until every send has been answered.
func (o *Outbound) AwaitAnswers() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.pending > 0 && !o.dead {
		o.changed.Wait()
	}
}

// awaitEmpty waits until all has gone out, with the last word, which somebody
// is about to say or has said.
func (o *Outbound) awaitEmpty() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for (!o.closeQueued || len(o.out) > 0) && !o.dead {
		o.changed.Wait()
	}
}

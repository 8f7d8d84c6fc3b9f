package link

import (
	"sync"

	"parley/internal/chat"
)

// An Outbound is the outbound buffer of one connection. It is the room.Sink that
// all the rooms of the connection write to, and it sends the connection's answers.
// Only answers, unsolicited frames and the rest of a frame that a full socket has
// cut wait in it. Events do not, so a slow client costs little memory.
//
// A room's lock is taken before an Outbound's. An Outbound therefore calls no room
// while it holds its own lock.
type Outbound struct {
	// The fields that each delivery reads come first, in one cache line.
	mu          sync.Mutex
	transport   transportWriter // set by init
	out         []byte          // bytes that wait; sent before anything else
	draining    bool            // transport.notify has been called with drain
	closeQueued bool            // the close frame is in out; nothing may follow it
	dead        bool

	ended func(code chat.Code) // called by Close; set by init
	// frameEnd returns the end of the event that holds byte n of p. It is nil if the
	// transport takes whole events only.
	frameEnd func(p []byte, n int) (end int)

	changed     sync.Cond // out or pending has shrunk, or closeQueued or dead was set
	lent        *[]byte   // the pooled buffer that holds out; nil while out is empty
	unsolicited int       // bytes of unsolicited frames put in out since it was last empty
	waiters     []func()
	pending     int // sends that are not answered yet; at maxPending no further command is read
}

var outBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

// Limits of what the server holds in memory for one connection. Beyond them it
// reads no further command of the client until some have been answered.
const (
	maxOut     = 64 << 10 // bytes in out
	maxPending = 512      // sends that the store has not answered
)

// maxUnsolicited limits how many bytes of frames that answer no command wait in
// out. There can be many: a person may read a thousand rooms at once on another
// device.
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

// took returns the result of TryWrite(p) after the transport has taken n bytes of
// p. If it has cut a frame, the rest of that frame goes to out and counts as
// taken. The caller holds mu.
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

// QueueAnswer appends a frame to the buffer and does not send it yet.
func (o *Outbound) QueueAnswer(frame func(dst []byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dead && !o.closeQueued {
		o.append(frame)
	}
}

// QueueUnsolicited queues a frame that answers no command. It returns false and
// drops the frame if more than maxUnsolicited bytes of such frames wait.
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

// append calls frame to append to out. While out is not empty it is in a buffer
// of the pool outBuffers. The caller holds mu.
func (o *Outbound) append(frame func(dst []byte) []byte) {
	if o.lent == nil {
		o.lent = outBuffers.Get().(*[]byte)
		o.out = (*o.lent)[:0]
	}
	if o.out = frame(o.out); len(o.out) == 0 {
		o.giveBack()
	}
}

// giveBack empties out and returns its buffer to the pool. The caller holds mu.
func (o *Outbound) giveBack() {
	if o.lent != nil && cap(o.out) <= 16<<10 {
		*o.lent = o.out[:0]
		outBuffers.Put(o.lent)
	}
	o.lent, o.out, o.unsolicited = nil, nil, 0
}

// Flush sends what waits, now or as soon as the transport takes it.
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

// appendClose appends the last frame; later frames are dropped. The bytes that wait
// are sent before it, as the first of them may be the rest of a cut frame.
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

// fail drops the bytes that wait: the connection can send nothing any more.
func (o *Outbound) fail() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.die()
}

// write writes out and then p to the transport. It returns how many bytes of p
// were taken. The caller holds mu.
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

// die makes every method do nothing from now on. The caller holds mu.
func (o *Outbound) die() {
	o.dead = true
	o.giveBack()
	o.waiters = nil
	o.changed.Broadcast()
}

// drainLater makes the transport call drain when it takes bytes again. The caller
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

// drained writes what waits. If all of it was taken, it returns the callbacks of
// OnWritable.
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

// BeginSend counts a send that EndSend will answer.
func (o *Outbound) BeginSend() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending++
}

// EndSend queues the answer to a send.
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

// awaitRoom waits until the limits allow to read another command.
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

// AwaitAnswers waits until each send has been answered, or the connection has
// failed.
func (o *Outbound) AwaitAnswers() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.pending > 0 && !o.dead {
		o.changed.Wait()
	}
}

// awaitEmpty waits until everything, with the frame of appendClose at its end, has
// been sent, or the connection has failed. appendClose may be called later.
func (o *Outbound) awaitEmpty() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for (!o.closeQueued || len(o.out) > 0) && !o.dead {
		o.changed.Wait()
	}
}

package link

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"parley/internal/room"
)

// A batch is a room.Batch: what goes to several connections is sent by one system
// call. It holds their outlets' locks meanwhile, and takes only those that are free,
// so that it waits for nobody.
type batch struct {
	ring    *ring
	entries []batchEntry
	records []byte // what TLS connections send, one after another
	written []room.Written
}

// A batchEntry is what goes to one connection.
type batchEntry struct {
	outlet *Outbound
	port   batchWriter
	given  []byte // what Add was given

	fd         int
	plain      []byte // what is sent, if that is as it was given
	from, upto int    // else where it is in records
}

// A batchWriter port is an egress that can take part in a batch.
type batchWriter interface {
	transportWriter
	// enlist prepares p to be sent. It reports false if p has to be written by itself.
	enlist(b *batch, e *batchEntry, p []byte) bool
	// settle says what became of what was enlisted, sent: n bytes have gone out. It
	// returns what write would have returned.
	settle(sent []byte, p []byte, n int, err error) (int, error)
	// cut ends the connection at once.
	cut()
}

// maxBatched is how much goes to one connection in a batch. A call that sends more
// costs little beside it.
const maxBatched = 4 << 10

// NewBatch returns what writes to the connections of a Server in batches; nil if the
// system cannot.
func NewBatch() room.Batch {
	r, err := newRing()
	if err != nil {
		return nil
	}
	return &batch{ring: r, entries: make([]batchEntry, 0, ringSize), written: make([]room.Written, 0, ringSize)}
}

// Add implements room.Batch.
func (b *batch) Add(sink room.Sink, p []byte) bool {
	o, ok := sink.(*Outbound)
	if !ok || b.ring == nil || len(p) > maxBatched || len(b.entries) == ringSize || !o.mu.TryLock() {
		return false
	}
	added, last := false, len(b.entries)
	defer func() { // also after a panic
		if !added {
			b.entries = b.entries[:last]
			o.mu.Unlock()
		}
	}()
	port, ok := o.transport.(batchWriter)
	if !ok || o.dead || o.closeQueued || len(o.out) > 0 {
		return false
	}
	b.entries = append(b.entries, batchEntry{outlet: o, port: port, given: p})
	added = port.enlist(b, &b.entries[last], p)
	return added
}

// Send implements room.Batch.
func (b *batch) Send() []room.Written {
	for i := range b.entries {
		b.ring.send(b.entries[i].fd, b.bytesOf(&b.entries[i]))
	}
	var results [ringSize]int32
	broken := b.ring.enter(&results) != nil
	runtime.KeepAlive(b)
	b.written = b.written[:0]
	for i := range b.entries {
		b.written = append(b.written, b.settle(&b.entries[i], int(results[i])))
	}
	clear(b.entries)
	b.entries, b.records = b.entries[:0], b.records[:0]
	if broken {
		b.Close()
	}
	return b.written
}

func (b *batch) bytesOf(e *batchEntry) []byte {
	if e.plain != nil {
		return e.plain
	}
	return b.records[e.from:e.upto]
}

// settle has a connection know what has been sent of what it has, and unlocks its
// outlet.
func (b *batch) settle(e *batchEntry, result int) (w room.Written) {
	defer func() {
		e.outlet.mu.Unlock()
		if cause := recover(); cause != nil {
			w.Panic = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	n, err := max(result, 0), error(nil)
	switch errno := unix.Errno(-result); {
	case result >= 0 || errno == unix.EAGAIN || errno == unix.EINTR:
	case result == notDone:
		err = errEnded // nobody knows what has gone out
		e.port.cut()   // else the client would wait for what never comes
	default:
		err = errno
	}
	n, err = e.port.settle(b.bytesOf(e), e.given, n, err)
	w.N, w.Err = e.outlet.took(e.given, n, err)
	return w
}

// Close implements room.Batch.
func (b *batch) Close() {
	if b.ring != nil {
		b.ring.close()
		b.ring = nil
	}
}

func (k *tcpTransport) enlist(_ *batch, e *batchEntry, p []byte) bool {
	e.fd, e.plain = k.fd, p
	return true
}

func (k *tcpTransport) settle(_, p []byte, n int, err error) (int, error) {
	if err != nil || n == len(p) {
		return n, err
	}
	more, err := k.write(p[n:], nil)
	return n + more, err
}

// enlist has the records of p put into the batch. Until settle, all other records
// wait behind them.
func (k *tlsTransport) enlist(b *batch, e *batchEntry, p []byte) (added bool) {
	if k.waiting() {
		return false
	}
	e.fd, e.from = k.fd, len(b.records)
	k.gather(&b.records)
	defer func() { // also after a panic
		k.mu.Lock()
		defer k.mu.Unlock()
		k.gathers, k.flying = nil, added
		e.upto = len(b.records)
	}()
	_, err := k.tls.Write(p)
	return err == nil // an error comes before any record, and once more when p is written by itself
}

// gather has records put into to instead of being sent.
func (k *tlsTransport) gather(to *[]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gathers = to
}

func (k *tlsTransport) settle(sent, p []byte, n int, err error) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flying = false
	if err != nil {
		k.rest = nil
		return 0, err
	}
	if n == len(sent) && len(k.rest) == 0 {
		return len(p), nil
	}
	k.rest = append(append([]byte(nil), sent[n:]...), k.rest...)
	return len(p), k.sendRest()
}

package link

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"parley/internal/room"
)

// A batch is a room.Batch: one system call sends to several connections. Until then
// it holds the locks of their Outbounds. It takes only those whose lock is free, so
// it never waits for one.
type batch struct {
	ring    *ring
	entries []batchEntry
	records []byte // the records of TLS connections, one after another
	written []room.Written
}

// A batchEntry is what one connection is sent.
type batchEntry struct {
	out    *Outbound
	writer batchWriter
	given  []byte // the bytes given to Add

	fd         int
	plain      []byte // the bytes to send if they are not encrypted
	from, upto int    // else where the bytes to send are in records
}

// A batchWriter is a transportWriter that can take part in a batch.
type batchWriter interface {
	transportWriter
	// enlist prepares p to be sent. It returns false if p has to be written by write.
	enlist(b *batch, e *batchEntry, p []byte) bool
	// settle takes the result of the batch: n bytes of sent, the prepared form of p,
	// have been sent. It returns what write(p, nil) would have returned.
	settle(sent []byte, p []byte, n int, err error) (int, error)
	// cut ends reading and writing at once.
	cut()
}

// maxBatched is how many bytes one connection is sent in a batch at most. For more
// the saved system call matters little.
const maxBatched = 4 << 10

// NewBatch returns a room.Batch for Outbounds; nil if the system has no io_uring or
// does not allow it.
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
	writer, ok := o.transport.(batchWriter)
	if !ok || o.dead || o.closeQueued || len(o.out) > 0 {
		return false
	}
	b.entries = append(b.entries, batchEntry{out: o, writer: writer, given: p})
	added = writer.enlist(b, &b.entries[last], p)
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

// settle tells a connection how many of its bytes have been sent, and unlocks its
// Outbound.
func (b *batch) settle(e *batchEntry, result int) (w room.Written) {
	defer func() {
		e.out.mu.Unlock()
		if cause := recover(); cause != nil {
			w.Panic = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	n, err := max(result, 0), error(nil)
	switch errno := unix.Errno(-result); {
	case result >= 0 || errno == unix.EAGAIN || errno == unix.EINTR:
	case result == notDone:
		err = errEnded // how many bytes were sent is unknown
		e.writer.cut() // else the client would wait for the rest of a frame
	default:
		err = errno
	}
	n, err = e.writer.settle(b.bytesOf(e), e.given, n, err)
	w.N, w.Err = e.out.took(e.given, n, err)
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

// enlist appends the records of p to those of the batch. Until settle other records
// wait in rest, to be sent after them.
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
	return err == nil // an error comes before the first record, and again when p is written by write
}

// gather makes Write append records to a buffer instead of sending them.
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

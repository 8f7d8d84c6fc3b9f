package link

import (
	"errors"
	"io"
	"sync"
)

// inBuffer is how many bytes are read at a time.
const inBuffer = 16 << 10

var inBuffers = sync.Pool{New: func() any { return new([inBuffer]byte) }}

// An inbound holds the bytes of one connection that are read and not used yet. It
// takes a buffer from the pool inBuffers to read, and returns it when all bytes are
// used, so a silent connection holds none. A transport whose read blocks needs a
// buffer of its own.
type inbound struct {
	transport transport

	pooled     *[inBuffer]byte // the buffer of the pool that store is; nil if it is none
	store      []byte
	start, end int // of the bytes in store that are read and not used
}

// init sets the transport. first has been read from it already.
func (in *inbound) init(l transport, first []byte) {
	in.transport = l
	if len(first) > 0 {
		in.store = append([]byte(nil), first...)
		in.end = len(first)
	}
}

// unused returns the bytes that are read and not used.
func (in *inbound) unused() []byte { return in.store[in.start:in.end] }

// used drops the first n bytes of unused.
func (in *inbound) used(n int) {
	if in.start += n; in.start == in.end {
		in.start, in.end = 0, 0
	}
}

// fill reads more bytes into unused, which may grow to room bytes. It returns
// errNothing if there is nothing to read for now.
func (in *inbound) fill(room int) error {
	if in.end == 0 && len(in.store) > inBuffer {
		in.giveBack()
	}
	if in.end == len(in.store) {
		in.grow(room)
	}
	n, err := in.transport.read(in.store[in.end:])
	switch {
	case n > 0:
		in.end += n
		return nil
	case errors.Is(err, errNothing):
		in.releaseIdle()
		return err
	case err == nil:
		return io.EOF
	}
	return err
}

// releaseIdle returns the pooled buffer while the client sends nothing. The
// beginning of a frame is copied to a buffer of its size, so that a client that
// sends slowly holds no pooled one.
func (in *inbound) releaseIdle() {
	if in.pooled == nil {
		return
	}
	kept := append([]byte(nil), in.unused()...)
	in.giveBack()
	in.store, in.start, in.end = kept, 0, len(kept)
}

func (in *inbound) giveBack() {
	if in.pooled != nil {
		inBuffers.Put(in.pooled)
	}
	in.pooled, in.store, in.start, in.end = nil, nil, 0, 0
}

// grow makes space behind unused. It moves unused to the front of its buffer if
// that gains space, else to a pooled buffer, else to a new one twice as large, of
// at most room bytes.
func (in *inbound) grow(room int) {
	unused := in.unused()
	switch {
	case in.start > 0:
		copy(in.store, unused)
	case in.transport.waits() && len(unused) < inBuffer/4:
		in.store = append(make([]byte, 0, inBuffer/4), unused...)[:inBuffer/4]
	case !in.transport.waits() && len(unused) < inBuffer/2:
		in.pooled = inBuffers.Get().(*[inBuffer]byte)
		in.store = in.pooled[:]
		copy(in.store, unused)
	default:
		larger := make([]byte, min(2*len(unused), max(room, len(unused)+1)))
		copy(larger, unused)
		in.giveBack()
		in.store = larger
	}
	in.start, in.end = 0, len(unused)
}

package link

import (
	"errors"
	"io"
	"sync"
)

// inBuffer is how much is read at a time.
const inBuffer = 16 << 10

var inBuffers = sync.Pool{New: func() any { return new([inBuffer]byte) }}

// An inbound is what comes in on one connection. Its buffer is borrowed when
// there is something to read and given back when all of it has been used, so
// that a silent connection holds none; but a line that waits in read needs one
// of its own.
type inbound struct {
	transport transport

	pooled     *[inBuffer]byte // the borrowed buffer, if store is one
	store      []byte
	start, end int // what has been read and not used, in store
}

// init is called once; first has been read already.
func (in *inbound) init(l transport, first []byte) {
	in.transport = l
	if len(first) > 0 {
		in.store = append([]byte(nil), first...)
		in.end = len(first)
	}
}

// unused returns what has been read and not used.
func (in *inbound) unused() []byte { return in.store[in.start:in.end] }

// used drops the first n bytes of unused.
func (in *inbound) used(n int) {
	if in.start += n; in.start == in.end {
		in.start, in.end = 0, 0
	}
}

// fill has more in unused, which may hold up to room bytes. It returns
// errNothing if the line has to be waited for.
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

// releaseIdle gives the borrowed buffer back while nothing comes. The beginning of a
// frame is kept in as little as it needs, however slowly it comes.
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

// grow makes place after unused: at the front of its buffer if there is
// some, else in a borrowed one, else in one twice as large, up to room.
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

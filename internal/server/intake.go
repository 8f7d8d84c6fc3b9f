package server

import (
	"io"
	"net"
	"sync"
	"syscall"
)

// inBuffer is how much is read at a time.
const inBuffer = 16 << 10

var inBuffers = sync.Pool{New: func() any { return new([inBuffer]byte) }}

// An intake is what comes in on one connection. Of a plain socket, its buffer
// is borrowed when there is something to read and given back when all of it
// has been used, so that a silent connection holds none.
type intake struct {
	nc     net.Conn
	raw    syscall.RawConn // nil: nc has to be read with waiting
	readFD func(fd uintptr) bool

	pooled     *[inBuffer]byte // the borrowed buffer, if store is one
	store      []byte
	start, end int // what has been read and not used, in store
	n          int // what readFD found
	err        error
}

// newIntake returns the intake of nc, of which first has been read already.
func newIntake(nc net.Conn, raw syscall.RawConn, first []byte) *intake {
	in := &intake{nc: nc, raw: raw}
	in.readFD = in.readOnce
	if len(first) > 0 {
		in.store = append([]byte(nil), first...)
		in.end = len(first)
	}
	return in
}

// unused returns what has been read and not used.
func (in *intake) unused() []byte { return in.store[in.start:in.end] }

// used drops the first n bytes of unused.
func (in *intake) used(n int) {
	if in.start += n; in.start == in.end {
		in.start, in.end = 0, 0
		if in.raw != nil || len(in.store) > inBuffer {
			in.giveBack()
		}
	}
}

// more waits until there is more in unused, which may hold up to room bytes.
func (in *intake) more(room int) error {
	if in.end > 0 {
		in.makePlace(room)
	}
	n, err := in.read()
	if err != nil {
		return err
	}
	if n == 0 {
		return io.EOF
	}
	in.end += n
	return nil
}

func (in *intake) read() (int, error) {
	if in.raw == nil {
		if in.store == nil {
			in.store = make([]byte, inBuffer/4)
		}
		return in.nc.Read(in.store[in.end:])
	}
	if err := in.raw.Read(in.readFD); err != nil {
		return 0, err
	}
	return in.n, in.err
}

func (in *intake) readOnce(fd uintptr) bool {
	if in.store == nil {
		in.pooled = inBuffers.Get().(*[inBuffer]byte)
		in.store = in.pooled[:]
	}
	n, again, err := tryRead(fd, in.store[in.end:])
	if again {
		if in.end == 0 {
			in.giveBack()
		}
		return false
	}
	in.n, in.err = n, err
	return true
}

func (in *intake) giveBack() {
	if in.pooled != nil {
		inBuffers.Put(in.pooled)
	}
	in.pooled, in.store = nil, nil
}

// makePlace makes place after unused: at its front if there is some, else in a
// buffer twice as large, up to room.
func (in *intake) makePlace(room int) {
	if in.end < len(in.store) {
		return
	}
	unused := in.unused()
	if in.start > 0 {
		copy(in.store, unused)
	} else {
		larger := make([]byte, min(2*len(in.store), max(room, len(in.store)+1)))
		copy(larger, unused)
		in.giveBack()
		in.store = larger
	}
	in.start, in.end = 0, len(unused)
}

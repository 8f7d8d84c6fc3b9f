package link

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
)

// A tlsTransport is a TLS connection over a socket: crypto/tls keeps the keys, reads
// and writes through it, and the same poller as for plain sockets tells when
// something has come. It has no goroutine while nothing comes.
//
// A read that finds nothing returns a temporary error, which crypto/tls passes on
// and forgets. An error of a write is final there, so Write takes every record
// whole: what the socket does not take waits in rest, and until that is gone the
// connection takes nothing more.
type tlsTransport struct {
	tcpTransport // where the records go; its methods of line are overridden here
	tls          *tls.Conn
	under        *rawConn          // what tls reads and writes
	lent         *[recordRoom]byte // the runner's: the buffer that tls reads into; nil: one of its own

	mu      sync.Mutex // taken after crypto/tls's own locks
	gathers *[]byte    // where records are put for now; nil: they are sent
	flying  bool       // records have been gathered and are not sent yet
	rest    []byte     // records, or the end of one, that the socket has not taken
	ready   func()     // to be called once rest is empty; nil: nobody waits
	shuts   bool       // the socket is shut once rest is empty
}

const (
	// maxRecord is how much text goes into one record: as much as TLS allows.
	maxRecord = 16 << 10
	// maxRest is how many bytes of records wait for a full socket. One record of
	// text does; the remainder is for the answers that crypto/tls itself gives to
	// what a client sends. One who asks for more without reading is cut off.
	maxRest = 32 << 10
)

// newTLSSocket returns a line for c over t, whose handshake is over; false if
// what lies under t is no TCP connection of a tlsListener.
func newTLSTransport(p *poller, c *Conn, t *tls.Conn) (transport, bool) {
	under, ok := t.NetConn().(*rawConn)
	if !ok {
		return nil, false
	}
	fd, ok := duplicate(under.Conn)
	if !ok {
		return nil, false
	}
	k := &tlsTransport{tcpTransport: tcpTransport{conn: c, poller: p, fd: fd}, tls: t, under: under}
	under.polled = k
	return k, true
}

func (k *tlsTransport) open(net.Conn) error {
	if err := k.tcpTransport.open(k.under.Conn); err != nil {
		k.under.polled = nil
		return err
	}
	k.under.Conn = nil
	return nil
}

// read returns text that has come. It goes on with what crypto/tls has read
// already before it reads from the socket.
func (k *tlsTransport) read(p []byte) (int, error) {
	k.lendRecords()
	n, err := k.tls.Read(p)
	if err != nil {
		k.returnRecords()
	}
	if errors.Is(err, errNothingYet) {
		err = errNothing
	}
	return n, err
}

// Read gives crypto/tls what the socket has.
func (k *tlsTransport) Read(p []byte) (int, error) {
	n, err := k.tcpTransport.read(p)
	switch {
	case errors.Is(err, errNothing):
		return 0, errNothingYet
	case n == 0 && err == nil:
		return 0, io.EOF
	}
	return n, err
}

// errNothingYet is what crypto/tls needs errNothing to be: a temporary error.
var errNothingYet net.Error = nothingYet{}

type nothingYet struct{}

func (nothingYet) Error() string   { return errNothing.Error() }
func (nothingYet) Timeout() bool   { return true }
func (nothingYet) Temporary() bool { return true }

// write encrypts a and then b, in records as large as may be, until the socket is
// full. It does not take anything while records wait.
func (k *tlsTransport) write(a, b []byte) (taken int, err error) {
	for taken < len(a)+len(b) && !k.waiting() {
		record := b[max(0, taken-len(a)):]
		if left := a[min(taken, len(a)):]; len(left) > 0 {
			record = left
			if len(record) < maxRecord && len(b) > 0 {
				both := recordBuffers.Get().(*[maxRecord]byte)
				defer recordBuffers.Put(both)
				n := copy(both[:], left)
				record = both[:n+copy(both[n:], b)]
			}
		}
		n, err := k.tls.Write(record[:min(len(record), maxRecord)])
		taken += n
		if err != nil {
			return taken, err
		}
	}
	return taken, nil
}

// recordBuffers are for texts that are joined to fill one record.
var recordBuffers = sync.Pool{New: func() any { return new([maxRecord]byte) }}

// Write takes records from crypto/tls, all of p or none.
func (k *tlsTransport) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.gathers != nil:
		*k.gathers = append(*k.gathers, p...)
		return len(p), nil
	case len(k.rest)+len(p) > maxRest:
		k.tcpTransport.cut() // it asks for answers and does not read them
		return 0, errEnded
	case k.flying || len(k.rest) > 0:
		k.rest = append(k.rest, p...)
		return len(p), nil
	}
	n, err := k.tcpTransport.write(p, nil)
	if err != nil {
		return 0, err
	}
	if n < len(p) {
		k.rest = append([]byte(nil), p[n:]...)
		k.tcpTransport.notify(k.drain)
	}
	return len(p), nil
}

// sendRest sends what it can of rest, and has drain called for what it cannot. The
// caller holds mu.
func (k *tlsTransport) sendRest() error {
	if len(k.rest) == 0 { // it has been closed, and its descriptor may be another connection's
		return nil
	}
	n, err := k.tcpTransport.write(k.rest, nil)
	switch k.rest = k.rest[n:]; {
	case err != nil || len(k.rest) == 0:
		k.rest = nil
	default:
		k.tcpTransport.notify(k.drain)
	}
	return err
}

func (k *tlsTransport) waiting() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.rest) > 0
}

// drain is called when the socket has room for some of rest.
func (k *tlsTransport) drain() {
	if ready := k.drained(); ready != nil {
		ready()
	}
}

// drained writes what it can of rest and returns who is to be told if that was
// all, or if nothing can be written any more: whoever writes next learns that.
func (k *tlsTransport) drained() (ready func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.sendRest()
	if len(k.rest) > 0 {
		return nil
	}
	if k.shuts && err == nil {
		k.tcpTransport.shut()
	}
	ready, k.ready = k.ready, nil
	return ready
}

func (k *tlsTransport) notify(ready func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.rest) > 0 {
		k.ready = ready
		return
	}
	k.conn.goGuarded(ready)
}

// shut says, in TLS and in TCP, that no more will come. What waits goes out first.
func (k *tlsTransport) shut() error {
	if err := k.tls.CloseWrite(); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.shuts = len(k.rest) > 0; k.shuts {
		return nil
	}
	return k.tcpTransport.shut()
}

// close drops what waits: a drain that comes later must not write to the descriptor,
// which may be another connection's by then.
func (k *tlsTransport) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rest = nil
	k.tcpTransport.close()
}

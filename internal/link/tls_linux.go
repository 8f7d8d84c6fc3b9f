package link

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
)

// A tlsTransport is a TLS connection over a tcpTransport. crypto/tls holds the
// keys, and reads and writes records through Read and Write. The same poller as for
// plain connections watches its socket, so it has no goroutine while nothing
// happens.
//
// If the socket has nothing to read, Read returns a temporary error, after which
// crypto/tls can be called again. An error of Write is final for crypto/tls, so
// Write always takes a whole record. Bytes that the socket does not take wait in
// rest, and until they are sent write takes no text.
type tlsTransport struct {
	tcpTransport // where records are sent; tlsTransport overrides its methods of transport
	tls          *tls.Conn
	under        *rawConn          // the connection that tls reads and writes
	lent         *[recordRoom]byte // used by the runner only: the pooled buffer that tls reads into, or nil

	mu      sync.Mutex // taken after crypto/tls's own locks
	gathers *[]byte    // while a batch is filled: where Write appends records; else nil
	flying  bool       // records are in a batch that is not sent yet
	rest    []byte     // bytes of records that the socket has not taken
	ready   func()     // called once rest is empty; may be nil
	shuts   bool       // the socket is shut down for writing once rest is empty
}

const (
	// maxRecord is how many bytes of text one record holds at most (RFC 8446 §5.1).
	maxRecord = 16 << 10
	// maxRest is how many bytes of records may wait for a full socket: one record
	// of text, and answers of crypto/tls itself to the client's messages. A client
	// that requests more of them without reading is disconnected.
	maxRest = 32 << 10
)

// newTLSTransport returns a transport for c over t, whose handshake is done. It
// returns false if t is not over a TCP connection of a TLSListener.
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

// read returns text. It uses bytes that crypto/tls has read already before it reads
// from the socket.
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

// Read reads records from the socket for crypto/tls.
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

// errNothingYet replaces errNothing for crypto/tls, which goes on after an error only
// if that is a temporary net.Error.
var errNothingYet net.Error = nothingYet{}

type nothingYet struct{}

func (nothingYet) Error() string   { return errNothing.Error() }
func (nothingYet) Timeout() bool   { return true }
func (nothingYet) Temporary() bool { return true }

// write encrypts and sends a and then b, in records as large as possible, until the
// socket is full. It takes nothing while records wait in rest.
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

// recordBuffers hold a and b, joined in one record.
var recordBuffers = sync.Pool{New: func() any { return new([maxRecord]byte) }}

// Write sends records of crypto/tls. It takes all of p, or fails.
func (k *tlsTransport) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.gathers != nil:
		*k.gathers = append(*k.gathers, p...)
		return len(p), nil
	case len(k.rest)+len(p) > maxRest:
		k.tcpTransport.cut() // the client requests answers and does not read them
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

// sendRest sends what the socket takes of rest. If bytes are left, drain is called
// when the socket has space. The caller holds mu.
func (k *tlsTransport) sendRest() error {
	if len(k.rest) == 0 { // it may be closed, and its descriptor another connection's
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

// drain sends bytes of rest when the socket has space.
func (k *tlsTransport) drain() {
	if ready := k.drained(); ready != nil {
		ready()
	}
}

// drained sends what it can of rest. If rest is empty then, or if sending fails, it
// returns the callback of notify: after a failure the next write returns the error.
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

// shut ends writing in TLS (close_notify) and in TCP, after what waits in rest.
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

// close drops rest: a later drain must not write to the descriptor, which may be
// another connection's.
func (k *tlsTransport) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rest = nil
	k.tcpTransport.close()
}

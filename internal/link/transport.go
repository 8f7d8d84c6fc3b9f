package link

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// A transport reads and writes the bytes of a WebSocket. It is a tcpTransport or a
// tlsTransport, which the poller watches, or a blockingTransport, which needs
// goroutines that wait.
type transport interface {
	transportWriter
	// open is called once, when the connection's fields are set. From then on the
	// transport may call the connection from other goroutines. nc is the
	// connection that the transport was made from. After an error the caller makes
	// another transport from nc.
	open(nc net.Conn) error
	// read is called by the connection's runner only. It returns errNothing if
	// there is nothing to read; the connection is woken when there is.
	read(p []byte) (int, error)
	// waits reports whether read blocks. If it does, it never returns errNothing.
	waits() bool
	// wake makes a runner of the connection step again.
	wake(c *Conn)
	// shut ends writing after what was written has been sent. Reading is possible
	// for lingerTime.
	shut() error
	// cut ends reading and writing at once. The runner's read then fails, and the
	// runner calls close.
	cut()
	// close frees the transport. The runner calls it last.
	close()
}

// A transportWriter is the writing half of a transport, or an asyncWriter.
type transportWriter interface {
	// write takes as many bytes of a and then b as it can without waiting, and
	// returns how many. It may keep b, which never changes, but not a.
	write(a, b []byte) (n int, err error)
	// notify calls ready once, on another goroutine, when write may take bytes
	// again. It may never call it if the connection ends before that.
	notify(ready func())
}

var (
	errEnded   = errors.New("the connection has ended")
	errNothing = errors.New("nothing has come")
)

// A blockingTransport is a transport over a connection whose Read and Write block.
// It needs a goroutine for writing, and a runner that waits in read.
type blockingTransport struct {
	*asyncWriter
	nc     net.Conn
	failed func() // called when nothing can be written any more
}

// newBlockingTransport returns a transport over nc. It starts its goroutines with
// aside and calls failed when it cannot write any more.
func newBlockingTransport(nc net.Conn, aside func(f func()), failed func()) *blockingTransport {
	return &blockingTransport{asyncWriter: newAsyncWriter(aside), nc: nc, failed: failed}
}

func (st *blockingTransport) open(net.Conn) error {
	st.aside(func() {
		st.run(func(b []byte) error { _, err := st.nc.Write(b); return err })
		st.failed()
	})
	return nil
}

func (st *blockingTransport) read(p []byte) (int, error) { return st.nc.Read(p) }

func (st *blockingTransport) waits() bool { return true }

func (st *blockingTransport) wake(*Conn) { st.nc.SetReadDeadline(time.Now()) }

func (st *blockingTransport) shut() error {
	if err := st.awaitIdle(); err != nil {
		return err
	}
	half, ok := st.nc.(interface{ CloseWrite() error })
	if !ok {
		return errEnded
	}
	st.nc.SetReadDeadline(time.Now().Add(lingerTime))
	return half.CloseWrite()
}

func (st *blockingTransport) cut() {
	st.end()
	if t, ok := st.nc.(*tls.Conn); ok {
		t.NetConn().Close() // closing TLS would wait for a full socket
		return
	}
	st.nc.Close()
}

func (st *blockingTransport) close() { st.cut() }

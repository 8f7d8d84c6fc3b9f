package link

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// A transport is what a WebSocket's bytes go over, both ways: a socket, which waits
// in the poller, or a stream, which has goroutines wait.
type transport interface {
	transportWriter
	// open is called once, when the connection is complete; only then may the
	// line call it from other goroutines. nc is what the line was made from. An
	// error means that another line has to be made from it.
	open(nc net.Conn) error
	// read is called by the connection's runner only. errNothing means that
	// nothing has come, and that the connection will be woken when it does.
	read(p []byte) (int, error)
	// waits reports whether read waits, and so never returns errNothing.
	waits() bool
	// wake has the connection's runner look at it again.
	wake(c *Conn)
	// shut lets what was written go out, and then says that it was all.
	// Reading is possible for lingerTime.
	shut() error
	// cut ends both ways at once. The runner learns of it, and closes.
	cut()
	// close is called by the runner, last.
	close()
}

// A transportWriter is a connection's way out.
type transportWriter interface {
	// write takes as much of a and then b as it can without waiting. It may
	// keep b, which never changes, but not a.
	write(a, b []byte) (n int, err error)
	// notify has ready called, once and on a goroutine of its own, when write
	// may take something; maybe never, if the connection ends before that.
	notify(ready func())
}

var (
	errEnded   = errors.New("the connection has ended")
	errNothing = errors.New("nothing has come")
)

// A blockingTransport is a line that can only be read and written with waiting, such as
// TLS. It costs a goroutine each.
type blockingTransport struct {
	*asyncWriter
	nc     net.Conn
	failed func() // called when nothing can be written any more
}

// newBlockingTransport returns nc as a line, whose goroutines are started by aside.
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
		t.NetConn().Close() // a TLS goodbye would wait for a full socket
		return
	}
	st.nc.Close()
}

func (st *blockingTransport) close() { st.cut() }

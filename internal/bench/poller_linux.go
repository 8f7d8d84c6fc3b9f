package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// A socket is a descriptor taken from the Go runtime. With thousands of sockets, waking a goroutine
// for each delivery would cost more than the delivery costs the server.
type socket struct {
	fd  int
	tls *tls.Conn // reads and writes through fd; nil without TLS
}

// newSocket takes over nc, plain or with TLS over beneathTLS. ctx ends waiting writes.
func newSocket(ctx context.Context, nc net.Conn) (s socket, err error) {
	var beneath *beneathConn
	if t, ok := nc.(*tls.Conn); ok {
		s.tls, beneath = t, t.NetConn().(*beneathConn)
		nc = beneath.Conn
	}
	defer nc.Close()
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return s, errors.New("only TCP can be measured")
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return s, err
	}
	var dupErr error
	err = raw.Control(func(fd uintptr) { s.fd, dupErr = syscall.Dup(int(fd)) })
	if err = errors.Join(err, dupErr); err == nil {
		syscall.CloseOnExec(s.fd)
	}
	if beneath != nil && err == nil {
		beneath.take(ctx, s.fd)
	}
	return s, err
}

// read returns all bytes that have arrived, unless p is too short. It returns EAGAIN if there are
// none.
func (s socket) read(p []byte) (n int, err error) {
	if s.tls == nil {
		return readFrom(s.fd, p)
	}
	for n < len(p) && err == nil {
		var m int
		m, err = s.tls.Read(p[n:])
		n += m
	}
	if n > 0 || errors.Is(err, errNothingYet) {
		err = nil
	}
	if n == 0 && err == nil {
		err = syscall.EAGAIN
	}
	return n, err
}

func readFrom(fd int, p []byte) (int, error) {
	n, err := syscall.Read(fd, p)
	if n == 0 && err == nil {
		err = io.ErrUnexpectedEOF
	}
	return max(n, 0), err
}

func (s socket) write(ctx context.Context, p []byte) error {
	if s.tls != nil {
		_, err := s.tls.Write(p)
		return err
	}
	return writeTo(ctx, s.fd, p)
}

// writeTo writes all of p, and waits if the socket is full.
func writeTo(ctx context.Context, fd int, p []byte) error {
	for len(p) > 0 {
		n, err := syscall.Write(fd, p)
		switch {
		case err == nil:
			p = p[n:]
		case errors.Is(err, syscall.EAGAIN):
			if err := sleep(ctx, 100*time.Microsecond); err != nil {
				return err
			}
		case !errors.Is(err, syscall.EINTR):
			return err
		}
	}
	return nil
}

func (s socket) close() { syscall.Close(s.fd) }

// A beneathConn is the connection below a TLS connection. After its descriptor was taken, a read
// that finds nothing returns a temporary error, which crypto/tls passes on.
type beneathConn struct {
	net.Conn
	ctx   context.Context // nil until the descriptor is taken
	fd    int
	empty bool // the last read took everything
}

// beneathTLS returns the connection below a TLS connection over nc.
func beneathTLS(nc net.Conn) net.Conn { return &beneathConn{Conn: nc} }

func (c *beneathConn) take(ctx context.Context, fd int) { c.ctx, c.fd = ctx, fd }

func (c *beneathConn) Read(p []byte) (int, error) {
	if c.ctx == nil {
		return c.Conn.Read(p)
	}
	if c.empty {
		c.empty = false
		return 0, errNothingYet
	}
	n, err := readFrom(c.fd, p)
	c.empty = n < len(p)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		c.empty, err = false, errNothingYet
	}
	return n, err
}

func (c *beneathConn) Write(p []byte) (int, error) {
	if c.ctx == nil {
		return c.Conn.Write(p)
	}
	if err := writeTo(c.ctx, c.fd, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

var errNothingYet net.Error = nothingYet{}

type nothingYet struct{}

func (nothingYet) Error() string   { return "nothing has come" }
func (nothingYet) Timeout() bool   { return true }
func (nothingYet) Temporary() bool { return true }

// A poller waits for the sockets of one loop.
type poller struct {
	fd    int
	alarm [2]int // a pipe; a write to it wakes the loop
	ready [256]syscall.EpollEvent
}

// alarmIndex stands for the pipe in place of a connection's index.
const alarmIndex = -1

func (p *poller) open() (err error) {
	if p.fd, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("an epoll set: %w", err)
	}
	if err = syscall.Pipe2(p.alarm[:], syscall.O_CLOEXEC); err != nil {
		return errors.Join(fmt.Errorf("a pipe: %w", err), syscall.Close(p.fd))
	}
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, p.alarm[0],
		&syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: alarmIndex})
}

// wake makes the loop notice that the measurement has ended.
func (p *poller) wake() { syscall.Write(p.alarm[1], []byte{1}) }

func (p *poller) close() {
	for _, fd := range []int{p.fd, p.alarm[0], p.alarm[1]} {
		syscall.Close(fd)
	}
}

func (p *poller) add(_ *loop, o *conn) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, o.sock.fd,
		&syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(o.index)})
}

func (p *poller) remove(o *conn) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_DEL, o.sock.fd, nil)
}

// run reads until the measurement ends.
func (l *loop) run() {
	const wake = 100 // ms, to notice a failure
	for l.conns.ctx.Err() == nil {
		n, err := syscall.EpollWait(l.poller.fd, l.poller.ready[:], wake)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			l.conns.fail(fmt.Errorf("waiting for what the server sends: %w", err))
			return
		}
		l.mu.Lock()
		for i := range max(n, 0) {
			if index := l.poller.ready[i].Fd; index != alarmIndex {
				l.read(l.conns.all[index])
			}
		}
		l.mu.Unlock()
	}
}

// readHeld reads bytes that crypto/tls has read already, and about which the poller reports
// nothing.
func (l *loop) readHeld(o *conn) {
	if o.sock.tls != nil {
		l.read(o)
	}
}

// read reads everything, because the poller does not know what crypto/tls holds.
func (l *loop) read(o *conn) {
	for more := true; more; {
		held := copy(l.buf, o.rest)
		n, err := o.sock.read(l.buf[held:])
		more = n == len(l.buf)-held
		switch {
		case n > 0:
			l.arrived(o, l.buf[:held+n], n)
		case !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR):
			l.conns.fail(fmt.Errorf("member %d reads: %w", o.who, err))
			return
		}
	}
}

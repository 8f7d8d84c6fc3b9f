package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// A socket is a descriptor taken out of the runtime's hands: with thousands of
// them, a goroutine to wake for each delivery would cost more than the delivery
// costs the server.
type socket struct{ fd int }

func newSocket(nc net.Conn) (s socket, err error) {
	defer nc.Close()
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return s, errors.New("only plain TCP can be measured")
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
	return s, err
}

func (s socket) write(ctx context.Context, p []byte) error {
	for len(p) > 0 {
		n, err := syscall.Write(s.fd, p)
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

// A poller waits for the sockets of one loop.
type poller struct {
	fd    int
	alarm [2]int // a pipe: what is written to it wakes the loop
	ready [256]syscall.EpollEvent
}

// alarmIndex stands for the pipe where others have their connection's index.
const alarmIndex = -1

func (p *poller) open() (err error) {
	if p.fd, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("an epoll set: %w", err)
	}
	if err = syscall.Pipe2(p.alarm[:], syscall.O_CLOEXEC); err != nil {
		return errors.Join(fmt.Errorf("a pipe: %w", err), syscall.Close(p.fd))
	}
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, p.alarm[0], &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: alarmIndex})
}

// wake has the loop see that the crowd has ended.
func (p *poller) wake() { syscall.Write(p.alarm[1], []byte{1}) }

func (p *poller) close() {
	for _, fd := range []int{p.fd, p.alarm[0], p.alarm[1]} {
		syscall.Close(fd)
	}
}

func (p *poller) add(_ *loop, o *conn) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, o.sock.fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(o.index)})
}

func (p *poller) remove(o *conn) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_DEL, o.sock.fd, nil)
}

// run reads until the crowd ends.
func (l *loop) run() {
	const wake = 100 // ms, to see whether it has failed
	for l.crowd.ctx.Err() == nil {
		n, err := syscall.EpollWait(l.poller.fd, l.poller.ready[:], wake)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			l.crowd.fail(fmt.Errorf("waiting for what the server sends: %w", err))
			return
		}
		l.mu.Lock()
		for i := range max(n, 0) {
			if index := l.poller.ready[i].Fd; index != alarmIndex {
				l.read(l.crowd.conns[index])
			}
		}
		l.mu.Unlock()
	}
}

func (l *loop) read(o *conn) {
	held := copy(l.buf, o.rest)
	n, err := syscall.Read(o.sock.fd, l.buf[held:])
	switch {
	case n > 0:
		l.arrived(o, l.buf[:held+n], n)
	case err == nil:
		l.crowd.fail(fmt.Errorf("member %d: %w", o.who, io.ErrUnexpectedEOF))
	case !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR):
		l.crowd.fail(fmt.Errorf("member %d reads: %w", o.who, err))
	}
}

package link

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A poller watches the sockets of all connections, so that one from which
// nothing comes, or that is full, has no goroutine waiting for it.
type poller struct {
	file *os.File        // an epoll instance
	raw  syscall.RawConn // the same; the runtime's own poller watches it
	fd   int             // the same

	mu      sync.RWMutex
	sockets []*tcpTransport // by descriptor
}

// openPoller returns a poller that does nothing until run.
func openPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or the runtime does not watch it
		unix.Close(fd)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p := &poller{file: os.NewFile(uintptr(fd), "epoll"), fd: fd}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return p, nil
}

// run wakes connections until close.
func (p *poller) run() {
	events := make([]unix.EpollEvent, 256)
	for {
		var n int
		if err := p.raw.Read(func(uintptr) bool {
			n, _ = unix.EpollWait(p.fd, events, 0)
			return n > 0
		}); err != nil {
			return
		}
		p.dispatch(events[:n])
	}
}

func (p *poller) close() { p.file.Close() }

// tell tells sockets what has happened to them. A socket is in the table for
// as long as its connection stands, so none is told later.
func (p *poller) dispatch(events []unix.EpollEvent) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, e := range events {
		if sock := p.sockets[e.Fd]; sock != nil {
			sock.handleEvents(e.Events)
		}
	}
}

// socket returns a line for c if nc is a TCP connection, plain or with TLS. It is
// not watched until it is opened.
func (p *poller) transport(c *Conn, nc net.Conn) (transport, bool) {
	if p == nil {
		return nil, false
	}
	if t, ok := nc.(*tls.Conn); ok {
		return newTLSTransport(p, c, t)
	}
	fd, ok := duplicate(nc)
	return &tcpTransport{conn: c, poller: p, fd: fd}, ok
}

// duplicate returns another descriptor of a TCP connection.
func duplicate(nc net.Conn) (fd int, ok bool) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return -1, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return -1, false
	}
	if raw.Control(func(own uintptr) {
		fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0)
	}) != nil || err != nil {
		return -1, false
	}
	return fd, true
}

// add watches a socket. Edges are reported, not levels: once each time that
// something comes, or that a full socket has room.
func (p *poller) add(sock *tcpTransport) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.sockets) <= sock.fd {
		p.sockets = append(p.sockets, nil)
	}
	p.sockets[sock.fd] = sock
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(sock.fd)}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, sock.fd, &e); err != nil {
		p.sockets[sock.fd] = nil
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// remove forgets a socket, which is closed then.
func (p *poller) remove(sock *tcpTransport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sockets[sock.fd] = nil
}

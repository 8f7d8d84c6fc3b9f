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

// A poller watches the sockets of all connections, so that no goroutine waits for a
// connection whose client sends nothing or whose socket is full.
type poller struct {
	file *os.File        // the epoll instance
	raw  syscall.RawConn // of file; the Go runtime's poller watches it
	fd   int             // of file

	mu      sync.RWMutex
	sockets []*tcpTransport // by descriptor
}

// openPoller returns a poller that watches nothing until run.
func openPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // the Go runtime watches non-blocking descriptors only
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

// dispatch tells the sockets of events what has happened to them. A socket stays in
// the table until its connection closes it, so a closed one is not called.
func (p *poller) dispatch(events []unix.EpollEvent) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, e := range events {
		if sock := p.sockets[e.Fd]; sock != nil {
			sock.handleEvents(e.Events)
		}
	}
}

// transport returns a transport for c if nc is a TCP connection, with or without
// TLS. The poller watches it once it is opened.
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

// duplicate returns a second descriptor of a TCP connection.
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

// add watches a socket. Events are edge-triggered: one each time that bytes come,
// or that a full socket has space again.
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

// remove ends watching a socket. The caller closes it next.
func (p *poller) remove(sock *tcpTransport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sockets[sock.fd] = nil
}

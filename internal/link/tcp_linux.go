package link

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A tcpTransport is a plain TCP connection, read and written by system calls that
// do not wait. While nothing happens it has neither a goroutine nor a buffer.
type tcpTransport struct {
	conn   *Conn
	poller *poller
	fd     int

	short bool        // used by the runner only: the last read took all there was
	ended atomic.Bool // the client has ended writing, or the connection has failed

	full  atomic.Int32 // hasRoom, isFull or isAwaited
	ready func()       // set before full is isAwaited

	mu     sync.Mutex
	closed bool
}

// Whether a socket takes more bytes. The poller sets hasRoom when it does again.
const (
	hasRoom   = iota
	isFull    // the last write did not take everything
	isAwaited // full, and ready is called when it has space again
)

// open makes the poller watch the socket. It closes nc, which has another
// descriptor, to free its memory and the Go runtime's.
func (k *tcpTransport) open(nc net.Conn) error {
	if err := k.poller.add(k); err != nil {
		unix.Close(k.fd)
		return err
	}
	nc.Close()
	return nil
}

// handleEvents takes an event of epoll. The poller calls it.
func (k *tcpTransport) handleEvents(events uint32) {
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		k.ended.Store(true)
	}
	if events&unix.EPOLLOUT != 0 && k.full.Load() != hasRoom {
		if k.full.Swap(hasRoom) == isAwaited {
			k.conn.goGuarded(k.ready)
		}
	}
	if events&^unix.EPOLLOUT != 0 {
		k.conn.wake()
	}
}

func (k *tcpTransport) waits() bool { return false }

func (k *tcpTransport) wake(c *Conn) { c.wake() }

// read reads what has come. After a read that did not fill its buffer nothing is
// left, so the next read returns errNothing without a system call: the poller wakes
// the connection for what comes later. Only the end may have been reported before,
// in ended.
func (k *tcpTransport) read(p []byte) (int, error) {
	if k.short && !k.ended.Load() {
		k.short = false
		return 0, errNothing
	}
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(k.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			k.short = int(n) < len(p)
			return int(n), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, errNothing
		default:
			return 0, errno
		}
	}
}

// write sends as much as the socket takes. If that is not everything it tries once
// more: the poller may have reported space after the first try and before full was
// set.
func (k *tcpTransport) write(a, b []byte) (int, error) {
	n, err := k.send(a, b)
	if err != nil || n == len(a)+len(b) {
		return n, err
	}
	k.full.CompareAndSwap(hasRoom, isFull)
	restA := a[min(n, len(a)):]
	restB := b[max(0, n-len(a)):]
	more, err := k.send(restA, restB)
	if more == len(restA)+len(restB) && err == nil {
		k.full.CompareAndSwap(isFull, hasRoom) // the event for this space came before full was set; no other is due
	}
	return n + more, err
}

// send makes one system call that does not wait. The calls are raw: telling the Go
// scheduler of them would cost more than the calls.
func (k *tcpTransport) send(a, b []byte) (int, error) {
	const flags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL
	for {
		var n uintptr
		var errno syscall.Errno
		if len(a) > 0 && len(b) > 0 {
			parts := [2]unix.Iovec{{Base: unsafe.SliceData(a)}, {Base: unsafe.SliceData(b)}}
			parts[0].SetLen(len(a))
			parts[1].SetLen(len(b))
			msg := unix.Msghdr{Iov: &parts[0]}
			msg.SetIovlen(len(parts))
			n, _, errno = syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(k.fd), uintptr(unsafe.Pointer(&msg)), flags)
		} else {
			if len(a) == 0 {
				a = b
			}
			n, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(k.fd),
				uintptr(unsafe.Pointer(unsafe.SliceData(a))), uintptr(len(a)), flags, 0, 0)
		}
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, nil
		default:
			return 0, errno
		}
	}
}

func (k *tcpTransport) notify(ready func()) {
	k.ready = ready
	if !k.full.CompareAndSwap(isFull, isAwaited) {
		k.conn.goGuarded(ready) // there has been space since, or the socket was never full
	}
}

func (k *tcpTransport) shut() error { return k.shutdown(unix.SHUT_WR) }

func (k *tcpTransport) cut() { k.shutdown(unix.SHUT_RDWR) }

func (k *tcpTransport) shutdown(how int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return errEnded
	}
	return unix.Shutdown(k.fd, how)
}

func (k *tcpTransport) close() {
	k.poller.remove(k)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	unix.Close(k.fd)
}

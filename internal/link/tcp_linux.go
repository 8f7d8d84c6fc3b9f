package link

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A tcpTransport is a plain TCP connection read and written without waiting, by
// system calls on its descriptor. It has no goroutine and no buffer while
// nothing comes.
type tcpTransport struct {
	conn   *Conn
	poller *poller
	fd     int

	short bool        // the runner's: the last read took all there was
	ended atomic.Bool // the client has said that nothing more comes, or is gone

	full  atomic.Int32 // hasRoom, isFull or isAwaited
	ready func()       // set before full is isAwaited

	mu     sync.Mutex
	closed bool
}

// Whether a socket takes more. The poller sets hasRoom when it does again.
const (
	hasRoom   = iota
	isFull    // a write found it full
	isAwaited // and ready is to be called when it is not
)

// open has the poller watch the socket, and closes nc, whose memory and the
// runtime's are not needed.
func (k *tcpTransport) open(nc net.Conn) error {
	if err := k.poller.add(k); err != nil {
		unix.Close(k.fd)
		return err
	}
	nc.Close()
	return nil
}

// handleEvents is called by the poller.
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

// read reads what has come. A read that was not given all it asked for has
// taken all there was, so the next one need not ask: should more come, the
// poller tells. The end alone may have been told of already.
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

// write gives all it can to the socket. One that was found full is tried once
// more, as the poller may have told of room just before it could be known that
// somebody wants to know.
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
		k.full.CompareAndSwap(isFull, hasRoom) // the poller has told already, and will not again
	}
	return n + more, err
}

// send is one system call. The calls that never wait are raw: the runtime need
// not know of them, which costs it more than they take.
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
		k.conn.goGuarded(ready) // there is room already, or has not been none
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

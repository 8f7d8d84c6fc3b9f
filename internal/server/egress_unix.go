//go:build unix

package server

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// A socket is a plain TCP connection read and written without waiting, by
// system calls on its descriptor: no goroutine to write, no buffer while
// nothing comes.
type socket struct {
	raw syscall.RawConn

	// One write at a time, under the outlet's lock: the arguments and results
	// of writeFD, kept here so that a write allocates nothing.
	vec      [2][]byte
	written  int
	writeErr error
	writeFD  func(fd uintptr)
}

// plainSocket returns nc as a socket, or false if it has to be written by a
// goroutine.
func plainSocket(nc net.Conn) (*socket, bool) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, false
	}
	s := &socket{raw: raw}
	s.writeFD = s.writeOnce
	return s, true
}

func (s *socket) write(a, b []byte) (int, error) {
	s.vec[0], s.vec[1] = a, b
	err := s.raw.Control(s.writeFD)
	s.vec[0], s.vec[1] = nil, nil
	if err != nil {
		return 0, err
	}
	return s.written, s.writeErr
}

func (s *socket) writeOnce(fd uintptr) {
	for {
		var n int
		var err error
		switch {
		case len(s.vec[0]) == 0:
			n, err = unix.Write(int(fd), s.vec[1])
		case len(s.vec[1]) == 0:
			n, err = unix.Write(int(fd), s.vec[0])
		default:
			n, err = unix.Writev(int(fd), s.vec[:])
		}
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			n, err = 0, nil
		}
		s.written, s.writeErr = max(n, 0), err
		return
	}
}

// wait waits for the runtime's poller to say that the socket is writable.
// Write's readiness is edge-triggered and may have come before this call, so
// the descriptor itself is asked first.
func (s *socket) wait() error {
	return s.raw.Write(func(fd uintptr) bool {
		fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(fds[:], 0)
		return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
	})
}

// tryRead reads without waiting; again means that nothing has come.
func tryRead(fd uintptr, p []byte) (n int, again bool, err error) {
	for {
		n, err = unix.Read(int(fd), p)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return 0, true, nil
		}
		return n, false, err
	}
}

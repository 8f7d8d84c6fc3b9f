//go:build !unix

package server

import (
	"net"
	"syscall"
)

// A socket is a plain TCP connection written without waiting; this system has
// no such thing in the form that Parley knows.
type socket struct {
	pipe
	raw syscall.RawConn
}

func plainSocket(net.Conn) (*socket, bool) { return nil, false }

func tryRead(uintptr, []byte) (n int, again bool, err error) { return 0, false, errEnded }

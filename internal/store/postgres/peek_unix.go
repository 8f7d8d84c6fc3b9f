//go:build unix

package postgres

import (
	"errors"
	"net"
	"syscall"
)

// hasInput reports whether a connection has ended or there is something to read. It does not wait, not even for a
// goroutine that reads from the connection, as pgx leaves one behind after a slow write: Read would, but not Control.
func hasInput(conn net.Conn) bool {
	if over, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = over.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return true
	}
	found := true
	err = raw.Control(func(fd uintptr) {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK) // the socket does not block
		found = !errors.Is(err, syscall.EAGAIN)
	})
	return found || err != nil
}

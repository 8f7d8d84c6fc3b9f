package postgres

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// limitUnacknowledged ends a connection when what was sent has not been acknowledged for so long.
func limitUnacknowledged(socket syscall.RawConn, limit time.Duration) (err error) {
	control := socket.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit.Milliseconds()))
	})
	if control != nil {
		return control
	}
	return err
}

package link

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// setUserTimeout has a connection fail when what was written to it has not been
// acknowledged for so long (TCP_USER_TIMEOUT, RFC 5482): by itself the kernel
// tries for a quarter of an hour.
func setUserTimeout(tcp *net.TCPConn, d time.Duration) {
	if tcp == nil {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return // it has ended
	}
	raw.Control(func(fd uintptr) { // without it the kernel's time counts
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
	})
}

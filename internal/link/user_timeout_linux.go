package link

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// setUserTimeout makes a connection fail when sent bytes have not been acknowledged
// for d (TCP_USER_TIMEOUT, RFC 5482). By default the kernel tries for 15 minutes.
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

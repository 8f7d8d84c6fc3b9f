package server

import "golang.org/x/sys/unix"

// narrow has a socket soon be full.
func narrow(l transport) {
	if sock, ok := l.(*tcpTransport); ok {
		unix.SetsockoptInt(sock.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 16<<10)
	}
}

//go:build !unix

package bench

import "syscall"

func raiseFileLimit() (int, error) { return 1 << 30, nil }

func setReceiveBuffer(fd uintptr, bytes int) error {
	return syscall.SetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, bytes)
}

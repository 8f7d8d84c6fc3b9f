//go:build unix

package bench

import (
	"fmt"
	"syscall"
)

// raiseFileLimit allows this process, and the servers it starts, as many open
// files as it may have, and returns how many those are.
func raiseFileLimit() (int, error) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("the limit of open files: %w", err)
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("raise the limit of open files to %d: %w", l.Max, err)
	}
	return int(min(uint64(l.Max), 1<<30)), nil
}

func setReceiveBuffer(fd uintptr, bytes int) error {
	return syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, bytes)
}

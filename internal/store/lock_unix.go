//go:build unix

package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes a lock that the kernel drops when the process ends, however it
// does.
func lockFile(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

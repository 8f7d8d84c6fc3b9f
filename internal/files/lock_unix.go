//go:build unix

package files

import (
	"os"

	"golang.org/x/sys/unix"
)

// Lock takes a lock on f, which the kernel releases when the process ends in any way.
func Lock(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// claim locks f for this process until it is closed. SQLite uses another kind of lock, so it can
// use the file meanwhile.
func claim(f *os.File) error { return Lock(f) }

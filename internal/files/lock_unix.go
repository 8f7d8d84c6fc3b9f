//go:build unix

package files

import (
	"os"

	"golang.org/x/sys/unix"
)

// Lock takes a lock that the kernel drops when the process ends, however it
// does.
func Lock(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// claim makes f this process's own until it is closed. SQLite, which locks in
// another way, can use the file meanwhile.
func claim(f *os.File) error { return Lock(f) }

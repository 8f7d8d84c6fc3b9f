package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// allocate allocates n bytes of disk space for a file, from offset at on.
func allocate(f *os.File, at, n int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, at, n)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return writeBlocks(f, at, n)
	}
	return err
}

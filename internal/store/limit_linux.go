package store

import "golang.org/x/sys/unix"

// filesAreLimited reports whether this process may make no file larger than
// some size (ulimit -f).
func filesAreLimited() bool {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit)
	return err == nil && limit.Cur != unix.RLIM_INFINITY
}

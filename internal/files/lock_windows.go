package files

import (
	"os"

	"golang.org/x/sys/windows"
)

// Lock takes a lock on f, which the kernel releases when the process ends in any way.
func Lock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
}

// claim does nothing here: a lock would also keep SQLite out. On Windows a file that another
// process has open cannot be renamed or removed anyway.
func claim(*os.File) error { return nil }

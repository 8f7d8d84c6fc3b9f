package store

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// identity returns what a file has and no copy of it: its inode and the time it
// was made, to the nanosecond. An inode's number alone is given to the next file
// as soon as its file is gone, and a device's number changes when disks are
// mounted in another order, so it is asked for only where the file system does
// not know when a file was made. It does not open the file: closing it again
// would drop the locks that SQLite holds on it in this process.
func identity(path string) (string, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return "", fmt.Errorf("statx %s: %w", path, err)
	}
	if st.Mask&unix.STATX_BTIME == 0 {
		return fmt.Sprintf("inode %d of %d:%d", st.Ino, st.Dev_major, st.Dev_minor), nil
	}
	return fmt.Sprintf("inode %d of %d.%09d", st.Ino, st.Btime.Sec, st.Btime.Nsec), nil
}

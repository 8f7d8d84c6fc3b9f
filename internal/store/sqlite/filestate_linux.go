package sqlite

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// stateOf returns the state of the file at path. It does not open the file, because closing it
// would drop the locks that SQLite holds on it in this process.
func stateOf(path string) (fileState, error) {
	const mask = unix.STATX_INO | unix.STATX_BTIME | unix.STATX_CTIME | unix.STATX_MTIME
	var st unix.Statx_t
	for {
		err := unix.Statx(unix.AT_FDCWD, path, 0, mask, &st)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return fileState{}, fmt.Errorf("statx %s: %w", path, err)
		}
	}
	f := fileState{
		Inode: st.Ino, Born: nanoseconds(st.Btime), Changed: nanoseconds(st.Ctime), Written: nanoseconds(st.Mtime),
	}
	if st.Mask&unix.STATX_BTIME == 0 {
		f.Born, f.Device = 0, unix.Mkdev(st.Dev_major, st.Dev_minor)
	}
	return f, nil
}

func nanoseconds(t unix.StatxTimestamp) int64 { return t.Sec*1e9 + int64(t.Nsec) }

// bootID returns a word that differs for each start of the machine.
func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}

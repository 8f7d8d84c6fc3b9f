//go:build darwin || freebsd || netbsd

package sqlite

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// stateOf returns the state of the file at path. It does not open the file:
// closing it again would drop the locks that SQLite holds on it in this process.
func stateOf(path string) (fileState, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return fileState{}, fmt.Errorf("stat %s: %w", path, err)
	}
	return fileState{Inode: uint64(st.Ino), Born: unix.TimespecToNsec(st.Btim), Changed: unix.TimespecToNsec(st.Ctim), Written: unix.TimespecToNsec(st.Mtim)}, nil
}

// bootID returns a word that is another one each time the machine starts, ""
// where none is known.
func bootID() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid") // macOS
	return id
}

//go:build darwin || freebsd || netbsd

package sqlite

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// stateOf returns the state of the file at path. It does not open the file, because closing it
// would drop the locks that SQLite holds on it in this process.
func stateOf(path string) (fileState, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return fileState{}, fmt.Errorf("stat %s: %w", path, err)
	}
	return fileState{
		Inode: uint64(st.Ino), Born: unix.TimespecToNsec(st.Btim), Changed: unix.TimespecToNsec(st.Ctim),
		Written: unix.TimespecToNsec(st.Mtim),
	}, nil
}

// bootID returns a word that differs for each start of the machine, "" if there is none.
func bootID() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid") // macOS
	return id
}

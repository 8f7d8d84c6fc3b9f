//go:build unix && !linux

package store

import (
	"fmt"
	"os"
	"syscall"
)

// identity returns what a file has and no copy of it: its inode and device. It
// does not open the file: closing it again would drop the locks that SQLite
// holds on it in this process.
func identity(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("stat %s: no inode", path)
	}
	return fmt.Sprintf("inode %d of %d", st.Ino, st.Dev), nil
}

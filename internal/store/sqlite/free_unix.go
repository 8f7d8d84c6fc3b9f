//go:build linux || darwin || freebsd

package sqlite

import "golang.org/x/sys/unix"

// freeBytes returns how many bytes this user can still write to the disk of a folder.
func freeBytes(dir string) (int64, error) {
	var is unix.Statfs_t
	if err := unix.Statfs(dir, &is); err != nil {
		return 0, err
	}
	return max(0, int64(is.Bavail)) * int64(is.Bsize), nil
}

package sqlite

import (
	"math"

	"golang.org/x/sys/windows"
)

// freeBytes returns how many bytes this user can still write to the disk that a
// folder is on.
func freeBytes(dir string) (int64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return 0, err
	}
	return int64(min(free, math.MaxInt64)), nil
}

//go:build !linux

package store

// filesAreLimited reports whether this process may make no file larger than
// some size; where that is not known it counts as a disk that fails.
func filesAreLimited() bool { return false }

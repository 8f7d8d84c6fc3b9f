//go:build !linux

package sqlite

import "os"

// allocate allocates n bytes of disk space for a file, from offset at on.
func allocate(f *os.File, at, n int64) error { return writeBlocks(f, at, n) }

//go:build !linux

package sqlite

import "os"

// allocate gives n bytes of a file room on the disk, from at on.
func allocate(f *os.File, at, n int64) error { return writeBlocks(f, at, n) }

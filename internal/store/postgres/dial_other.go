//go:build !linux

package postgres

import (
	"syscall"
	"time"
)

// limitUnacknowledged does nothing: only keep-alive finds a silent connection here, once nothing is on the way.
func limitUnacknowledged(syscall.RawConn, time.Duration) error { return nil }

//go:build !linux

package link

import (
	"net"
	"time"
)

// setUserTimeout does nothing where a connection has no such time-out: the kernel's
// own counts.
func setUserTimeout(*net.TCPConn, time.Duration) {}

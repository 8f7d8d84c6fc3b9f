//go:build !linux

package link

import (
	"net"
	"time"
)

// setUserTimeout does nothing: only Linux has such a timeout. The kernel's default
// applies.
func setUserTimeout(*net.TCPConn, time.Duration) {}

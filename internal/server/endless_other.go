//go:build !linux

package server

import (
	"net"
	"time"
)

// giveUpAfter does nothing where a connection has no such time-out: the kernel's
// own counts.
func giveUpAfter(*net.TCPConn, time.Duration) {}

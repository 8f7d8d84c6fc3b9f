//go:build !linux

package link

import "net"

// A poller watches nothing on systems without epoll: there goroutines wait for
// connections.
type poller struct{}

func openPoller() (*poller, error) { return nil, nil }

func (*poller) run() {}

func (*poller) close() {}

func (*poller) transport(*Conn, net.Conn) (transport, bool) { return nil, false }

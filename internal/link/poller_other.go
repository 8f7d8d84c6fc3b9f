//go:build !linux

package link

import "net"

// A poller watches sockets for connections that have nobody waiting; where
// there is no epoll, goroutines wait.
type poller struct{}

func openPoller() (*poller, error) { return nil, nil }

func (*poller) run() {}

func (*poller) close() {}

func (*poller) transport(*Conn, net.Conn) (transport, bool) { return nil, false }

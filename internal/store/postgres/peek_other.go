//go:build !unix

package postgres

import "net"

// hasInput reports nothing here: it is found out later that a connection has ended.
func hasInput(net.Conn) bool { return false }

package postgres

import (
	"context"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// silenceLimit is how long the database's machine may acknowledge nothing until a connection to it counts as lost.
// Otherwise that takes the kernel a quarter of an hour, in which everybody waits who reads by the connection. The
// machine of a database that is only slow acknowledges.
const silenceLimit = 5 * time.Second

// endInSilence lets the connections that config makes end after silenceLimit.
func endInSilence(config *pgx.ConnConfig) {
	dialer := &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 2 * time.Second, Interval: time.Second, Count: 3},
		Control: func(network, _ string, socket syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return nil
			}
			return limitUnacknowledged(socket, silenceLimit)
		},
	}
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, address)
	}
}

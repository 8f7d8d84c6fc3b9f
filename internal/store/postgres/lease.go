package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// A lease is work that one node at a time does. All times are of the database's clock. A node that dies
// loses its leases.
const (
	// takeLeaseText takes a lease, or keeps it for longer. It returns a row if the node has it. $1 is the
	// lease, $2 the node, $3 for how many milliseconds.
	takeLeaseText = `
		INSERT INTO lease (name, holder, until) VALUES ($1, $2, now() + $3::bigint * interval '1 millisecond')
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE lease.holder = excluded.holder OR lease.until < now()
			OR NOT EXISTS (SELECT FROM node n WHERE n.id = lease.holder AND n.until > now())
		RETURNING true`
	dropLeaseText = `DELETE FROM lease WHERE name = $1 AND holder = $2`
)

// takeLease takes a lease, or keeps it for longer, and reports whether the node has it.
func takeLease(ctx context.Context, conn *pgx.Conn, name, node string, length time.Duration) (bool, error) {
	done, err := conn.Exec(ctx, takeLeaseText, name, node, length.Milliseconds())
	return done.RowsAffected() == 1, err
}

// dropLease gives work back, if the database answers. Else its time is up some time, or the node's is.
func dropLease(conn *pgx.Conn, name, node string) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_, _ = conn.Exec(ctx, dropLeaseText, name, node)
}

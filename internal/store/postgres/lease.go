package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// takeLease takes work that one node at a time does, or keeps it for longer, and reports whether the
// node has it. All times are of the database's clock. A node that dies has it until its time is up.
func takeLease(ctx context.Context, conn *pgx.Conn, name, node string, length time.Duration) (mine bool, err error) {
	done, err := conn.Exec(ctx, `
		INSERT INTO lease (name, holder, until) VALUES ($1, $2, now() + $3::bigint * interval '1 millisecond')
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE lease.holder = excluded.holder OR lease.until < now()`, name, node, length.Milliseconds())
	return done.RowsAffected() == 1, err
}

// dropLease gives work back. If that fails its time is up some time.
func dropLease(ctx context.Context, conn *pgx.Conn, name, node string) {
	_, _ = conn.Exec(ctx, `DELETE FROM lease WHERE name = $1 AND holder = $2`, name, node)
}

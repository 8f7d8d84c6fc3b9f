package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

var errPooler = errors.New("a connection pooler gives each transaction another connection to the database, but " +
	"parley keeps settings and statements in its connections: let it work by session " +
	"(PgBouncer: pool_mode = session), or connect without it")

// refusePooler refuses a connection pooler that does not keep a connection for as long as its client is connected. It
// makes a setting in one connection and looks for it, while another one is in a transaction. A pooler has given the
// setting to that, or it has just let go of it. Others who use the pooler may hide it, so it looks a few times.
func refusePooler(ctx context.Context, config *pgx.ConnConfig) error {
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // no prepared statements
	var conns [2]*pgx.Conn
	for i := range conns {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return fmt.Errorf("connecting to the database: %w", err)
		}
		defer closeConn(conn)
		conns[i] = conn
	}
	for range 3 {
		err := lookForPooler(ctx, conns[0], conns[1])
		switch {
		case errors.Is(err, errPooler):
			return err
		case isCode(err, codeProtocol): // PgBouncer, whose pool_mode is statement, refuses transactions
			return fmt.Errorf("%w: %w", errPooler, err)
		case err != nil:
			return fmt.Errorf("looking for a connection pooler: %w", err)
		}
	}
	return nil
}

func lookForPooler(ctx context.Context, one, other *pgx.Conn) error {
	const look = `SELECT coalesce(current_setting('parley.session', true), '')`
	word, found := rand.Text(), ""
	if _, err := one.Exec(ctx, `SELECT set_config('parley.session', $1, false)`, word); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, other, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, look).Scan(&found); err != nil {
			return err
		}
		if found == word {
			return errPooler
		}
		if err := one.QueryRow(ctx, look).Scan(&found); err != nil {
			return err
		}
		if found != word {
			return errPooler
		}
		return nil
	})
}

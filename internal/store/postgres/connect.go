package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectTimeout is how long one host may take to answer, unless the URL has connect_timeout.
const connectTimeout = 3 * time.Second

// connect opens the pool of readers and the writer, after the schema is up to date.
func (s *Store) connect(ctx context.Context) error {
	pool, err := pgxpool.ParseConfig(s.cfg.URL)
	if err != nil {
		return fmt.Errorf("the database's URL: %w", err)
	}
	base := pool.ConnConfig
	base.ConnectTimeout = cmp.Or(base.ConnectTimeout, connectTimeout)
	if base.RuntimeParams["application_name"] == "" {
		base.RuntimeParams["application_name"] = "parley"
	}
	if err := s.migrate(ctx, base.Copy()); err != nil {
		return err
	}
	pool.MaxConns = int32(cmp.Or(s.cfg.Readers, 8))
	pool.MinConns = 0
	if s.pool, err = pgxpool.NewWithConfig(ctx, pool); err != nil {
		return fmt.Errorf("the connections that read: %w", err)
	}
	s.writer = newWriter(s, base.Copy())
	return nil
}

// writerSettings are those of the connection that writes. A frozen node must not keep a room
// locked: the database ends its transaction after a second. Plans are made once and always use
// indexes: those made while tables were empty would scan them when they are full.
var writerSettings = []string{
	`SET idle_in_transaction_session_timeout = '1s'`,
	`SET lock_timeout = '10s'`,
	`SET plan_cache_mode = force_generic_plan`,
	`SET enable_seqscan = off`,
	`SET enable_hashjoin = off`,
	`SET enable_mergejoin = off`,
	`SET default_transaction_isolation = 'read committed'`,
}

func (w *writer) open(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, w.config)
	if err != nil {
		return err
	}
	w.conn = conn
	return nil
}

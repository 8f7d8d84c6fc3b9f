package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Unless the URL has connect_timeout, this is how long one host may take to answer, and all of them together: the last
// one is reached before the patience of a transaction ends.
const (
	connectTimeout    = 3 * time.Second
	connectAllTimeout = 4 * time.Second
)

// hostTimeout returns how long each host may take to answer. With some sslmodes each host is tried twice.
func hostTimeout(config *pgconn.Config) time.Duration {
	return min(connectTimeout, connectAllTimeout/time.Duration(1+len(config.Fallbacks)))
}

// planSettings are those of all connections. Plans are made once and always use indexes: those made
// while tables were empty would scan them when they are full.
const planSettings = `
	SET plan_cache_mode = force_generic_plan;
	SET enable_seqscan = off;
	SET enable_hashjoin = off;
	SET enable_mergejoin = off;
	SET jit = off;`

// Settings of the connections that read, and of the one that writes. A frozen node must not keep a
// room locked: the database ends its transaction after a second. A node that waits for a lock gives
// up before its patience ends, so that its connection stays.
const (
	readerSettings = planSettings + `
	SET default_transaction_read_only = on;
	SET statement_timeout = '30s'`
	writerSettings = planSettings + `
	SET idle_in_transaction_session_timeout = '1s';
	SET lock_timeout = '4s';
	SET default_transaction_isolation = 'read committed';
	SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`
)

// connect opens the pool of readers and the writer, after the schema is up to date.
func (s *Store) connect(ctx context.Context) error {
	pool, err := pgxpool.ParseConfig(s.cfg.URL)
	if err != nil {
		return fmt.Errorf("the database's URL: %w", err)
	}
	base := pool.ConnConfig
	base.ConnectTimeout = cmp.Or(base.ConnectTimeout, hostTimeout(&base.Config))
	endInSilence(base)
	if base.RuntimeParams["application_name"] == "" {
		base.RuntimeParams["application_name"] = applicationName + s.node
	}
	if base.ValidateConnect == nil { // of several hosts the one that writes: a standby may lag behind
		base.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	s.config = base.Copy()
	if err := refusePooler(ctx, base.Copy()); err != nil {
		return err
	}
	if err := s.migrate(ctx, base.Copy()); err != nil {
		return err
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	pool.MaxConns = int32(cmp.Or(s.cfg.Readers, 8))
	pool.AfterConnect = s.prepareReader
	s.writer = newWriter(s, base.Copy())
	if err := s.openWriter(ctx, confirmTimeout); err != nil {
		return err
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, pool); err != nil {
		return fmt.Errorf("the connections that read: %w", err)
	}
	return s.tellDurability(ctx, s.writer.conn)
}

// confirmTimeout is how long the first write may take, which records the epoch. It waits for a synchronous standby.
const confirmTimeout = 15 * time.Second

// openWriter connects the writer for the first time.
func (s *Store) openWriter(ctx context.Context, timeout time.Duration) error {
	opening, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := s.writer.open(opening)
	if err != nil && opening.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("the database confirms no write: see whether its synchronous standby runs: %w", err)
	}
	return err
}

// apply makes settings of a connection.
func apply(ctx context.Context, conn *pgx.Conn, settings string) error {
	_, err := conn.PgConn().Exec(ctx, settings).ReadAll()
	return err
}

// closeTimeout is how long a connection may take to end, and the last word on it to be heard.
const closeTimeout = time.Second

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	conn.Close(ctx)
}

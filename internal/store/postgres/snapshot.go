package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"parley/internal/move"
)

// snapshotSettings are those of a connection that reads or fills all tables. Nothing limits its time, but
// it waits for locks only as long as one that was killed may still hold them.
const snapshotSettings = planSettings + `
	SET statement_timeout = 0;
	SET idle_in_transaction_session_timeout = 0;
	SET lock_timeout = '4s'`

// snapshotName is the name under which such a connection is seen. It is not that of a node.
const snapshotName = "parley snapshot"

// A Snapshot is what a database holds at one moment. It is one transaction on a connection of its own.
type Snapshot struct {
	cfg   Config
	conn  *pgx.Conn
	epoch string
}

// OpenSnapshot takes a snapshot, while servers may go on to use the database.
func OpenSnapshot(ctx context.Context, cfg Config) (*Snapshot, error) {
	conn, err := connectOnce(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{cfg: cfg, conn: conn}
	if _, err = wantSchema(ctx, conn); err == nil {
		_, err = conn.Exec(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// OpenToMove takes a snapshot of a database that no server uses. Until Close nobody can write to it.
func OpenToMove(ctx context.Context, cfg Config) (*Snapshot, error) {
	conn, err := connectOnce(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{cfg: cfg, conn: conn}
	if err := s.take(ctx, cfg.Moved); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Snapshot) take(ctx context.Context, moved bool) error {
	known, err := wantSchema(ctx, s.conn)
	if err != nil {
		return err
	}
	if to := known["moved"]; to != "" && !moved {
		return move.Refusal(to)
	}
	if err := wantNoServer(ctx, s.conn); err != nil {
		return err
	}
	// The lock comes before the first statement that reads, so that the snapshot has all that was
	// written before.
	if _, err := s.conn.Exec(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ`); err != nil {
		return err
	}
	if err := lockTables(ctx, s.conn, "EXCLUSIVE"); err != nil {
		return err
	}
	var identity string
	if err := s.conn.QueryRow(ctx, identitySQL).Scan(&identity); err != nil {
		return fmt.Errorf("reading the database's identity: %w", err)
	}
	if identity == known["identity"] { // else it was restored, and its next start would make an epoch
		s.epoch = known["epoch"]
	}
	return nil
}

// connectOnce connects for a Snapshot or Fill.
func connectOnce(ctx context.Context, cfg Config) (*pgx.Conn, error) {
	pool, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("the database's URL: %w", err)
	}
	config := pool.ConnConfig
	endInSilence(config)
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	config.RuntimeParams["application_name"] = snapshotName
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := apply(ctx, conn, snapshotSettings); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// wantSchema fails if the database has not this program's tables. It returns what is in meta.
func wantSchema(ctx context.Context, conn *pgx.Conn) (map[string]string, error) {
	var ours bool
	err := conn.QueryRow(ctx, `
		SELECT to_regclass('meta') IS NOT NULL AND to_regclass('goose_db_version') IS NOT NULL`).Scan(&ours)
	if err != nil {
		return nil, fmt.Errorf("looking at the database's tables: %w", err)
	}
	if !ours {
		return nil, errors.New("the database has no tables of parley; name the one that “parley serve” uses")
	}
	known, err := metaOf(ctx, conn)
	if err != nil || known["program"] != "parley" {
		return nil, errors.Join(errors.New("the database has tables of another program"), err)
	}
	var schema int64
	if err := conn.QueryRow(ctx, `
		SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&schema); err != nil {
		return nil, fmt.Errorf("reading the schema's version: %w", err)
	}
	switch newest := migrations.Newest(); {
	case schema > newest:
		return nil, fmt.Errorf("a newer parley (%s) has upgraded the database to schema %d, and this one knows %d; "+
			"use that program", known["version"], schema, newest)
	case schema < newest:
		return nil, fmt.Errorf("the database has the schema of an older parley (%d, this one has %d); start this "+
			"one on it first, which brings it up to date", schema, newest)
	}
	return known, nil
}

func metaOf(ctx context.Context, conn *pgx.Conn) (map[string]string, error) {
	rows, err := conn.Query(ctx, `SELECT key, value FROM meta`)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	var key, value string
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		known[key] = value
		return nil
	})
	return known, err
}

// wantNoServer fails if a server uses the database. Of one that was killed it waits until that counts as
// dead.
func wantNoServer(ctx context.Context, conn *pgx.Conn) error {
	found := map[string]time.Time{}
	for {
		live, err := liveNodes(ctx, conn)
		if err != nil || len(live) == 0 {
			return err
		}
		for _, n := range live {
			if before, ok := found[n.ID]; ok && !before.Equal(n.Until) { // it has renewed its row
				return refuseToMove(live)
			}
			found[n.ID] = n.Until
		}
		select {
		case <-time.After(enterEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// liveNodes returns the servers that may use the database now.
func liveNodes(ctx context.Context, conn *pgx.Conn) ([]inTheWay, error) {
	rows, err := conn.Query(ctx, `SELECT id, name, alone, hears, since, until FROM node n WHERE NOT (`+isDeadSQL+`)`)
	if err != nil {
		return nil, fmt.Errorf("looking for servers that use the database: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[inTheWay])
}

func refuseToMove(live []inTheWay) error {
	who := ""
	if name := live[0].Name; name != "" {
		who = " (" + name + ")"
	}
	return fmt.Errorf("the database is in use by parley%s since %s UTC (servers: %d); stop all of them first", who,
		live[0].Since.UTC().Format(time.DateTime), len(live))
}

// lockTables locks all tables that are moved, and meta, or fails if somebody writes to one or a server has
// started.
func lockTables(ctx context.Context, conn *pgx.Conn, mode string) error {
	names := []string{"meta"}
	for _, t := range move.Tables {
		names = append(names, t.Name)
	}
	_, err := conn.Exec(ctx, `LOCK TABLE `+strings.Join(names, ", ")+` IN `+mode+` MODE`)
	if isCode(err, codeLocked) {
		return fmt.Errorf("another program uses the database; stop all servers first: %w", err)
	}
	if err != nil {
		return err
	}
	live, err := liveNodes(ctx, conn) // none can start from here on: that locks a row of meta
	if err == nil && len(live) > 0 {
		err = refuseToMove(live)
	}
	return err
}

// Epoch returns the log's epoch, "" if its next start would make a new one. A snapshot of a database
// that is in use has none.
func (s *Snapshot) Epoch() string { return s.epoch }

// Rows reads a table for package move.
func (s *Snapshot) Rows(ctx context.Context, t *move.Table, visit func(row []byte) error) error {
	return copyOut(ctx, s.conn, t, visit)
}

// movedCheck is the name of a constraint that refuses every row. It keeps out a server that was away
// while everything was moved, and comes back.
const movedCheck = "moved_elsewhere"

// SetMoved records that everything was moved to another place, which to names for operators, and ends
// the snapshot. Then no server starts on the database or writes to it. With "" it may be used again, with
// another epoch, because the log may have gone on at the other place.
func (s *Snapshot) SetMoved(ctx context.Context, to string) error {
	if s.conn.IsClosed() {
		conn, err := connectOnce(ctx, s.cfg)
		if err != nil {
			return fmt.Errorf("marking the database: %w", err)
		}
		s.conn = conn
	}
	var err error
	if s.conn.PgConn().TxStatus() != 'T' { // 'E': the transaction has failed
		_, err = s.conn.Exec(ctx, `ROLLBACK; BEGIN`)
	}
	if err != nil {
		return fmt.Errorf("marking the database: %w", err)
	}
	if to == "" {
		_, err = s.conn.Exec(ctx, `DELETE FROM meta WHERE key IN ('moved', 'epoch')`)
	} else {
		_, err = s.conn.Exec(ctx, `INSERT INTO meta (key, value) VALUES ('moved', $1)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, to)
	}
	for _, t := range move.Tables {
		if err == nil {
			_, err = s.conn.Exec(ctx, `ALTER TABLE `+t.Name+` DROP CONSTRAINT IF EXISTS `+movedCheck)
		}
		if err == nil && to != "" {
			_, err = s.conn.Exec(ctx,
				`ALTER TABLE `+t.Name+` ADD CONSTRAINT `+movedCheck+` CHECK (false) NOT VALID`)
		}
	}
	if err == nil {
		err = commit(ctx, s.conn)
	}
	if err != nil {
		return fmt.Errorf("marking the database: %w", err)
	}
	return nil
}

// commit commits the transaction. The error is move.ErrUnknown if it is not known whether it was.
func commit(ctx context.Context, conn *pgx.Conn) error {
	done, err := conn.Exec(ctx, `COMMIT`)
	switch {
	case err == nil && done.String() != "COMMIT": // of a failed transaction it is ROLLBACK, without an error
		return fmt.Errorf("%w: the database answered COMMIT with %s", errRolledBack, done)
	case err != nil && mayBeCommitted(err):
		return fmt.Errorf("%w: %w", move.ErrUnknown, err)
	}
	return err
}

// Close ends the snapshot and disconnects.
func (s *Snapshot) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	return s.conn.Close(ctx)
}

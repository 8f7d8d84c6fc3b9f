package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"parley/internal/move"
)

// Fill makes the tables of a database and fills them with what fill writes, in one transaction: they
// stay empty if anything fails. Unless it is empty, epoch is that of the log. No server may use the
// database, and its tables must have no rows.
func Fill(ctx context.Context, cfg Config, epoch string, fill func(context.Context, move.Target) error) (err error) {
	pool, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return fmt.Errorf("the database's URL: %w", err)
	}
	s := &Store{cfg: cfg, logger: slog.New(slog.DiscardHandler)}
	if err := s.migrate(ctx, pool.ConnConfig); err != nil {
		return err
	}
	conn, err := connectOnce(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, (&Snapshot{conn: conn}).Close()) }()
	if err := beginFilling(ctx, conn); err != nil {
		return err
	}
	if err := fill(ctx, target{conn}); err != nil {
		return err
	}
	if err := settleFilled(ctx, conn, epoch); err != nil {
		return err
	}
	return commit(ctx, conn)
}

// beginFilling begins the transaction. Until its end nobody else sees the tables.
func beginFilling(ctx context.Context, conn *pgx.Conn) error {
	if err := wantNoServer(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `BEGIN`); err != nil {
		return err
	}
	if err := lockTables(ctx, conn, "ACCESS EXCLUSIVE"); err != nil {
		return err
	}
	for _, t := range move.Tables {
		var used bool
		if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+t.Name+`)`).Scan(&used); err != nil {
			return err
		}
		if used {
			return fmt.Errorf("the database is not empty (the table %s has rows), and nothing is replaced; "+
				"make another one", t.Name)
		}
	}
	return nil
}

// settleFilled lets new rooms and people have ids after the greatest ones, and records the epoch.
func settleFilled(ctx context.Context, conn *pgx.Conn, epoch string) error {
	for _, table := range []string{"room", "person"} {
		_, err := conn.Exec(ctx, `
			SELECT setval(pg_get_serial_sequence($1, 'id'), max(id)) FROM `+table+` HAVING max(id) > 0`, table)
		if err != nil {
			return err
		}
	}
	if _, err := conn.Exec(ctx, `DELETE FROM meta WHERE key IN ('epoch', 'identity')`); err != nil || epoch == "" {
		return err
	}
	var identity string
	if err := conn.QueryRow(ctx, identitySQL).Scan(&identity); err != nil {
		return fmt.Errorf("reading the database's identity: %w", err)
	}
	_, err := conn.Exec(ctx, `INSERT INTO meta (key, value) VALUES ('identity', $1), ('epoch', $2)`, identity, epoch)
	return err
}

// A target is a database that is being filled.
type target struct{ conn *pgx.Conn }

// Rows reads what was written.
func (f target) Rows(ctx context.Context, t *move.Table, visit func(row []byte) error) error {
	return copyOut(ctx, f.conn, t, visit)
}

// Fill stores the rows that rows passes on, and lets the database count them: plans that were made
// for empty tables are slow.
func (f target) Fill(ctx context.Context, t *move.Table, rows func(write func(row []byte) error) error) error {
	if err := f.copyIn(ctx, t, rows); err != nil {
		return err
	}
	_, err := f.conn.Exec(ctx, `ANALYZE `+t.Name)
	return err
}

func (f target) copyIn(ctx context.Context, t *move.Table, rows func(write func(row []byte) error) error) error {
	text := `COPY ` + t.Name + ` (` + columnsOf(t) + `) FROM STDIN (FORMAT binary)`
	from, to := io.Pipe()
	copied := make(chan error, 1)
	go func() {
		_, err := f.conn.PgConn().CopyFrom(ctx, from, text)
		from.CloseWithError(err) // ends writing if COPY has failed
		copied <- err
	}()
	b := bufio.NewWriterSize(to, 64<<10)
	_, err := b.Write(move.Header())
	if err == nil {
		err = rows(func(row []byte) error {
			_, err := b.Write(row)
			return err
		})
	}
	if err == nil {
		_, err = b.Write(move.Trailer())
	}
	if err == nil {
		err = b.Flush()
	}
	to.CloseWithError(err) // nil: the end
	failed := <-copied
	if failed != nil && (err == nil || errors.Is(err, failed)) {
		return failed
	}
	return err // why COPY was given up
}

// copyOut calls visit with each row of a table, in the order of its key.
func copyOut(ctx context.Context, conn *pgx.Conn, t *move.Table, visit func(row []byte) error) error {
	return copyQuery(ctx, conn, selectAll(t)+` ORDER BY `+strings.Join(t.Key, ", "), visit)
}

func copyQuery(ctx context.Context, conn *pgx.Conn, query string, visit func(row []byte) error) error {
	rows := &move.Splitter{Visit: visit}
	_, err := conn.PgConn().CopyTo(ctx, rows, `COPY (`+query+`) TO STDOUT (FORMAT binary)`)
	if err == nil {
		err = rows.Close()
	}
	return err
}

func selectAll(t *move.Table) string { return `SELECT ` + columnsOf(t) + ` FROM ` + t.Name }

func columnsOf(t *move.Table) string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"parley/internal/move"
	"parley/internal/store/schema"
)

//go:embed migrations/postgres/*.sql
var migrationFiles embed.FS

var migrations = schema.Migrations{
	Files: migrationFiles, Folder: "migrations/postgres", Dialect: goose.DialectPostgres,
}

// Oldest PostgreSQL that has all that the statements use.
const (
	oldestServer     = 140000
	oldestServerName = "14"
)

// migrate looks at the database and brings its schema up to date.
func (s *Store) migrate(ctx context.Context, config *pgx.ConnConfig) error {
	db := stdlib.OpenDB(*config)
	defer db.Close()
	if err := s.checkServer(ctx, db); err != nil {
		return err
	}
	for try := 0; ; try++ {
		done, err := s.isMigrated(ctx, db)
		if done || err != nil {
			return err
		}
		if err = s.runMigrations(ctx, db); err == nil {
			return nil
		}
		// Another node may have made the same tables at the same moment.
		if try == 5 || !isConcurrentMigration(err) {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// checkServer refuses a server that is too old, and a database that does not hold all characters.
func (s *Store) checkServer(ctx context.Context, db *sql.DB) error {
	var number, version, encoding string
	err := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num'), current_setting('server_version'),
		current_setting('server_encoding')`).Scan(&number, &version, &encoding)
	if err != nil {
		return fmt.Errorf("connecting to the database: %w", err)
	}
	s.version = version
	return refuseServer(number, version, encoding)
}

func refuseServer(number, version, encoding string) error {
	switch n, err := strconv.Atoi(number); {
	case err == nil && n < oldestServer:
		return fmt.Errorf("the database is PostgreSQL %s; parley needs %s or newer", version, oldestServerName)
	case encoding != "UTF8":
		return fmt.Errorf("the database's encoding is %s; make one with ENCODING 'UTF8'", encoding)
	}
	return nil
}

// isMigrated reports whether the schema needs no migration. It refuses tables of another program,
// and a schema that this program does not know.
func (s *Store) isMigrated(ctx context.Context, db *sql.DB) (bool, error) {
	var tables int
	var ours bool
	err := db.QueryRowContext(ctx, `SELECT count(*), coalesce(bool_or(relname = 'meta'), false) FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
			AND relname <> 'goose_db_version'`).Scan(&tables, &ours)
	if err != nil {
		return false, fmt.Errorf("looking at the database's tables: %w", err)
	}
	if tables == 0 {
		return false, nil
	}
	known := map[string]string{}
	if ours {
		known, err = schema.Meta(ctx, db)
	}
	if isCode(err, codeNoRights) {
		return false, fmt.Errorf("the database's user may not read the tables there; give parley the user who owns "+
			"them: %w", err)
	}
	if err != nil || known["program"] != "parley" {
		return false, errors.New("the database has tables of another program; make an empty one for parley")
	}
	if to := known["moved"]; to != "" {
		return false, move.Refusal(to)
	}
	var have int64
	err = db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&have)
	if err != nil {
		return false, fmt.Errorf("reading the schema's version: %w", err)
	}
	if oldest, _ := strconv.ParseInt(known["min_version"], 10, 64); oldest > migrations.Newest() {
		return false, fmt.Errorf(
			"a newer parley (%s) has upgraded the database to schema %d; this one knows schemas up to %d",
			known["version"], have, migrations.Newest())
	}
	return have >= migrations.Newest(), nil
}

// runMigrations runs the migrations that the database has not had, each in a transaction.
func (s *Store) runMigrations(ctx context.Context, db *sql.DB) error {
	err := migrations.Run(ctx, db, s.logger)
	if isCode(err, codeNoRights) {
		return fmt.Errorf("the database's user may not make tables; give them the rights, "+
			"as with GRANT CREATE ON SCHEMA public: %w", err)
	}
	if err != nil {
		return err
	}
	return s.noteVersion(ctx, db)
}

// noteVersion records which program has upgraded the schema, for the refusals of older ones.
func (s *Store) noteVersion(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('version', $1)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, s.cfg.Version)
	if err != nil {
		return fmt.Errorf("recording the program's version: %w", err)
	}
	return nil
}

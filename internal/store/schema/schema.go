// Package schema brings the tables of a database up to date by numbered migrations, and reads the table meta, which
// both databases have. Start reading at Migrations.
//
// It knows no other tables.
package schema

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/pressly/goose/v3"
)

// Migrations are the numbered SQL files in a folder.
type Migrations struct {
	Files   fs.FS
	Folder  string
	Dialect goose.Dialect
}

// Newest returns the number of the newest migration.
func (m Migrations) Newest() int64 {
	names, err := fs.Glob(m.Files, m.Folder+"/*.sql")
	if err != nil || len(names) == 0 {
		panic("the program was built without its migrations")
	}
	version, err := goose.NumericComponent(names[len(names)-1]) // Glob sorts
	if err != nil {
		panic(err)
	}
	return version
}

// Run runs the migrations that a database has not had, each in a transaction of its own.
func (m Migrations) Run(ctx context.Context, db *sql.DB, logger *slog.Logger) error {
	files, err := fs.Sub(m.Files, m.Folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(m.Dialect, db, files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	for _, m := range done {
		logger.LogAttrs(ctx, slog.LevelInfo, "schema brought up to date",
			slog.String("op", filepath.Base(m.Source.Path)), slog.Duration("took", m.Duration))
	}
	return nil
}

// Meta returns the rows of the table meta: values by key. db is a connection or a pool of connections.
func Meta(ctx context.Context, db interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
},
) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT key, value FROM meta`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	values := make(map[string]string)
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		values[key] = value
	}
	return values, rows.Err()
}

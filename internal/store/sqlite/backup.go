package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"parley/internal/files"
)

// Backup copies the data folder dir to a new file at path, which only its owner may read. A server
// may use the folder meanwhile. To restore the copy, make it the file parley.db of an empty folder.
// The copy has no epoch, so the program that opens it makes a new one, and clients then read the
// log again.
func Backup(ctx context.Context, dir, path string) error {
	source := filepath.Join(dir, databaseName)
	if _, err := os.Stat(source); err != nil {
		return fmt.Errorf("backing up %s: %w", dir, err)
	}
	err := files.New(path, func(partial string) error { return copyWithoutEpoch(ctx, source, partial) })
	if err != nil {
		return fmt.Errorf("backing up %s to %s: %w", dir, path, err)
	}
	return nil
}

// copyWithoutEpoch copies the database at source to the empty file target, without what belongs to
// its folder alone.
func copyWithoutEpoch(ctx context.Context, source, target string) error {
	if err := copyDatabase(ctx, source, target); err != nil {
		return err
	}
	return dropEpoch(ctx, target)
}

// copyDatabase copies the database at source to the empty file target, in one read transaction.
func copyDatabase(ctx context.Context, source, target string) error {
	source, err := filepath.Abs(source)
	if err != nil {
		return err
	}
	db := openSQLite(source, "ro", "", []string{"busy_timeout(5000)"})
	defer db.Close()
	return guarded(ctx, source, func(ctx context.Context) error {
		_, err := db.ExecContext(ctx, `VACUUM INTO $1`, target)
		return err
	})
}

// dropEpoch deletes from a copy what belongs to the folder that it was made from.
func dropEpoch(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	db := openSQLite(path, "rw", "", []string{"secure_delete(1)"})
	_, err = db.ExecContext(ctx, `
		DELETE FROM meta WHERE key IN ('epoch', 'file', 'start', 'healthy', 'upgrading', 'moved')`)
	var erased bool // schema 3 and older have the table
	if err == nil {
		err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'erased')`).Scan(&erased)
	}
	if err == nil && erased { // it was for a search index of this epoch
		_, err = db.ExecContext(ctx, `DELETE FROM erased`)
	}
	return errors.Join(err, db.Close())
}

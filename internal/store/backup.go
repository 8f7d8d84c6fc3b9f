package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Backup writes a copy of the data folder dir, as it is now, to a new file at
// path, which only its owner may read. A server may be using the folder. To
// restore the copy make it the file parley.db of an empty folder: it has no
// epoch, so that whoever opens it makes a new one, and clients read again what
// they have read from the log that it replaces.
func Backup(ctx context.Context, dir, path string) (err error) {
	source := filepath.Join(dir, databaseName)
	if _, err := os.Stat(source); err != nil {
		return fmt.Errorf("backing up %s: %w", dir, err)
	}
	// path is ours, and empty, until the copy is complete and takes its place: a
	// file with that name and something in it is always a whole back-up.
	if err := makeFile(path); err != nil {
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("backing up %s: %s exists; a back-up replaces nothing", dir, path)
		}
		return fmt.Errorf("backing up %s: %w", dir, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("backing up %s to %s: %w", dir, path, err)
			os.Remove(path)
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".partial-*") // mode 0600
	if err != nil {
		return err
	}
	partial := f.Name()
	defer os.Remove(partial)
	if err := f.Close(); err != nil {
		return err
	}
	if err := copyDatabase(ctx, source, partial); err != nil {
		return err
	}
	if err := dropEpoch(ctx, partial); err != nil {
		return err
	}
	if err := syncFile(partial); err != nil {
		return err
	}
	if err := os.Rename(partial, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// copyDatabase copies the database at source into the empty file target, within
// one read transaction.
func copyDatabase(ctx context.Context, source, target string) error {
	source, err := filepath.Abs(source)
	if err != nil {
		return err
	}
	db := openSQLite(source, "ro", "", []string{"busy_timeout(5000)"})
	defer db.Close()
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, target)
	return err
}

func dropEpoch(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	db := openSQLite(path, "rw", "", []string{"secure_delete(1)"})
	_, err = db.ExecContext(ctx, `DELETE FROM meta WHERE key IN ('epoch', 'file', 'start', 'healthy')`)
	var erased bool // an older folder has none
	if err == nil {
		err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'erased')`).Scan(&erased)
	}
	if err == nil && erased { // it is for an index of this epoch
		_, err = db.ExecContext(ctx, `DELETE FROM erased`)
	}
	return errors.Join(err, db.Close())
}

func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// syncFile has the disk hold what was written to a file.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncFolder has the disk hold a folder's names.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // does so by itself
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

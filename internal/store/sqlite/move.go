package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parley/internal/files"
	"parley/internal/move"
)

// Rows reads a table for package move. It is for a Store that Run was not called for.
func (s *Store) Rows(ctx context.Context, t *move.Table, visit func(row []byte) error) error {
	return readRows(ctx, s.readers, t, visit)
}

// SetMoved records that everything was moved to another place, which to names for operators. Then
// Open refuses the folder. With "" it may be used again, with another epoch, because the log may
// have gone on at the other place. It is for a Store that Run was not called for.
func (s *Store) SetMoved(ctx context.Context, to string) error {
	var err error
	if to == "" {
		err = s.writer.exec(ctx, `DELETE FROM meta WHERE key IN ('moved', 'epoch')`)
	} else {
		err = s.writer.setMeta(ctx, "moved", to)
	}
	if err != nil {
		return fmt.Errorf("marking the data folder %s: %w", s.dir, err)
	}
	return nil
}

// HasDatabase reports whether dir is a data folder with a database.
func HasDatabase(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, databaseName))
	return err == nil
}

// FillFolder makes the database in the data folder dir, with what fill puts into it and, unless
// it is empty, with the epoch of the log. The folder must have no database. The database has its name
// only when fill has returned nil, and everything is on the disk.
func FillFolder(ctx context.Context, dir, epoch string, fill func(context.Context, move.Target) error) (err error) {
	s, err := takeEmpty(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.release()) }()
	err = files.New(s.path, func(partial string) error { return s.fillFile(ctx, partial, epoch, fill) })
	if err != nil {
		return fmt.Errorf("filling the data folder %s: %w", s.dir, err)
	}
	if epoch == "" { // the first start makes one
		return nil
	}
	// Without state files the next start would take the folder for a restored one.
	if err := s.recordFileState(); err != nil {
		return err
	}
	if s.marks, err = openMarks(s.dir, stateFile{}); err != nil {
		return err
	}
	return s.marks.settle(s.database, func(m *stateFile) { m.State, m.Epoch = closed, epoch })
}

// FillFile makes a back-up at path with what fill puts into it. It has no epoch, as no back-up has.
func FillFile(ctx context.Context, path string, fill func(context.Context, move.Target) error) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	s := &Store{logger: discard}
	return files.New(path, func(partial string) error { return s.fillFile(ctx, partial, "", fill) })
}

// Restore makes the back-up file the database of the data folder dir, which must have none. The
// next start brings an older one up to date and gives the log a new epoch.
func Restore(ctx context.Context, file, dir string) (err error) {
	if err := wantWhole(ctx, file); err != nil {
		return err
	}
	s, err := takeEmpty(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.release()) }()
	err = files.New(s.path, func(partial string) error { return copyWithoutEpoch(ctx, file, partial) })
	if err != nil {
		return fmt.Errorf("restoring %s to %s: %w", file, s.dir, err)
	}
	return nil
}

// wantWhole fails if a back-up is damaged.
func wantWhole(ctx context.Context, file string) error {
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder; name a file that “parley backup” has made", file)
	}
	checked, err := Check(ctx, file)
	if err == nil && len(checked.Found) > 0 {
		err = fmt.Errorf("%s is damaged (%s); restore another back-up: “parley check” lists what is wrong", file,
			checked.Found[0])
	}
	return err
}

// takeEmpty locks a data folder, which it makes if needed. The folder must have no database.
func takeEmpty(dir string) (_ *Store, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, path: filepath.Join(dir, databaseName), logger: discard}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if err := s.takeFolder(); err != nil {
		return nil, err
	}
	for _, name := range []string{databaseName, databaseName + walSuffix} {
		if _, err := s.folder.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the data folder %s has a %s, and nothing is replaced; move that away, or choose "+
				"another folder", dir, name)
		}
	}
	return s, nil
}

// fillFile fills an empty file. A crash meanwhile leaves a file that nobody uses, so nothing is
// synced before the end.
func (s *Store) fillFile(ctx context.Context, path, epoch string, fill func(context.Context, move.Target) error,
) (err error) {
	db := openSQLite(path, "rw", "", []string{
		"synchronous(OFF)", "journal_mode(OFF)", "cache_size(-16384)", // KiB
	})
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrations.Run(ctx, db, s.logger); err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if epoch != "" {
		if _, err := conn.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('epoch', $1)`, epoch); err != nil {
			return err
		}
	}
	indexes, err := dropIndexes(ctx, conn)
	if err != nil {
		return err
	}
	if err := fill(ctx, target{conn}); err != nil {
		return err
	}
	return makeIndexes(ctx, conn, filepath.Dir(path), indexes)
}

// dropIndexes drops all indexes but those of keys, and returns the statements that make them. To make
// an index of a full table is a sort; to add millions of rows to one in another order than its own
// would be a read of the disk for each.
func dropIndexes(ctx context.Context, conn *sql.Conn) (statements []string, err error) {
	rows, err := conn.QueryContext(ctx, `
		SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name`)
	if err != nil {
		return nil, err
	}
	var names []string
	err = scanRows(rows, func(rows *sql.Rows) error {
		var name, statement string
		err := rows.Scan(&name, &statement)
		names, statements = append(names, name), append(statements, statement)
		return err
	})
	for _, name := range names {
		if err == nil {
			_, err = conn.ExecContext(ctx, `DROP INDEX `+name)
		}
	}
	return statements, err
}

// makeIndexes makes the indexes again. What a sort does not hold in memory is in files in dir, where
// the database has to have room anyway.
func makeIndexes(ctx context.Context, conn *sql.Conn, dir string, statements []string) error {
	_, err := conn.ExecContext(ctx, `PRAGMA temp_store = FILE`)
	if err == nil {
		_, err = conn.ExecContext(ctx, `PRAGMA temp_store_directory = '`+strings.ReplaceAll(dir, `'`, `''`)+`'`)
	}
	for _, statement := range statements {
		if err == nil {
			_, err = conn.ExecContext(ctx, statement)
		}
	}
	return err
}

// A target is a database file that is being filled.
type target struct{ conn *sql.Conn }

// Rows reads what was written.
func (f target) Rows(ctx context.Context, t *move.Table, visit func(row []byte) error) error {
	return readRows(ctx, f.conn, t, visit)
}

// Fill stores the rows that rows passes on.
func (f target) Fill(ctx context.Context, t *move.Table, rows func(write func(row []byte) error) error) (err error) {
	w, err := newRowWriter(ctx, f.conn, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if _, err := f.conn.ExecContext(ctx, `BEGIN`); err != nil {
		return err
	}
	if err := rows(func(row []byte) error { return w.write(ctx, row) }); err != nil {
		return err
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	_, err = f.conn.ExecContext(ctx, `COMMIT`)
	return err
}

// A BackupFile is a back-up that is read by package move.
type BackupFile struct{ db *sql.DB }

// OpenBackup checks a back-up and opens it. It fails if the back-up is damaged, or of another schema
// than this program's.
func OpenBackup(ctx context.Context, file string) (*BackupFile, error) {
	if err := wantWhole(ctx, file); err != nil {
		return nil, err
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	mode := withoutWAL
	if size(file+walSuffix) > 0 {
		mode = "ro"
	}
	b := &BackupFile{openSQLite(file, mode, "", readerPragmas)}
	schema, err := schemaOfDatabase(ctx, b.db)
	if err == nil && schema < migrations.Newest() {
		err = fmt.Errorf("%s is of an older parley (schema %d, this one has %d); restore it to a data folder, and "+
			"move that to the database with “parley move”", file, schema, migrations.Newest())
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Rows reads a table.
func (b *BackupFile) Rows(ctx context.Context, t *move.Table, visit func(row []byte) error) error {
	return readRows(ctx, b.db, t, visit)
}

// Close closes the file.
func (b *BackupFile) Close() error { return b.db.Close() }

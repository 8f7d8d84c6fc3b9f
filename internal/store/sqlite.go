package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/chat"
)

const (
	databaseName = "parley.db"
	lockName     = "parley.lock"
	readerConns  = 8 // reads that go on at once; more wait
)

// PRAGMAs stand in the DSN, so that every connection has them.
var (
	writerPragmas = []string{
		"busy_timeout(5000)", // ms; only somebody's sqlite3 shell can make us wait
		"journal_mode(WAL)",
		"synchronous(FULL)", // what was acknowledged survives a power cut
		"foreign_keys(1)",
		"secure_delete(1)",             // what was deleted is overwritten
		"cache_size(-4096)",            // KiB: the ends of rooms; four times as much was no faster
		"temp_store(MEMORY)",           // a statement's undo journal is no file
		"wal_autocheckpoint(4000)",     // pages: 16 MiB
		"journal_size_limit(67108864)", // bytes that the log keeps once it has been emptied
	}
	readerPragmas = []string{"busy_timeout(5000)", "query_only(1)", "cache_size(-256)"} // KiB: pages are read once
)

// fold_name is chat.FoldName, for the migration that folds the names there are.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("fold_name", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		name, _ := args[0].(string)
		return chat.FoldName(name), nil
	})
}

//go:embed migrations/sqlite/*.sql
var migrationFiles embed.FS

// openSQLite returns a pool of connections to the database at path, by SQLite's
// mode (ro, rw). It opens none yet, and never makes a file.
func openSQLite(path, mode, vfs string, pragmas []string) *sql.DB {
	query := url.Values{"mode": {mode}, "_pragma": pragmas, "_dqs": {"0"}, "_error_rc": {"1"}}
	if vfs != "" {
		query.Set("vfs", vfs)
	}
	db, err := sql.Open("sqlite", databaseURI(path, query))
	if err != nil { // only an unknown driver name
		panic(err)
	}
	return db
}

// databaseURI escapes path, which may hold what means something in a URI.
func databaseURI(path string, query url.Values) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	return u.String()
}

// makeDatabase sees to it that there is a file at path that this program may
// write to: an empty one, for its owner's eyes only, or one with a schema that
// it knows. It reports whether that schema is to be brought up to date.
func (s *Store) makeDatabase(ctx context.Context, path string) (old bool, err error) {
	f, err := s.folder.OpenFile(databaseName, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return true, f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return false, fmt.Errorf("making the database: %w", err)
	}
	have, err := schemaVersion(ctx, path, "ro") // a newer program's file is left as it is
	if sqliteCode(err)&0xff == sqlite3.SQLITE_READONLY {
		have, err = schemaVersion(ctx, path, "rw") // the power went while it was made: first undo that
	}
	if err != nil {
		return false, fmt.Errorf("reading the schema of %s: %w", databaseName, err)
	}
	known := newestSchema()
	if have > known {
		return false, fmt.Errorf("%s was written by a newer parley (schema %d, this one knows %d); use that program, go back with its “parley rollback”, or restore a back-up made before", databaseName, have, known)
	}
	if have > 0 && have < known { // or it would look as if the start hung
		s.logger.LogAttrs(ctx, slog.LevelInfo, "bringing the schema up to date: a long log takes some seconds for each million messages",
			slog.String("op", fmt.Sprintf("%d to %d", have, known)))
	}
	return have < known, nil
}

// schemaVersion returns the number of the newest migration that the database at
// path has had, 0 for an empty one.
func schemaVersion(ctx context.Context, path, mode string) (version int64, err error) {
	db := openSQLite(path, mode, "", readerPragmas)
	defer db.Close()
	var tables int
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = $1`, goose.DefaultTablename).Scan(&tables)
	if err != nil || tables == 0 {
		return 0, err
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM `+goose.DefaultTablename).Scan(&version)
	return version, err
}

// newestSchema returns the number of the newest migration that the program has.
func newestSchema() int64 {
	files, err := fs.Glob(migrationFiles, "migrations/sqlite/*.sql")
	if err != nil || len(files) == 0 {
		panic("the program was built without its migrations")
	}
	version, err := goose.NumericComponent(files[len(files)-1]) // Glob sorts
	if err != nil {
		panic(err)
	}
	return version
}

// migrate brings the schema up to date, each step in a transaction of its own.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrationFiles, "migrations/sqlite")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.writers, files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	for _, m := range done {
		s.logger.LogAttrs(ctx, slog.LevelInfo, "schema brought up to date",
			slog.String("op", filepath.Base(m.Source.Path)), slog.Duration("took", m.Duration))
	}
	return nil
}

// settleLog writes what a server that did not stop by itself has left in the
// write-ahead log into the database, and syncs that, before anything is added. For
// the log may hold what a failed sync has left: the kernel shows it to us, but it
// is not on the disk, and whatever came after it in the log would be lost with it
// when the power goes. The log itself is emptied: it may hold what has been
// deleted. A clean stop leaves none.
func (s *Store) settleLog(ctx context.Context) {
	err := s.committer.exec(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	switch {
	case err == nil:
	case isFailedSync(err):
		s.breakDown(err)
	default: // a full disk may be emptied while the server runs
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the write-ahead log could not be emptied", slog.Any("err", err))
	}
}

// sqliteCode returns SQLite's extended result code for err, 0 if it has none.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// isKnownNonce reports whether an insertion failed because its author had
// used its nonce in this room before.
func isKnownNonce(err error) bool {
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}

// isUnknownOutcome reports whether a COMMIT that failed with err may be on the
// disk all the same, or not be there as far as the kernel now claims it is: after
// a failed fsync the pages that were not written count as clean. Only reading
// the files anew, after a restart, tells.
//
// A failed write is not like that. It leaves a log that does not end with a
// commit, over which the next transaction is written. And mostly the disk has
// not even been asked: SQLite calls only ENOSPC a full disk, and a quota, a limit
// of file sizes or a file system that takes no writes for now a failed write.
func isUnknownOutcome(err error) bool {
	code := sqliteCode(err)
	return code&0xff == sqlite3.SQLITE_IOERR && code != sqlite3.SQLITE_IOERR_WRITE
}

// isFailedSync reports whether err is a sync that failed, at any time.
func isFailedSync(err error) bool {
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_IOERR_FSYNC || code == sqlite3.SQLITE_IOERR_DIR_FSYNC
}

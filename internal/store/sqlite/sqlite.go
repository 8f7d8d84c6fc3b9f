package sqlite

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
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/chat"
)

const (
	databaseName = "parley.db"
	walSuffix    = "-wal"
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

// withoutWAL is a mode for openSQLite: ro, without a look at the write-ahead log, and
// without files of its own beside the database.
const withoutWAL = "alone"

// openSQLite returns a pool of connections to the database at path, by SQLite's
// mode (ro, rw). It opens none yet, and never makes a file.
func openSQLite(path, mode, vfs string, pragmas []string) *sql.DB {
	query := url.Values{"mode": {mode}, "_pragma": pragmas, "_dqs": {"0"}, "_error_rc": {"1"}}
	if mode == withoutWAL {
		query.Set("mode", "ro")
		query.Set("immutable", "1")
	}
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

// migrate brings the schema of db up to date, each step in a transaction of its own.
func (s *Store) migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrationFiles, "migrations/sqlite")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithLogger(goose.NopLogger()))
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

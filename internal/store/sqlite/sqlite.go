package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/chat"
	"parley/internal/store/schema"
)

const (
	databaseName = "parley.db"
	walSuffix    = "-wal"
	readerConns  = 8 // reads at a time; more wait
)

// PRAGMAs are in the DSN, so that every connection has them.
var (
	writerPragmas = []string{
		"busy_timeout(5000)", // ms; only another program, such as the sqlite3 shell, holds locks
		"journal_mode(WAL)",
		"synchronous(FULL)", // acknowledged events survive a power cut
		"foreign_keys(1)",
		"secure_delete(1)",             // deleted contents are overwritten
		"cache_size(-4096)",            // KiB: the ends of rooms; four times as much was no faster
		"temp_store(MEMORY)",           // undo journals of statements are in memory
		"wal_autocheckpoint(4000)",     // pages: 16 MiB
		"journal_size_limit(67108864)", // bytes that the WAL keeps when it is emptied
	}
	readerPragmas = []string{"busy_timeout(5000)", "query_only(1)", "cache_size(-256)"} // KiB: pages are read once
)

// fold_name is chat.FoldName for a migration.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("fold_name", 1,
		func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			name, _ := args[0].(string)
			return chat.FoldName(name), nil
		})
}

//go:embed migrations/sqlite/*.sql
var migrationFiles embed.FS

var migrations = schema.Migrations{
	Files: migrationFiles, Folder: "migrations/sqlite", Dialect: goose.DialectSQLite3,
}

// withoutWAL is a mode for openSQLite: read-only, ignoring the WAL, and making no files beside the
// database.
const withoutWAL = "alone"

// openSQLite returns a pool of connections to the database at path, with SQLite's mode ro or rw. It
// opens no connection yet and never makes a file.
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

// databaseURI returns path as a URI, with its special characters escaped.
func databaseURI(path string, query url.Values) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	return u.String()
}

// sqliteCode returns SQLite's extended result code for err, 0 if it has none.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// isKnownNonce reports whether an insertion failed because its author has used its nonce in this
// room before.
func isKnownNonce(err error) bool {
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}

// isUnknownOutcome reports whether nobody can tell if a COMMIT that failed with err is on the disk:
// after a failed fsync the kernel takes pages that were not written for clean. Only reading the
// files again after a restart tells.
//
// A failed write is different. It leaves a WAL without a final commit, which the next transaction
// overwrites. And mostly the disk was not even asked: SQLite reports only ENOSPC as a full disk,
// and a quota, a limit of file sizes or a file system that refuses writes for now as a failed
// write.
func isUnknownOutcome(err error) bool {
	code := sqliteCode(err)
	return code&0xff == sqlite3.SQLITE_IOERR && code != sqlite3.SQLITE_IOERR_WRITE
}

// isFailedSync reports whether err is a failed sync, at any time.
func isFailedSync(err error) bool {
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_IOERR_FSYNC || code == sqlite3.SQLITE_IOERR_DIR_FSYNC
}

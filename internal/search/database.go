package search

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/chat"
)

const (
	fileName    = "search.db"
	fileFormat  = "3" // of the file, units and tokens; an index of another format is made again
	readerConns = 4   // searches at a time; others wait
)

// PRAGMAs are in the DSN, so that every connection has them. A power cut may lose the last transactions, together with
// their cursors; Run makes them again.
var (
	writerPragmas = []string{
		"busy_timeout(2000)", // the writer waits only for readers that keep the WAL from being truncated
		"page_size(8192)",    // a leaf of leafBytes fits in one page
		"journal_mode(WAL)",
		"synchronous(NORMAL)",
		"secure_delete(1)", // freed space is overwritten with zeros
		"cache_size(-8192)",
		"temp_store(MEMORY)", // so that no text gets into temporary files
		"journal_size_limit(4194304)",
	}
	readerPragmas = []string{"busy_timeout(2000)", "query_only(1)", "cache_size(-4096)", "temp_store(MEMORY)"}
)

// schema makes the tables. A leaf never changes its length.
const schema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE room (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cursor INTEGER NOT NULL);
CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE block (id INTEGER PRIMARY KEY, since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, places BLOB NOT NULL);
CREATE INDEX block_time ON block (since_ms, until_ms);
CREATE TABLE segment (
	first INTEGER PRIMARY KEY, documents INTEGER NOT NULL, base INTEGER NOT NULL, leaves INTEGER NOT NULL,
	version INTEGER NOT NULL);
CREATE TABLE leaf (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
`

// A database is the open file of the index.
type database struct {
	path    string
	file    fs.FileInfo // the file that path named when it was opened
	writer  *sql.DB     // one connection; owned by Run
	readers *sql.DB
	authors map[string]int64 // numbers of display names that were met lately; owned by Run
	fileID  string           // random; a cursor made for another file is invalid

	mu    sync.Mutex // guards rooms, names and next
	rooms map[chat.RoomName]room
	names map[int64]chat.RoomName // of rooms, by id
	next  int64                   // the number of the next document

	version int64 // the newest version of any segment; owned by Run
	blocks  blockCache
	starts  startCache
}

// A room is an indexed room.
type room struct {
	id     int64
	cursor chat.Seq // the newest indexed event
}

// errStale says that the file is the index of another log, or of another format.
var errStale = errors.New("not an index of this log")

// openDatabase opens the index of the log with that epoch. It makes a new one if there is none that can be used, and
// reports whether it did.
func openDatabase(ctx context.Context, dir, epoch string) (db *database, anew bool, err error) {
	if dir, err = filepath.Abs(dir); err != nil { // a file URL needs an absolute path
		return nil, false, fmt.Errorf("data folder %s: %w", dir, err)
	}
	path := filepath.Join(dir, fileName)
	if _, err = os.Lstat(path); err == nil {
		if db, err = readDatabase(ctx, path, epoch); err == nil || !isUnusable(ctx, path, err) {
			return db, false, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	if err := removeDatabase(path); err != nil {
		return nil, false, err
	}
	if err := makeDatabase(ctx, path, epoch); err != nil {
		return nil, false, errors.Join(fmt.Errorf("making %s: %w", fileName, err), removeDatabase(path))
	}
	db, err = readDatabase(ctx, path, epoch)
	return db, true, err
}

// isUnusable reports whether err, of opening the index, means that it has to be made again: always, unless another
// attempt may succeed.
func isUnusable(ctx context.Context, path string, err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_FULL,
		sqlite3.SQLITE_INTERRUPT:
		return false
	}
	if ctx.Err() != nil {
		return false
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil { // another owner's file, a folder, a dangling link; or too many open files
		return !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE)
	}
	return f.Close() == nil
}

// sqliteCode returns SQLite's extended result code of err, 0 if it has none.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// removeDatabase removes the files of an index, or an empty folder of that name.
func removeDatabase(path string) error {
	var errs []error
	for _, end := range []string{"-wal", "-shm", "-journal", ""} {
		if err := os.Remove(path + end); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func makeDatabase(ctx context.Context, path, epoch string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // readable by its owner alone
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db := pool(path, writerPragmas, 1)
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return err
	}
	for key, value := range map[string]string{"format": fileFormat, "epoch": epoch, "made": rand.Text()} {
		if _, err := tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ($1, $2)`, key, value); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// pool returns a pool of connections to the database at path. It opens none yet.
func pool(path string, pragmas []string, most int) *sql.DB {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	query := url.Values{"mode": {"rw"}, "_pragma": pragmas, "_dqs": {"0"}, "_txlock": {"immediate"}}
	u := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil { // only for an unknown driver name
		panic(err)
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db
}

func readDatabase(ctx context.Context, path, epoch string) (_ *database, err error) {
	db := &database{
		path:   path,
		writer: pool(path, writerPragmas, 1), readers: pool(path, readerPragmas, readerConns),
		rooms: make(map[chat.RoomName]room), names: make(map[int64]chat.RoomName), authors: make(map[string]int64),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.close())
		}
	}()
	if db.file, err = os.Stat(path); err != nil {
		return nil, err
	}
	known := make(map[string]string)
	err = eachRow(ctx, db.writer, `SELECT key, value FROM meta`, nil, func(scan func(...any) error) error {
		var key, value string
		err := scan(&key, &value)
		known[key] = value
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", fileName, err)
	}
	if known["format"] != fileFormat || known["epoch"] != epoch || known["made"] == "" {
		return nil, errStale
	}
	db.fileID = known["made"]
	if err := db.readRooms(ctx); err != nil {
		return nil, err
	}
	return db, db.readNext(ctx)
}

func (db *database) readRooms(ctx context.Context) error {
	return eachRow(ctx, db.writer, `SELECT id, name, cursor FROM room`, nil, func(scan func(...any) error) error {
		var r room
		var name chat.RoomName
		err := scan(&r.id, &name, &r.cursor)
		db.rooms[name], db.names[r.id] = r, name
		return err
	})
}

// readNext sets next to the number after the last document.
func (db *database) readNext(ctx context.Context) error {
	var id int64
	var places []byte
	err := db.writer.QueryRowContext(ctx, `SELECT id, places FROM block ORDER BY id DESC LIMIT 1`).Scan(&id, &places)
	if errors.Is(err, sql.ErrNoRows) {
		db.next = 1
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the last block: %w", err)
	}
	b, err := decodeBlock(places)
	if err != nil {
		return err
	}
	db.next = firstOf(id) + int64(len(b))
	return db.writer.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM segment`).Scan(&db.version)
}

// eachRow calls f for each row of a query.
func eachRow(ctx context.Context, db queryer, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// cursor returns the seq of the newest indexed event of a room.
func (db *database) cursor(room chat.RoomName) chat.Seq {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.rooms[room].cursor
}

// isSameFile reports whether path still names the file that is open.
func (db *database) isSameFile() bool {
	info, err := os.Stat(db.path)
	return err == nil && os.SameFile(info, db.file)
}

// close closes all connections, the readers first: the connection that is closed last empties the WAL into the file.
func (db *database) close() error {
	return errors.Join(db.readers.Close(), db.writer.Close())
}

// isBroken reports whether err means that the open file has to be made again.
func isBroken(err error) bool {
	if isSourceFault(err) {
		return false
	}
	code := sqliteCode(err) & 0xff
	return errors.Is(err, errStale) || code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

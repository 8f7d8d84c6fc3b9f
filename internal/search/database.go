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
	format      = "2" // of the file, and of what units and tokens are: another one is made anew
	readerConns = 4   // searches that go on at once; more wait
)

// PRAGMAs stand in the DSN, so that every connection has them. A power cut may
// cost the last transactions, cursors and all: they are made again.
var (
	writerPragmas = []string{
		"busy_timeout(2000)", // ms; only readers that hold up the emptying of the log make us wait
		"page_size(8192)",    // leafBytes fits
		"journal_mode(WAL)",
		"synchronous(NORMAL)",
		"secure_delete(1)", // what a page held before is overwritten
		"cache_size(-8192)",
		"temp_store(MEMORY)", // no text in other files
		"journal_size_limit(4194304)",
	}
	readerPragmas = []string{"busy_timeout(2000)", "query_only(1)", "cache_size(-4096)", "temp_store(MEMORY)"}
)

// The tables. A leaf has the same number of bytes all its life.
const schema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE room (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cursor INTEGER NOT NULL);
CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE block (id INTEGER PRIMARY KEY, since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, places BLOB NOT NULL);
CREATE INDEX block_time ON block (since_ms, until_ms);
CREATE TABLE segment (first INTEGER PRIMARY KEY, documents INTEGER NOT NULL, base INTEGER NOT NULL, leaves INTEGER NOT NULL, version INTEGER NOT NULL);
CREATE TABLE leaf (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
`

// A database is the index's file in use.
type database struct {
	path    string
	file    fs.FileInfo // what path stood for when it was opened
	writer  *sql.DB     // one connection, used by Run's goroutine alone
	readers *sql.DB
	authors map[string]int64 // numbers of names as they are shown, those met lately; used by Run's goroutine alone
	fileID  string           // a random word for this file: places in another one mean nothing

	mu    sync.Mutex // guards rooms, names and next
	rooms map[chat.RoomName]room
	names map[int64]chat.RoomName // of rooms, by id
	next  int64                   // the next document's number

	version int64 // the newest version of a segment; used by Run's goroutine alone
	blocks  blockCache
	starts  startCache
}

// A room is the index's cursor in one.
type room struct {
	id     int64
	cursor chat.Seq // the newest event that is indexed
}

// errStale says that a file is none of this log, or of another program.
var errStale = errors.New("not an index of this log")

// openDatabase opens the index of the log with that epoch, and makes it anew if
// there is none that can be read. It reports whether it has.
func openDatabase(ctx context.Context, dir, epoch string) (db *database, anew bool, err error) {
	if dir, err = filepath.Abs(dir); err != nil { // an address of a file has to be whole
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

// isUnusable reports whether an index has to be made anew because of err. Since it can
// be made anew, that is so whatever it is, unless another try may open it.
func isUnusable(ctx context.Context, path string, err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT:
		return false
	}
	if ctx.Err() != nil {
		return false
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil { // of another owner, a folder, a link to nowhere; or there are too many open files
		return !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE)
	}
	return f.Close() == nil
}

// sqliteCode returns SQLite's extended result code for err, 0 if it has none.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// removeDatabase removes the files of an index, and an empty folder in their place.
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
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // for its owner's eyes
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
	for key, value := range map[string]string{"format": format, "epoch": epoch, "made": rand.Text()} {
		if _, err := tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ($1, $2)`, key, value); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// pool returns connections to the database at path, and opens none yet.
func pool(path string, pragmas []string, most int) *sql.DB {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"mode": {"rw"}, "_pragma": pragmas, "_dqs": {"0"}, "_txlock": {"immediate"}}.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil { // only an unknown driver name
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
	if known["format"] != format || known["epoch"] != epoch || known["made"] == "" {
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

// readNext finds the number behind the last document's.
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

// cursor returns the newest event of a room that is indexed.
func (db *database) cursor(room chat.RoomName) chat.Seq {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.rooms[room].cursor
}

// isSameFile reports whether the file is still the one that its name stands for.
func (db *database) isSameFile() bool {
	info, err := os.Stat(db.path)
	return err == nil && os.SameFile(info, db.file)
}

// close lets go of the file. The readers go first: the connection that goes last
// empties the write-ahead log into the database.
func (db *database) close() error {
	return errors.Join(db.readers.Close(), db.writer.Close())
}

// isBroken reports whether the file that is in use has to be made anew.
func isBroken(err error) bool {
	if isSourceFault(err) {
		return false
	}
	code := sqliteCode(err) & 0xff
	return errors.Is(err, errStale) || code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"parley/internal/files"
	"parley/internal/move"
)

// A Rollback is a data folder that can return to the state before its last upgrade. The folder is
// locked until Close.
type Rollback struct {
	Program  string // version of the program before the upgrade, or "unknown"
	Schema   int64
	Day      time.Time // day of the upgrade
	Messages int       // written since, which would be lost
	Changes  int       // edits, reactions and other changes since, which would be lost
	Deletes  int       // deletions among Changes, whose messages would be back
	Rooms    int       // rooms with such events
	People   int       // people who came since, and would be asked for their names again
	Since    time.Time // time of the first such event; zero: there is none

	store        *Store // holds the folder
	replacedName databaseCopy
	now          databaseCopy // copy that the present database becomes
}

// NewRollback finds out whether a data folder can return, and what would be lost. It changes
// nothing. The error is a sentence for the operator.
func NewRollback(ctx context.Context, dir, program string) (_ *Rollback, err error) {
	if _, err := os.Stat(filepath.Join(dir, databaseName)); err != nil {
		return nil, fmt.Errorf("%s is no data folder: %w", dir, err)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	r := &Rollback{store: &Store{dir: abs}}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if err := r.store.takeFolder(); err != nil {
		return nil, err
	}
	copies, err := databaseCopies(r.store.folder.FS())
	if err != nil {
		return nil, err
	}
	for _, k := range copies {
		if k.kind == keptCopy && r.replacedName.name == "" {
			r.replacedName = k
		}
	}
	if r.replacedName.name == "" {
		return nil,
			fmt.Errorf("there is no way back: %s holds no copy from before an upgrade (one is kept for two weeks); "+
				"to return to an earlier state restore a back-up", dir)
	}
	r.Program, r.Schema, r.Day = r.replacedName.program, r.replacedName.schema, r.replacedName.day
	r.store.path = filepath.Join(abs, databaseName)
	have, moved, err := r.present(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w; restore a back-up, or put %s in its place",
			databaseName, err, r.replacedName.name)
	}
	if moved != "" { // the copy does not say so: an older program would go on from it
		return nil, fmt.Errorf("there is no way back: %w", move.Refusal(moved))
	}
	r.now = newDatabaseCopy(r.store.folder.FS(), undoneCopy, have, program, time.Now())
	if err := r.compare(ctx, have); err != nil {
		return nil, fmt.Errorf("comparing %s with %s: %w", databaseName, r.replacedName.name, err)
	}
	return r, nil
}

// Close unlocks the folder.
func (r *Rollback) Close() error { return r.store.release() }

// present returns the schema of the present database, and where that was moved to, if it was.
func (r *Rollback) present(ctx context.Context) (have int64, moved string, err error) {
	db := openSQLite(r.store.path, "ro", "", readerPragmas)
	defer db.Close()
	if have, err = schemaOfDatabase(ctx, db); err != nil {
		return 0, "", err
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(value), '') FROM meta WHERE key = 'moved'`).Scan(&moved)
	return have, moved, err
}

// compare counts the events and people that the database has and the copy does not have. It writes
// nothing, so that a server does not take the folder for a changed one.
func (r *Rollback) compare(ctx context.Context, have int64) error {
	db := openSQLite(r.store.path, "ro", "", readerPragmas)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	kept := databaseURI(filepath.Join(r.store.dir, r.replacedName.name), url.Values{"mode": {"ro"}})
	if _, err := conn.ExecContext(ctx, `ATTACH $1 AS kept`, kept); err != nil {
		return err
	}
	var first sql.NullInt64
	err = conn.QueryRowContext(ctx, lostText(r.Schema, have)).Scan(&r.Messages, &r.Changes, &r.Deletes, &r.Rooms,
		&first)
	if err == nil && first.Valid {
		r.Since = time.UnixMilli(first.Int64).UTC()
	}
	if err == nil {
		err = conn.QueryRowContext(ctx,
			`SELECT count(*) FROM main.person WHERE id NOT IN (SELECT id FROM kept.person)`).Scan(&r.People)
	}
	return err
}

// lostText returns the statement that counts the events of main beyond the heads of kept, by the
// schemas of the two.
func lostText(kept, have int64) string {
	heads := map[int64]string{
		1: `(SELECT max(seq) FROM kept.message WHERE room = r.id)`,
		2: `(SELECT ` + seqSQL("max(id)") + ` FROM kept.message WHERE ` + inSQL("id", "r.id") + `)`,
	}
	head := heads[kept]
	switch {
	case kept >= firstWithHeads:
		head = `(SELECT head FROM kept.room WHERE id = r.id)`
	case head == "":
		head = `(SELECT ` + seqSQL("max(id)") + ` FROM kept.event WHERE ` + inSQL("id", "r.id") + `)`
	}
	event := `SELECT id, at_ms, kind FROM main.event`
	if have < 3 { // upgraded by a program older than this one
		event = `SELECT id, at_ms, NULL AS kind FROM main.message`
	}
	return `
		SELECT count(*) FILTER (WHERE coalesce(e.kind, 'reply') = 'reply'), count(*) FILTER (WHERE e.kind <> 'reply'),
			count(*) FILTER (WHERE e.kind = 'delete'),
			count(DISTINCT r.id), min(e.at_ms)
		FROM (SELECT r.id, coalesce(` + head + `, 0) AS head FROM main.room r) r
		JOIN (` + event + `) e ON e.id > ` + idSQL("r.id", "r.head") + ` AND e.id < ` + endSQL("r.id")
}

// Do makes the copy the database again. The present database stays as a copy for the usual time,
// under the name that Do returns; "" if the file system has no links. A crash leaves one of the two
// as the database.
func (r *Rollback) Do(ctx context.Context) (undone string, err error) {
	folder := r.store.folder
	if err := r.truncateWAL(ctx); err != nil {
		return "", fmt.Errorf("emptying the write-ahead log: %w", err)
	}
	// The state files describe the present database. The search index is of the newer program and
	// is made again.
	for _, name := range []string{
		databaseName + walSuffix, databaseName + "-shm", markA, markB, "search.db", "search.db-wal", "search.db-shm",
	} {
		if err := folder.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if folder.Link(databaseName, r.now.name) == nil {
		undone = r.now.name
	}
	if err := folder.Rename(r.replacedName.name, databaseName); err != nil {
		return "", err
	}
	return undone, files.SyncFolder(r.store.dir)
}

// truncateWAL moves all of the WAL into the database's own file.
func (r *Rollback) truncateWAL(ctx context.Context) error {
	db := openSQLite(r.store.path, "rw", "", writerPragmas)
	db.SetMaxOpenConns(1)
	var busy int
	err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, new(int), new(int))
	err = errors.Join(err, db.Close())
	if err == nil && (busy != 0 || size(r.store.path+walSuffix) > 0) {
		err = errors.New("another program reads the database; stop that one")
	}
	return err
}

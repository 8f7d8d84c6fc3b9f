package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// A writer is the connection that writes, with its statements and caches. One goroutine uses it
// at a time.
type writer struct {
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt // by their text, each prepared when first used
	rooms  cache[chat.RoomName, *store.Room]
	people cache[chat.PersonID, *author]
	listed cache[listKey, struct{}] // known to be in the table member
	erased bool                     // the WAL holds deleted texts

	emptyAfter int       // pages written since the last checkpoint from which on one is made
	emptied    int       // pages that had been written at the last checkpoint
	pageSize   int       // bytes
	warned     time.Time // when it was last logged that the WAL cannot be emptied

	// Of the transaction that is being written.
	newestID, newestMS int64 // the newest event's id and time; 0: there is none
	args               []any // kept for its memory
}

func newWriter(conn *sql.Conn) *writer {
	w := &writer{conn: conn, stmts: make(map[string]*sql.Stmt)}
	w.forget()
	return w
}

// forget empties the caches of rooms and people.
func (w *writer) forget() {
	w.rooms = newCache[chat.RoomName, *store.Room](cacheSize)
	w.people = newCache[chat.PersonID, *author](cacheSize)
	w.listed = newCache[listKey, struct{}](cacheSize)
}

// rollback undoes the transaction and empties the caches, which may hold parts of it.
func (w *writer) rollback(ctx context.Context) {
	w.forget()
	// An error means that SQLite has rolled back already, or that no transaction had begun.
	_ = w.exec(ctx, `ROLLBACK`)
}

// tidy frees SQLite's page cache and the caches of rooms and people. Both are cheap to fill again.
func (w *writer) tidy(ctx context.Context) {
	w.args = nil
	w.forget()
	_ = w.exec(ctx, `PRAGMA shrink_memory`) // it cannot fail
}

// find returns the number that a statement returns, 0 if it returns no row.
func (w *writer) find(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = w.scan(ctx, []any{&n}, text, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// each calls scan for each row that a statement finds.
func (w *writer) each(ctx context.Context, text string, args []any, scan func(*sql.Rows) error) error {
	stmt, err := w.prepare(ctx, text)
	if err != nil {
		return err
	}
	return eachRow(ctx, stmt, args, scan)
}

// exec runs a statement. Its text is a constant of the program, as it is prepared once and kept.
func (w *writer) exec(ctx context.Context, text string, args ...any) error {
	stmt, err := w.prepare(ctx, text)
	if err == nil {
		_, err = stmt.ExecContext(ctx, args...)
	}
	return err
}

// scan runs a statement that returns one row, and scans that into dest.
func (w *writer) scan(ctx context.Context, dest []any, text string, args ...any) error {
	stmt, err := w.prepare(ctx, text)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(dest...)
}

func (w *writer) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := w.stmts[text]; ok {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(ctx, text)
	if err == nil {
		w.stmts[text] = stmt
	}
	return stmt, err
}

func (w *writer) close() error {
	var errs []error
	for _, stmt := range w.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

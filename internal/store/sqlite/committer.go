package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// A committer is the connection that writes, with its statements and caches. One goroutine uses it
// at a time.
type committer struct {
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

func newCommitter(conn *sql.Conn) *committer {
	c := &committer{conn: conn, stmts: make(map[string]*sql.Stmt)}
	c.forget()
	return c
}

// forget empties the caches of rooms and people.
func (c *committer) forget() {
	c.rooms = newCache[chat.RoomName, *store.Room](cacheSize)
	c.people = newCache[chat.PersonID, *author](cacheSize)
	c.listed = newCache[listKey, struct{}](cacheSize)
}

// rollback undoes the transaction and empties the caches, which may hold parts of it.
func (c *committer) rollback(ctx context.Context) {
	c.forget()
	// An error means that SQLite has rolled back already, or that no transaction had begun.
	_ = c.exec(ctx, `ROLLBACK`)
}

// tidy frees SQLite's page cache and the caches of rooms and people. Both are cheap to fill again.
func (c *committer) tidy(ctx context.Context) {
	c.args = nil
	c.forget()
	_ = c.exec(ctx, `PRAGMA shrink_memory`) // it cannot fail
}

// find returns the number that a statement returns, 0 if it returns no row.
func (c *committer) find(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = c.scan(ctx, []any{&n}, text, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// each calls scan for each row that a statement finds.
func (c *committer) each(ctx context.Context, text string, args []any, scan func(*sql.Rows) error) error {
	stmt, err := c.prepare(ctx, text)
	if err != nil {
		return err
	}
	return eachRow(ctx, stmt, args, scan)
}

// exec runs a statement. Its text is a constant of the program, as it is prepared once and kept.
func (c *committer) exec(ctx context.Context, text string, args ...any) error {
	stmt, err := c.prepare(ctx, text)
	if err == nil {
		_, err = stmt.ExecContext(ctx, args...)
	}
	return err
}

// scan runs a statement that returns one row, and scans that into dest.
func (c *committer) scan(ctx context.Context, dest []any, text string, args ...any) error {
	stmt, err := c.prepare(ctx, text)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(dest...)
}

func (c *committer) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := c.stmts[text]; ok {
		return stmt, nil
	}
	stmt, err := c.conn.PrepareContext(ctx, text)
	if err == nil {
		c.stmts[text] = stmt
	}
	return stmt, err
}

func (c *committer) close() error {
	var errs []error
	for _, stmt := range c.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

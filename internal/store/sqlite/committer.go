package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// A committer is the one connection that writes, and what it remembers of the
// rooms and people it wrote for. One goroutine has it at a time.
type committer struct {
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt // by their text, each prepared when first used
	rooms  cache[chat.RoomName, *store.Room]
	people cache[chat.PersonID, *author]
	listed cache[listKey, struct{}] // that are in the table
	erased bool                     // the write-ahead log holds what was deleted

	emptyAfter int       // pages in the write-ahead log from which on it is emptied
	emptied    int       // pages that had been written when that was done last
	pageSize   int       // bytes
	warned     time.Time // when it was last said that it cannot be emptied

	// Of the transaction that is being written.
	newestID, newestMS int64 // the newest event's id and time; 0: there is none
	args               []any // kept for its memory
}

func newCommitter(conn *sql.Conn) *committer {
	c := &committer{conn: conn, stmts: make(map[string]*sql.Stmt)}
	c.forget()
	return c
}

// forget drops what is remembered of rooms and people.
func (c *committer) forget() {
	c.rooms = newCache[chat.RoomName, *store.Room](cacheSize)
	c.people = newCache[chat.PersonID, *author](cacheSize)
	c.listed = newCache[listKey, struct{}](cacheSize)
}

// rollback undoes the transaction, and drops what is remembered because of it.
func (c *committer) rollback(ctx context.Context) {
	c.forget()
	// An error says that SQLite has undone it already, or that it never began.
	_ = c.exec(ctx, `ROLLBACK`)
}

// tidy gives back what the busiest minute took: the pages that SQLite has in
// memory, and what is remembered of rooms that may be silent from now on. All of
// it is cheap to read again.
func (c *committer) tidy(ctx context.Context) {
	c.args = nil
	c.forget()
	_ = c.exec(ctx, `PRAGMA shrink_memory`) // it has no way to fail, and nothing depends on it
}

// find returns the one number that a statement looks for, 0 if there is none.
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

// exec runs a statement whose text is one of the program's constants.
func (c *committer) exec(ctx context.Context, text string, args ...any) error {
	stmt, err := c.prepare(ctx, text)
	if err == nil {
		_, err = stmt.ExecContext(ctx, args...)
	}
	return err
}

// scan runs a statement that returns one row, into dest.
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

package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/internal/chat"
)

// cacheSize is how many rooms and people the committer remembers, at least. It
// has to exceed maxBatch: a room whose seq has moved in a transaction that is
// not yet committed must not be forgotten before the end of it.
const cacheSize = 2 * maxBatch

// A committer is the one connection that writes, and what it remembers of the
// rooms and people it wrote for. One goroutine has it at a time.
type committer struct {
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt // by their text, each prepared when first used
	rooms  cache[chat.RoomName, *head]
	people cache[chat.PersonID, *author]
	listed cache[listKey, struct{}] // that are in the table
	erased bool                     // the write-ahead log holds what was deleted

	emptyAfter int       // pages in the write-ahead log from which on it is emptied
	emptied    int       // pages that had been written when that was done last
	pageSize   int       // bytes
	warned     time.Time // when it was last said that it cannot be emptied

	// Of the transaction at hand; kept for their memory.
	rows    []row
	args    []any
	results []chat.Commit // one for each item
}

// A listKey is somebody's of a room, by their rowids.
type listKey struct{ person, room int64 }

// An author is a person who writes.
type author struct {
	id      int64 // rowid
	room    int64 // one that they are a member of: mostly the one that they write in again
	answers bool  // the table answer may hold nonces of theirs
}

// A head is a room's end as the transaction at hand sees it.
type head struct {
	room int64 // rowid
	seq  chat.Seq
}

// A write is something other than a message to be kept: run makes it, inside
// the transaction that it shares with whatever else waits.
type write struct {
	run  func(ctx context.Context, c *committer) error
	done func(error) // does not block
}

func newCommitter(conn *sql.Conn) *committer {
	c := &committer{conn: conn, stmts: make(map[string]*sql.Stmt)}
	c.forget()
	return c
}

// forget drops what is remembered of rooms and people.
func (c *committer) forget() {
	c.rooms = newCache[chat.RoomName, *head](cacheSize)
	c.people = newCache[chat.PersonID, *author](cacheSize)
	c.listed = newCache[listKey, struct{}](cacheSize)
}

// begin makes room for the results of batch.
func (c *committer) begin(batch []item) []chat.Commit {
	clear(c.results)
	c.results = slices.Grow(c.results[:0], len(batch))[:len(batch)]
	return c.results
}

// write carries out batch within a transaction and returns how many events
// are new.
func (c *committer) write(ctx context.Context, batch []item, now time.Time) (int, error) {
	at := now.UnixMilli()
	c.rows = c.rows[:0]
	for i := range batch {
		switch it := &batch[i]; {
		case it.refused != nil:
		case it.write != nil:
			if err := it.write.run(ctx, c); err != nil {
				return 0, err
			}
		default:
			r, err := c.rowOf(ctx, &it.draft, at)
			if told, ok := errors.AsType[*chat.Error](err); ok {
				c.results[i].Err = told
				continue
			}
			if err != nil {
				return 0, fmt.Errorf("message to %s: %w", it.draft.Room, err)
			}
			r.result = &c.results[i]
			c.rows = append(c.rows, r)
		}
	}
	// Room by room: neighbours in the batch then are neighbours in the file too.
	slices.SortStableFunc(c.rows, func(a, b row) int { return cmp.Compare(a.head.room, b.head.room) })
	return c.insert(ctx, c.rows, at)
}

func (c *committer) rowOf(ctx context.Context, d *chat.Draft, at int64) (row, error) {
	if d.Target != 0 { // what is about a message makes no room
		if _, ok := c.rooms.get(d.Room); !ok {
			if n, err := c.find(ctx, `SELECT count(*) FROM room WHERE name = $1`, string(d.Room)); err != nil || n == 0 {
				return row{}, cmp.Or(err, error(errNoMessage))
			}
		}
	}
	h, err := c.head(ctx, d.Room, at)
	if err != nil {
		return row{}, err
	}
	a, err := c.author(ctx, d.From, at)
	if err != nil {
		return row{}, err
	}
	r := row{draft: d, head: h, by: a, author: a.id}
	if a.room != h.room && d.Is() != chat.Delete { // to delete is not to write: it puts no room in anybody's list
		return r, c.addToAuthorsList(ctx, &r)
	}
	return r, nil
}

// addToAuthorsList enrols who writes to a room, but not for a retry: they may have left
// the room since.
func (c *committer) addToAuthorsList(ctx context.Context, r *row) error {
	m := listKey{r.author, r.head.room}
	if _, ok := c.listed.get(m); !ok && r.draft.Nonce != "" {
		used, err := c.find(ctx, nonceText, packNonce(r.draft.Nonce), m.person, m.room)
		if err != nil || used != 0 {
			return err
		}
	}
	if err := c.addToList(ctx, m); err != nil {
		return err
	}
	r.by.room = r.head.room
	return nil
}

// addToList makes somebody a member of a room: from when they are there first, or
// write to it.
func (c *committer) addToList(ctx context.Context, m listKey) error {
	if _, ok := c.listed.get(m); ok {
		return nil
	}
	if err := c.exec(ctx, `INSERT INTO member (person, room) VALUES ($1, $2) ON CONFLICT DO NOTHING`, m.person, m.room); err != nil {
		return err
	}
	c.listed.put(m, struct{}{})
	return nil
}

// head returns a room's head, and makes the room if it is its first message.
func (c *committer) head(ctx context.Context, name chat.RoomName, at int64) (*head, error) {
	if h, ok := c.rooms.get(name); ok {
		return h, nil
	}
	h := &head{}
	err := c.scan(ctx, []any{&h.room}, `SELECT id FROM room WHERE name = $1`, string(name))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = c.scan(ctx, []any{&h.room}, `INSERT INTO room (name, created_ms) VALUES ($1, $2) RETURNING id`, string(name), at)
	case err == nil:
		err = c.scan(ctx, []any{&h.seq}, `SELECT coalesce(max(id) & 0xfffffffff, 0) FROM event WHERE id BETWEEN $1 AND $2`, messageID(h.room, 0), messageID(h.room, maxSeq))
	}
	if err == nil && h.room > maxRoom {
		err = errors.New("there are too many rooms")
	}
	if err != nil {
		return nil, err
	}
	c.rooms.put(chat.RoomName(strings.Clone(string(name))), h) // name is part of a whole command
	return h, nil
}

// author returns a person with their rowid. One who is unknown, such as a guest of the
// five-line protocol, is known from their first message on.
func (c *committer) author(ctx context.Context, p chat.Person, at int64) (*author, error) {
	if a, ok := c.people.get(p.ID); ok {
		return a, nil
	}
	a := &author{}
	err := c.scan(ctx, []any{&a.id, &a.answers}, `
		SELECT id, EXISTS (SELECT 1 FROM answer WHERE author = person.id) FROM person WHERE public = $1`, string(p.ID))
	if errors.Is(err, sql.ErrNoRows) {
		a.id, err = c.insertPerson(ctx, p, at)
	}
	if err != nil {
		return nil, err
	}
	c.people.put(chat.PersonID(strings.Clone(string(p.ID))), a)
	return a, nil
}

func (c *committer) insertPerson(ctx context.Context, p chat.Person, at int64) (id int64, err error) {
	err = c.scan(ctx, []any{&id}, `INSERT INTO person (public, name, folded, created_ms) VALUES ($1, $2, $3, $4) RETURNING id`, string(p.ID), p.Name, chat.FoldName(p.Name), at)
	return id, err
}

// rollback undoes the transaction at hand, and forgets all that is remembered
// because of it.
func (c *committer) rollback(ctx context.Context, batch []item) {
	for i := range batch {
		c.rooms.remove(batch[i].draft.Room)
		c.people.remove(batch[i].draft.From.ID)
	}
	c.listed = newCache[listKey, struct{}](cacheSize)
	// An error says that SQLite has undone it already, or that it never began.
	_ = c.exec(ctx, `ROLLBACK`)
}

// tidy gives back what the busiest minute took: the pages that SQLite has in
// memory, and what is remembered of rooms that may be silent from now on. All of
// it is cheap to read again.
func (c *committer) tidy(ctx context.Context) {
	c.rows, c.args, c.results = nil, nil, nil
	c.forget()
	_ = c.exec(ctx, `PRAGMA shrink_memory`) // it has no way to fail, and nothing depends on it
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

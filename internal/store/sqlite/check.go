package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"parley/internal/files"
	"parley/internal/store"
)

// The first schemas that have the table event, and the column room.head.
const (
	firstWithEvents = 3
	firstWithHeads  = 6
)

// Check reads a whole data folder that no server uses, or a back-up, and reports its faults. It
// writes nothing to the database.
func Check(ctx context.Context, path string) (checked store.CheckReport, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return checked, fmt.Errorf("checking %s: %w", path, err)
	}
	file, dir := path, ""
	if info.IsDir() {
		file, dir = filepath.Join(path, databaseName), path
		lock, err := lockFolder(dir)
		if err != nil {
			return checked, err
		}
		if lock != nil {
			defer lock.Close()
		}
	}
	if file, err = filepath.Abs(file); err != nil {
		return checked, fmt.Errorf("checking %s: %w", path, err)
	}
	switch info, err := os.Stat(file); {
	case err != nil:
		return checked, fmt.Errorf("checking %s: %w", path, err)
	case info.Size() == 0:
		checked.Found = []string{filepath.Base(file) + " is empty"}
		return checked, nil
	}
	c := &checker{}
	if err := c.checkFile(ctx, file, dir); err != nil {
		return checked, fmt.Errorf("checking %s: %w", path, err)
	}
	return c.report, nil
}

// lockFolder locks a folder against servers while it is checked. It makes no file, so it returns
// nil if no server has used the folder.
func lockFolder(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, files.FolderLock), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("locking the data folder %s: %w", dir, err)
	}
	if err := files.Lock(lock); err != nil {
		err = fmt.Errorf("a server uses the data folder %s (%w); stop it first, or make a back-up and check that", dir,
			err)
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// checkFile checks everything about the database in a file. dir is the data folder, ""
// for a back-up.
func (c *checker) checkFile(ctx context.Context, file, dir string) error {
	var left leftBehind
	if dir != "" {
		var err error
		if left, err = examine(dir); err != nil {
			return err
		}
	}
	for _, mode := range []string{"ro", "rw"} { // rw: an interrupted transaction has to be rolled back first
		if mode == "ro" && size(file+walSuffix) == 0 && size(file+journalSuffix) == 0 {
			mode = withoutWAL
		}
		c.exact = mode != withoutWAL // the log may be another database's
		c.db = openSQLite(file, mode, "", readerPragmas)
		err := c.everything(ctx, left, dir)
		if err2 := c.db.Close(); err == nil {
			err = err2
		}
		if hasJournal(err) && mode != "rw" {
			continue
		}
		if isDamaged(err) {
			c.report.Add("it cannot be read: %v", err)
			return nil
		}
		return err
	}
	return nil
}

func (c *checker) everything(ctx context.Context, left leftBehind, dir string) error {
	for _, step := range []func(context.Context) error{c.counts, c.integrity, c.numbers, c.references} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if dir == "" {
		return nil
	}
	var epoch, moved string
	if err := c.db.QueryRowContext(ctx, `
		SELECT coalesce(max(value) FILTER (WHERE key = 'epoch'), ''),
			coalesce(max(value) FILTER (WHERE key = 'moved'), '') FROM meta`).Scan(&epoch, &moved); err != nil {
		return err
	}
	if moved != "" {
		c.report.Note("everything was moved to %s: no server starts on this", moved)
	}
	newest, err := containsEvent(ctx, c.db, c.report.Schema, left.newest)
	switch {
	case err != nil:
		return err
	case left.foreign != "":
		c.report.Note("the folder is not as the server left it (%s): the next start makes a new epoch", left.foreign)
	case epoch != left.newest.Epoch || !newest:
		c.report.Note("the database is older than the marks beside it: the next start makes a new epoch")
	}
	return nil
}

// counts counts rooms, people and events. It fails if the database is not Parley's or is of a newer
// version.
func (c *checker) counts(ctx context.Context) error {
	if err := c.db.QueryRowContext(ctx,
		`SELECT group_concat(name, ' ') FROM sqlite_schema WHERE type = 'table'`).Scan(
		new(sql.NullString)); err != nil {
		return err
	}
	var err error
	if c.report.Schema, err = schemaOfDatabase(ctx, c.db); err != nil {
		return err
	}
	if known := migrations.Newest(); c.report.Schema > known {
		return fmt.Errorf("it was written by a newer parley (schema %d, this one knows %d); check it with that program",
			c.report.Schema, known)
	}
	if c.report.Schema < firstWithEvents {
		c.report.Note("it is of an early version (schema %d): only what SQLite notices was checked", c.report.Schema)
		return nil
	}
	return c.db.QueryRowContext(ctx,
		`SELECT (SELECT count(*) FROM room), (SELECT count(*) FROM person), (SELECT count(*) FROM event)`).
		Scan(&c.report.Rooms, &c.report.People, &c.report.Events)
}

// A reference is a column that holds ids of rows, of another table or of its own. 0 and NULL refer
// to nothing.
type reference struct {
	table, column string
	to            string // room, person or event
	of            string // column that identifies the row in a message; "": the rowid
}

// references are all such columns. A test compares the list with the schema.
var references = []reference{
	{"event", "room", "room", ""},
	{"event", "author", "person", ""},
	{"event", "target", "event", ""},
	{"event", "current", "event", ""},
	{"session", "person", "person", "person"},
	{"reaction", "target", "event", "target"},
	{"reaction", "person", "person", "target"},
	{"reaction", "event", "event", "target"},
	{"pin", "target", "event", ""},
	{"pin", "event", "event", ""},
	{"member", "person", "person", "person"},
	{"member", "room", "room", "room"},
	{"awaited", "person", "person", "person"},
	{"mention", "person", "person", "event"},
	{"mention", "event", "event", "event"},
	{"saved", "person", "person", "event"},
	{"saved", "event", "event", "event"},
	{"follow", "target", "event", "target"},
	{"follow", "person", "person", "target"},
	{"forward", "copy", "event", "copy"},
	{"forward", "source", "event", "copy"},
	{"copies_due", "source", "event", "source"},
	{"answer", "author", "person", "author"},
	{"answer", "room", "room", "author"},
	{"answer", "target", "event", "author"},
}

// references finds rows that refer to a missing row.
func (c *checker) references(ctx context.Context) error {
	for _, r := range references {
		known, err := c.hasColumn(ctx, r.table, r.column)
		if err != nil {
			return err
		}
		if !known || r.to == "event" && c.report.Schema < firstWithEvents {
			continue
		}
		of := r.of
		if of == "" {
			of = "id"
			if r.table == "pin" {
				of = "target"
			}
		}
		text := fmt.Sprintf(`SELECT count(*), coalesce(min(%s), 0) FROM %s t
			WHERE %s <> 0 AND NOT EXISTS (SELECT 1 FROM %s o WHERE o.id = t.%s)`,
			of, r.table, r.column, r.to, r.column)
		var n, first int64
		if err := c.db.QueryRowContext(ctx, text).Scan(&n, &first); err != nil {
			return err
		}
		c.report.AddMissing(r.table, r.column, r.to, n, first)
	}
	if c.report.Schema < firstWithEvents {
		return nil
	}
	head := `(SELECT coalesce(` + seqSQL("max(id)") + `, 0) FROM event WHERE ` + inSQL("id", "m.room") + `)`
	if c.report.Schema >= firstWithHeads {
		head = `max(` + head + `, (SELECT head FROM room WHERE id = m.room))`
	}
	for _, odd := range []struct{ what, text string }{
		{
			store.OtherRoom,
			`SELECT count(*), coalesce(min(id), 0) FROM event WHERE ` + roomSQL("target") + ` <> room OR ` +
				roomSQL("current") + ` <> room`,
		},
		{
			store.NoJSON,
			`SELECT count(*), coalesce(min(id), 0) FROM event WHERE NOT json_valid(extra)`,
		},
		{
			store.ReadTooFar,
			`SELECT count(*), coalesce(min(room), 0) FROM member m WHERE read > ` + head,
		},
		{store.DeletedText, deletedTexts},
	} {
		var n, first int64
		if err := c.db.QueryRowContext(ctx, odd.text).Scan(&n, &first); err != nil {
			return err
		}
		c.report.AddOdd(odd.what, n, first)
	}
	return nil
}

// deletedTexts finds events whose texts a deletion should have emptied.
const deletedTexts = `
	SELECT count(*), coalesce(min(id), 0) FROM (
		SELECT m.id FROM event d JOIN event m ON m.id = d.target WHERE d.kind = 'delete' AND m.text <> ''
		UNION ALL
		SELECT e.id FROM event d JOIN event e ON e.target = d.target AND e.kind = 'edit'
		WHERE d.kind = 'delete' AND e.text <> '')`

// A checker collects the faults of a database.
type checker struct {
	db     *sql.DB
	exact  bool // a head after the newest event is a fault
	report store.CheckReport
}

// integrity runs SQLite's own check of pages, order and indexes.
func (c *checker) integrity(ctx context.Context) error {
	return c.each(ctx, fmt.Sprintf(`PRAGMA integrity_check(%d)`, store.MaxFound), func(rows *sql.Rows) error {
		var said string
		err := rows.Scan(&said)
		if err == nil && said != "ok" {
			c.report.Add("%s", said)
		}
		return err
	})
}

// numbers finds rooms whose events are not numbered 1 to n.
func (c *checker) numbers(ctx context.Context) error {
	var known bool
	if err := c.db.QueryRowContext(ctx,
		`SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'event')`).Scan(&known); err != nil || !known {
		return err
	}
	type holed struct {
		room, count int64
		most        int64
	}
	var rooms []holed
	err := c.each(ctx, `
		SELECT room, count(*), max(seq) FROM event
		GROUP BY room HAVING count(*) <> max(seq) OR min(seq) = 0`, func(rows *sql.Rows) error {
		var h holed
		err := rows.Scan(&h.room, &h.count, &h.most)
		rooms = append(rooms, h)
		return err
	})
	if err != nil {
		return err
	}
	for _, h := range rooms[:min(len(rooms), store.MaxFound)] {
		var first int64
		err := c.db.QueryRowContext(ctx, `
			SELECT coalesce(max(n), 0) + 1 FROM (SELECT seq, row_number() OVER (ORDER BY id) AS n
				FROM event WHERE room = $1 AND `+inSQL("id", "$1")+`) WHERE seq = n`, h.room).Scan(&first)
		if err != nil {
			return err
		}
		c.report.AddHole(c.name(ctx, h.room), h.count, h.most, first)
	}
	return c.heads(ctx)
}

// heads finds rooms whose newest event is after their head: the files are of two different times. It
// only notes rooms whose head is after their newest event, unless c.exact is set, because a head stays
// when somebody removes the newest events by hand.
func (c *checker) heads(ctx context.Context) error {
	if known, err := c.hasColumn(ctx, "room", "head"); err != nil || !known {
		return err
	}
	return c.each(ctx, `
		SELECT name, head, newest FROM (
			SELECT name, head,
				(SELECT coalesce(`+seqSQL("max(event.id)")+`, 0) FROM event WHERE `+inSQL("event.id", "room.id")+`)
					AS newest
			FROM room)
		WHERE head <> newest LIMIT `+strconv.Itoa(store.MaxFound), func(rows *sql.Rows) error {
		var name string
		var head, newest int64
		err := rows.Scan(&name, &head, &newest)
		c.report.AddHead(name, head, newest, c.exact)
		return err
	})
}

func (c *checker) hasColumn(ctx context.Context, table, column string) (has bool, err error) {
	err = c.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pragma_table_xinfo($1) WHERE name = $2)`, table,
		column).Scan(&has)
	return has, err
}

// name returns a room's name for a message to the operator.
func (c *checker) name(ctx context.Context, id int64) string {
	var name string
	if err := c.db.QueryRowContext(ctx, `SELECT name FROM room WHERE id = $1`, id).Scan(&name); err != nil {
		return fmt.Sprintf("with the id %d", id)
	}
	return name
}

// each calls scan for each row. A part that SQLite cannot read becomes a fault.
func (c *checker) each(ctx context.Context, text string, scan func(*sql.Rows) error) error {
	err := c.rows(ctx, text, scan)
	if isDamaged(err) {
		c.report.Add("it cannot be read: %v", err)
		return nil
	}
	return err
}

func (c *checker) rows(ctx context.Context, text string, scan func(*sql.Rows) error) error {
	rows, err := c.db.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	return scanRows(rows, scan)
}

package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"parley/internal/move"
	"parley/internal/store"
)

// checkSettings let a check read the tables themselves, from their beginning to their end, and not by
// their indexes, which might miss a row.
const checkSettings = `
	SET enable_seqscan = on;
	SET enable_hashjoin = on;
	SET enable_mergejoin = on;
	SET enable_indexscan = off;
	SET enable_indexonlyscan = off;
	SET enable_bitmapscan = off;
	SET plan_cache_mode = force_custom_plan;
	SET work_mem = '64MB'`

// A checker collects the faults of a database.
type checker struct {
	conn   *pgx.Conn
	report store.CheckReport
}

// Check reads all tables of a database as they were at one moment, and reports their faults. Servers
// may use the database. It writes nothing.
func Check(ctx context.Context, cfg Config) (_ store.CheckReport, err error) {
	s, err := OpenSnapshot(ctx, cfg)
	if err != nil {
		return store.CheckReport{}, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := apply(ctx, s.conn, checkSettings); err != nil {
		return store.CheckReport{}, err
	}
	c := &checker{conn: s.conn}
	for _, step := range []func(context.Context) error{
		c.counts, c.values, c.keys, c.numbers, c.heads, c.references, c.odd,
	} {
		err := step(ctx)
		if isDamaged(err) {
			c.report.Add("it cannot be read: %v", err)
			break // the transaction has failed
		}
		if err != nil {
			return c.report, err
		}
	}
	return c.report, nil
}

// isDamaged reports whether the database says that its files are damaged or missing.
func isDamaged(err error) bool { return isCode(err, "XX001", "XX002", "58P01") }

// counts counts rooms and people, and notes what is no fault.
func (c *checker) counts(ctx context.Context) error {
	var moved string
	var due int
	err := c.conn.QueryRow(ctx, `
		SELECT (SELECT max(version_id) FROM goose_db_version WHERE is_applied), (SELECT count(*) FROM room),
			(SELECT count(*) FROM person), (SELECT count(*) FROM event),
			coalesce((SELECT value FROM meta WHERE key = 'moved'), ''), (SELECT count(*) FROM vacuum_due)`).
		Scan(&c.report.Schema, &c.report.Rooms, &c.report.People, &c.report.Events, &moved, &due)
	if err != nil {
		return err
	}
	if moved != "" {
		c.report.Note("everything was moved to %s: no server starts on this", moved)
	}
	if due > 0 {
		c.report.Note("texts of %d deletions are still in the database's files: a server removes them within a minute",
			due)
	}
	return nil
}

// values reads every row and finds values that are not what their columns hold.
func (c *checker) values(ctx context.Context) error {
	for i := range move.Tables {
		t := &move.Tables[i]
		values := make([]any, len(t.Columns))
		bad, noJSON := int64(0), int64(0)
		var firstBad error
		firstNoJSON := ""
		attrs := t.Column("extra")
		err := copyQuery(ctx, c.conn, selectAll(t), func(row []byte) error {
			if err := t.Values(row, values); err != nil {
				if bad++; firstBad == nil {
					firstBad = err
				}
				return nil
			}
			if attrs < 0 {
				return nil
			}
			if text, ok := values[attrs].(string); ok && !json.Valid([]byte(text)) {
				if noJSON++; firstNoJSON == "" {
					firstNoJSON = fmt.Sprintf("%d/%d", values[t.Column("room")], values[t.Column("seq")])
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		c.report.AddOdd("rows of "+t.Name+" hold what they must not", bad, firstBad)
		c.report.AddOdd(store.NoJSON, noJSON, firstNoJSON)
	}
	return nil
}

// uniques are columns that no two rows may have the same values in, beside the keys of package move.
var uniques = []struct{ table, columns string }{
	{"room", "name"},
	{"person", "public"},
	{"event", "nonce, author, room"},
}

// keys finds rows with the same key. Only a damaged index lets them in.
func (c *checker) keys(ctx context.Context) error {
	look := func(table, columns, where string) error {
		var n int64
		var first string
		err := c.conn.QueryRow(ctx, `
			SELECT count(*), coalesce(min(which), '') FROM (
				SELECT concat_ws('/', `+columns+`) AS which FROM `+table+where+`
				GROUP BY `+columns+` HAVING count(*) > 1) twice`).Scan(&n, &first)
		c.report.AddOdd("rows of "+table+" have the same "+columns+" as another one", n, first)
		return err
	}
	for _, t := range move.Tables {
		if err := look(t.Name, strings.Join(t.Key, ", "), ""); err != nil {
			return err
		}
	}
	for _, u := range uniques {
		where := ""
		if strings.HasPrefix(u.columns, "nonce") {
			where = ` WHERE nonce IS NOT NULL`
		}
		if err := look(u.table, u.columns, where); err != nil {
			return err
		}
	}
	return nil
}

// nameSQL is a room's name for a message to the operator, given its id.
func nameSQL(id string) string {
	return `coalesce((SELECT name FROM room WHERE id = ` + id + `), 'with the id ' || ` + id + `)`
}

// numbers finds rooms whose events are not numbered 1 to n.
func (c *checker) numbers(ctx context.Context) error {
	type holed struct {
		ID, Events, Newest int64
		Name               string
	}
	rows, err := c.conn.Query(ctx, `
		SELECT room, events, newest, `+nameSQL("room")+` FROM (
			SELECT room, count(*) AS events, max(seq) AS newest FROM event
			GROUP BY room HAVING count(*) <> max(seq) OR min(seq) < 1 LIMIT $1) holed`, store.MaxFound)
	if err != nil {
		return err
	}
	rooms, err := pgx.CollectRows(rows, pgx.RowToStructByPos[holed])
	if err != nil {
		return err
	}
	for _, r := range rooms {
		var missing int64
		err := c.conn.QueryRow(ctx, `
			SELECT coalesce(max(n), 0) + 1 FROM (
				SELECT seq, row_number() OVER (ORDER BY seq) AS n FROM event WHERE room = $1) e
			WHERE seq = n`, r.ID).Scan(&missing)
		if err != nil {
			return err
		}
		c.report.AddHole(r.Name, r.Events, r.Newest, missing)
	}
	return nil
}

// heads finds rooms whose head is not their newest event.
func (c *checker) heads(ctx context.Context) error {
	rows, err := c.conn.Query(ctx, `
		SELECT name, head, coalesce(newest, 0)
		FROM room LEFT JOIN (SELECT room, max(seq) AS newest FROM event GROUP BY room) e ON e.room = room.id
		WHERE head <> coalesce(newest, 0) LIMIT $1`, store.MaxFound)
	if err != nil {
		return err
	}
	var name string
	var head, newest int64
	_, err = pgx.ForEachRow(rows, []any{&name, &head, &newest}, func() error {
		c.report.AddHead(name, head, newest, false)
		return nil
	})
	return err
}

// A reference is a column that identifies a row, of another table or of its own. 0 and NULL refer to
// nothing.
type reference struct {
	table, column string
	to            string // room, person or event
	room          string // of an event: the column with its room
}

// references are all such columns. A test compares the list with the schema.
var references = []reference{
	{"event", "room", "room", ""},
	{"event", "author", "person", ""},
	{"event", "target", "event", "room"},
	{"event", "current", "event", "room"},
	{"session", "person", "person", ""},
	{"reaction", "room", "room", ""},
	{"reaction", "target", "event", "room"},
	{"reaction", "person", "person", ""},
	{"reaction", "seq", "event", "room"},
	{"pin", "room", "room", ""},
	{"pin", "target", "event", "room"},
	{"pin", "seq", "event", "room"},
	{"member", "person", "person", ""},
	{"member", "room", "room", ""},
	{"awaited", "person", "person", ""},
	{"mention", "person", "person", ""},
	{"mention", "room", "room", ""},
	{"mention", "seq", "event", "room"},
	{"bookmark", "person", "person", ""},
	{"bookmark", "room", "room", ""},
	{"bookmark", "seq", "event", "room"},
	{"subscription", "room", "room", ""},
	{"subscription", "target", "event", "room"},
	{"subscription", "person", "person", ""},
	{"forward", "room", "room", ""},
	{"forward", "seq", "event", "room"},
	{"forward", "source_room", "room", ""},
	{"forward", "source_seq", "event", "source_room"},
	{"copies_due", "room", "room", ""},
	{"copies_due", "seq", "event", "room"},
	{"vacuum_due", "room", "room", ""},
	{"vacuum_due", "seq", "event", "room"},
	{"answer", "author", "person", ""},
	{"answer", "room", "room", ""},
	{"answer", "target", "event", "room"},
}

// references finds rows that refer to a missing row.
func (c *checker) references(ctx context.Context) error {
	for _, r := range references {
		which, on := `t.`+r.column, `o.id = t.`+r.column
		if r.room != "" {
			which = `concat_ws('/', t.` + r.room + `, t.` + r.column + `)`
			on = `o.room = t.` + r.room + ` AND o.seq = t.` + r.column
		}
		var n int64
		var first string
		err := c.conn.QueryRow(ctx, fmt.Sprintf(`
			SELECT count(*), coalesce(min(%s)::text, '') FROM %s t
			WHERE t.%s <> 0 AND NOT EXISTS (SELECT FROM %s o WHERE %s)`, which, r.table, r.column, r.to, on)).
			Scan(&n, &first)
		if err != nil {
			return err
		}
		c.report.AddMissing(r.table, r.column, r.to, n, first)
	}
	return nil
}

// odd finds what no rule of the store allows.
func (c *checker) odd(ctx context.Context) error {
	for _, odd := range []struct{ what, text string }{
		{store.ReadTooFar, `
			SELECT count(*), coalesce(min(m.room)::text, '') FROM member m JOIN room r ON r.id = m.room
			WHERE m.read > r.head`},
		{store.DeletedText, `
			SELECT count(*), coalesce(min(room || '/' || seq), '') FROM (
				SELECT m.room, m.seq FROM event d JOIN event m ON m.room = d.room AND m.seq = d.target
				WHERE d.kind = 'delete' AND m.text <> ''
				UNION ALL
				SELECT e.room, e.seq FROM event d JOIN event e ON e.room = d.room AND e.target = d.target
				WHERE d.kind = 'delete' AND e.kind = 'edit' AND e.text <> '') undeleted`},
	} {
		var n int64
		var first string
		if err := c.conn.QueryRow(ctx, odd.text).Scan(&n, &first); err != nil {
			return err
		}
		c.report.AddOdd(odd.what, n, first)
	}
	return nil
}

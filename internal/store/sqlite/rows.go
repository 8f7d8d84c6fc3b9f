package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"parley/internal/move"
)

// How the tables of package move are stored here. An id holds a room and a seq.

// A fileColumn is a column of a table here. It holds the column seq of a row, or an id made of the columns
// room and seq.
type fileColumn struct {
	name string
	room string // "": the column holds no id
	seq  string // "": the column has the same name
}

// A fileTable is a table here.
type fileTable struct {
	name    string
	order   string // as package move orders it
	columns []fileColumn
}

// nonceOrder orders nonces as their forms in package move, see movedNonce.
const nonceOrder = `
	CASE WHEN typeof(nonce) = 'blob' THEN nonce
	WHEN octet_length(nonce) = 15 THEN CAST(char(2, 2) || nonce AS BLOB) ELSE CAST(char(1) || nonce AS BLOB) END`

// fileTables are the tables by their names in package move. A test compares them with the schema.
var fileTables = map[string]fileTable{
	"room": {"room", "id", []fileColumn{
		{name: "id"}, {name: "name"}, {name: "topic"}, {name: "head"}, {name: "created_ms"},
	}},
	"person": {"person", "id", []fileColumn{
		{name: "id"}, {name: "public"}, {name: "name"}, {name: "folded"}, {name: "created_ms"},
	}},
	"session": {"session", "token_hash", []fileColumn{
		{name: "token_hash"}, {name: "person"}, {name: "created_ms"}, {name: "seen_ms"},
	}},
	move.Events: {"event", "id", []fileColumn{
		{"id", "room", "seq"},
		{name: "at_ms"},
		{name: "author"},
		{name: "name"},
		{name: "text"},
		{name: "nonce"},
		{name: "kind"},
		{"target", "room", "target"},
		{name: "extra"},
		{"current", "room", "current"},
	}},
	"answer": {"answer", nonceOrder + ", author, room", []fileColumn{
		{name: "nonce"},
		{name: "author"},
		{name: "room"},
		{name: "kind"},
		{"target", "room", "target"},
		{name: "emoji"},
		{name: "seq"},
		{name: "at_ms"},
	}},
	"reaction": {"reaction", "target, emoji, person", []fileColumn{
		{"target", "room", "target"}, {name: "emoji"}, {name: "person"}, {"event", "room", "seq"},
	}},
	"pin": {"pin", "target", []fileColumn{
		{"target", "room", "target"}, {"event", "room", "seq"},
	}},
	"member": {"member", "person, room", []fileColumn{
		{name: "person"}, {name: "room"}, {name: "read"}, {name: "notify"}, {name: "muted"}, {name: "favourite"},
	}},
	"awaited": {"awaited", "person, room_name", []fileColumn{
		{name: "person"}, {name: "room_name"}, {name: "at_ms"}, {name: "notify"}, {name: "muted"}, {name: "favourite"},
	}},
	"mention": {"mention", "person, event", []fileColumn{
		{name: "person"}, {"event", "room", "seq"},
	}},
	"bookmark": {"saved", "person, event", []fileColumn{
		{name: "person"}, {"event", "room", "seq"}, {name: "at_ms"},
	}},
	"subscription": {"follow", "target, person", []fileColumn{
		{"target", "room", "target"}, {name: "person"},
	}},
	"forward": {"forward", "copy", []fileColumn{
		{"copy", "room", "seq"}, {"source", "source_room", "source_seq"},
	}},
	"copies_due": {"copies_due", "source", []fileColumn{
		{"source", "room", "seq"},
	}},
}

// A placed column is a fileColumn with the places of its values in a row.
type placedColumn struct {
	room int // -1: the column holds no id
	seq  int
	is   move.Type
	name string
}

func placed(t *move.Table, f fileTable) []placedColumn {
	columns := make([]placedColumn, len(f.columns))
	for i, c := range f.columns {
		name := c.seq
		if name == "" {
			name = c.name
		}
		p := placedColumn{room: -1, seq: t.Column(name), name: c.name}
		if c.room != "" {
			p.room = t.Column(c.room)
		}
		p.is = t.Columns[p.seq].Type
		columns[i] = p
	}
	return columns
}

func (f fileTable) names() string {
	names := make([]string, len(f.columns))
	for i, c := range f.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// A querier is a connection, or a pool of them.
type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// readRows calls visit with each row of a table, as package move has it.
func readRows(ctx context.Context, db querier, t *move.Table, visit func([]byte) error) error {
	f := fileTables[t.Name]
	rows, err := db.QueryContext(ctx, `SELECT `+f.names()+` FROM `+f.name+` ORDER BY `+f.order)
	if err != nil {
		return err
	}
	columns := placed(t, f)
	stored, values := make([]any, len(columns)), make([]any, len(t.Columns))
	into := make([]any, len(columns))
	for i := range stored {
		into[i] = &stored[i]
	}
	var row []byte
	return scanRows(rows, func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := fromFile(columns, stored, values); err != nil {
			return fmt.Errorf("the table %s: %w", f.name, err)
		}
		if row, err = t.Append(row[:0], values); err != nil {
			return err
		}
		return visit(row)
	})
}

// fromFile turns the values of a row's columns here into those of package move.
func fromFile(columns []placedColumn, stored, values []any) error {
	clear(values)
	for i, c := range columns {
		v := stored[i]
		if n, ok := v.(int64); ok && c.room >= 0 {
			if n == 0 { // no event
				values[c.seq] = n
				continue
			}
			room := n >> seqBits
			if known := values[c.room]; known != nil && known != room {
				return fmt.Errorf("%s is %d, an event of another room than the row's: see what “parley check” says",
					c.name, n)
			}
			values[c.room], values[c.seq] = room, int64(seqOf(n))
			continue
		}
		switch {
		case c.is == move.Bool:
			if n, ok := v.(int64); ok && n>>1 == 0 {
				v = n == 1
			}
		case c.name == "nonce":
			v = movedNonce(v)
		}
		values[c.seq] = v
	}
	return nil
}

// movedNonce returns a stored nonce in the form of package move, which is PostgreSQL's: a UUID and the
// nonces that a server gives are bytes here too, and are as they are; texts have a byte before them, or
// two if that would make them as long as a UUID.
func movedNonce(stored any) any {
	text, ok := stored.(string)
	switch {
	case !ok:
		return stored
	case len(text) == 15:
		return append([]byte{2, 2}, text...)
	}
	return append([]byte{1}, text...)
}

// fileNonce is the inverse of movedNonce.
func fileNonce(moved []byte) any {
	switch {
	case len(moved) == 16 || len(moved) == 0 || moved[0] == 0:
		return moved
	case moved[0] == 2 && len(moved) == 17:
		return string(moved[2:])
	}
	return string(moved[1:])
}

// toFile turns the values of a row into those of the columns here, and appends them to args.
func toFile(args []any, columns []placedColumn, values []any) ([]any, error) {
	for _, c := range columns {
		v := values[c.seq]
		switch n, isNumber := v.(int64); {
		case isNumber && c.room >= 0 && n != 0:
			room, ok := values[c.room].(int64)
			if !ok {
				return nil, errors.New("an event without a room")
			}
			v = room<<seqBits | n
		case c.name == "nonce" && v != nil:
			v = fileNonce(v.([]byte))
		}
		args = append(args, v)
	}
	return args, nil
}

// Statements that write have as many of these rows as they can; see inserts.
const movedRows = 64

// A rowWriter inserts rows into a table, many with one statement.
type rowWriter struct {
	t       *move.Table
	columns []placedColumn
	many    *sql.Stmt // of movedRows rows
	one     *sql.Stmt
	values  []any // of one row
	args    []any // that are not written yet
}

func newRowWriter(ctx context.Context, conn *sql.Conn, t *move.Table) (w *rowWriter, err error) {
	f := fileTables[t.Name]
	w = &rowWriter{t: t, columns: placed(t, f), values: make([]any, len(t.Columns))}
	row := "(?" + strings.Repeat(", ?", len(f.columns)-1) + ")"
	text := `INSERT INTO ` + f.name + ` (` + f.names() + `) VALUES ` + row
	if w.one, err = conn.PrepareContext(ctx, text); err != nil {
		return nil, err
	}
	w.many, err = conn.PrepareContext(ctx, text+strings.Repeat(", "+row, movedRows-1))
	if err != nil {
		return nil, errors.Join(err, w.one.Close())
	}
	return w, nil
}

func (w *rowWriter) close() error { return errors.Join(w.one.Close(), w.many.Close()) }

func (w *rowWriter) write(ctx context.Context, row []byte) (err error) {
	if err := w.t.Values(row, w.values); err != nil {
		return err
	}
	for i, v := range w.values {
		if b, ok := v.([]byte); ok {
			w.values[i] = append(make([]byte, 0, len(b)), b...) // row is valid only now
		}
	}
	if w.args, err = toFile(w.args, w.columns, w.values); err != nil {
		return err
	}
	if len(w.args) < movedRows*len(w.columns) {
		return nil
	}
	_, err = w.many.ExecContext(ctx, w.args...)
	w.args = w.args[:0]
	return err
}

// flush writes the rows that wait.
func (w *rowWriter) flush(ctx context.Context) error {
	for n := len(w.columns); len(w.args) > 0; w.args = w.args[n:] {
		if _, err := w.one.ExecContext(ctx, w.args[:n]...); err != nil {
			return err
		}
	}
	return nil
}

package move

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A row is bytes on its way from one store to another, and when it is hashed. The form is that of
// PostgreSQL's COPY … (FORMAT binary), so that PostgreSQL takes and gives rows as they are: the number
// of fields in 2 bytes, and for each its length in 4, -1 for NULL, and its bytes. Numbers have 8
// bytes, big-endian, a bool has one.

const null = 1<<32 - 1 // a length of -1

// Append appends a row to b. The values have the columns' types, or are nil. It fails if a store
// could not hold one of them, and says which row and column it is.
func (t *Table) Append(b []byte, values []any) ([]byte, error) {
	if len(values) != len(t.Columns) {
		return b, fmt.Errorf("%s: a row has %d values", t.Name, len(values))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(values)))
	for i, v := range values {
		if err := t.Columns[i].check(v); err != nil {
			return b, fmt.Errorf("%s: %w", t.where(values), err)
		}
		switch v := v.(type) {
		case nil:
			b = binary.BigEndian.AppendUint32(b, null)
		case int64:
			b = binary.BigEndian.AppendUint32(b, 8)
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		case string:
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
		case []byte:
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
		case bool:
			b = append(b, 0, 0, 0, 1, 0)
			if v {
				b[len(b)-1] = 1
			}
		}
	}
	return b, nil
}

// check fails if v is not what the column holds.
func (c Column) check(v any) error {
	ok := false
	switch v := v.(type) {
	case nil:
		ok = c.Nullable
	case int64:
		ok = c.holds(v)
	case string:
		ok = c.Type == Text && isText(v)
	case []byte:
		ok = c.Type == Bytes
	case bool:
		ok = c.Type == Bool
	}
	if ok {
		return nil
	}
	return fmt.Errorf("%s cannot be moved: it is not %s", c.Name, typeNames[c.Type])
}

func (c Column) holds(v int64) bool {
	switch c.Type {
	case Int:
		return true
	case Room:
		return 0 <= v && v <= MaxRoom
	case Seq:
		return 0 <= v && v <= MaxSeq
	default:
		return false
	}
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

var typeNames = map[Type]string{
	Int: "a number", Room: "a room's id", Seq: "an event's number in the same room",
	Text: "a text in UTF-8 without U+0000", Bytes: "bytes", Bool: "yes or no",
}

// where names a row by its key.
func (t *Table) where(values []any) string {
	var b strings.Builder
	for i, name := range t.Key {
		if i > 0 {
			b.WriteString(", ")
		}
		v := values[t.Column(name)]
		if raw, ok := v.([]byte); ok {
			v = fmt.Sprintf("%x", raw)
		}
		fmt.Fprintf(&b, "%s %v", name, v)
	}
	return fmt.Sprintf("row of %s with %s", t.Name, &b)
}

var errCut = errors.New("a row is cut off")

// Values reads a row into values, which have the columns' types or are nil. Bytes are those of the
// row itself. It fails as Append does.
func (t *Table) Values(row []byte, values []any) error {
	if len(row) < 2 || int(binary.BigEndian.Uint16(row)) != len(t.Columns) || len(values) != len(t.Columns) {
		return fmt.Errorf("%s: a row has another number of fields", t.Name)
	}
	row = row[2:]
	for i, c := range t.Columns {
		var field []byte
		var err error
		if field, row, err = cutField(row); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		values[i] = c.value(field)
	}
	if len(row) > 0 {
		return fmt.Errorf("%s: a row has bytes after its fields", t.Name)
	}
	for i, c := range t.Columns {
		if err := c.check(values[i]); err != nil {
			return fmt.Errorf("%s: %w", t.where(values), err)
		}
	}
	return nil
}

// cutField returns the first field of row, nil for NULL, and what follows it.
func cutField(row []byte) (field, rest []byte, err error) {
	if len(row) < 4 {
		return nil, nil, errCut
	}
	n := binary.BigEndian.Uint32(row)
	row = row[4:]
	switch {
	case n == null:
		return nil, row, nil
	case int64(n) > int64(len(row)):
		return nil, nil, errCut
	}
	return row[:n:n], row[n:], nil
}

// A badField is a field of another length than its column's type has. No column holds it.
type badField struct{}

// value returns a field as the column's type.
func (c Column) value(field []byte) any {
	switch {
	case field == nil:
		return nil
	case c.Type == Text:
		return string(field)
	case c.Type == Bytes:
		return field
	case c.Type == Bool && len(field) == 1 && field[0] <= 1:
		return field[0] == 1
	case c.Type != Bool && len(field) == 8:
		return int64(binary.BigEndian.Uint64(field))
	}
	return badField{}
}

// A Splitter finds the rows in the bytes that PostgreSQL gives for COPY … TO STDOUT (FORMAT binary).
// It is an io.Writer. Rows may come in parts.
type Splitter struct {
	Visit func(row []byte) error // is called with each row, which is valid until it returns

	started, ended bool
	rest           []byte // the beginning of a row
}

const signature = "PGCOPY\n\xff\r\n\x00"

// Write takes the next bytes.
func (s *Splitter) Write(p []byte) (int, error) {
	b := p
	if len(s.rest) > 0 {
		s.rest = append(s.rest, p...)
		b = s.rest
	}
	used, err := s.split(b)
	if err != nil {
		return 0, err
	}
	s.rest = append(s.rest[:0], b[used:]...)
	return len(p), nil
}

// split visits the whole rows in b and returns how many bytes they take.
func (s *Splitter) split(b []byte) (used int, err error) {
	if !s.started {
		const header = len(signature) + 8 // with flags, and the length of an extension
		if len(b) < header {
			return 0, nil
		}
		if !bytes.Equal(b[:header], append([]byte(signature), make([]byte, 8)...)) {
			return 0, errors.New("the database answers COPY in an unknown form")
		}
		s.started, used = true, header
	}
	for {
		n := rowLength(b[used:])
		switch {
		case n == 0:
			return used, nil
		case n < 0:
			s.ended = true
			return used + 2, nil
		}
		if err := s.Visit(b[used : used+n]); err != nil {
			return 0, err
		}
		used += n
	}
}

// rowLength returns the length of the first row in b in bytes, 0 if it is not whole, and -1 at the
// end of all rows.
func rowLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	fields := int(int16(binary.BigEndian.Uint16(b)))
	if fields < 0 {
		return -1
	}
	n := 2
	for range fields {
		_, rest, err := cutField(b[n:])
		if err != nil {
			return 0
		}
		n = len(b) - len(rest)
	}
	return n
}

// Close fails if the end of the rows has not come.
func (s *Splitter) Close() error {
	if !s.ended || len(s.rest) > 0 {
		return errCut
	}
	return nil
}

// Header begins rows for COPY … FROM STDIN (FORMAT binary), and Trailer ends them.
func Header() []byte { return append([]byte(signature), make([]byte, 8)...) }

// Trailer returns the end of rows for COPY … FROM STDIN (FORMAT binary).
func Trailer() []byte { return []byte{0xff, 0xff} }

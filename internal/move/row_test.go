package move

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

var test = Table{"test", []string{"id", "key"}, []Column{
	{"id", Int, false},
	{"key", Bytes, false},
	{"room", Room, true},
	{"seq", Seq, true},
	{"text", Text, true},
	{"yes", Bool, true},
}}

// testRows are rows with all that a row can hold.
var testRows = [][]any{
	{int64(0), []byte{}, nil, nil, nil, nil},
	{int64(-1), []byte{0, 255}, int64(0), int64(0), "", false},
	{int64(1<<63 - 1), []byte("PGCOPY\n\xff\r\n\x00"), int64(MaxRoom), int64(MaxSeq), "\xef\xbf\xbd 𝔘\r\n\\N", true},
}

func appended(t *testing.T) (rows [][]byte) {
	t.Helper()
	for _, values := range testRows {
		row, err := test.Append(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func equal(a, b any) bool {
	x, isBytes := a.([]byte)
	if y, ok := b.([]byte); ok && isBytes {
		return bytes.Equal(x, y) && (x == nil) == (y == nil)
	}
	return a == b
}

func TestARowHoldsItsValues(t *testing.T) {
	for i, row := range appended(t) {
		got := make([]any, len(test.Columns))
		if err := test.Values(row, got); err != nil || !slices.EqualFunc(got, testRows[i], equal) {
			t.Errorf("row %d: %v, %v", i, got, err)
		}
		for n := range row {
			if err := test.Values(row[:n], got); err == nil {
				t.Errorf("row %d is taken when it is cut off after %d bytes", i, n)
			}
		}
	}
}

func TestARowOfOtherValuesIsRefused(t *testing.T) {
	good := testRows[2]
	for what, bad := range map[string]struct {
		column string
		value  any
	}{
		"NULL where there must be a value": {"id", nil}, "a text for a number": {"id", "1"},
		"a room before the first": {"room", int64(-1)}, "a room after the last": {"room", int64(MaxRoom + 1)},
		"a seq after the last": {"seq", int64(MaxSeq + 1)}, "bytes for a text": {"text", []byte("a")},
		"a null byte": {"text", "a\x00"}, "half a character": {"text", "\xc3"},
		"a number for a bool": {"yes", int64(1)},
		"a text for bytes":    {"key", "a"}, "another type": {"text", 1.5},
	} {
		values := slices.Clone(good)
		values[test.Column(bad.column)] = bad.value
		_, err := test.Append(nil, values)
		if err == nil || !strings.Contains(err.Error(), bad.column+" cannot be moved") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := test.Append(nil, good[1:]); err == nil {
		t.Error("a row without a column is taken")
	}
	if test.Column("none") >= 0 {
		t.Error("an unknown column has a place")
	}
}

// A row of any bytes is refused, or is what Append makes of its values.
func FuzzRow(f *testing.F) {
	for _, values := range testRows {
		row, err := test.Append(nil, values)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(row)
		f.Add(append(row, 0))
	}
	f.Add([]byte{0, 6, 0, 0, 0, 4, 0, 0, 0, 1, 255, 255, 255, 255}) // a number of four bytes
	f.Fuzz(func(t *testing.T, row []byte) {
		values := make([]any, len(test.Columns))
		if test.Values(row, values) != nil {
			return
		}
		again, err := test.Append(nil, values)
		if err != nil || !bytes.Equal(again, row) {
			t.Errorf("%x became %x, %v", row, again, err)
		}
	})
}

func TestRowsAreFoundInTheirBytes(t *testing.T) {
	rows := appended(t)
	stream := slices.Concat(Header(), bytes.Join(rows, nil), Trailer())
	for size := range len(stream) + 1 { // in two parts, and byte by byte
		var got [][]byte
		s := &Splitter{Visit: func(row []byte) error {
			got = append(got, bytes.Clone(row))
			return nil
		}}
		parts := [][]byte{stream[:size], stream[size:]}
		if size == 0 {
			parts = slices.Collect(slices.Chunk(stream, 1))
		}
		for _, p := range parts {
			if n, err := s.Write(p); err != nil || n != len(p) {
				t.Fatalf("%d bytes of %d taken, %v", n, len(p), err)
			}
		}
		if err := s.Close(); err != nil || !slices.EqualFunc(got, rows, bytes.Equal) {
			t.Fatalf("in parts of %d bytes: %d rows, %v", size, len(got), err)
		}
	}
	for n := range len(stream) {
		s := &Splitter{Visit: func([]byte) error { return nil }}
		if _, err := s.Write(stream[:n]); err != nil || s.Close() == nil {
			t.Errorf("an end after %d of %d bytes is not noticed, or %v", n, len(stream), err)
		}
	}
	s := &Splitter{Visit: func([]byte) error { return iotest.ErrTimeout }}
	if _, err := s.Write(stream); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("the visitor's error became %v", err)
	}
	if _, err := new(Splitter).Write(bytes.Repeat([]byte("x"), 40)); err == nil {
		t.Error("other bytes are taken for rows")
	}
}

// eventRow returns a row of the table of events.
func eventRow(t *testing.T, room, seq int64, text string) []byte {
	t.Helper()
	events := Tables[slices.IndexFunc(Tables, func(t Table) bool { return t.Name == Events })]
	row, err := events.Append(nil, []any{room, seq, int64(1), int64(1), nil, nil, "Ada", nil, text, nil, nil})
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestADifferenceSaysWhereItIs(t *testing.T) {
	type event struct {
		room, seq int64
		text      string
	}
	sum := func(events []event) TableSum {
		s := newSummer(Events)
		for _, e := range events {
			s.add(eventRow(t, e.room, e.seq, e.text))
		}
		return s.end()
	}
	source := []event{{1, 1, "a"}, {1, 2, "b"}, {3, 1, "c"}, {3, 2, "d"}, {7, 1, "e"}}
	with := func(i int, e event) []event {
		events := slices.Clone(source)
		events[i] = e
		return events
	}
	for name, tt := range map[string]struct {
		target []event
		want   string
	}{
		"another text":    {with(3, event{3, 2, "D"}), "the room with the id 3 holds something else at the target"},
		"one less":        {source[:4], "the room with the id 7 has 1 rows at the source and 0 at the target"},
		"the first room":  {source[2:], "the room with the id 1 has 2 rows at the source and 0 at the target"},
		"a room between":  {slices.Insert(slices.Clone(source), 2, event{2, 1, "x"}), "id 2 has 0 rows at the source"},
		"a room after":    {append(slices.Clone(source), event{9, 1, "x"}), "id 9 has 0 rows at the source and 1"},
		"another head":    {with(4, event{7, 2, "e"}), "id 7 ends at 1 at the source and at 2 at the target"},
		"nothing":         {nil, "id 1 has 2 rows at the source and 0"},
		"in another room": {with(2, event{1, 3, "c"}), "id 1 has 2 rows at the source and 3"},
	} {
		t.Run(name, func(t *testing.T) {
			d := compare(sum(source), sum(tt.target))
			if d == nil || !strings.Contains(d.Error(), tt.want) {
				t.Errorf("%v, want %q", d, tt.want)
			}
		})
	}
	if d := compare(sum(source), sum(source)); d != nil {
		t.Error(d)
	}
	if is := sum(source); is.Rooms[1].Hash !=
		sha256.Sum256(slices.Concat(eventRow(t, 3, 1, "c"), eventRow(t, 3, 2, "d"))) || is.Rooms[1].Head != 2 {
		t.Errorf("the sum of the second room is %+v", is.Rooms[1])
	}
	people := newSummer("person").end()
	if d := compare(people, TableSum{Table: "person", Sum: Sum{Rows: 1}}); d == nil ||
		!strings.Contains(d.Error(), "the table person has 0 rows at the source and 1 at the target") {
		t.Errorf("%v", d)
	}
}

package move

// A Type says what a column holds.
type Type byte

// The types of columns, with their Go types.
const (
	Int   Type = iota // int64
	Room              // int64: a room's id, from 0 to MaxRoom; 0 is no room
	Seq               // int64: an event's number in its room, from 0 to MaxSeq; 0 is none
	Text              // string: UTF-8 without U+0000
	Bytes             // []byte
	Bool              // bool
)

// The greatest numbers that every store can hold.
const (
	MaxRoom = 1<<27 - 1
	MaxSeq  = 1<<36 - 1
)

// A Column is a column of a Table.
type Column struct {
	Name     string
	Type     Type
	Nullable bool // nil is allowed
}

// A Table is a table of every store. Its rows are moved in the order of its key, numbers by value,
// texts and bytes by their bytes.
type Table struct {
	Name    string
	Key     []string // columns that identify a row
	Columns []Column
}

// Events is the table with the logs of all rooms.
const Events = "event"

// Tables are all tables, in the order in which they are moved. A table that belongs to one place,
// such as what one database still has to clean up, is not among them. Nonces have the form that
// package postgres gives them.
var Tables = []Table{
	{"room", []string{"id"}, []Column{
		{"id", Room, false},
		{"name", Text, false},
		{"topic", Text, false},
		{"head", Seq, false},
		{"created_ms", Int, false},
	}},
	{"person", []string{"id"}, []Column{
		{"id", Int, false},
		{"public", Text, false},
		{"name", Text, false},
		{"folded", Text, false},
		{"created_ms", Int, false},
	}},
	{"session", []string{"token_hash"}, []Column{
		{"token_hash", Bytes, false}, {"person", Int, false}, {"created_ms", Int, false}, {"seen_ms", Int, false},
	}},
	{Events, []string{"room", "seq"}, []Column{
		{"room", Room, false},
		{"seq", Seq, false},
		{"at_ms", Int, false},
		{"author", Int, false},
		{"target", Seq, true},
		{"current", Seq, true},
		{"name", Text, false},
		{"kind", Text, true},
		{"text", Text, false},
		{"extra", Text, true},
		{"nonce", Bytes, true},
	}},
	{"answer", []string{"nonce", "author", "room"}, []Column{
		{"nonce", Bytes, false},
		{"author", Int, false},
		{"room", Room, false},
		{"kind", Text, false},
		{"target", Seq, false},
		{"emoji", Text, false},
		{"seq", Seq, false},
		{"at_ms", Int, false},
	}},
	{"reaction", []string{"room", "target", "emoji", "person"}, []Column{
		{"room", Room, false},
		{"target", Seq, false},
		{"emoji", Text, false},
		{"person", Int, false},
		{"seq", Seq, false},
	}},
	{"pin", []string{"room", "target"}, []Column{
		{"room", Room, false}, {"target", Seq, false}, {"seq", Seq, false},
	}},
	{"member", []string{"person", "room"}, []Column{
		{"person", Int, false},
		{"room", Room, false},
		{"read", Seq, false},
		{"notify", Text, false},
		{"muted", Bool, false},
		{"favourite", Bool, false},
	}},
	{"awaited", []string{"person", "room_name"}, []Column{
		{"person", Int, false},
		{"room_name", Text, false},
		{"at_ms", Int, false},
		{"notify", Text, false},
		{"muted", Bool, false},
		{"favourite", Bool, false},
	}},
	{"mention", []string{"person", "room", "seq"}, []Column{
		{"person", Int, false}, {"room", Room, false}, {"seq", Seq, false},
	}},
	{"bookmark", []string{"person", "room", "seq"}, []Column{
		{"person", Int, false}, {"room", Room, false}, {"seq", Seq, false}, {"at_ms", Int, false},
	}},
	{"subscription", []string{"room", "target", "person"}, []Column{
		{"room", Room, false}, {"target", Seq, false}, {"person", Int, false},
	}},
	{"forward", []string{"room", "seq"}, []Column{
		{"room", Room, false}, {"seq", Seq, false}, {"source_room", Room, false}, {"source_seq", Seq, false},
	}},
	{"copies_due", []string{"room", "seq"}, []Column{
		{"room", Room, false}, {"seq", Seq, false},
	}},
}

// Column returns the place of a column, -1 if there is none of that name.
func (t *Table) Column(name string) int {
	for i, c := range t.Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

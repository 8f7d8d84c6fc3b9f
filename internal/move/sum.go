package move

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
)

// A Sum says what rows there are: how many, and the SHA-256 of their bytes in the order of their
// keys.
type Sum struct {
	Rows int64
	Hash [sha256.Size]byte
}

// A RoomSum is the Sum of a room's log.
type RoomSum struct {
	Sum
	Room int64 // its id
	Head int64 // the seq of the last event
}

// A TableSum is what a table holds. Rooms is only of the events.
type TableSum struct {
	Table string
	Sum
	Rooms []RoomSum
}

// A summer makes the sum of a table, row by row.
type summer struct {
	sum  TableSum
	all  hash.Hash // of the rows or, with rooms, of the rooms' hashes
	room hash.Hash // nil: the table has no rooms
}

func newSummer(table string) *summer {
	s := &summer{sum: TableSum{Table: table}, all: sha256.New()}
	if table == Events {
		s.room = sha256.New()
	}
	return s
}

// add adds a row. Of the events, room and seq are the first fields.
func (s *summer) add(row []byte) {
	s.sum.Rows++
	if s.room == nil {
		s.all.Write(row) // never fails
		return
	}
	room, seq := int64(binary.BigEndian.Uint64(row[6:])), int64(binary.BigEndian.Uint64(row[18:]))
	if n := len(s.sum.Rooms); n == 0 || s.sum.Rooms[n-1].Room != room {
		s.endRoom()
		s.sum.Rooms = append(s.sum.Rooms, RoomSum{Room: room})
	}
	is := &s.sum.Rooms[len(s.sum.Rooms)-1]
	is.Rows++
	is.Head = seq
	s.room.Write(row)
}

func (s *summer) endRoom() {
	if len(s.sum.Rooms) == 0 {
		return
	}
	is := &s.sum.Rooms[len(s.sum.Rooms)-1]
	s.room.Sum(is.Hash[:0])
	s.room.Reset()
	s.all.Write(is.Hash[:])
}

// end returns the sum of all rows.
func (s *summer) end() TableSum {
	if s.room != nil {
		s.endRoom()
	}
	s.all.Sum(s.sum.Hash[:0])
	return s.sum
}

// A Difference is where two stores do not hold the same.
type Difference struct {
	Table            string
	Room             int64 // its id; 0: it is not in a room's log
	From, To         int64 // rows
	HeadFrom, HeadTo int64 // the seqs of the room's last events
}

// compare returns where to differs from from, nil if they are equal.
func compare(from, to TableSum) *Difference {
	if from.Hash == to.Hash && from.Rows == to.Rows {
		return nil
	}
	none := RoomSum{}
	for i := range max(len(from.Rooms), len(to.Rooms)) {
		a, b := none, none
		if i < len(from.Rooms) {
			a = from.Rooms[i]
		}
		if i < len(to.Rooms) {
			b = to.Rooms[i]
		}
		switch {
		case a == b:
			continue
		case b.Room == 0 || a.Room != 0 && a.Room < b.Room:
			b = none
		case a.Room != b.Room:
			a = none
		}
		return &Difference{
			Table: from.Table, Room: max(a.Room, b.Room), From: a.Rows, To: b.Rows, HeadFrom: a.Head, HeadTo: b.Head,
		}
	}
	return &Difference{Table: from.Table, From: from.Rows, To: to.Rows}
}

func (d *Difference) Error() string {
	what := "the table " + d.Table
	if d.Room != 0 {
		what = fmt.Sprintf("the log of the room with the id %d", d.Room)
	}
	switch {
	case d.From != d.To:
		return fmt.Sprintf("%s has %d rows at the source and %d at the target", what, d.From, d.To)
	case d.HeadFrom != d.HeadTo:
		return fmt.Sprintf("%s ends at %d at the source and at %d at the target", what, d.HeadFrom, d.HeadTo)
	}
	return what + " holds something else at the target than at the source"
}

package sqlite

import "parley/internal/chat"

// The id of an event holds its room's rowid and its seq, so that the events of a room
// are neighbours in the file, in order. Only this file and the migrations know how. A
// test compares the functions for Go with those for SQL.
const (
	seqBits = 36
	maxSeq  = 1<<seqBits - 1
	maxRoom = 1<<(63-seqBits) - 1
)

func eventID(room int64, seq chat.Seq) int64 { return room<<seqBits | int64(seq) }

func seqOf(id int64) chat.Seq { return chat.Seq(id & maxSeq) }

// idSQL returns SQL for the id of an event, given SQL for its room's rowid and its seq.
func idSQL(room, seq string) string { return "(" + room + " << 36 | " + seq + ")" }

// seqSQL returns SQL for the seq in an id.
func seqSQL(id string) string { return "(" + id + " & 0xfffffffff)" }

// roomSQL returns SQL for the room's rowid in an id.
func roomSQL(id string) string { return "(" + id + " >> 36)" }

// endSQL returns SQL for the id after the last one that a room can have.
func endSQL(room string) string { return "(" + room + " + 1 << 36)" }

// inSQL returns SQL for the condition that an id is one of a room, by its rowid.
func inSQL(id, room string) string {
	return "(" + id + " > " + idSQL(room, "0") + " AND " + id + " < " + endSQL(room) + ")"
}

// namedSQL returns SQL for the id of an event, given SQL for its seq. The room is the
// one whose name is $1. The id is NULL if there is no such room.
func namedSQL(seq string) string {
	return "(SELECT " + idSQL("id", seq) + " FROM room WHERE name = $1)"
}

// afterSQL returns SQL for the condition that an id is one of the room whose name is
// $1, after the seq that is $2.
func afterSQL(id string) string {
	return "(" + id + " > " + namedSQL("$2") + " AND " + id + " < (SELECT " + endSQL("id") +
		" FROM room WHERE name = $1))"
}

package chat

import "time"

// A Search says what a person looks for, and where.
type Search struct {
	Text   string     // as typed: words, "phrases", beginnings*, from:ada in:kitchen before:2026-11-20 has:link
	Rooms  []RoomName // where to search, unless the text names rooms
	Only   bool       // only in Rooms: rooms that the text names narrow them
	Best   bool       // the best first; else the newest
	Typing bool       // the last word may be incomplete
	Limit  int        // hits per page
	Cursor string     // Found.Next of the page before; empty: the first page

	MayRead func(RoomName) error // asked for each room that the text names; nil: every room may be searched
}

// Found is one page of a Search's hits.
type Found struct {
	Hits     []Hit
	Next     string    // the Cursor of the next page; empty: there is none
	Complete bool      // every message of the rooms before the search was searched
	Until    time.Time // if not Complete: messages before this time were; zero: not known
}

// A Hit is a message that matches.
type Hit struct {
	MessageRef
	Ranges [][2]int // what matches in its text: from and to (exclusive), in code points
}

package chat

import "time"

// A Search is what somebody looks for, and where.
type Search struct {
	Text   string     // as they typed it: words, "phrases", beginnings*, from:ada in:kitchen before:2026-11-20 has:link
	Rooms  []RoomName // in these, or in those that Typed names
	Only   bool       // in Rooms alone; what Typed names narrows them
	Best   bool       // the best first, else the newest
	Typing bool       // the last word may be the beginning of one
	Limit  int        // hits in a page
	Cursor string     // Found.Next of the page before; empty: the first page

	MayRead func(RoomName) error // asked for each room that Typed names; nil: all may be searched
}

// Found is a page of what a Search found.
type Found struct {
	Hits     []Hit
	Next     string    // the Cursor of the page that follows; empty: there is none
	Complete bool      // everything that was said in the rooms before the search has been looked at
	Until    time.Time // if not Complete, what was said before has been; zero: that is not known
}

// A Hit is a message that matches.
type Hit struct {
	MessageRef
	Ranges [][2]int // what matches in its text: from a character to before another, in code points
}

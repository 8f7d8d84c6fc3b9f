package chat

// A Search is what somebody looks for, and where.
type Search struct {
	Typed  string     // as they typed it: words, "phrases", beginnings*, from:ada in:kitchen before:2026-11-20 has:link
	Rooms  []RoomName // in these, and in those that Typed names
	Best   bool       // the best first, else the newest
	Typing bool       // the last word may be the beginning of one
	Limit  int        // hits in a page
	Cursor string     // Found.Next of the page before; empty: the first page

	May func(RoomName) error // asked for each room that Typed names; nil: all may be searched
}

// Found is a page of what a Search found.
type Found struct {
	Hits []Hit
	Next string // the Cursor of the page that follows; empty: there is none
}

// A Hit is a message that matches.
type Hit struct {
	Place
	Ranges [][2]int // what matches in its text: from a character to before another, in code points
}

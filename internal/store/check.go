package store

import "fmt"

// MaxFound is how many faults of a kind a check lists.
const MaxFound = 20

// A CheckReport is what the check of a whole database has found.
type CheckReport struct {
	Schema                int64
	Rooms, People, Events int64
	Found                 []string // faults, a sentence each
	Notes                 []string // remarks that are no faults
}

// Faults that AddOdd is called with.
const (
	OtherRoom   = "events are about an event of another room"
	NoJSON      = "events have a part that is no JSON"
	ReadTooFar  = "members have read more than there is"
	DeletedText = "messages and edits of deleted messages still have their text"
)

// Add adds a fault.
func (r *CheckReport) Add(format string, args ...any) {
	r.Found = append(r.Found, fmt.Sprintf(format, args...))
}

// Note adds a remark.
func (r *CheckReport) Note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// AddHole adds that a room's events are not numbered 1 to the newest; missing is the first such number.
func (r *CheckReport) AddHole(room string, events, newest, missing int64) {
	r.Add("room %s has %d events, but its newest is number %d: number %d is missing", room, events, newest, missing)
}

// AddHead adds that a room's head is not its newest event. A head after that is only a remark, unless
// exact is set: somebody may have removed the newest events by hand.
func (r *CheckReport) AddHead(room string, head, newest int64, exact bool) {
	if head > newest && !exact {
		r.Note("room %s has given numbers up to %d, and its newest event is number %d: later ones were removed", room,
			head, newest)
		return
	}
	r.Add("room %s ends at number %d, but its newest event is number %d", room, head, newest)
}

// AddMissing adds that n rows refer to a row that is missing, unless n is 0. first is one of them.
func (r *CheckReport) AddMissing(table, column, to string, n int64, first any) {
	if n > 0 {
		r.Add("rows of %s refer in %s to a missing %s: %d of them, the first is %v", table, column, to, n, first)
	}
}

// AddOdd adds that n rows have a fault, unless n is 0. first is one of them.
func (r *CheckReport) AddOdd(what string, n int64, first any) {
	if n > 0 {
		r.Add("%s: %d of them, the first is %v", what, n, first)
	}
}

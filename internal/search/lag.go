package search

import (
	"cmp"
	"time"

	"parley/internal/chat"
)

// A roomLag is how far the index is behind the log in a room. There is one while the room has events that are not
// indexed. It is guarded by Index.mu.
type roomLag struct {
	events  int       // about how many events are not indexed
	since   time.Time // events before this time are indexed; zero: not known
	touched time.Time // when the first event since the room was last read was stored; zero: there was none
	retry   time.Time // the room could not be read; it is read again at this time

	deleted time.Time // since when the index may hold deleted text; zero: it does not
	purged  chat.Seq  // deletions up to this one are carried out, even if the cursor is before them
}

// EventStored records that a room has a new event, which Run then reads from the log. It is a room.Follower.
func (x *Index) EventStored(c chat.Commit) {
	e := &c.Event
	x.traffic.note()
	x.mu.Lock()
	defer x.mu.Unlock()
	l := x.lags[e.Room]
	if l == nil {
		l = &roomLag{since: e.At}
		x.lags[e.Room] = l
	}
	l.events++
	if l.touched.IsZero() {
		l.touched = e.At
	}
	if e.Kind == chat.Delete && l.deleted.IsZero() {
		l.deleted = e.At
	}
	x.wakeRun()
}

// Lag returns how many events are not indexed yet and how long ago the oldest of them was stored. While that is not
// known, it returns the time since it is not known.
func (x *Index) Lag() (events int, age time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	oldest := x.unknown
	for _, l := range x.lags {
		events += l.events
		if since := cmp.Or(l.since, l.touched); !since.IsZero() && (oldest.IsZero() || since.Before(oldest)) {
			oldest = since
		}
	}
	if !oldest.IsZero() {
		age = max(time.Since(oldest), 0)
	}
	return events, age
}

// whole reports whether every event of rooms is indexed. If not, events before until are; a zero until means that it is
// not known.
func (x *Index) whole(rooms []chat.RoomName) (complete bool, until time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.missing.IsZero() && time.Since(x.missing) > toldWithin {
		return false, time.Time{}
	}
	complete = true
	lacks := func(since time.Time) {
		if complete || since.Before(until) { // the zero time is before all others
			complete, until = false, since
		}
	}
	for _, room := range rooms {
		if l := x.lags[room]; l != nil {
			lacks(l.since)
		}
		if c, found := x.elsewhere[room]; found {
			lacks(c.since)
		}
	}
	return complete, until
}

// due returns the rooms to read now, with their cursors.
func (x *Index) due() map[chat.RoomName]chat.Seq {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	due := make(map[chat.RoomName]chat.Seq)
	for room, l := range x.lags {
		if !l.retry.After(now) {
			due[room] = x.db.cursor(room)
		}
	}
	return due
}

// reads records that a room is about to be read from its cursor: events that arrive from now on may not be among those
// read.
func (x *Index) reads(room chat.RoomName) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l := x.lags[room]; l != nil {
		l.touched, l.retry = time.Time{}, time.Time{}
	}
}

// cannotRead postpones a room whose log could not be read.
func (x *Index) cannotRead(room chat.RoomName) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l := x.lags[room]; l != nil {
		l.retry = time.Now().Add(readAgain)
	}
}

// advance records that so many events of a room have been indexed. next is when the next event that was read was
// stored, zero if all that were read are indexed.
func (x *Index) advance(room chat.RoomName, events int, next time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	l := x.lags[room]
	if l == nil {
		return
	}
	l.events = max(l.events-events, 0)
	switch {
	case !next.IsZero():
		l.since = next
	case l.touched.IsZero():
		delete(x.lags, room)
	default:
		l.since = l.touched
	}
}

// nextRetry returns when a room that could not be read is tried next, zero if there is none.
func (x *Index) nextRetry() (next time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, l := range x.lags {
		if !l.retry.IsZero() && (next.IsZero() || l.retry.Before(next)) {
			next = l.retry
		}
	}
	return next
}

// takeDeletions returns the rooms with deleted text that the index may hold, and resets that state: later deletions set
// it again.
func (x *Index) takeDeletions() map[chat.RoomName]roomLag {
	x.mu.Lock()
	defer x.mu.Unlock()
	rooms := make(map[chat.RoomName]roomLag)
	for room, l := range x.lags {
		if !l.deleted.IsZero() {
			rooms[room] = *l
			l.deleted = time.Time{}
		}
	}
	return rooms
}

// setDeleted records since when the index may hold deleted text of a room, unless since is zero, and up to which
// deletion it does not.
func (x *Index) setDeleted(room chat.RoomName, since time.Time, purged chat.Seq) {
	x.mu.Lock()
	defer x.mu.Unlock()
	l := x.lags[room]
	if l == nil {
		return
	}
	if l.purged = max(l.purged, purged); !since.IsZero() {
		l.deleted = since
	}
}

// oldestDeletion returns since when the index may hold deleted text, zero if it does not.
func (x *Index) oldestDeletion() (oldest time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, l := range x.lags {
		if !l.deleted.IsZero() && (oldest.IsZero() || l.deleted.Before(oldest)) {
			oldest = l.deleted
		}
	}
	return oldest
}

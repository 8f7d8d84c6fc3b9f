package search

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"parley/internal/chat"
)

// How the index learns of events that other processes have stored. It reads the log from its own cursors, so it only
// has to know in which rooms.

const (
	compareEvery = time.Second // how often the heads of all rooms are compared at most
	compareRest  = 10          // comparisons that are slow are followed by a rest of at least so many times as long

	// toldWithin is how long after they were stored the events of other processes may be told. An answer that counts as
	// complete may lack those.
	toldWithin = 2 * time.Second
)

// storedElsewhere is what other processes have stored in a room.
type storedElsewhere struct {
	head    chat.Seq
	since   time.Time // when the first of the events was stored
	deletes bool      // one of them is a deletion
}

// StoredElsewhere tells that a room's log reaches head, that another process has stored events in it since a time, and
// whether some of them are deletions. It does not block.
func (x *Index) StoredElsewhere(room chat.RoomName, head chat.Seq, since time.Time, deletes bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c, found := x.elsewhere[room]
	if !found || since.Before(c.since) {
		c.since = since
	}
	c.head = max(c.head, head)
	c.deletes = c.deletes || deletes
	x.elsewhere[room] = c
	x.wakeRun()
}

// StoredAnywhere tells that other processes may have stored events in any room. It does not block.
func (x *Index) StoredAnywhere() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.anywhere = true
	if x.missing.IsZero() {
		x.missing = time.Now()
	}
	x.wakeRun()
}

// look records what other processes have stored.
func (x *Index) look(ctx context.Context) error {
	x.mu.Lock()
	for room, c := range x.elsewhere {
		x.noteStored(room, c)
	}
	clear(x.elsewhere)
	due := x.anywhere && !time.Now().Before(x.compareAt)
	x.anywhere = x.anywhere && !due
	x.mu.Unlock()
	if !due {
		return nil
	}
	begin := time.Now()
	heads, err := x.source.Heads(ctx)
	x.mu.Lock()
	defer x.mu.Unlock()
	took := time.Since(begin)
	slow := min(took, x.compareTook) // a single slow one has waited for the network or a database that was away
	x.compareTook = took
	x.compareAt = time.Now().Add(max(compareEvery, compareRest*slow))
	if err != nil {
		x.anywhere = true
		return fmt.Errorf("heads of all rooms: %w", err)
	}
	if x.missing = begin; !x.anywhere { // nor said again meanwhile
		x.missing = time.Time{}
	}
	for room, head := range heads {
		x.noteStored(room, storedElsewhere{head: head, since: begin, deletes: true})
	}
	return nil
}

// noteStored records that a room is behind c. The caller holds x.mu.
func (x *Index) noteStored(room chat.RoomName, c storedElsewhere) {
	cursor := x.db.cursor(room)
	if c.head <= cursor {
		return
	}
	l := x.lags[room]
	if l == nil {
		l = &roomLag{since: c.since}
		x.lags[room] = l
	}
	l.events = max(l.events, int(c.head-cursor))
	l.touched = cmp.Or(l.touched, c.since)
	if c.deletes && cursor > 0 {
		l.deleted = cmp.Or(l.deleted, c.since)
	}
}

// nextLook returns when Run is to look next, zero if nothing is known for which it has to.
func (x *Index) nextLook() time.Time {
	next := x.nextRetry()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.anywhere && (next.IsZero() || x.compareAt.Before(next)) {
		next = x.compareAt
	}
	return next
}

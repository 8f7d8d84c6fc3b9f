package room

import (
	"context"
	"time"

	"parley/internal/chat"
)

// A Follower is called with each new event of the log, in the order of commits, before its sender and the room's
// readers get it. It must not block. A follower with more to do than to note that a room has new events does that on a
// goroutine of its own, which reads the log from a cursor that the follower keeps.
type Follower func(c chat.Commit)

// Arrive is the one way in for events: those that were posted here and those that another process has stored. It calls
// the followers, then answer, which tells the sender, and then delivers the event to the room's readers. A commit
// without a new event (an error or a repeated nonce) only goes to answer. For an event that was not posted here answer
// is nil. It must not block.
//
// One goroutine calls Arrive, for each room with ascending seqs. The readers are woken at a commit without More, once
// for all commits before it, so that each socket is written once. c.Event already has its HTML, which is not stored.
func (h *Hub) Arrive(c chat.Commit, answer func(chat.Commit)) {
	isNew := c.Err == nil && !c.Repeated
	if isNew {
		for _, follower := range h.cfg.Followers {
			h.notify(follower, c)
		}
	}
	if answer != nil {
		h.notify(answer, c)
	}
	if isNew {
		h.deliver(c.Event)
	}
	if !c.More {
		h.wakeDirtyRooms()
	}
}

// deliver appends an event to its room's byte logs.
func (h *Hub) deliver(e chat.Event) {
	if e.Kind == chat.Delete {
		h.wakeCopiesLoop()
	}
	if r := h.rooms.find(e.Room); r != nil && r.append(e) && !r.isDirty {
		r.isDirty = true
		h.dirtyRooms = append(h.dirtyRooms, r)
	}
}

// wakeDirtyRooms marks the readers of all rooms with new events to be flushed.
func (h *Hub) wakeDirtyRooms() {
	for i, r := range h.dirtyRooms {
		r.isDirty = false
		r.wake()
		h.dirtyRooms[i] = nil
	}
	h.dirtyRooms = h.dirtyRooms[:0]
}

// arrivalTimeout is how long a read waits for events that it has found in the log and that have not arrived.
const arrivalTimeout = 5 * time.Second

var errNotArrived = &chat.Error{
	Code:       chat.Unavailable,
	Message:    "The server cannot show the newest messages right now. Try again in a moment.",
	RetryAfter: time.Second,
}

// awaitArrival waits until a room's events up to head have arrived, if somebody is in the room. A log may show events
// to a read some time before they arrive, as when a database has carried out a commit and its answer is late. Whoever
// has read them must not find a room without them afterwards.
func (h *Hub) awaitArrival(ctx context.Context, name chat.RoomName, head chat.Seq) error {
	began := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		r := h.rooms.find(name)
		if r == nil || r.published() >= head {
			return nil
		}
		if time.Since(began) > arrivalTimeout {
			return errNotArrived
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

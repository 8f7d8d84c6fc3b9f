package room

import (
	"context"
	"time"

	"parley/internal/chat"
)

// A Follower is called with each new event of the log before its sender and the room's readers get it: with those that
// were stored here in the order of commits, and with those that another node reports, in any order and perhaps not with
// all. It may be called from two goroutines at once, and must not block. A follower with more to do than to note that a
// room has new events does that on a goroutine of its own, which reads the log from a cursor that the follower keeps.
type Follower func(c chat.Commit)

// append gives a draft to the log. answer is called as Log.Append says, before any reader gets the event.
func (h *Hub) append(d chat.Draft, answer func(chat.Commit)) {
	html := d.HTML
	if h.others == nil {
		h.log.Append(d, func(c chat.Commit) {
			c.Event.HTML = html
			h.Arrive(c, answer)
		})
		return
	}
	room := d.Room
	h.answers.appended.Add(1)
	h.log.Append(d, func(c chat.Commit) {
		c.Event.HTML = html
		h.Arrive(c, answer)
		switch {
		case c.Err == nil && c.Repeated && c.Event.Seq > 0: // perhaps stored by another node, of which nothing has come
			h.hintAll(room, c.Event.Seq)
		case chat.CodeOf(c.Err) == chat.Unavailable: // it may be stored all the same
			h.hintAll(room, 0)
		}
	})
}

// hintAll is Hint on all nodes.
func (h *Hub) hintAll(room chat.RoomName, head chat.Seq) {
	h.Hint(room, head)
	h.others.Hint(room, head)
}

// Arrive is the way in for what became of a draft that was appended here. It calls the followers, then answer, which
// tells the sender, and then delivers the event to the room's readers and to the other nodes. A commit without a new
// event (an error or a repeated nonce) only goes to answer, which may be nil. It must not block.
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
	if h.others != nil {
		if isNew {
			h.stored = append(h.stored, c)
		}
		h.answered()
	}
	if !c.More {
		h.wakeDirtyRooms()
	}
}

// deliver appends a new event to its room's byte logs.
func (h *Hub) deliver(e chat.Event) {
	if e.Kind == chat.Delete {
		h.wakeCopiesLoop()
	}
	if r := h.rooms.find(e.Room); r != nil && r.arrive(e) {
		h.markDirty(r)
	}
}

// markDirty lets wakeDirtyRooms wake a room. Arrive's goroutine alone calls both.
func (h *Hub) markDirty(r *liveRoom) {
	if !r.isDirty {
		r.isDirty = true
		h.dirtyRooms = append(h.dirtyRooms, r)
	}
}

// wakeDirtyRooms marks the readers of all rooms with new events to be flushed, and tells the other nodes.
func (h *Hub) wakeDirtyRooms() {
	for i, r := range h.dirtyRooms {
		r.isDirty = false
		r.wake()
		h.dirtyRooms[i] = nil
	}
	h.dirtyRooms = h.dirtyRooms[:0]
	if len(h.stored) > 0 {
		h.others.Stored(h.stored)
		clear(h.stored)
		h.stored = h.stored[:0]
	}
}

// Receive is the way in for events that another node has stored, all of one room, with their HTML. They may come in any
// order and several times. It does not block.
func (h *Hub) Receive(events []chat.Event) {
	dirty := false
	var r *liveRoom
	for _, e := range events {
		for _, follower := range h.cfg.Followers {
			h.notify(follower, chat.Commit{Event: e})
		}
		if r == nil {
			r = h.rooms.find(e.Room)
		}
		if r != nil && r.arrive(e) {
			dirty = true
		}
	}
	if dirty {
		r.wake()
	}
}

// arrivalTimeout is how long a read waits for events that it has found in the log and that have not arrived.
const arrivalTimeout = 5 * time.Second

var errNotArrived = &chat.Error{
	Code:       chat.Unavailable,
	Message:    "The server cannot show the newest messages right now. Try again in a moment.",
	RetryAfter: time.Second,
}

// awaitArrival waits until a room's events up to head have arrived, if somebody is in the room. A log may show events
// to a read some time before they arrive, as when a database has carried out a commit and its answer is late, or when
// another node has stored them. Whoever has read them must not find a room without them afterwards.
func (h *Hub) awaitArrival(ctx context.Context, name chat.RoomName, head chat.Seq) error {
	r := h.rooms.find(name)
	if r == nil {
		return nil
	}
	w := r.await(head)
	if w == nil {
		return nil
	}
	defer r.cancel(w)
	timeout := time.NewTimer(arrivalTimeout)
	defer timeout.Stop()
	select {
	case <-w.done:
		return nil
	case <-timeout.C:
		return errNotArrived
	case <-ctx.Done():
		return ctx.Err()
	}
}

// An awaitedEvent is an event that a read waits for.
type awaitedEvent struct {
	seq  chat.Seq
	done chan struct{} // closed when it has arrived, or nobody is in the room any more
}

// await returns nil if the event seq has arrived. Otherwise the caller waits for done, and calls cancel.
func (r *liveRoom) await(seq chat.Seq) *awaitedEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || r.head >= seq {
		return nil
	}
	w := &awaitedEvent{seq, make(chan struct{})}
	r.awaited = append(r.awaited, w)
	r.expect(seq)
	return w
}

func (r *liveRoom) cancel(w *awaitedEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.awaited {
		if r.awaited[i] == w {
			r.awaited = append(r.awaited[:i], r.awaited[i+1:]...)
			return
		}
	}
}

// wakeAwaiting wakes the reads whose event has arrived. The caller holds r.mu.
func (r *liveRoom) wakeAwaiting() {
	if len(r.awaited) == 0 {
		return
	}
	left := r.awaited[:0]
	for _, w := range r.awaited {
		if r.ended || r.head >= w.seq {
			close(w.done)
		} else {
			left = append(left, w)
		}
	}
	clear(r.awaited[len(left):])
	r.awaited = left
}

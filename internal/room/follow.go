package room

import (
	"context"
	"iter"
	"net/netip"
	"slices"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
)

// Bounds of the events that a tail holds in memory. A consumer that is slower than its room gets the others from the
// store.
const (
	tailEvents = 64
	tailBytes  = 64 << 10 // of texts
)

// A tail is where Follow is in a room's log.
type tail struct {
	room *liveRoom
	wake chan struct{} // holds a value after new events, until Follow has looked for them

	// Guarded by room.mu.
	yielded chat.Seq     // the last event that was yielded
	ahead   []chat.Event // the events after yielded that are in memory, oldest first
	through chat.Seq     // the last event of ahead; yielded if ahead is empty
	bytes   int          // of ahead

	inStore bool       // Follow reads from the store
	deleted []chat.Seq // while it does: messages deleted since it began, whose texts it may have read
}

// Follow returns a room's events after a seq as they happened, each once and in order: first those that are stored,
// then new ones as they arrive. They have no HTML. If a message is deleted before its events are yielded, they have no
// text.
//
// Follow is for doors whose bytes differ from reader to reader. Other doors should Join, because there one encoding
// serves all readers. Reading from the store counts against the read limit of who's network; at the limit, the sequence
// waits. When ctx ends, the sequence ends without an error; it also ends after its first error.
func (h *Hub) Follow(
	ctx context.Context, who chat.Who, name chat.RoomName, after chat.Seq,
) iter.Seq2[chat.Event, error] {
	return func(yield func(chat.Event, error) bool) {
		if err := h.follow(ctx, who, name, max(after, 0), yield); err != nil && ctx.Err() == nil {
			yield(chat.Event{}, err)
		}
	}
}

// follow calls yield for each event, until yield returns false or ctx ends. It does not yield errors.
func (h *Hub) follow(
	ctx context.Context, who chat.Who, name chat.RoomName, after chat.Seq, yield func(chat.Event, error) bool,
) error {
	if err := access.May(who, access.Read, name); err != nil {
		return err
	}
	r, err := h.enter(ctx, name)
	if err != nil {
		return err
	}
	defer h.exit(r)
	t := &tail{room: r, wake: make(chan struct{}, 1), yielded: after, through: after}
	r.addTail(t)
	defer r.removeTail(t)
	for ctx.Err() == nil {
		e, found, isBehind := t.take()
		switch {
		case found:
			h.deliveries.Add(1)
			if !yield(e, nil) {
				return nil
			}
		case isBehind:
			if err := t.read(ctx, who.Network); err != nil {
				return err
			}
		default:
			select {
			case <-t.wake:
			case <-ctx.Done():
			}
		}
	}
	return nil
}

func (r *liveRoom) addTail(t *tail) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tails = append(r.tails, t)
	r.hub.readers.Add(1)
}

func (r *liveRoom) removeTail(t *tail) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.tails, t)
	r.tails = slices.Delete(r.tails, i, i+1)
	r.hub.readers.Add(-1)
}

// take returns the next event if it is in memory. If not, isBehind reports whether it is in the store.
func (t *tail) take() (e chat.Event, found, isBehind bool) {
	t.room.mu.Lock()
	defer t.room.mu.Unlock()
	if len(t.ahead) == 0 {
		return e, false, t.yielded < t.room.head
	}
	e, t.ahead[0] = t.ahead[0], chat.Event{}
	t.ahead = t.ahead[1:]
	t.bytes -= len(e.Text)
	t.yielded = e.Seq
	return e, true, false
}

// append receives a new event of the room and wakes Follow. The caller holds room.mu.
func (t *tail) append(e chat.Event) {
	if e.Kind == chat.Delete {
		t.forget(e.Target)
	}
	t.add(e)
	t.signal()
}

// signal lets Follow look for new events.
func (t *tail) signal() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// add adds an event to those in memory, if it is the next one and there is room for it. The caller holds room.mu.
func (t *tail) add(e chat.Event) {
	if e.Seq == t.through+1 && len(t.ahead) < tailEvents && t.bytes < tailBytes {
		e.HTML = ""
		t.ahead = append(t.ahead, e)
		t.through = e.Seq
		t.bytes += len(e.Text)
	}
}

// forget removes a deleted message's text from the events in memory and from those that are being read. The caller
// holds room.mu.
func (t *tail) forget(message chat.Seq) {
	if t.inStore {
		t.deleted = append(t.deleted, message)
	}
	for i := range t.ahead {
		t.bytes -= len(t.ahead[i].Text)
		withoutText(&t.ahead[i], message)
		t.bytes += len(t.ahead[i].Text)
	}
}

// withoutText removes from e the text of a deleted message: e is that message, an edit of it or an answer to it.
func withoutText(e *chat.Event, message chat.Seq) {
	switch {
	case e.Seq == message, e.Kind == chat.Edit && e.Target == message:
		e.Text, e.HTML, e.Attrs = "", "", nil
	case e.Attrs != nil && e.Attrs.ReplyTo == message:
		x := *e.Attrs
		x.Quote = nil
		e.Attrs = &x
	}
}

// read reads the next events from the store into memory.
func (t *tail) read(ctx context.Context, network netip.Addr) error {
	r := t.room
	if err := r.hub.awaitRead(ctx, network); err != nil {
		return err
	}
	head := t.beginRead()
	events, err := r.hub.log.After(ctx, r.name, t.yielded, tailEvents)
	isRemoved := err == nil && (len(events) == 0 || events[0].Seq != t.yielded+1)
	if isRemoved {
		err = r.checkRemoved(ctx, t.yielded+1, head)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range events {
		if events[i].Seq > r.head { // its sender may not have been answered yet
			break
		}
		for _, message := range t.deleted {
			withoutText(&events[i], message)
		}
		t.add(events[i])
	}
	t.inStore, t.deleted = false, nil
	if isRemoved {
		t.yielded, t.through = head, head
	}
	r.hub.costs.chargeBytes(network, t.bytes)
	return err
}

// beginRead returns the room's newest event.
func (t *tail) beginRead() (head chat.Seq) {
	t.room.mu.Lock()
	defer t.room.mu.Unlock()
	t.inStore = true
	return t.room.head
}

// awaitRead waits until a network may read. The error is ctx's.
func (h *Hub) awaitRead(ctx context.Context, network netip.Addr) error {
	for {
		wait := h.costs.reads.Take(network)
		if wait == 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

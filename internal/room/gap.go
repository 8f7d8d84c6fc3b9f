package room

import (
	"context"
	"log/slog"
	"time"

	"parley/internal/chat"
)

// How the events of a room come into order when several nodes store them. Each node delivers its own events at once and
// reports them to the others, so they arrive in any order, and some do not arrive. A room only appends the event after
// its head. Later ones are kept for a moment; if the earlier ones do not come, the room reads them from the store.

const (
	gapWait     = 20 * time.Millisecond // from the first early event until the store is read
	longGapWait = time.Second           // doubled after each fill in vain, up to this
	vainFills   = 8                     // after so many, the store is believed
	gapFillers  = 4                     // rooms that read the store at a time
	gapEvents   = 128                   // in one fill
	gapTimeout  = 5 * time.Second       // of one fill

	// Bounds of the early events of a room. Those beyond are read from the store.
	maxEarly      = 4096    // as many as a transaction has
	maxEarlyBytes = 1 << 20 // of texts and their HTML
)

// gap is what a room knows of events that it cannot append yet. It is guarded by its room's mu.
type gap struct {
	early      map[chat.Seq]earlyEvent // events after head+1, or that finishFill is to append
	earlyBytes int                     // of their texts and HTML
	known      chat.Seq                // the newest event that is known to be stored; it may be before head
	wait       *time.Timer             // runs until the room reads the store
	vain       int                     // fills since the head last moved

	isFilling  bool       // the room is in Hub.gaps, is read by a worker, or awaits answers
	fillFrom   chat.Seq   // the head when it began
	fillAgain  bool       // there may be more in the store than the fill under way has found
	filledFrom chat.Seq   // the first event that it has found; 0: none
	fillFailed bool       // it has failed
	deleted    []chat.Seq // messages deleted since it began
}

// An earlyEvent has arrived before one of a lesser seq.
type earlyEvent struct {
	chat.Event
	isRead bool // it was read from the store: its sender may wait for the answer until finishFill
}

// Hint tells that the store has a room's events up to head. If somebody is in the room and they do not arrive in a
// moment, they are read. If head is 0, the store may have any events, and is read at once. Hint does not block.
func (h *Hub) Hint(room chat.RoomName, head chat.Seq) {
	if r := h.rooms.find(room); r != nil {
		r.hint(head)
	}
}

func (r *liveRoom) hint(head chat.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || head != 0 && head <= r.head {
		return
	}
	if head == 0 {
		r.startFill()
	} else {
		r.expect(head)
	}
}

// expect tells that the store has the event seq, which will arrive in a moment or be read. The caller holds r.mu.
func (r *liveRoom) expect(seq chat.Seq) {
	if r.hub.others != nil {
		r.known = max(r.known, seq)
		r.awaitGap()
	}
}

// arrive takes an event in. It reports whether there is something to flush.
func (r *liveRoom) arrive(e chat.Event) (dirty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ended || e.Seq <= r.head: // no reader is left, or the event is here
		return false
	case !r.isLoaded:
		r.head, r.used = e.Seq, nanoseconds(e.At)
		return false
	case r.hub.others != nil && e.Seq > r.head+1:
		r.keep(e)
		r.awaitGap()
		return false
	}
	dirty = r.append(e)
	r.vain = 0
	if r.appendEarly() {
		dirty = true
	}
	r.wakeAwaiting()
	return dirty
}

// keep keeps an event until those before it have come. The caller holds r.mu.
func (r *liveRoom) keep(e chat.Event) {
	r.known = max(r.known, e.Seq)
	if e.Kind == chat.Delete { // at once, should the gap last
		r.forgetEarly(e.Target)
		for _, t := range r.tails {
			t.forget(e.Target)
		}
		before := r.byteCount()
		r.cutLogs(r.repeated.observe(e))
		r.hub.bytes.Add(int64(r.byteCount() - before))
	}
	if len(r.early) < maxEarly && r.earlyBytes < maxEarlyBytes {
		r.putEarly(earlyEvent{Event: e})
	}
}

// putEarly adds an event to the early ones, or replaces it. The caller holds r.mu.
func (r *liveRoom) putEarly(e earlyEvent) {
	r.dropEarly(e.Seq)
	if r.early == nil {
		r.early = map[chat.Seq]earlyEvent{}
	}
	r.early[e.Seq] = e
	r.earlyBytes += len(e.Text) + len(e.HTML)
}

func (r *liveRoom) dropEarly(seq chat.Seq) {
	if e, found := r.early[seq]; found {
		r.earlyBytes -= len(e.Text) + len(e.HTML)
		delete(r.early, seq)
	}
}

// forgetEarly removes a deleted message's text from the early events and from those that are being read. The caller
// holds r.mu.
func (r *liveRoom) forgetEarly(message chat.Seq) {
	if r.isFilling {
		r.deleted = append(r.deleted, message)
	}
	for seq, e := range r.early {
		r.earlyBytes -= len(e.Text) + len(e.HTML)
		withoutText(&e.Event, message)
		r.earlyBytes += len(e.Text) + len(e.HTML)
		r.early[seq] = e
	}
}

// passEarly drops e, which is being appended, from the early events, and a text that e deletes. The caller holds r.mu.
func (r *liveRoom) passEarly(e chat.Event) {
	r.dropEarly(e.Seq)
	if e.Kind == chat.Delete {
		r.forgetEarly(e.Target)
	}
}

// end stops the wait for events that nobody needs any more.
func (g *gap) end() {
	g.early, g.earlyBytes = nil, 0
	if g.wait != nil {
		g.wait.Stop()
	}
}

// appendEarly appends the early events that are next. It reports whether there is something to flush. The caller holds
// r.mu.
func (r *liveRoom) appendEarly() (dirty bool) {
	for len(r.early) > 0 {
		e, found := r.early[r.head+1]
		if !found || e.isRead && r.isFilling {
			break
		}
		if r.append(e.Event) {
			dirty = true
		}
	}
	return dirty
}

// isBehind reports whether the store has events that have not been appended. The caller holds r.mu.
func (r *liveRoom) isBehind() bool { return r.known > r.head }

// awaitGap lets the room read the store if the event after its head does not come soon. The caller holds r.mu.
func (r *liveRoom) awaitGap() {
	if r.isFilling || r.wait != nil || !r.isBehind() && !r.fillFailed {
		return
	}
	r.wait = time.AfterFunc(min(gapWait<<r.vain, longGapWait), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.wait = nil; !r.ended && (r.isBehind() || r.fillFailed) {
			r.startFill()
		}
	})
}

// startFill lets a worker read the events after the room's head. The caller holds r.mu.
func (r *liveRoom) startFill() {
	if r.isFilling || !r.isLoaded { // load calls it again
		r.fillAgain = true
		return
	}
	if r.wait != nil {
		r.wait.Stop()
		r.wait = nil
	}
	r.isFilling, r.fillAgain = true, false
	r.hub.gaps.push(r)
}

// gapLoop reads the store for rooms that lack events, until the queue is closed.
func (h *Hub) gapLoop(ctx context.Context) error {
	for {
		r, more := h.gaps.take()
		if !more {
			return nil
		}
		r.fill(ctx)
	}
}

// fill reads the events after the room's head from the store, once for all its readers. They are appended when all
// drafts are answered that may be among them.
func (r *liveRoom) fill(ctx context.Context) {
	h := r.hub
	head, isFormatted := r.beginFill()
	events, err := r.eventsAfter(ctx, head, isFormatted)
	if ctx.Err() != nil {
		return
	}
	h.logFailing(ctx, &h.gapsFail, err, "events of other nodes cannot be read: it is tried again",
		slog.String("room", string(r.name)))
	r.putFilled(events, err != nil)
	if h.answers.await(r) && r.finishFill() {
		r.wake()
	}
}

// beginFill returns the room's head, and whether readers need HTML.
func (r *liveRoom) beginFill() (head chat.Seq, isFormatted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deleted, r.fillFrom = nil, r.head
	for _, l := range r.logs {
		isFormatted = isFormatted || l.readers > 0 && l.enc.Formatted()
	}
	return r.head, isFormatted
}

func (r *liveRoom) eventsAfter(ctx context.Context, seq chat.Seq, isFormatted bool) (events []chat.Event, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = asError(cause)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, gapTimeout)
	defer cancel()
	events, err = r.hub.log.After(ctx, r.name, seq, gapEvents)
	left := Budget{All: formatAll, Colour: formatCode}
	for i := range events {
		events[i].Room = r.name
		if isFormatted {
			r.hub.render(&events[i], &left)
		}
	}
	return events, err
}

// putFilled puts what was read among the early events.
func (r *liveRoom) putFilled(events []chat.Event, failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fillFailed, r.filledFrom = failed, 0
	if r.ended || failed {
		return
	}
	for i := range events {
		e := &events[i]
		for _, message := range r.deleted {
			withoutText(e, message)
		}
		if _, found := r.early[e.Seq]; !found && e.Seq > r.head {
			r.putEarly(earlyEvent{*e, true})
		}
		r.known = max(r.known, e.Seq)
	}
	if len(events) > 0 {
		r.filledFrom = events[0].Seq
	}
	if len(events) == gapEvents {
		r.fillAgain = true
	}
}

// finishFill appends what was read and begins another fill if there may be more. It reports whether there is something
// to flush.
func (r *liveRoom) finishFill() (dirty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isFilling, r.deleted = false, nil; r.ended {
		return false
	}
	dirty = r.appendEarly()
	if _, found := r.early[r.head+1]; !found && r.filledFrom > r.head+1 { // somebody has removed the next one by hand
		r.skipTo(r.filledFrom - 1)
		r.appendEarly()
		dirty = true
	}
	r.wakeAwaiting()
	switch {
	case r.head > r.fillFrom, !r.isBehind() && !r.fillFailed:
		r.vain = 0
	case r.vain < vainFills:
		r.vain++
	case !r.fillFailed: // somebody has removed the newest ones by hand
		r.hub.logger.LogAttrs(context.Background(), slog.LevelWarn, "a room's newest events are not in the store",
			slog.String("room", string(r.name)), slog.Int64("seq", int64(r.known)))
		r.known, r.vain = r.head, 0
		r.early, r.earlyBytes = nil, 0
	}
	if r.fillAgain && !r.fillFailed {
		r.startFill()
		return dirty
	}
	r.awaitGap()
	return dirty
}

// skipTo makes seq the newest event, although those before it are not here: readers find in the store what there is.
// The caller holds r.mu.
func (r *liveRoom) skipTo(seq chat.Seq) {
	before := r.byteCount()
	r.head, r.used, r.times, r.repeated = seq, 0, nil, quotes{}
	for early := range r.early {
		if early <= seq {
			r.dropEarly(early)
		}
	}
	for _, l := range r.logs {
		l.forget(seq)
	}
	r.hub.bytes.Add(int64(r.byteCount() - before))
	for _, t := range r.tails {
		t.signal()
	}
}

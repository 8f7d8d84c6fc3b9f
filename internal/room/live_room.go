package room

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley/internal/chat"
)

// A liveRoom is a room that has readers.
type liveRoom struct {
	hub  *Hub
	name chat.RoomName

	refs    int  // number of readers, including those that are about to join, and holds; guarded by the directory shard
	isDirty bool // the room is in Hub.dirtyRooms; owned by Arrive's goroutine

	loaded  chan struct{} // closed by load
	loadErr error         // set before loaded is closed

	mu       sync.Mutex
	isLoaded bool
	head     chat.Seq // the newest event in the byte logs; while loading, the newest that arrived
	used     int64    // when the event head was stored, in Unix nanoseconds; 0 if that is not known
	times    []int64  // the same for each of the newest events that were appended; the last one is used, of head
	logs     []*byteLog
	shards   []*shard
	tails    []*tail
	repeated quotes
	awaited  []*awaitedEvent
	gap
	presence

	flushing // guarded by the flush queue
}

func newRoom(h *Hub, name chat.RoomName) *liveRoom {
	return &liveRoom{
		hub:      h,
		name:     name,
		loaded:   make(chan struct{}),
		presence: presence{members: map[chat.PersonID]*member{}},
	}
}

// load reads the room's head from the log. Events that are committed while it reads reach append, so the later of the
// two becomes the head.
func (r *liveRoom) load(ctx context.Context) {
	opened := r.open(ctx)
	head, at, err := r.headInLog(ctx)
	if err != nil {
		r.loadErr = fmt.Errorf("newest event of %s: %w", r.name, err)
	}
	<-opened
	r.mu.Lock()
	if head > r.head {
		r.head, r.used = head, nanoseconds(at)
	}
	r.isLoaded = true
	if r.fillAgain { // a hint came meanwhile
		r.startFill()
	}
	r.wakeAwaiting()
	r.mu.Unlock()
	close(r.loaded)
}

// nanoseconds returns a time in Unix nanoseconds, 0 for the zero time.
func nanoseconds(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixNano()
}

// headInLog returns the log's newest event and when it was stored. It turns a panic into an error, because others wait
// for load.
func (r *liveRoom) headInLog(ctx context.Context) (head chat.Seq, at time.Time, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = asError(cause)
		}
	}()
	return r.hub.log.Head(context.WithoutCancel(ctx), r.name)
}

// append adds an event to the byte logs and reports whether there is something to flush. The caller holds r.mu.
func (r *liveRoom) append(e chat.Event) (dirty bool) {
	if m := r.members[e.From.ID]; m != nil && e.Kind.IsSaid() {
		m.typed = time.Time{} // typing after this is a new message
	}
	before := r.byteCount()
	defer func() {
		if cause := recover(); cause != nil { // byte logs may lack the event: readers catch up from the store
			r.hub.logPanic("event panicked", r.name, cause)
			for _, l := range r.logs {
				l.forget(r.head)
			}
			dirty = len(r.shards) > 0
		}
		r.hub.bytes.Add(int64(r.byteCount() - before))
	}()
	contiguous := e.Seq == r.head+1
	r.head = e.Seq
	r.used = nanoseconds(e.At)
	r.noteTime(contiguous)
	if len(r.early) > 0 || r.isFilling {
		r.passEarly(e)
	}
	for _, t := range r.tails {
		t.append(e)
	}
	r.cutLogs(r.repeated.observe(e))
	for _, l := range r.logs {
		if contiguous && l.readers > 0 {
			l.append(e)
		} else { // no reader needs these bytes; should there ever be a gap, readers would catch up from the store
			l.forget(r.head)
		}
	}
	return len(r.shards) > 0
}

// cutLogs drops the bytes of events up to through, which may hold a deleted text. Readers that are not live get the
// events from the store. The caller holds r.mu.
func (r *liveRoom) cutLogs(through chat.Seq) {
	for _, l := range r.logs {
		l.cut(through)
	}
}

// wake marks every shard of readers to be flushed.
func (r *liveRoom) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hub.flushes.mark(r, r.shards...)
}

// logFor returns the byte log of an encoder. The caller holds r.mu.
func (r *liveRoom) logFor(enc Encoder) *byteLog {
	for _, l := range r.logs {
		if l.enc == enc {
			return l
		}
	}
	l := &byteLog{enc: enc, index: len(r.logs)}
	l.forget(r.head)
	r.logs = append(r.logs, l)
	return l
}

// dropBytes drops the contents of the byte logs.
func (r *liveRoom) dropBytes() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repeated = quotes{}
	r.hub.bytes.Add(int64(-r.byteCount()))
	for _, l := range r.logs {
		l.forget(r.head)
	}
}

// drop ends a room without readers.
func (r *liveRoom) drop() {
	r.dropBytes()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hub.members.Add(int64(-len(r.members)))
	if r.tellTimer != nil {
		r.tellTimer.Stop()
		r.tellMembers()
	}
	r.presence.end()
	r.gap.end()
	r.wakeAwaiting()
}

// published returns the newest event that has arrived, with all before it. Its sender has been answered.
func (r *liveRoom) published() chat.Seq {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head
}

func (r *liveRoom) lastUsed() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used
}

// byteCount returns the size of the byte logs. The caller holds r.mu.
func (r *liveRoom) byteCount() int {
	n := 0
	for _, l := range r.logs {
		n += cap(l.buf) + 4*cap(l.ends)
	}
	return n
}

// sendEphemeral adds an ephemeral event, which only live readers get. The caller holds r.mu, so that no shard is
// flushed and found clean between the append and the mark.
func (r *liveRoom) sendEphemeral(e chat.Event) {
	defer func() {
		if cause := recover(); cause != nil { // an ephemeral event may be lost
			r.hub.logPanic("event panicked", r.name, cause)
		}
	}()
	e.Room, e.At = r.name, time.Now()
	for _, l := range r.logs {
		if l.readers > 0 {
			l.appendEphemeral(e)
		}
	}
	r.hub.flushes.mark(r, r.shards...)
}

package room

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley/internal/chat"
)

// A liveRoom is a room that somebody reads.
type liveRoom struct {
	hub  *Hub
	name chat.RoomName

	refs    int  // guarded by the directory shard: readers there are or will be
	isDirty bool // owned by the log's goroutine: it is in Hub.touched

	loaded  chan struct{} // closed by load
	loadErr error         // set before loaded is closed

	mu       sync.Mutex
	isLoaded bool
	head     chat.Seq // newest committed; while loading, newest published
	used     int64    // when the event head was stored, in Unix nanoseconds
	logs     []*byteLog
	shards   []*shard
	repeated quotes
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

// load finds out where the room's log ends. Events that are committed
// meanwhile reach append, so the later of the two is the head.
func (r *liveRoom) load(ctx context.Context) {
	head, at, err := r.headInLog(ctx)
	if err != nil {
		r.loadErr = fmt.Errorf("newest event of %s: %w", r.name, err)
	}
	r.mu.Lock()
	if head > r.head {
		r.head, r.used = head, at.UnixNano()
	}
	r.isLoaded = true
	r.mu.Unlock()
	close(r.loaded)
}

// headInLog returns the newest event of the log and when it was stored. A panic
// is an error: others wait for the answer.
func (r *liveRoom) headInLog(ctx context.Context) (head chat.Seq, at time.Time, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = asError(cause)
		}
	}()
	return r.hub.log.Head(context.WithoutCancel(ctx), r.name)
}

// append adds a committed event to the byte logs and reports whether there is
// something to flush.
func (r *liveRoom) append(e chat.Event) (dirty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || e.Seq <= r.head { // nobody is left, or load has seen it in the store already
		return false
	}
	if !r.isLoaded {
		r.head, r.used = e.Seq, e.At.UnixNano()
		return false
	}
	if m := r.members[e.From.ID]; m != nil && e.Kind.IsSaid() {
		m.typed = time.Time{} // what they type next is another message
	}
	before := r.byteCount()
	defer func() {
		if cause := recover(); cause != nil { // some logs may lack the event: the store has it
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
	r.used = e.At.UnixNano()
	through := r.repeated.observe(e)
	for _, l := range r.logs {
		l.cut(through) // whoever lags is given what the store has left
		if contiguous && l.readers > 0 {
			l.append(e)
		} else { // nobody reads it; a gap cannot be, but if it were: the store has it all
			l.forget(r.head)
		}
	}
	return len(r.shards) > 0
}

// wake has every shard of readers flushed.
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

// dropBytes drops the recent bytes.
func (r *liveRoom) dropBytes() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repeated = quotes{}
	r.hub.bytes.Add(int64(-r.byteCount()))
	for _, l := range r.logs {
		l.forget(r.head)
	}
}

// drop ends a room that nobody reads any more.
func (r *liveRoom) drop() {
	r.dropBytes()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hub.members.Add(int64(-len(r.members)))
	r.presence.end()
}

// published returns the newest event whose sender has been answered.
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

func (r *liveRoom) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.members)
}

// byteCount returns what the room's logs hold. The caller holds r.mu.
func (r *liveRoom) byteCount() int {
	n := 0
	for _, l := range r.logs {
		n += cap(l.buf) + 4*cap(l.ends)
	}
	return n
}

// sendEphemeral adds an event of the moment for every reader that does not lag. The
// caller holds r.mu, so that no shard can be flushed clean in between.
func (r *liveRoom) sendEphemeral(e chat.Event) {
	defer func() {
		if cause := recover(); cause != nil { // it was of the moment
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

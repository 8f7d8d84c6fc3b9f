package room

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// flushQueue holds the rooms with new bytes. A flusher takes one shard of the first room and puts the room at the end,
// so that a large room holds up others for one shard at most. While several rooms have new bytes, no room has all
// flushers, and a large room rests after each shard for as long as that shard took. Events that arrive during the rest
// go out in the same writes, and the processor is free for other rooms.
type flushQueue struct {
	flushers int
	mu       sync.Mutex
	more     sync.Cond
	rooms    []*liveRoom // each at most once; a ring buffer would save little
	last     *liveRoom   // the room that was taken last
	others   time.Time   // when a room was taken that was not the last one
	closed   bool
}

const (
	soloAfter   = 100 * time.Millisecond // a room alone for this long gets all flushers and no rest
	largeShards = 4                      // a room with more dirty shards is large

	longestRest = 10 * time.Millisecond // caps the rest after the whole process was suspended
)

// flushing is a room's state in the queue.
type flushing struct {
	queued     bool
	dirty      []*shard  // dirty and not being flushed
	busy       int       // number of shards that are being flushed
	since      time.Time // when the first shard became dirty
	restsUntil time.Time // it gets no flusher before this time
	restTimer  *time.Timer
}

func (q *flushQueue) init() {
	q.flushers = runtime.GOMAXPROCS(0)
	q.more.L = &q.mu
}

// mark makes shards of a room dirty. A shard that is being flushed now will be flushed again.
func (q *flushQueue) mark(r *liveRoom, shards ...*shard) {
	if len(shards) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(r.dirty) == 0 && r.busy == 0 {
		r.since = time.Now()
	}
	for _, s := range shards {
		if !s.isDirty {
			s.isDirty = true
			if !s.isBusy {
				r.dirty = append(r.dirty, s)
			}
		}
	}
	q.enqueue(r)
}

// enqueue puts a room with dirty shards at the end. The caller holds q.mu.
func (q *flushQueue) enqueue(r *liveRoom) {
	if len(r.dirty) == 0 || r.queued {
		return
	}
	r.queued = true
	q.rooms = append(q.rooms, r)
	if q.mayHaveOneMore(r) {
		q.more.Signal()
	}
}

// mayHaveOneMore reports whether a room may have another flusher. The caller holds q.mu.
func (q *flushQueue) mayHaveOneMore(r *liveRoom) bool {
	return time.Until(r.restsUntil) <= 0 && (r.busy == 0 || r.busy+1 < q.flushers || q.isAlone())
}

// isAlone reports whether only one room has had new bytes lately. The caller holds q.mu.
func (q *flushQueue) isAlone() bool { return time.Since(q.others) > soloAfter }

// next removes and returns the first room that may have a flusher, nil if there is none. The caller holds q.mu.
func (q *flushQueue) next() *liveRoom {
	for i, r := range q.rooms {
		if !q.mayHaveOneMore(r) {
			continue
		}
		if i == 0 {
			q.rooms[0] = nil
			q.rooms = q.rooms[1:]
		} else {
			q.rooms = slices.Delete(q.rooms, i, i+1)
		}
		r.queued = false
		if q.last != nil && r != q.last {
			q.others = time.Now()
		}
		q.last = r
		return r
	}
	return nil
}

// take waits for a dirty shard, which the caller then flushes. It returns nil when the queue is closed.
func (q *flushQueue) take() *shard {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.next()
	for r == nil && !q.closed {
		q.more.Wait()
		r = q.next()
	}
	if q.closed {
		return nil
	}
	s := r.dirty[0]
	r.dirty[0] = nil
	r.dirty = r.dirty[1:]
	s.isDirty, s.isBusy = false, true
	r.busy++
	q.enqueue(r)
	return s
}

// done records that a shard has been flushed and how long that took. It returns whether the room has no dirty shard
// left, and since when it had one.
func (q *flushQueue) done(s *shard, took time.Duration) (since time.Time, clean bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := s.room
	s.isBusy = false
	r.busy--
	if s.isDirty {
		r.dirty = append(r.dirty, s)
		q.enqueue(r)
	}
	if len(r.dirty) > largeShards && !q.isAlone() {
		q.rest(r, min(took, longestRest))
	}
	return r.since, r.isClean()
}

// rest gives a room no flusher for a while. The caller holds q.mu.
func (q *flushQueue) rest(r *liveRoom, d time.Duration) {
	r.restsUntil = time.Now().Add(d)
	if r.restTimer == nil {
		r.restTimer = time.AfterFunc(d, q.restOver)
	} else {
		r.restTimer.Reset(d)
	}
}

// restOver wakes a flusher, because a room's rest is over.
func (q *flushQueue) restOver() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.more.Signal()
}

// isClean reports whether every shard has been flushed. The caller holds the queue's mu.
func (f *flushing) isClean() bool { return len(f.dirty) == 0 && f.busy == 0 }

func (q *flushQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Broadcast()
}

// A flusher holds the buffers that one flusher goroutine reuses.
type flusher struct {
	windows []window
	batch   Batch     // nil: none
	added   []*Reader // readers whose bytes are in batch, in order
}

// add adds a reader's new bytes to the batch. It reports false if that is not possible.
func (f *flusher) add(rd *Reader, w *window) bool {
	if f.batch == nil || rd.next < w.first || rd.next > w.head || !f.batch.Add(rd.sink, w.from(rd.next)) {
		return false
	}
	f.added = append(f.added, rd)
	return true
}

// flushLoop runs one flusher until the queue is closed.
func (h *Hub) flushLoop() error {
	var f flusher
	if h.cfg.NewBatch != nil {
		f.batch = h.cfg.NewBatch()
	}
	if f.batch != nil {
		defer f.batch.Close()
	}
	for {
		s := h.flushes.take()
		if s == nil {
			return nil
		}
		begun := time.Now()
		h.flush(s, &f)
		took := time.Since(begun)
		runtime.Gosched() // lets other goroutines run between the shards of a large room
		if since, clean := h.flushes.done(s, took); clean {
			s.room.dropOfferedEphemeral()
			if h.cfg.Flushed != nil {
				h.cfg.Flushed(time.Since(since))
			}
		}
	}
}

// dropOfferedEphemeral drops the ephemeral bytes if every reader has been offered them. New ones are added under r.mu,
// so none can come in between.
func (r *liveRoom) dropOfferedEphemeral() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hub.flushes.mu.Lock()
	clean := r.isClean()
	r.hub.flushes.mu.Unlock()
	if clean {
		for _, l := range r.logs {
			l.dropEphemeral()
		}
	}
}

// flush writes the new bytes to each live reader of a shard.
func (h *Hub) flush(s *shard, f *flusher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.windows = f.windows[:0]
	s.room.mu.Lock()
	for _, l := range s.room.logs {
		f.windows = append(f.windows, l.window())
	}
	s.room.mu.Unlock()

	for at := 0; at < len(s.readers); {
		at = h.flushFrom(s, at, f)
	}
	h.sendBatch(f)
	clear(f.windows)
}

// sendBatch writes a flusher's batch. The caller holds shard.mu.
func (h *Hub) sendBatch(f *flusher) {
	if len(f.added) == 0 {
		return
	}
	for i, w := range f.batch.Send() {
		h.finishBatched(f.added[i], f, w)
	}
	clear(f.added)
	f.added = f.added[:0]
}

// finishBatched applies the result of a batched write to its reader, as advance does after a write of its own.
func (h *Hub) finishBatched(rd *Reader, f *flusher, written Written) {
	defer func() {
		if cause := recover(); cause != nil {
			rd.fail(cause)
		}
	}()
	if written.Panic != nil {
		rd.fail(written.Panic)
		return
	}
	w := &f.windows[rd.log.index]
	given, whole := rd.advanceBy(w, written.N, written.Err)
	h.deliveries.Add(uint64(given))
	if whole {
		rd.offerEphemeral(w)
	}
}

// flushFrom flushes the readers from index at on. It returns the index to continue at: after the last reader, or after
// one that panicked.
func (h *Hub) flushFrom(s *shard, at int, f *flusher) (next int) {
	given := 0
	defer func() {
		h.deliveries.Add(uint64(given))
		if cause := recover(); cause != nil {
			s.readers[at].fail(cause)
			next = at + 1
		}
	}()
	for ; at < len(s.readers); at++ {
		rd := s.readers[at]
		if rd.state != live {
			continue
		}
		w := &f.windows[rd.log.index]
		if f.add(rd, w) {
			continue
		}
		h.sendBatch(f) // a connection with two readers may have bytes in the batch that must go first
		if !f.add(rd, w) {
			given += rd.advance(w)
		}
	}
	return at
}

// advance writes a reader's new bytes, and returns how many events the sink took. The caller holds shard.mu.
func (rd *Reader) advance(w *window) int {
	if rd.next < w.first {
		rd.catchUp()
		return 0
	}
	given, whole := 0, true
	if rd.next <= w.head {
		n, err := rd.sink.TryWrite(w.from(rd.next))
		given, whole = rd.advanceBy(w, n, err)
	}
	if whole {
		rd.offerEphemeral(w)
	}
	return given
}

// advanceBy moves a reader on by the bytes that its sink took. It returns how many events that was, and whether it was
// all. The caller holds shard.mu.
func (rd *Reader) advanceBy(w *window, n int, err error) (given int, whole bool) {
	if err != nil {
		rd.setState(closed)
		return 0, false
	}
	all := len(w.from(rd.next))
	next := w.after(rd.next, n)
	given = int(next - rd.next)
	rd.next = next
	if n < all {
		rd.block()
		return given, false
	}
	return given, true
}

// offerEphemeral writes the new ephemeral bytes to a live reader. Bytes that do not fit are lost to it, as are those
// sent while it was not live.
func (rd *Reader) offerEphemeral(w *window) {
	from := max(rd.nextEphemeral, w.momentBase) - w.momentBase
	rd.nextEphemeral = w.momentEnd()
	if p := w.moment[min(int(from), len(w.moment)):]; len(p) > 0 {
		if n, err := rd.sink.TryWrite(p); err != nil {
			rd.setState(closed)
		} else if n < len(p) {
			rd.block()
		}
	}
}

package room

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// flushQueue holds the rooms that have something to write. A flusher takes one
// shard of the room in front and puts the room at the end, so that a large
// room makes nobody wait for more than a shard. Where others have something to
// write too, no room has all flushers, and a large one rests after each shard
// for as long as that took: what is said meanwhile goes out in the same writes,
// and cores are left for what the others say.
type flushQueue struct {
	flushers int
	mu       sync.Mutex
	more     sync.Cond
	rooms    []*liveRoom // each at most once; a ring would save little
	last     *liveRoom   // was in front last
	others   time.Time   // when that was another than the time before
	closed   bool
}

const (
	soloAfter   = 100 * time.Millisecond // so long the only one to write, a room has all flushers and no rest
	largeShards = 4                      // a room that has more shards to be flushed is large

	longestRest = 10 * time.Millisecond // a process that was stopped for a minute seems to have taken that
)

// flushing is a room's part of the queue.
type flushing struct {
	queued     bool
	dirty      []*shard  // to be flushed, and not being flushed now
	busy       int       // shards that are being flushed now
	since      time.Time // when the first of them became dirty
	restsUntil time.Time // until when it gets no flusher
	restTimer  *time.Timer
}

func (q *flushQueue) init() {
	q.flushers = runtime.GOMAXPROCS(0)
	q.more.L = &q.mu
}

// mark has shards of a room flushed. One that is being flushed now will be
// flushed once more.
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

// mayHaveOneMore reports whether a room may have another flusher at work. The
// caller holds q.mu.
func (q *flushQueue) mayHaveOneMore(r *liveRoom) bool {
	return time.Until(r.restsUntil) <= 0 && (r.busy == 0 || r.busy+1 < q.flushers || q.isAlone())
}

// isAlone reports whether only one room has had anything to write lately. The
// caller holds q.mu.
func (q *flushQueue) isAlone() bool { return time.Since(q.others) > soloAfter }

// next removes and returns the first room that may have a flusher; nil if there
// is none. The caller holds q.mu.
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

// take waits for a dirty shard, which the caller then flushes; nil means that
// the queue is closed.
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

// done says that a shard has been flushed, and how long that took. If it was the
// room's last, it returns since when the room had been dirty.
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

// rest keeps flushers from a room for a while. The caller holds q.mu.
func (q *flushQueue) rest(r *liveRoom, d time.Duration) {
	r.restsUntil = time.Now().Add(d)
	if r.restTimer == nil {
		r.restTimer = time.AfterFunc(d, q.restOver)
	} else {
		r.restTimer.Reset(d)
	}
}

// restOver has a flusher look again: some room's rest is over.
func (q *flushQueue) restOver() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.more.Signal()
}

// isClean reports whether every shard has been flushed. The caller holds the
// queue's mu.
func (f *flushing) isClean() bool { return len(f.dirty) == 0 && f.busy == 0 }

func (q *flushQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Broadcast()
}

// A flusher is what one of the flushers has, to be used again.
type flusher struct {
	windows []window
	batch   Batch     // nil: none
	added   []*Reader // whose bytes are in batch, in order
}

// add has what is new for a reader written with the batch, if that can be.
func (f *flusher) add(rd *Reader, w *window) bool {
	if f.batch == nil || rd.next < w.first || rd.next > w.head || !f.batch.Add(rd.sink, w.from(rd.next)) {
		return false
	}
	f.added = append(f.added, rd)
	return true
}

// flushLoop is one of the flushers.
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
		runtime.Gosched() // a room of thousands must not keep a core to itself
		if since, clean := h.flushes.done(s, took); clean {
			s.room.dropOfferedEphemeral()
			if h.cfg.Flushed != nil {
				h.cfg.Flushed(time.Since(since))
			}
		}
	}
}

// dropOfferedEphemeral drops the bytes of the moment if every reader has been offered them.
// New ones are said under r.mu, so none can come in between.
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

// flush gives each live reader of a shard what is new.
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

// sendBatch writes what has been added to a flusher's batch. The caller holds
// shard.mu.
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

// finishBatched is advance for a reader whose bytes were in a batch.
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

// flushFrom is flush for the readers from the at-th on. It returns where to go
// on: behind the last, or behind one that had to be given up.
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
		h.sendBatch(f) // it may hold what advance needs, if a connection has two readers
		if !f.add(rd, w) {
			given += rd.advance(w)
		}
	}
	return at
}

// advance writes what a reader has not had, and returns how many events that
// was. The caller holds shard.mu.
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

// advanceBy moves a reader on by what its sink has taken. It returns how many events
// that was, and whether it was all there is. The caller holds shard.mu.
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

// offerEphemeral writes the bytes of the moment to a reader that does not lag;
// what does not fit is lost to it, as is what a reader missed that did lag.
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

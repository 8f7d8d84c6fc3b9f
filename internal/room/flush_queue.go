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

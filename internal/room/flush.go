package room

import (
	"runtime"
	"time"
)

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
	from := max(rd.nextEphemeral, w.ephemeralBase) - w.ephemeralBase
	rd.nextEphemeral = w.ephemeralEnd()
	if p := w.ephemeral[min(int(from), len(w.ephemeral)):]; len(p) > 0 {
		if n, err := rd.sink.TryWrite(p); err != nil {
			rd.setState(closed)
		} else if n < len(p) {
			rd.block()
		}
	}
}

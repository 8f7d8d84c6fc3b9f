package store

import (
	"context"
	"sync"

	"parley/internal/chat"
)

// Limits of the queue, and of one transaction. Its drafts wait for its slowest part,
// the sync, so it should not take much longer than that.
const (
	MaxWaiting     = 100_000  // drafts and other writes
	MaxWaitingText = 64 << 20 // bytes
	MaxBatch       = 4096
	maxBatchText   = 8 << 20 // bytes
)

// An item is a draft or another write, with the function that gets its result.
type item struct {
	draft    chat.Draft
	mentions [][]string        // names that the draft's text may mention
	done     func(chat.Commit) // for a draft
	write    *write            // instead of a draft
	refused  *chat.Error       // not nil: it is not written, and done gets this error
}

// A write is one call of Do that waits in the queue.
type write struct {
	run  func(context.Context) error
	done func(error)
}

// deletes reports whether an item may be written on a full disk.
func (it *item) deletes() bool {
	return it.write == nil && it.refused == nil && it.draft.Kind == chat.Delete
}

// anyWanted reports whether any item is to be written.
func anyWanted(items []item) bool {
	for i := range items {
		if items[i].refused == nil {
			return true
		}
	}
	return false
}

func hasDeletion(items []item) bool {
	for i := range items {
		if items[i].deletes() {
			return true
		}
	}
	return false
}

func (it *item) bytes() int { return len(it.draft.Text) + len(it.draft.HTML) }

// A queue holds what waits for the committer, in the order it came.
//
// A draft that is refused goes through it as well, without its text: its done
// has to be called on the committer's goroutine, because who calls Append may
// hold a lock that done takes, and in order, because answers are.
type queue struct {
	mu       sync.Mutex
	changed  sync.Cond // something is waiting, stopping, or answering no more
	items    []item
	waiting  int  // items that have not been refused
	text     int  // their bytes
	nudged   bool // the committer is to look up, even if nothing waits
	stopping bool // from now on everything is refused, and what waits is committed
	ended    bool // there is no committer any more: late answers

	answering bool // a goroutine is at these
}

// push appends it and returns at once.
func (q *queue) push(it item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.stopping:
		it.dropDraft(errStopping)
	case q.waiting >= MaxWaiting || q.text+it.bytes() > MaxWaitingText:
		it.dropDraft(errOverloaded)
	default:
		q.waiting++
		q.text += it.bytes()
	}
	q.items = append(q.items, it)
	if q.ended {
		q.answerLate()
		return
	}
	q.changed.Broadcast()
}

// dropDraft refuses an item and frees its draft. Only the function to answer stays.
func (it *item) dropDraft(why *chat.Error) {
	it.refused, it.draft = why, chat.Draft{}
}

// take waits for items and moves those of the next transaction to batch. It returns
// none after a nudge. It also returns none once the queue has been stopped and is
// empty: then more is false, and no item will come any more.
func (q *queue) take(batch []item) (_ []item, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.stopping && !q.nudged {
		q.changed.Wait()
	}
	n, drafts, text := 0, 0, 0
	for n < len(q.items) && drafts < MaxBatch && (n == 0 || text+q.items[n].bytes() <= maxBatchText) {
		if q.items[n].refused == nil {
			drafts++
			text += q.items[n].bytes()
		}
		n++
	}
	batch = append(batch, q.items[:n]...)
	q.waiting -= drafts
	q.text -= text
	clear(q.items[:n]) // let go of the texts
	switch {
	case n < len(q.items):
		q.items = q.items[n:]
	case cap(q.items) > 4*MaxBatch:
		q.items = nil
	default:
		q.items = q.items[:0]
	}
	if n == 0 {
		q.nudged, q.items = false, nil
	}
	q.ended = n == 0 && q.stopping
	return batch, !q.ended
}

// nudge lets take return as soon as nothing waits.
func (q *queue) nudge() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.nudged = true
	q.changed.Broadcast()
}

// stop lets take return what waits and then nothing.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopping = true
	q.changed.Broadcast()
}

// end refuses all items that wait. No committer will take them.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopping, q.ended = true, true
	for i := range q.items {
		q.items[i].dropDraft(errStopping)
	}
	q.answerLate()
}

// answerLate starts a goroutine, unless one runs, that answers the items which came
// after the committer's end. It ends as soon as nothing is left to answer. The caller
// holds mu.
func (q *queue) answerLate() {
	if q.answering || len(q.items) == 0 {
		return
	}
	q.answering = true
	go func() {
		for {
			q.mu.Lock()
			items := q.items
			q.items = nil
			if len(items) == 0 {
				q.answering = false
				q.changed.Broadcast()
			}
			q.mu.Unlock()
			if len(items) == 0 {
				return
			}
			for i := range items {
				items[i].answer(chat.Commit{Err: items[i].refused})
			}
		}
	}()
}

// settle waits until everything has been answered.
func (q *queue) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.answering {
		q.changed.Wait()
	}
}

// answer passes the result to the function that waits for it.
func (it *item) answer(c chat.Commit) {
	if it.write != nil {
		it.write.done(c.Err)
		return
	}
	it.done(c)
}

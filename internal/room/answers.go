package room

import (
	"sync"
	"sync/atomic"
)

// answers counts the drafts of this node, so that no reader gets an event before its sender is answered: an event that
// is read from the store may be one whose answer is under way. The log answers drafts in the order in which they were
// appended.
type answers struct {
	appended atomic.Uint64
	answered atomic.Uint64
	until    atomic.Uint64 // the least of waiting; 0: none

	mu      sync.Mutex
	waiting []awaitedAnswer
}

// An awaitedAnswer is a room whose events have been read when that many drafts had been appended.
type awaitedAnswer struct {
	until uint64
	room  *liveRoom
}

// await reports whether all drafts that have been appended until now are answered. If not, r finishes its fill once
// they are.
func (a *answers) await(r *liveRoom) (done bool) {
	until := a.appended.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = append(a.waiting, awaitedAnswer{until, r})
	a.setUntil()
	if a.answered.Load() < until { // loaded after setUntil: else the last answer might see no one waiting
		return false
	}
	for i, w := range a.waiting {
		if w.room == r { // unless it was taken meanwhile
			a.waiting = append(a.waiting[:i], a.waiting[i+1:]...)
			a.setUntil()
			return true
		}
	}
	return false
}

// setUntil sets until. The caller holds a.mu.
func (a *answers) setUntil() {
	least := uint64(0)
	for _, w := range a.waiting {
		if least == 0 || w.until < least {
			least = w.until
		}
	}
	a.until.Store(least)
}

// take removes and returns the rooms that have nothing more to wait for.
func (a *answers) take() (rooms []*liveRoom) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answered := a.answered.Load()
	left := a.waiting[:0]
	for _, w := range a.waiting {
		if w.until <= answered {
			rooms = append(rooms, w.room)
		} else {
			left = append(left, w)
		}
	}
	clear(a.waiting[len(left):])
	a.waiting = left
	a.setUntil()
	return rooms
}

// answered counts an answer, and lets rooms go on that have waited for it.
func (h *Hub) answered() {
	n := h.answers.answered.Add(1)
	if until := h.answers.until.Load(); until == 0 || n < until {
		return
	}
	for _, r := range h.answers.take() {
		if r.finishFill() {
			h.markDirty(r)
		}
	}
}

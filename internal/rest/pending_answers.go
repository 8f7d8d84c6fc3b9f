package rest

import (
	"net/netip"
	"slices"
	"sync"
)

// pendingAnswers is what clients have asked for and not taken yet: their answers, which
// are in memory until then. Where that is too much, the answers that have waited
// longest are cut, those of the address that has most of it first, so that nobody
// is refused because others do not read.
type pendingAnswers struct {
	mu    sync.Mutex
	of    map[netip.Addr]*backlog
	total int
}

// A backlog is what one network has not taken, the oldest answer first.
type backlog struct {
	size    int
	answers []*heldAnswer
}

type heldAnswer struct {
	size int
	cut  func()
}

// Limits of the pending answers, in bytes.
const (
	maxPendingBytes = 64 << 20
	maxPendingEach  = 8 << 20 // for one network
)

// hold counts an answer of so many bytes, until release. cut, which must not
// block, is called before that at most, if the answer has to go.
func (u *pendingAnswers) hold(from netip.Addr, size int, cut func()) (release func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for b := u.of[from]; b != nil && len(b.answers) > 0 && b.size+size > maxPendingEach; {
		u.cutOldest(from, b)
	}
	for u.total > 0 && u.total+size > maxPendingBytes {
		u.cutOldest(u.largest())
	}
	b := u.of[from]
	if b == nil {
		b = &backlog{}
		if u.of == nil {
			u.of = map[netip.Addr]*backlog{}
		}
		u.of[from] = b
	}
	a := &heldAnswer{size, cut}
	b.answers = append(b.answers, a)
	b.size += size
	u.total += size
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if i := slices.Index(b.answers, a); i >= 0 {
			u.drop(from, b, i)
		}
	}
}

func (u *pendingAnswers) cutOldest(from netip.Addr, b *backlog) {
	b.answers[0].cut()
	u.drop(from, b, 0)
}

// drop counts an answer no more. The caller holds mu.
func (u *pendingAnswers) drop(from netip.Addr, b *backlog, i int) {
	b.size -= b.answers[i].size
	u.total -= b.answers[i].size
	if b.answers = slices.Delete(b.answers, i, i+1); len(b.answers) == 0 {
		delete(u.of, from)
	}
}

// largest returns the network that has taken least of its answers.
func (u *pendingAnswers) largest() (from netip.Addr, most *backlog) {
	for network, b := range u.of {
		if most == nil || b.size > most.size {
			from, most = network, b
		}
	}
	return from, most
}

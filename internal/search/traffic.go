package search

import (
	"sync"
	"time"
)

// To index an event takes about as long as to store and send it. Where more than
// storm of them come in a second the index would take from those who talk what they
// need most: it then works only one part in stormRest of the time, and trails behind.
// A storm that lasts has it work one part in lateRest, so that it is not late without
// end; when the storm is over it catches up.
const (
	heavyTraffic = 1000 // events in a second
	heavyRest    = 100
	longHeavy    = time.Minute // behind
	lateRest     = 10
)

// A traffic is how much has happened lately in all rooms together.
type traffic struct {
	mu    sync.Mutex
	since time.Time // the second that is counted
	count int       // in it
	rate  float64   // events in a second, in the one before
}

// note counts an event.
func (t *traffic) note() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(time.Now())
	t.count++
}

// turn begins a new second where the old one is over. The caller holds mu.
func (t *traffic) turn(now time.Time) {
	if d := now.Sub(t.since); d >= time.Second {
		t.since, t.rate, t.count = now, float64(t.count)/d.Seconds(), 0
	}
}

// isHeavy reports whether more has happened in the last second or two than the
// index can follow at no cost to others.
func (t *traffic) isHeavy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(time.Now())
	return max(t.rate, float64(t.count)) > heavyTraffic
}

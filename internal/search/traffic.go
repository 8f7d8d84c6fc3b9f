package search

import (
	"sync"
	"time"
)

// Indexing an event takes about as long as storing and sending it. When more than heavyTraffic events come in a second,
// the index would take from the people who write what they need most. It then works one part in heavyRest of the time,
// and falls behind. If the traffic stays heavy for longHeavy, it works one part in lateRest, so that it does not fall
// behind without end. When traffic is normal again it catches up.
const (
	heavyTraffic = 1000 // events per second
	heavyRest    = 100
	longHeavy    = time.Minute // how far the index is behind
	lateRest     = 10
)

// A traffic measures the rate of events in all rooms together.
type traffic struct {
	mu    sync.Mutex
	since time.Time // when the second began that is being counted
	count int       // events since then
	rate  float64   // events per second before that
}

// note counts an event.
func (t *traffic) note() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(time.Now())
	t.count++
}

// turn begins a new second if the current one is over. The caller holds mu.
func (t *traffic) turn(now time.Time) {
	if d := now.Sub(t.since); d >= time.Second {
		t.since, t.rate, t.count = now, float64(t.count)/d.Seconds(), 0
	}
}

// isHeavy reports whether the last second or two had more events than the index can process without slowing down
// others.
func (t *traffic) isHeavy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(time.Now())
	return max(t.rate, float64(t.count)) > heavyTraffic
}

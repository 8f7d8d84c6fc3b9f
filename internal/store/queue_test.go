package store

import (
	"testing"

	"parley/internal/chat"
)

func newQueue() *queue {
	q := &queue{}
	q.changed.L = &q.mu
	return q
}

func hi() item { return item{draft: chat.Draft{Room: "lobby", Text: "hi"}} }

func TestNudgedCommitterFirstTakesWhatWaits(t *testing.T) {
	q := newQueue()
	q.push(hi())
	q.nudge()
	for _, want := range []int{1, 0} {
		if batch, more := q.take(nil); len(batch) != want || !more {
			t.Errorf("took %d, more %v, want %d and more", len(batch), more, want)
		}
	}
	q.stop()
	if batch, more := q.take(nil); len(batch) != 0 || more {
		t.Errorf("took %d, more %v from a stopped queue", len(batch), more)
	}
}

func TestQueueIsBounded(t *testing.T) {
	q := newQueue()
	for range MaxWaiting + 1 {
		q.push(hi())
	}
	refused, accepted := 0, 0
	for batch, more := q.take(nil); more; batch, more = q.take(batch[:0]) {
		if len(batch) > MaxBatch+1 {
			t.Fatalf("a batch of %d", len(batch))
		}
		for _, it := range batch {
			if it.refused != nil {
				refused++
			} else {
				accepted++
			}
		}
		q.stop()
	}
	if refused != 1 || accepted != MaxWaiting || q.waiting != 0 || q.text != 0 {
		t.Errorf("%d refused, %d accepted, %d waiting, %d bytes", refused, accepted, q.waiting, q.text)
	}
}

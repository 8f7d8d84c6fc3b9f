package server

import (
	"sync/atomic"
	"testing"

	"parley/internal/link"
	"parley/internal/room"
)

// A countedBatch counts what is added to it.
type countedBatch struct {
	room.Batch
	added *atomic.Int64
}

func (b countedBatch) Add(sink room.Sink, p []byte) bool {
	added := b.Batch.Add(sink, p)
	if added {
		b.added.Add(1)
	}
	return added
}

func TestDeliveriesGoOutInBatches(t *testing.T) {
	if probe := link.NewBatch(); probe == nil {
		t.Skip("this system does not let a program use io_uring")
	} else {
		probe.Close()
	}
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			var added atomic.Int64
			newBatch = func() room.Batch { return countedBatch{link.NewBatch(), &added} }
			overTLS = secure
			defer func() { newBatch, overTLS = link.NewBatch, false }()
			ts := startServer(t, Config{}, room.Config{})
			const members, messages = 3*16 + 1, 20
			a := newAudience(t, ts, "hall", members)
			for range messages {
				a.say(t, "hall", members)
			}
			if got := added.Load(); got < members*messages/2 {
				t.Errorf("%d of %d deliveries were in a batch", got, members*messages)
			}
		})
	}
}

// TestWithoutBatches runs tests as on a system without io_uring.
func TestWithoutBatches(t *testing.T) {
	if testing.Short() {
		t.Skip("repeats other tests")
	}
	newBatch = func() room.Batch { return nil }
	defer func() { newBatch = link.NewBatch }()
	for name, test := range map[string]func(*testing.T){
		"two people talk":       TestTwoPeopleTalk,
		"one who takes nothing": TestClientThatTakesNothingIsClosedAndDelaysNobody,
		"delivery":              TestDeliveryAllocatesNothing,
	} {
		t.Run(name, test)
	}
}

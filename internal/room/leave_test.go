package room

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"parley/internal/chat"
)

// A gatedLog answers no page before its gate is closed.
type gatedLog struct {
	Log
	gate  chan struct{}
	pages atomic.Int64
}

func (l *gatedLog) After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	l.pages.Add(1)
	<-l.gate
	return l.Log.After(ctx, room, seq, limit)
}

func TestNothingIsReadForAReaderThatLeftWhileItWaited(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		log := &gatedLog{Log: b.Hub.log, gate: make(chan struct{})}
		b.Hub.log = log
		stays, _ := b.join(&ada, newSlate())
		b.sayMany(100)
		b.forgetAll()
		var busy []*Reader
		for range catchUpWorkers {
			rd, _ := b.join(nil, newSlate(), 0)
			busy = append(busy, rd)
		}
		synctest.Wait() // all workers wait for the gate
		for range 100 {
			rd, _ := b.join(nil, newSlate(), 0)
			rd.Leave()
		}
		close(log.gate)
		synctest.Wait()
		if n := log.pages.Load(); n != catchUpWorkers {
			t.Errorf("%d pages were read, want one for each of the %d who stayed", n, catchUpWorkers)
		}
		for _, rd := range append(busy, stays) {
			rd.Leave()
		}
	})
}

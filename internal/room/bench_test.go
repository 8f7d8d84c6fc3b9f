package room

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// countSink takes all bytes and counts them, so that a benchmark measures the hub and not a kernel.
type countSink struct{ n *atomic.Int64 }

func (s countSink) TryWrite(p []byte) (int, error) { s.n.Add(int64(len(p))); return len(p), nil }
func (s countSink) OnWritable(func())              {}
func (s countSink) Close(chat.Code)                {}

// fixed encodes every event as the same 150 bytes, the size of a short message.
type fixed struct{}

func (fixed) Formatted() bool { return true }

func (fixed) Append(dst []byte, _ chat.Event) []byte { return append(dst, fixedEvent[:]...) }

var fixedEvent [150]byte

// burst is how many messages a sender posts before it waits until all members have them.
const burst = 50

// BenchmarkFanOut measures deliveries per second of the whole process. Senders post bursts into rooms, and each waits
// until every member has all messages. One operation is one message.
func BenchmarkFanOut(b *testing.B) {
	for _, tt := range []struct{ members, rooms, senders int }{
		{1, 1, 1}, {32, 1, 32}, {1000, 1, 1}, {10000, 1, 1}, {10, 1000, 1000},
	} {
		b.Run(fmt.Sprintf("members=%d/rooms=%d/senders=%d", tt.members, tt.rooms, tt.senders), func(b *testing.B) {
			fanOut(b, tt.members, tt.rooms, tt.senders)
		})
	}
}

func fanOut(b *testing.B, members, rooms, senders int) {
	log := storetest.NewMemory(store.Config{})
	flushed := make(chan struct{}, 1)
	h := New(log, log, "epoch", Config{Flushed: func(time.Duration) {
		select {
		case flushed <- struct{}{}:
		default:
		}
	}})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { log.Run(context.WithoutCancel(ctx)) })
	running.Go(func() { h.Run(ctx) })
	defer running.Wait()
	defer log.Close()
	defer cancel()

	var bytes atomic.Int64
	for r := range rooms {
		for m := range members {
			p := guest(m)
			rd, err := h.Join(ctx, by(&p), chat.RoomName(fmt.Sprint("room-", r)),
				JoinRequest{Member: true, Sink: countSink{&bytes}, Encoder: fixed{}}, func(JoinResult) {})
			if err != nil {
				b.Fatal(err)
			}
			defer rd.Leave()
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	begun := h.deliveries.Load()
	for posted := 0; posted < b.N; {
		for s := range senders {
			for range burst {
				d := chat.Draft{Room: chat.RoomName(fmt.Sprint("room-", s%rooms)), From: guest(s), Text: "hello"}
				if err := h.Post(d, func(chat.Commit) {}); err != nil {
					b.Fatal(err)
				}
			}
		}
		posted += senders * burst
		for h.deliveries.Load()-begun < uint64(posted*members) {
			<-flushed
		}
		b.ReportMetric(float64(posted*members)/b.Elapsed().Seconds(), "deliveries/s")
	}
}

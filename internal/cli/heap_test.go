package cli

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"parley/internal/await"
)

func TestASmallHeapGrowsToTheFloorBeforeItIsCollected(t *testing.T) {
	for _, c := range []struct {
		live uint64 // MiB
		want int
	}{{0, 1500}, {1, 1500}, {4, 1500}, {8, 700}, {16, 300}, {31, 100}, {32, 100}, {64, 100}, {4096, 100}} {
		if got := percentFor(c.live << 20); got != c.want {
			t.Errorf("with %d MiB live GOGC is %d, want %d", c.live, got, c.want)
		}
	}
}

func TestAHeapThatGrowsFastStaysNearTheFloor(t *testing.T) {
	if os.Getenv("GOGC") != "" {
		t.Skip("GOGC is set")
	}
	h, old := newHeap(), debug.SetGCPercent(100)
	h.tick = time.Hour // collections alone make it adapt
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		debug.SetGCPercent(old)
	})
	go func() { ended <- h.Run(ctx) }()
	goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	var live [][]byte
	for range 24 { // MiB that stay, beside four times as many that do not
		for range 4 {
			sink = make([]byte, 1<<20)
		}
		live = append(live, make([]byte, 1<<20))
		await.True(t, "the collector is set for what lives", func() bool {
			runtime.GC()
			metrics.Read(goal)
			return goal[0].Value.Uint64() < 3*heapFloor/2
		})
	}
	runtime.KeepAlive(live)
}

func TestMemoryGoesBackWhenTheServerIsQuiet(t *testing.T) {
	const size = 32 << 20
	h := newHeap()
	t.Cleanup(func() { debug.SetGCPercent(100) })
	runtime.GC()
	h.adapt()
	h.look()
	sink = make([]byte, size) // too little for a collection, which would count it as live
	sink = nil
	for range quietTicks { // the first tick still sees the allocation
		h.look()
	}
	if held(t) < size {
		t.Fatal("memory was given back while the server was not quiet yet")
	}
	h.look()
	if n := held(t); n >= size {
		t.Errorf("%d MiB are held after the server was quiet", n>>20)
	}
}

var sink []byte

// held returns the bytes of the heap that contain objects or could be returned to the system.
func held(t *testing.T) uint64 {
	t.Helper()
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() + s[1].Value.Uint64()
}

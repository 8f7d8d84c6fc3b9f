package cli

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// heapFloor is the heap size in bytes below which the collector does not run. Without it Go
	// collects whenever the heap has doubled, which is every few milliseconds for a server with a
	// live heap of 10 MiB that stores messages at full speed.
	heapFloor = 64 << 20

	// heapTick is how often it is checked whether the server is idle.
	heapTick = time.Second

	// A server is idle after quietTicks ticks in which it allocated less than quietBytes each.
	quietTicks = 5
	quietBytes = 1 << 20
)

// A heap keeps the collector from running too often under load, and returns memory to the operating
// system when the server is idle.
type heap struct {
	samples   []metrics.Sample
	tick      time.Duration // between two checks of whether the server is idle
	allocated uint64        // bytes since the start of the program
	percent   int           // the GOGC set last
	quiet     int           // idle ticks in a row
}

func newHeap() *heap {
	return &heap{tick: heapTick, percent: 100, samples: []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}}
}

// Run adjusts the collector until ctx ends. If the operator has set GOGC, it does nothing.
func (h *heap) Run(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		<-ctx.Done()
		return nil
	}
	defer debug.SetGCPercent(debug.SetGCPercent(h.percent))
	collected := afterCollections(ctx)
	tick := time.NewTicker(h.tick)
	defer tick.Stop()
	for {
		h.adapt()
		select {
		case <-ctx.Done():
			return nil
		case <-collected:
		case <-tick.C:
			h.look()
		}
	}
}

// afterCollections returns a channel that gets a value after collections, until ctx ends: one for several that follow
// each other fast.
func afterCollections(ctx context.Context) <-chan struct{} {
	collected := make(chan struct{}, 1)
	// A finalizer runs after the first collection that finds its object unreachable. This one makes the next object.
	type object struct{ _ *object }
	var again func(*object)
	again = func(*object) {
		if ctx.Err() != nil {
			return
		}
		select {
		case collected <- struct{}{}:
		default:
		}
		runtime.SetFinalizer(new(object), again)
	}
	runtime.SetFinalizer(new(object), again)
	return collected
}

// adapt sets GOGC for the live heap. It is called after each collection: the GOGC that lets a live heap of 4 MiB grow
// to 64 MiB would let one of 64 MiB grow to a gigabyte.
func (h *heap) adapt() {
	metrics.Read(h.samples[:1])
	if p := percentFor(h.samples[0].Value.Uint64()); p != h.percent {
		h.percent = p
		debug.SetGCPercent(p)
	}
}

// look returns memory to the operating system after a while without allocations.
func (h *heap) look() {
	metrics.Read(h.samples)
	live, allocated := h.samples[0].Value.Uint64(), h.samples[1].Value.Uint64()
	held := h.samples[2].Value.Uint64() + h.samples[3].Value.Uint64()
	if allocated-h.allocated < quietBytes {
		h.quiet++
	} else {
		h.quiet = 0
	}
	h.allocated = allocated
	if h.quiet >= quietTicks && held > live+max(live/4, 8*quietBytes) {
		h.quiet = 0
		debug.FreeOSMemory()
	}
}

// percentFor returns the GOGC value with which a live heap of live bytes grows to heapFloor, or to
// twice its size if that is more.
func percentFor(live uint64) int {
	live = max(live, 4<<20) // the runtime lets a heap grow to 4 MiB times GOGC / 100, however little is live
	if live >= heapFloor/2 {
		return 100
	}
	return int((heapFloor - live) * 100 / live / 10 * 10)
}

package torture

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Memory is what a server held of it, in bytes; zero where that cannot be found
// out.
type Memory struct {
	Before int64         // when nobody had come yet
	Peak   int64         // the most there was
	After  int64         // at the end
	Within time.Duration // how long after the storm that was
}

// slack is how much more than before still counts as back to what it was: what a
// database has been read from once is kept, and the garbage collector works when
// there is something to do.
const slack = 16 << 20 // bytes

// watchMemory notes the most that the server holds until ctx ends.
func (w *harness) watchMemory(ctx context.Context) {
	for ctx.Err() == nil {
		now := memoryOf(w.cfg.Subject)
		w.count(func(r *Report) { r.Memory.Peak = max(r.Memory.Peak, now) })
		sleep(ctx, 50*time.Millisecond)
	}
}

// calmMemory waits until the server holds about as much as before, but no longer
// than cfg.Rest, and writes down how it went.
func (w *harness) calmMemory(ctx context.Context) {
	began := time.Now()
	for {
		now, took := memoryOf(w.cfg.Subject), time.Since(began)
		w.count(func(r *Report) { r.Memory.After, r.Memory.Within = now, took })
		if now <= w.report.Memory.Before+slack || took >= w.cfg.Rest || ctx.Err() != nil {
			return
		}
		sleep(ctx, 100*time.Millisecond)
	}
}

// memoryOf returns what a server holds in memory, where that can be found out.
func memoryOf(s Subject) int64 {
	p, ok := s.(interface{ PID() int })
	if !ok {
		return 0
	}
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.PID())) // not everywhere
	var size, resident int64
	fmt.Sscan(string(b), &size, &resident)
	return resident * int64(os.Getpagesize())
}

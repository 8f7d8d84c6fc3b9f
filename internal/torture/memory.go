package torture

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Memory is the memory that a server took, in bytes; zero where it cannot be measured.
type Memory struct {
	Before int64         // before any client connected
	Peak   int64         // the maximum
	After  int64         // at the end
	Within time.Duration // how long after the last round that was
}

// slack is how much more memory than before still counts as back to normal: the database keeps
// pages that were read once, and the garbage collector runs only when there is work.
const slack = 16 << 20 // bytes

// watchMemory records the most memory that the server takes until ctx ends.
func (w *harness) watchMemory(ctx context.Context) {
	for ctx.Err() == nil {
		now := memoryOf(w.cfg.Subject)
		w.count(func(r *Report) { r.Memory.Peak = max(r.Memory.Peak, now) })
		sleep(ctx, 50*time.Millisecond)
	}
}

// calmMemory waits until the server takes about as much memory as before, at most cfg.Rest, and
// records the result.
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

// memoryOf returns how much memory a server takes, where that can be measured.
func memoryOf(s Subject) int64 {
	p, ok := s.(interface{ PID() int })
	if !ok {
		return 0
	}
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.PID())) // does not exist on every system
	var size, resident int64
	fmt.Sscan(string(b), &size, &resident)
	return resident * int64(os.Getpagesize())
}

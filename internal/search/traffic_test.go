package search

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestTrafficIsHeavyAboveAThousandEventsPerSecond(t *testing.T) {
	tests := map[string]struct {
		each  int
		every time.Duration
		storm bool
	}{
		"nothing":            {0, time.Second, false},
		"a busy evening":     {10, 100 * time.Millisecond, false},
		"just not":           {99, 100 * time.Millisecond, false},
		"a storm":            {150, 100 * time.Millisecond, true},
		"large transactions": {4000, time.Second, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var tr traffic
				for range 50 {
					for range tt.each {
						tr.note()
					}
					time.Sleep(tt.every)
				}
				if got := tr.isHeavy(); got != tt.storm {
					t.Errorf("it is a storm: %v", got)
				}
				time.Sleep(2 * time.Second)
				if tr.isHeavy(); tr.isHeavy() {
					t.Error("it does not end")
				}
			})
		})
	}
}

func TestIndexWorksOnePartInAHundredUnderHeavyTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := New(nil, Config{})
		rested := func(more bool) time.Duration {
			begin := time.Now()
			x.rest(t.Context(), 50*time.Millisecond, more)
			return time.Since(begin)
		}
		if got := rested(false); got != 0 {
			t.Errorf("in peace, and done: %v", got)
		}
		if got := rested(true); got != 100*time.Millisecond {
			t.Errorf("in peace: %v", got)
		}
		ctx, over := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ctx.Err() == nil {
				for range 100 {
					touch(x, "lobby")
				}
				rest(ctx, 10*time.Millisecond)
			}
		}()
		time.Sleep(time.Second)
		if got := rested(true); got < 4900*time.Millisecond || got > 5100*time.Millisecond {
			t.Errorf("in a storm: %v", got)
		}
		x.mu.Lock()
		x.lags["attic"] = &roomLag{since: time.Now().Add(-2 * longHeavy)}
		x.mu.Unlock()
		if got := rested(true); got < 450*time.Millisecond || got > 600*time.Millisecond {
			t.Errorf("in a storm that has lasted: %v", got)
		}
		x.mu.Lock()
		delete(x.lags, "attic")
		x.mu.Unlock()
		over()
		<-done
		time.Sleep(500 * time.Millisecond)
		if got := rested(true); got > 1600*time.Millisecond {
			t.Errorf("once it is over: %v", got)
		}
	})
}

package client

import (
	"testing"
	"testing/synctest"
	"time"
)

// A server that cannot store is left for one that can, and only then.
func TestClientMovesOnToAServerThatIsReady(t *testing.T) {
	unavailable := &Error{Code: Unavailable, Message: "No database.", RetryAfter: time.Second}
	tests := map[string]struct {
		more  []string
		fault fakeFault
		ready string
		moves bool
		least time.Duration
		most  time.Duration
	}{
		"refused, another is ready":    {threeHosts.More, fakeFault{refuse: unavailable}, "third", true, 2, 5},
		"unanswered, another is ready": {threeHosts.More, fakeFault{forget: true}, "third", true, 2, 5},
		"refused, behind a balancer":   {nil, fakeFault{refuse: unavailable}, "fake", true, 4, 25},
		"unanswered, behind one":       {nil, fakeFault{forget: true}, "fake", true, 4, 7},
		"refused, none is ready":       {threeHosts.More, fakeFault{refuse: unavailable}, "", false, 60, 81},
		"refused, only itself is":      {threeHosts.More, fakeFault{refuse: unavailable}, "fake", false, 60, 81},
		"refused for another reason": {
			threeHosts.More,
			fakeFault{refuse: &Error{Code: RateLimited, RetryAfter: time.Second}},
			"third",
			false, 60, 81,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFakeServer(t)
				s.ready[tt.ready] = true
				began := time.Now()
				s.onCommand(func(cmd command) fakeFault {
					if cmd.Op == "send" && s.hellos == 1 && time.Since(began) < time.Minute {
						return tt.fault
					}
					return fakeFault{}
				})
				c := s.dial(Options{More: tt.more})
				if r, err := c.Send(t.Context(), "lobby", "hi"); err != nil || r.Seq != 1 {
					t.Errorf("sent as %+v, %v", r, err)
				}
				if took := time.Since(began); took < tt.least*time.Second || took > tt.most*time.Second {
					t.Errorf("took %v", took)
				}
				if moved := s.helloCount() > 1; moved != tt.moves {
					t.Errorf("%d connections", s.helloCount())
				}
			})
		})
	}
}

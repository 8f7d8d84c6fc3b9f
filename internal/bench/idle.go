package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Idle is idle connections, in rooms of ten.
type Idle struct {
	Connections []int         `default:"10000" min:"1" help:"Connections. Default: ${default}."`
	Settle      time.Duration `default:"15s" help:"How long the server may tidy up before its memory is read; the rest of what joining took goes after some two minutes in Go servers. Default: ${default}."`
}

var (
	pssEach = Column{Key: "pss_per_connection", Title: "memory (PSS) per connection", Unit: bytesOf, Less: true}
	rssEach = Column{Key: "rss_per_connection", Title: "RSS per connection", Unit: bytesOf, Less: true}
	empty   = Column{Key: "rss_empty", Title: "RSS before", Unit: bytesOf, Less: true}
)

func (c *Idle) cases() (cases []Case) {
	for _, n := range c.Connections {
		cases = append(cases, Case{
			Scenario: "idle", Size: n,
			Setting: fmt.Sprintf("%d connections, each in a room of 10, that only stay; memory after %v", n,
				c.Settle),
			Columns:     []Column{pssEach, rssEach, empty, rss},
			connections: n, needsStart: true,
			measure: func(ctx context.Context, s *testbed) (Values, error) { return c.measure(ctx, s, n) },
		})
	}
	return cases
}

func (c *Idle) measure(ctx context.Context, s *testbed, n int) (Values, error) {
	if err := s.warmUp(ctx); err != nil {
		return nil, err
	}
	before, ok := s.memory()
	if !ok {
		return nil, errNoProc
	}
	conns, err := s.gather(ctx, inRooms(max(1, n/10), 10, 0)[:max(1, n/10)*10])
	if err != nil {
		return nil, err
	}
	defer conns.close()
	if err := s.settle(conns.ctx, c.Settle); err != nil {
		return nil, err
	}
	after, _ := s.memory()
	connections := float64(len(conns.all))
	return Values{
		pssEach.Key: (after.pss - before.pss) / connections,
		rssEach.Key: (after.rss - before.rss) / connections,
		empty.Key:   before.rss,
		rss.Key:     after.rss,
	}, nil
}

// warmUp lets one member come and go, so that everything that a server loads once is loaded.
func (s *testbed) warmUp(ctx context.Context) error {
	conns, err := s.gather(ctx, membersOf(1, "warm"))
	if err != nil {
		return err
	}
	conns.close()
	return nil
}

// Join measures connections that come at once to a room with a history.
type Join struct {
	Connections []int `default:"5000" min:"1" help:"Connections. Default: ${default}."`
	History     int   `default:"100" help:"Messages that each gets, in steps of 25; at most 1000. Default: ${default}."`
}

var (
	joinsPerSecond = Column{Key: "joins_per_second", Title: "joined/s", Unit: count}
	cpuPerJoin     = Column{Key: "cpu_per_join", Title: "CPU/join", Unit: seconds, Less: true}
)

func (c *Join) cases() (cases []Case) {
	for _, n := range c.Connections {
		cases = append(cases, Case{
			Scenario: "join", Size: n,
			Setting: fmt.Sprintf(
				"%d connections come to one room, %d at once, until each has joined and has its %d messages of history",
				n, dialers, c.History),
			Columns:     []Column{joinsPerSecond, cpuPerJoin, p50, p99, rss},
			connections: n + 1,
			measure:     func(ctx context.Context, s *testbed) (Values, error) { return c.measure(ctx, s, n) },
		})
	}
	return cases
}

func (c *Join) measure(ctx context.Context, s *testbed, n int) (Values, error) {
	history := 0
	if s.peer.hasHistory {
		var err error
		more := func(sent int) bool { return sent < c.History }
		if history, err = s.pump(ctx, []string{theRoom}, 1, 50, more); err != nil {
			return nil, err
		}
	} else {
		s.note("keeps nothing, so that joining is all there is to do.")
	}
	members := membersOf(n, theRoom)
	for i := range members {
		members[i].after = 0
	}
	m := s.meter()
	conns, err := s.gather(ctx, members)
	if err != nil {
		return nil, err
	}
	defer conns.close()
	if err := conns.events.await(conns.ctx, int64(n*history)); err != nil {
		return nil, err
	}
	u := m.read()
	v := Values{joinsPerSecond.Key: float64(n) / u.wall.Seconds()}
	if u.known {
		v[cpuPerJoin.Key] = u.cpu.Seconds() / float64(n)
	}
	if history > 0 {
		took := make([]time.Duration, n)
		for i, o := range conns.all {
			took[i] = o.last - o.began
		}
		slices.Sort(took)
		v.add(Values{p50.Key: quantile(took, .5), p99.Key: quantile(took, .99)})
	}
	if mem, ok := s.memory(); ok {
		v[rss.Key] = mem.rss
	}
	return v, conns.everybodyHas(int64(history))
}

package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Store measures messages to rooms without readers: only storing counts.
type Store struct {
	Senders int `default:"32" min:"1" help:"Senders to one room under load. Default: ${default}."`
	Rooms   int `default:"1" min:"1" help:"Rooms under load, which the senders take in turn. Default: ${default}."`
	Window  int `default:"512" min:"1" help:"Messages of each that wait for their answer at once. Default: ${default}."`
}

var (
	storedPerCPU = Column{Key: "messages_per_cpu_second", Title: "messages/CPU-s", Unit: count}
	underLoad    = Column{Key: "messages_per_second_under_load", Title: "messages/s under load", Unit: count}
	oneByOne     = Column{Key: "messages_per_second_one_by_one", Title: "messages/s one by one", Unit: count}
	oneP50       = Column{Key: "one_p50", Title: "one: median", Unit: seconds, Less: true}
	oneP99       = Column{Key: "one_p99", Title: "p99", Unit: seconds, Less: true}
)

func (c *Store) cases() []Case {
	where := "one room"
	if c.Rooms > 1 {
		where = fmt.Sprintf("%d rooms", c.Rooms)
	}
	return []Case{{
		Scenario: "store", Size: c.Senders,
		Setting: fmt.Sprintf("messages stored: one by one, and in %s by %d senders with %d under way each", where,
			c.Senders, c.Window),
		Columns:     []Column{underLoad, storedPerCPU, oneByOne, oneP50, oneP99, rss},
		connections: c.Senders, needsStore: true, measure: c.measure,
	}}
}

func (c *Store) measure(ctx context.Context, s *testbed) (Values, error) {
	took, wall, err := s.oneByOne(ctx)
	if err != nil {
		return nil, err
	}
	v := Values{
		oneByOne.Key: float64(len(took)) / wall.Seconds(),
		oneP50.Key:   quantile(took, .5), oneP99.Key: quantile(took, .99),
	}
	m := s.meter()
	sent, err := s.pump(ctx, c.rooms(), c.Senders, c.Window, func(int) bool { return m.elapsed() < s.cfg.For })
	if err != nil {
		return nil, err
	}
	u := m.read()
	v[underLoad.Key] = float64(sent) / u.wall.Seconds()
	if u.known {
		v[storedPerCPU.Key] = float64(sent) / u.cpu.Seconds()
	}
	if mem, ok := s.memory(); ok {
		v[rss.Key] = mem.rss
	}
	if s.database != nil && s.peer.nodes <= 1 && !s.cfg.TLS {
		return v, s.roundTrips(ctx, c)
	}
	return v, nil
}

func (c *Store) rooms() []string {
	rooms := make([]string, c.Rooms)
	for i := range rooms {
		rooms[i] = fmt.Sprint(theRoom, "-", i)
	}
	return rooms
}

// oneByOne sends a message, waits for the answer, and repeats.
func (s *testbed) oneByOne(ctx context.Context) (took []time.Duration, wall time.Duration, err error) {
	conns, err := s.gather(ctx, []member{{}})
	if err != nil {
		return nil, 0, err
	}
	defer conns.close()
	o := conns.all[0]
	o.room = theRoom
	m := s.meter()
	for n := int64(1); m.elapsed() < s.cfg.For; n++ {
		before := conns.since()
		if err := o.write(conns.protocol.message(nil, o, greeting)); err != nil {
			return nil, 0, err
		}
		if err := conns.acks.await(conns.ctx, n); err != nil {
			return nil, 0, err
		}
		took = append(took, conns.since()-before)
	}
	wall = m.elapsed()
	slices.Sort(took)
	return took, wall, nil
}

// pump lets senders fill rooms. Each has a window of unanswered messages, and goes on while more,
// called with the number sent so far, returns true. pump returns when all messages are stored.
func (s *testbed) pump(ctx context.Context, rooms []string, senders, window int,
	more func(sent int) bool,
) (stored int, err error) {
	say := func(int) func() string { return func() string { return greeting } }
	return s.pumpInto(ctx, rooms, senders, window, say, more)
}

// pumpInto is pump with the texts that each sender's own say returns. The senders share the rooms.
func (s *testbed) pumpInto(ctx context.Context, rooms []string, senders, window int, say func(sender int) func() string,
	more func(sent int) bool,
) (stored int, err error) {
	conns, err := s.gather(ctx, make([]member, senders))
	if err != nil {
		return 0, err
	}
	defer conns.close()
	var (
		mu sync.Mutex // guards stored
		wg sync.WaitGroup
	)
	half := max(1, window/2)
	// next claims half a window, if more messages are wanted.
	next := func() bool {
		mu.Lock()
		defer mu.Unlock()
		if !more(stored) {
			return false
		}
		stored += half
		s.progress("%d messages sent", stored)
		return true
	}
	for i, o := range conns.all {
		own := []string{rooms[i%len(rooms)]}
		for n := i + senders; n < len(rooms); n += senders {
			own = append(own, rooms[n])
		}
		o.who = i
		loop := conns.loopOf(o)
		loop.mu.Lock()
		o.acks = newCounter("answers")
		loop.mu.Unlock()
		wg.Go(func() {
			if err := o.pump(own, half, say(i), next); err != nil {
				conns.fail(err)
			}
		})
	}
	wg.Wait()
	return stored, context.Cause(conns.ctx)
}

// pump sends half a window while the other half is being stored. It takes the rooms in turn.
func (o *conn) pump(rooms []string, half int, say func() string, next func() bool) error {
	var out []byte
	for n := int64(0); ; n++ {
		if !next() {
			return o.acks.await(o.conns.ctx, n*int64(half))
		}
		out = out[:0]
		for range half {
			o.room = rooms[o.sent%uint64(len(rooms))]
			out = o.conns.protocol.message(out, o, say())
		}
		if err := o.write(out); err != nil {
			return err
		}
		if err := o.acks.await(o.conns.ctx, n*int64(half)); err != nil {
			return err
		}
	}
}

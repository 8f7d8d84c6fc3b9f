package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// greeting is the text of all messages: plain, as most messages are.
const greeting = "Good morning, everybody. Shall we begin?"

const theRoom = "bench"

// Chat is a room in which all members send bursts, wait until everybody has received everything,
// and continue.
type Chat struct {
	Members int `default:"32" min:"1" help:"Members of the room. Default: ${default}."`
	Burst   int `default:"51" min:"1" help:"Messages that each sends at once. Default: ${default}."`
}

func (c *Chat) cases() []Case {
	return []Case{{
		Scenario: "chat", Size: c.Members,
		Setting: fmt.Sprintf("%d members all talk, %d messages each a round, until all have all", c.Members,
			c.Burst),
		Columns:     []Column{deliveriesPerCPU, deliveries, messages, generator, rss},
		connections: c.Members, measure: c.measure,
	}}
}

func (c *Chat) measure(ctx context.Context, s *testbed) (Values, error) {
	conns, err := s.gather(ctx, membersOf(c.Members, theRoom))
	if err != nil {
		return nil, err
	}
	defer conns.close()
	if err := c.round(conns, 1); err != nil { // warm up
		return nil, err
	}
	m, rounds := s.meter(), 1
	for m.elapsed() < s.cfg.For {
		rounds++
		if err := c.round(conns, rounds); err != nil {
			return nil, err
		}
		s.progress("round %d", rounds)
	}
	u := m.read()
	sent := (rounds - 1) * c.Members * c.Burst
	return s.load(u, sent, sent*c.Members), conns.everybodyHas(int64(rounds * c.Members * c.Burst))
}

func (c *Chat) round(conns *connections, n int) error {
	var out []byte
	for _, o := range conns.all {
		out = out[:0]
		for range c.Burst {
			out = conns.protocol.message(out, o, greeting)
		}
		if err := o.write(out); err != nil {
			return err
		}
	}
	return conns.events.await(conns.ctx, int64(n)*int64(c.Members)*int64(c.Members)*int64(c.Burst))
}

// everybodyHas checks that every member got n messages: not one of them twice and another one
// never.
func (c *connections) everybodyHas(n int64) error {
	for _, o := range c.all {
		if o.events != n {
			return fmt.Errorf("member %d got %d messages instead of %d", o.who, o.events, n)
		}
	}
	return nil
}

// membersOf returns n members of a room.
func membersOf(n int, room string) []member {
	members := make([]member, n)
	for i := range members {
		members[i] = member{who: i, room: room, after: -1}
	}
	return members
}

// Fanout measures one member who sends to many, one message at a time.
type Fanout struct {
	Members  []int `default:"1000,10000" min:"1" help:"Listeners. Default: ${default}."`
	Messages int   `default:"2000" min:"1" help:"Messages at most, if --for allows. Default: ${default}."`
}

var (
	lastP50   = Column{Key: "last_p50", Title: "to the last: median", Unit: seconds, Less: true}
	lastP99   = Column{Key: "last_p99", Title: "p99", Unit: seconds, Less: true}
	lastP999  = Column{Key: "last_p999", Title: "p99.9", Unit: seconds, Less: true}
	middleP50 = Column{Key: "middle_p50", Title: "to the median listener: median", Unit: seconds, Less: true}
	middleP99 = Column{Key: "middle_p99", Title: "p99", Unit: seconds, Less: true}
)

func (f *Fanout) cases() (cases []Case) {
	for _, n := range f.Members {
		cases = append(cases, Case{
			Scenario: "fanout", Size: n,
			Setting: fmt.Sprintf("one talks, %d listen, one message at a time", n),
			Columns: []Column{
				cpuPerDelivery, deliveriesPerCPU, lastP50, lastP99, lastP999, middleP50, middleP99, rss,
			},
			connections: n + 1,
			measure:     func(ctx context.Context, s *testbed) (Values, error) { return f.measure(ctx, s, n) },
		})
	}
	return cases
}

func (f *Fanout) measure(ctx context.Context, s *testbed, listeners int) (Values, error) {
	conns, err := s.gather(ctx, membersOf(listeners+1, theRoom))
	if err != nil {
		return nil, err
	}
	defer conns.close()
	if err := conns.quiet(ctx); err != nil {
		return nil, err
	}
	var last, middle []time.Duration
	times := make([]time.Duration, listeners+1)
	say := func() error {
		sent, before := conns.since(), conns.events.n.Load()
		if err := conns.all[0].write(conns.protocol.message(nil, conns.all[0], greeting)); err != nil {
			return err
		}
		if err := conns.events.await(conns.ctx, before+int64(len(times))); err != nil {
			return err
		}
		for i, o := range conns.all {
			times[i] = o.last - sent
		}
		slices.Sort(times[1:]) // without the sender's own
		middle, last = append(middle, times[1+listeners/2]), append(last, times[listeners])
		return nil
	}
	const warm = 5
	for range warm {
		if err := say(); err != nil {
			return nil, err
		}
	}
	last, middle = last[:0], middle[:0]
	m := s.meter()
	for len(last) < f.Messages && m.elapsed() < s.cfg.For {
		if err := say(); err != nil {
			return nil, err
		}
		s.progress("message %d", len(last))
	}
	v := s.load(m.read(), len(last), len(last)*len(times))
	slices.Sort(last)
	slices.Sort(middle)
	v.add(Values{
		lastP50.Key: quantile(last, .5), lastP99.Key: quantile(last, .99), lastP999.Key: quantile(last, .999),
		middleP50.Key: quantile(middle, .5), middleP99.Key: quantile(middle, .99),
	})
	return v, conns.everybodyHas(int64(len(last) + warm))
}

package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// greeting is what everybody says: plain text, as most messages are.
const greeting = "Good morning, everybody. Shall we begin?"

const theRoom = "bench"

// Chat is a room in which all talk in bursts, wait until everybody has
// everything, and go on.
type Chat struct {
	Members int `default:"32" min:"1" help:"Members of the room. Default: ${default}."`
	Burst   int `default:"51" min:"1" help:"Messages that each sends at once. Default: ${default}."`
}

func (c *Chat) cases() []Case {
	return []Case{{
		Scenario: "chat", Size: c.Members,
		Setting:     fmt.Sprintf("%d members all talk, %d messages each a round, until all have all", c.Members, c.Burst),
		Columns:     []Column{deliveriesPerCPU, deliveries, messages, generator, rss},
		connections: c.Members, measure: c.measure,
	}}
}

func (c *Chat) measure(ctx context.Context, s *testbed) (Values, error) {
	crowd, err := s.gather(ctx, membersOf(c.Members, theRoom))
	if err != nil {
		return nil, err
	}
	defer crowd.close()
	if err := c.round(crowd, 1); err != nil { // to warm up
		return nil, err
	}
	m, rounds := s.meter(), 1
	for m.elapsed() < s.cfg.For {
		rounds++
		if err := c.round(crowd, rounds); err != nil {
			return nil, err
		}
		s.progress("round %d", rounds)
	}
	u := m.read()
	sent := (rounds - 1) * c.Members * c.Burst
	return s.load(u, sent, sent*c.Members), crowd.everybodyHas(int64(rounds * c.Members * c.Burst))
}

func (c *Chat) round(crowd *connections, n int) error {
	var out []byte
	for _, o := range crowd.conns {
		out = out[:0]
		for range c.Burst {
			out = crowd.protocol.message(out, o, greeting)
		}
		if err := o.write(out); err != nil {
			return err
		}
	}
	return crowd.events.await(crowd.ctx, int64(n)*int64(c.Members)*int64(c.Members)*int64(c.Burst))
}

// everybodyHas checks that it was not twice for one and never for another.
func (c *connections) everybodyHas(n int64) error {
	for _, o := range c.conns {
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

// Fanout is one who talks to many, one message at a time.
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
			Setting:     fmt.Sprintf("one talks, %d listen, one message at a time", n),
			Columns:     []Column{cpuPerDelivery, deliveriesPerCPU, lastP50, lastP99, lastP999, middleP50, middleP99, rss},
			connections: n + 1,
			measure:     func(ctx context.Context, s *testbed) (Values, error) { return f.measure(ctx, s, n) },
		})
	}
	return cases
}

func (f *Fanout) measure(ctx context.Context, s *testbed, listeners int) (Values, error) {
	crowd, err := s.gather(ctx, membersOf(listeners+1, theRoom))
	if err != nil {
		return nil, err
	}
	defer crowd.close()
	if err := crowd.quiet(ctx); err != nil {
		return nil, err
	}
	var last, middle []time.Duration
	times := make([]time.Duration, listeners+1)
	say := func() error {
		sent, before := crowd.since(), crowd.events.n.Load()
		if err := crowd.conns[0].write(crowd.protocol.message(nil, crowd.conns[0], greeting)); err != nil {
			return err
		}
		if err := crowd.events.await(crowd.ctx, before+int64(len(times))); err != nil {
			return err
		}
		for i, o := range crowd.conns {
			times[i] = o.last - sent
		}
		slices.Sort(times[1:]) // the talker's own does not count
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
	return v, crowd.everybodyHas(int64(len(last) + warm))
}

package bench

import (
	"context"
	"fmt"
	"strings"
)

// Slow is a room in which some members read nothing. It measures what the others notice of it.
type Slow struct {
	Members int     `default:"100" min:"1" help:"Members of the room; one in ten reads nothing. Default: ${default}."`
	Rate    float64 `default:"200" min:"0.1" help:"Messages per second. Default: ${default}."`
	Size    int     `default:"1000" min:"1" help:"Bytes of a message. Default: ${default}."`
	Fill    int     `default:"8" help:"MiB sent first to each member once some stall, to fill the kernel's buffers. Default: ${default}."`
}

var growth = Column{Key: "memory_growth", Title: "memory growth while some stall", Unit: bytesOf, Less: true}

func (c *Slow) cases() []Case {
	return []Case{{
		Scenario: "slow", Size: c.Members,
		Setting: fmt.Sprintf(
			"%d members, %g messages/s of %d bytes; what the others see with and without one in ten that reads nothing",
			c.Members, c.Rate, c.Size),
		Columns:     []Column{withP99, withoutP99, withFactor, withP50, growth, rss},
		connections: c.Members, measure: c.measure,
	}}
}

// measure counts only the deliveries to members that read. What the stalled ones got before they
// stalled has been awaited by then.
func (c *Slow) measure(ctx context.Context, s *testbed) (Values, error) {
	members := membersOf(c.Members, theRoom)
	for i := range members {
		members[i].slow = i%10 == 9
		members[i].sampled = !members[i].slow
	}
	conns, err := s.gather(ctx, members)
	if err != nil {
		return nil, err
	}
	defer conns.close()
	if err := conns.quiet(ctx); err != nil {
		return nil, err
	}
	text := strings.Repeat("All work and no play. ", c.Size/22+1)[:c.Size]
	t := load{rate: c.Rate, text: text, stamp: true}
	stalled := 0
	for i, m := range members {
		if m.slow {
			stalled++
		} else {
			t.talkers = append(t.talkers, conns.all[i])
		}
	}
	without, err := s.during(ctx, conns, []load{t}, []int{c.Members})
	if err != nil {
		return nil, err
	}
	before, known := s.memory()
	for i, m := range members {
		if m.slow {
			if err := conns.stall(conns.all[i]); err != nil {
				return nil, err
			}
		}
	}
	if err := c.fill(s, conns, t.talkers[0], text, c.Members-stalled); err != nil {
		return nil, err
	}
	with, err := s.during(ctx, conns, []load{t}, []int{c.Members - stalled})
	if err != nil {
		return nil, err
	}
	v := s.load(with.usage, with.sent, with.delivered).add(compared(without, with))
	if after, ok := s.memory(); ok && known {
		v[growth.Key] = after.pss - before.pss
	}
	return v, nil
}

// fill sends until the buffers of the stalled members are full, a little at a time, so that nobody
// else is behind.
func (c *Slow) fill(s *testbed, conns *connections, talker *conn, text string, readers int) error {
	const burst = 100
	for sent := 0; sent < c.Fill<<20; sent += burst * c.Size {
		before := conns.events.n.Load()
		var out []byte
		for range burst {
			out = conns.protocol.message(out, talker, text)
		}
		if err := talker.write(out); err != nil {
			return err
		}
		if err := conns.events.await(conns.ctx, before+int64(burst*readers)); err != nil {
			return err
		}
		s.progress("%d of %d MiB sent to fill buffers", sent>>20, c.Fill)
	}
	return nil
}

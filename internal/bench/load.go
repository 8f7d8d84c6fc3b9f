package bench

import (
	"context"
	"time"
)

// A load is messages at a steady rate, whether or not answers come. The senders take turns.
type load struct {
	talkers []*conn
	rate    float64 // messages per second, of all senders together
	text    string
	stamp   bool // whether the text contains the time of sending
}

// maxDelay is how far behind its schedule the generator may be without a note.
const maxDelay = 50 * time.Millisecond

// run sends for d and returns the number of messages.
func (t load) run(ctx context.Context, s *testbed, d time.Duration) (sent int, err error) {
	conns := t.talkers[0].conns
	began, worst := conns.since(), time.Duration(0)
	for {
		now := conns.since() - began
		due := int(min(now, d).Seconds() * t.rate)
		if sent < due {
			worst = max(worst, now-time.Duration(float64(sent+1)/t.rate*float64(time.Second)))
		}
		for ; sent < due; sent++ {
			o := t.talkers[sent%len(t.talkers)]
			text := t.text
			if t.stamp {
				text = stamped(text, conns.since())
			}
			if err := o.write(conns.protocol.message(nil, o, text)); err != nil {
				return sent, err
			}
		}
		if now >= d {
			break
		}
		s.progress("%d messages sent", sent)
		if err := sleep(ctx, time.Millisecond); err != nil {
			return sent, err
		}
	}
	if worst > maxDelay {
		s.note("the generator was up to %v behind its schedule.", worst.Round(time.Millisecond))
	}
	return sent, context.Cause(conns.ctx)
}

// A phase is what the sampled members see during some loads.
type phase struct {
	sent, delivered int
	usage           usage
	latencies       []time.Duration // sorted
}

// during records what the sampled members see while loads run side by side, until perMessage
// deliveries of each have come.
func (s *testbed) during(ctx context.Context, c *connections, talks []load, perMessage []int) (p phase, err error) {
	before := c.events.n.Load()
	c.recording.Store(true)
	defer c.recording.Store(false)
	m := s.meter()
	type done struct {
		which, sent int
		err         error
	}
	ended := make(chan done, len(talks))
	for i, t := range talks {
		go func() {
			n, err := t.run(c.ctx, s.quietly(i), s.cfg.For)
			ended <- done{i, n, err}
		}()
	}
	for range talks {
		d := <-ended
		p.sent += d.sent
		p.delivered += d.sent * perMessage[d.which]
		if d.err != nil {
			err = d.err
		}
	}
	if err == nil {
		err = c.events.await(c.ctx, before+int64(p.delivered))
	}
	p.usage, p.latencies = m.read(), c.latencies()
	return p, err
}

// quietly returns a separate testbed for the second and further loads, because only one goroutine
// may add notes.
func (s *testbed) quietly(i int) *testbed {
	if i == 0 {
		return s
	}
	return &testbed{cfg: s.cfg, spoke: time.Now().Add(24 * time.Hour)}
}

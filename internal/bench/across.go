package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Across measures one who talks on one node and one who listens on another, one message at a time.
type Across struct {
	Messages int           `default:"500" min:"1" help:"Messages at most, if --for allows. Default: ${default}."`
	Pause    time.Duration `default:"5ms" help:"Pause before each, so that nothing waits for anything else. Default: ${default}."`
}

var (
	shownP50  = Column{Key: "shown_p50", Title: "commit to another node: median", Unit: seconds, Less: true}
	shownP99  = Column{Key: "shown_p99", Title: "p99", Unit: seconds, Less: true}
	sameP50   = Column{Key: "same_p50", Title: "to the same node: median", Unit: seconds, Less: true}
	notifyP50 = Column{Key: "notify_p50", Title: "by NOTIFY and a read: median", Unit: seconds, Less: true}
	notifyP99 = Column{Key: "notify_p99", Title: "p99", Unit: seconds, Less: true}
	ofNotify  = Column{Key: "shown_of_notify", Title: "first of that by NOTIFY", Unit: factor, Less: true}
)

func (a *Across) cases() []Case {
	return []Case{{
		Scenario: "across", Size: a.Messages,
		Setting: "one talks on one node, one listens on each, one message at a time, from the moment at which " +
			"PostgreSQL has answered the commit until the listener has the message; beside it programs that do the " +
			"same without a bus: one inserts a row and says so with NOTIFY, the others read it and send it on",
		Columns:     []Column{shownP50, shownP99, sameP50, notifyP50, notifyP99, ofNotify},
		connections: 8, needsNodes: true, needsClock: true, measure: a.measure,
	}}
}

func (a *Across) measure(ctx context.Context, s *testbed) (Values, error) {
	// One listens on each node; the last connection is to the first node again.
	conns, err := s.gather(ctx, membersOf(s.peer.nodes+1, theRoom))
	if err != nil {
		return nil, err
	}
	defer conns.close()
	if err := conns.quiet(ctx); err != nil {
		return nil, err
	}
	n, err := newNotify(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("to measure NOTIFY: %w", err)
	}
	defer n.close()
	var shown, same, notified []time.Duration
	const warm = 5
	m := s.meter()
	// In turn, so that other load on the machine affects both alike.
	for sent := int64(1); len(shown) < a.Messages+warm && (m.elapsed() < 2*s.cfg.For || sent <= warm+1); sent++ {
		if err := sleep(ctx, a.Pause); err != nil {
			return nil, err
		}
		other, own, err := once(conns, s.clock, sent)
		if err != nil {
			return nil, err
		}
		shown, same = append(shown, other), append(same, own)
		if err := sleep(ctx, a.Pause); err != nil {
			return nil, err
		}
		took, err := n.once(ctx)
		if err != nil {
			return nil, fmt.Errorf("to measure NOTIFY: %w", err)
		}
		notified = append(notified, took)
	}
	shown, same, notified = shown[warm:], same[warm:], notified[warm:]
	slices.Sort(shown)
	slices.Sort(same)
	slices.Sort(notified)
	return Values{
		shownP50.Key: quantile(shown, .5), shownP99.Key: quantile(shown, .99), sameP50.Key: quantile(same, .5),
		notifyP50.Key: quantile(notified, .5), notifyP99.Key: quantile(notified, .99),
		ofNotify.Key: quantile(shown, .5) / quantile(notified, .5),
	}, nil
}

// once sends the nth message and returns how long after its commit it is shown on another node and on the same.
func once(conns *connections, clock *commitClock, n int64) (other, same time.Duration, err error) {
	talker, last := conns.all[0], conns.all[len(conns.all)-1]
	if err := talker.write(conns.protocol.message(nil, talker, greeting)); err != nil {
		return 0, 0, err
	}
	if err := conns.acks.await(conns.ctx, n); err != nil {
		return 0, 0, err
	}
	if err := conns.events.await(conns.ctx, n*int64(len(conns.all))); err != nil {
		return 0, 0, err
	}
	committed := clock.latest.Load().Sub(conns.born)
	return conns.all[1].last - committed, last.last - committed, nil
}

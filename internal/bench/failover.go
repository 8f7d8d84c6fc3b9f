package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"parley/internal/pgserver"
)

// Failover kills the database's primary again and again, under load. Its synchronous standby takes over, and the old
// primary becomes the standby.
type Failover struct {
	Kills   int `default:"10" min:"1" help:"How often. Default: ${default}."`
	Senders int `default:"8" min:"1" help:"People who talk meanwhile. Default: ${default}."`
}

var (
	lostCount    = Column{Key: "lost", Title: "lost", Unit: count, Less: true}
	doubledCount = Column{Key: "doubled", Title: "doubled", Unit: count, Less: true}
	ackedCount   = Column{Key: "acknowledged", Title: "acknowledged", Unit: count}
	againP50     = Column{Key: "again_p50", Title: "writing again after promotion: median", Unit: seconds, Less: true}
	againMost    = Column{Key: "again_most", Title: "longest", Unit: seconds, Less: true}
	outageP50    = Column{Key: "outage_p50", Title: "after the kill: median", Unit: seconds, Less: true}
	outageMost   = Column{Key: "outage_most", Title: "longest", Unit: seconds, Less: true}
)

func (f *Failover) cases() []Case {
	return []Case{{
		Scenario: "failover", Size: f.Kills,
		Setting: fmt.Sprintf(
			"the primary is killed %d times while %d people talk, and its synchronous standby takes over", f.Kills,
			f.Senders),
		Columns:   []Column{lostCount, doubledCount, ackedCount, againP50, againMost, outageP50, outageMost},
		ownServer: true, measure: f.measure,
	}}
}

func (f *Failover) measure(ctx context.Context, s *testbed) (_ Values, err error) {
	primary, err := pgserver.Start(ctx, s.cfg.Dir)
	if err != nil {
		return nil, err
	}
	defer primary.Stop()
	standby, err := primary.NewStandby(ctx)
	if err != nil {
		return nil, err
	}
	defer standby.Stop()
	name, err := primary.NewDatabase(ctx)
	if err != nil {
		return nil, err
	}
	s.env = []string{"PARLEY_DATABASE=" + primary.URLBy(name, primary.Address(), standby.Address())}
	if err := s.startInFolder(ctx); err != nil {
		return nil, err
	}
	defer s.end()
	c := newUsers(s)
	talking, hush := context.WithCancel(ctx)
	var wg sync.WaitGroup
	errs := make([]error, f.Senders)
	for i := range f.Senders {
		wg.Go(func() { errs[i] = c.talk(talking, i, time.Millisecond) })
	}
	again, outage, err := f.kill(ctx, s, c, primary, standby)
	hush()
	wg.Wait()
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	lost, doubled, err := c.compare(ctx)
	if err != nil {
		return nil, err
	}
	return Values{
		lostCount.Key: float64(lost), doubledCount.Key: float64(doubled), ackedCount.Key: float64(len(c.stored)),
		againP50.Key: quantile(again, .5), againMost.Key: quantile(again, 1),
		outageP50.Key: quantile(outage, .5), outageMost.Key: quantile(outage, 1),
	}, nil
}

// kill kills primaries and returns, sorted, how long after each promotion, and after each kill, a message was stored.
func (f *Failover) kill(ctx context.Context, s *testbed, c *users, primary, standby *pgserver.Server) (
	again, outage []time.Duration, err error,
) {
	for n := range f.Kills {
		if err := sleep(ctx, time.Duration(200+rand.IntN(500))*time.Millisecond); err != nil {
			return nil, nil, err
		}
		killed := time.Now()
		if err := primary.Kill(); err != nil {
			return nil, nil, err
		}
		if err := standby.Promote(ctx); err != nil {
			return nil, nil, err
		}
		promoted := time.Now()
		if err := c.nextAnswer(ctx); err != nil {
			return nil, nil, err
		}
		again, outage = append(again, time.Since(promoted)), append(outage, time.Since(killed))
		if err := primary.Follow(ctx, standby); err != nil {
			return nil, nil, err
		}
		primary, standby = standby, primary
		s.progress("primary %d killed", n+1)
	}
	slices.Sort(again)
	slices.Sort(outage)
	return again, outage, nil
}

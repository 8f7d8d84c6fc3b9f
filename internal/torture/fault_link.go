package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// cut ends some connections after a few more bytes, most likely in the middle
// of a frame.
func (s *round) cut(_ context.Context, rnd *rand.Rand) error {
	for _, l := range s.proxy.some(rnd, 0.5) {
		n := 1 + rnd.IntN(500)
		l.degrade(func(l *proxyConn) { l.cutIn = n })
	}
	return nil
}

// halfOpen lets nothing through some connections any more, without a word.
func (s *round) halfOpen(ctx context.Context, rnd *rand.Rand) error {
	frozen := s.proxy.some(rnd, 0.3)
	for _, l := range frozen {
		l.freeze()
	}
	sleep(ctx, between(rnd, time.Second, silence))
	for _, l := range frozen {
		l.end()
	}
	return nil
}

// delay has some connections come late, everything in order.
func (s *round) delay(ctx context.Context, rnd *rand.Rand) error {
	return s.suffer(ctx, rnd, 0.5, func(l *proxyConn) { l.delay = between(rnd, time.Millisecond, 200*time.Millisecond) },
		func(l *proxyConn) { l.delay = 0 })
}

// slow lets 1 KB a second through some connections.
func (s *round) slow(ctx context.Context, rnd *rand.Rand) error {
	return s.suffer(ctx, rnd, 0.3, func(l *proxyConn) { l.rate = 1000 }, func(l *proxyConn) { l.rate = 0 })
}

func (s *round) suffer(ctx context.Context, rnd *rand.Rand, share float64, begin, end func(*proxyConn)) error {
	links := s.proxy.some(rnd, share)
	for _, l := range links {
		l.degrade(begin)
	}
	sleep(ctx, between(rnd, 500*time.Millisecond, 3*time.Second))
	for _, l := range links {
		l.degrade(end)
	}
	return nil
}

// stall has some members read nothing for a while.
func (s *round) stall(ctx context.Context, rnd *rand.Rand) error {
	d := between(rnd, time.Second, 4*time.Second)
	for _, m := range s.members {
		if rnd.IntN(3) == 0 {
			m.stall(d)
		}
	}
	sleep(ctx, d)
	return nil
}

// tab opens a second connection for a member and says there, from the last to
// the first, all that has no answer on the first, which stays.
func (s *round) tab(ctx context.Context, rnd *rand.Rand) error {
	m := s.members[rnd.IntN(len(s.members))]
	if !m.isKnown() {
		return nil
	}
	tab := m.sister(fmt.Sprintf("%s%d-%s", herdName, s.extra(), m.name))
	tab.is(m.identity(ctx))
	waiting := m.unanswered()
	for i := range waiting {
		tab.add(waiting[len(waiting)-1-i])
	}
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		tab.live(ctx)
	}()
	for len(tab.unanswered()) > 0 && ctx.Err() == nil {
		sleep(ctx, 10*time.Millisecond)
	}
	sleep(ctx, between(rnd, 10*time.Millisecond, time.Second))
	cancel()
	<-gone
	return nil
}

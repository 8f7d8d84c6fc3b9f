package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// cut ends some connections after a few more bytes, most likely in the middle of a frame.
func (s *round) cut(_ context.Context, rnd *rand.Rand) error {
	for _, l := range s.links(rnd, 0.5) {
		n := 1 + rnd.IntN(500)
		l.degrade(func(l *proxyConn) { l.cutIn = n })
	}
	return nil
}

// halfOpen silently stops all bytes on some connections.
func (s *round) halfOpen(ctx context.Context, rnd *rand.Rand) error {
	frozen := s.links(rnd, 0.3)
	for _, l := range frozen {
		l.freeze()
	}
	sleep(ctx, between(rnd, time.Second, silence))
	for _, l := range frozen {
		l.end()
	}
	return nil
}

// delay makes everything on some connections late, in order.
func (s *round) delay(ctx context.Context, rnd *rand.Rand) error {
	return s.suffer(ctx, rnd, 0.5,
		func(l *proxyConn) { l.delay = between(rnd, time.Millisecond, 200*time.Millisecond) },
		func(l *proxyConn) { l.delay = 0 })
}

// slow limits some connections to 1 KB a second.
func (s *round) slow(ctx context.Context, rnd *rand.Rand) error {
	return s.suffer(ctx, rnd, 0.3, func(l *proxyConn) { l.rate = 1000 }, func(l *proxyConn) { l.rate = 0 })
}

func (s *round) suffer(ctx context.Context, rnd *rand.Rand, share float64, begin, end func(*proxyConn)) error {
	links := s.links(rnd, share)
	for _, l := range links {
		l.degrade(begin)
	}
	sleep(ctx, between(rnd, 500*time.Millisecond, 3*time.Second))
	for _, l := range links {
		l.degrade(end)
	}
	return nil
}

// stall makes some members read nothing for a while.
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

// tab opens a second connection for a member and sends on it, from the last to the first, all
// commands that have no answer on the first connection, which stays open.
func (s *round) tab(ctx context.Context, rnd *rand.Rand) error {
	m := s.members[rnd.IntN(len(s.members))]
	if !m.isKnown() {
		return nil
	}
	tab := m.secondTab(fmt.Sprintf("%s%d-%s", herdName, s.nextExtra(), m.name))
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

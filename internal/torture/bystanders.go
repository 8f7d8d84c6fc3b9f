package torture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A deliveryTimes measures how long messages take from whoever says them to each of
// the others. One that is nil does nothing.
type deliveryTimes struct {
	mu    sync.Mutex
	phase string // beside what is measured; "": nothing is
	since map[string]stopped
	took  map[string][]time.Duration
}

// stopped is when something was said, and beside what.
type stopped struct {
	at    time.Time
	phase string
}

func (w *deliveryTimes) begin(phase string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase = phase
}

// sent notes when a message is said for the first time.
func (w *deliveryTimes) sent(m *rawClient, text string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase == "" || m.misbehaves {
		return
	}
	if _, again := w.since[text]; !again {
		w.since[text] = stopped{time.Now(), w.phase}
	}
}

// seen notes that a member has got a message.
func (w *deliveryTimes) seen(m *rawClient, text string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.since[text]; ok && !m.misbehaves {
		w.took[s.phase] = append(w.took[s.phase], time.Since(s.at))
	}
}

// Beside are the ways of the members whose neighbours are measured.
const (
	BesideNobody   = "nobody"
	BesideStalled  = "stalled"
	BesideSlow     = "slow"
	BesideHalfOpen = "half-open"
)

const (
	misbehaving = 2               // members that do, at a time
	measured    = 2 * time.Second // of one phase
	settled     = time.Second     // between two
)

// measureBystanders measures what members notice of others who read nothing, who have a
// line of 1 KB a second, or one on which nothing passes any more: in turn, and in
// turn with nobody of the kind, so that what else the machine does hits all alike.
func (w *harness) measureBystanders(ctx context.Context) error {
	s := w.newRound(0)
	s.rooms = s.rooms[:1] // all that is said reaches everybody
	s.watch = &deliveryTimes{since: map[string]stopped{}, took: map[string][]time.Duration{}}
	people, goHome := context.WithCancel(ctx)
	defer goHome()
	g, gctx := errgroup.WithContext(people)
	for i := range max(s.cfg.People, 4) {
		m := s.newMember(fmt.Sprintf("N%d", i))
		s.members = append(s.members, m)
		if i < misbehaving {
			m.misbehaves, m.mute, m.proxy = true, true, s.slowProxy
		}
		g.Go(func() error { m.live(gctx); return nil })
	}
	for end := time.Now().Add(s.cfg.Beside); time.Now().Before(end) && gctx.Err() == nil; {
		for _, phase := range []string{BesideNobody, BesideStalled, BesideSlow, BesideHalfOpen} {
			sleep(gctx, settled)
			s.runMisbehaving(gctx, phase)
		}
	}
	err := s.settle(gctx)
	goHome()
	if err := errors.Join(err, g.Wait()); err != nil {
		return err
	}
	s.watch.mu.Lock()
	for phase, took := range s.watch.took {
		slices.Sort(took)
		s.count(func(r *Report) { r.Beside[phase] = took })
	}
	s.watch.mu.Unlock()
	return s.check(ctx, 0)
}

// runMisbehaving has the misbehaving misbehave in one way for a while, and measures
// the others.
func (s *round) runMisbehaving(ctx context.Context, phase string) {
	bad := s.slowProxy.some(nil, -1)
	switch phase {
	case BesideStalled:
		for _, m := range s.members {
			if m.misbehaves {
				m.stall(measured)
			}
		}
	case BesideSlow:
		for _, l := range bad {
			l.degrade(func(l *proxyConn) { l.rate = 1000 })
		}
	case BesideHalfOpen:
		for _, l := range bad {
			l.freeze()
		}
	}
	s.watch.begin(phase)
	sleep(ctx, measured)
	s.watch.begin("")
	for _, l := range bad { // so that they are well again, and catch up
		l.end()
	}
}

// Percentile returns what part of sorted times are at most; zero of none.
func Percentile(sorted []time.Duration, part float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}

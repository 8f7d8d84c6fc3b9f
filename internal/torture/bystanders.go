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

// deliveryTimes measures how long messages take from their sender to each other member. A nil one
// does nothing.
type deliveryTimes struct {
	mu    sync.Mutex
	phase string // the misbehaviour that is being measured; "": none
	since map[string]stopped
	took  map[string][]time.Duration
}

// stopped is when a message was sent, and during which misbehaviour.
type stopped struct {
	at    time.Time
	phase string
}

func (w *deliveryTimes) begin(phase string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase = phase
}

// sent records when a message is sent for the first time.
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

// seen records that a member got a message.
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

// The kinds of misbehaviour beside which other members are measured.
const (
	BesideNobody   = "nobody"
	BesideStalled  = "stalled"
	BesideSlow     = "slow"
	BesideHalfOpen = "half-open"
)

const (
	misbehaving = 2               // misbehaving members at a time
	measured    = 2 * time.Second // duration of one phase
	settled     = time.Second     // pause between two
)

// measureBystanders measures what members notice of others who read nothing, have a connection with
// 1 KB a second, or one that carries nothing. The kinds alternate with phases without misbehaviour,
// so that other load on the machine affects all alike.
func (w *harness) measureBystanders(ctx context.Context) error {
	s := w.newRound(0)
	s.rooms = s.rooms[:1] // so that every message reaches everybody
	s.watch = &deliveryTimes{since: map[string]stopped{}, took: map[string][]time.Duration{}}
	people, goHome := context.WithCancel(ctx)
	defer goHome()
	g, gctx := errgroup.WithContext(people)
	for i := range max(s.cfg.People, 4) {
		m := s.newMember(fmt.Sprintf("N%d", i))
		s.members = append(s.members, m)
		if i < misbehaving {
			m.misbehaves, m.mute, m.doors = true, true, []*proxy{s.slowProxy}
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

// runMisbehaving lets the misbehaving members misbehave in one way for a while, and measures the
// others.
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
	for _, l := range bad { // so that they recover and catch up
		l.end()
	}
}

// percentile returns the value that the given part of sorted times do not exceed; zero if there are
// none.
func percentile(sorted []time.Duration, part float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}

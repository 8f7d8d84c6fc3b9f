package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// kill ends the server by SIGKILL, at a random moment under load.
func (s *round) kill(ctx context.Context, _ *rand.Rand) error { return s.again(ctx, "kill", s.killed) }

func (s *round) killed() error {
	s.count(func(r *Report) { r.Kills++ })
	return s.cfg.Subject.Kill()
}

// term asks the server to end, and requires exit status 0.
func (s *round) term(ctx context.Context, _ *rand.Rand) error {
	return s.again(ctx, "term", s.cfg.Subject.Stop)
}

// again ends the server and starts it, even if the round is over.
func (s *round) again(ctx context.Context, fault string, end func() error) error {
	s.server.Lock()
	defer s.server.Unlock()
	return s.restart(ctx, fault, end)
}

// restart is like again, for callers that hold s.server.
func (s *round) restart(ctx context.Context, fault string, end func() error) error {
	s.forwardNowhere()
	if err := end(); err != nil {
		return err
	}
	return s.start(context.WithoutCancel(ctx), fault)
}

// injectSubjectFault injects a fault of the subject itself for a while. If the server needs a
// restart afterwards, it gets one.
func (s *round) injectSubjectFault(ctx context.Context, rnd *rand.Rand, a SubjectFault) error {
	s.server.Lock()
	defer s.server.Unlock()
	if err := a.Begin(rnd); err != nil {
		return err
	}
	if a.End != nil {
		length := between(rnd, 300*time.Millisecond, 2*time.Second)
		if a.For != nil {
			length = a.For(rnd)
		}
		ends := time.Now().Add(length)
		if a.Serves {
			if err := s.answers(ctx, a.Name+", others"); err != nil {
				return err
			}
		}
		sleep(ctx, time.Until(ends))
		if err := a.End(rnd); err != nil {
			return err
		}
	}
	if a.Over != nil {
		return s.restart(ctx, a.Name, a.Over)
	}
	return s.answers(ctx, a.Name)
}

// answers waits until the server stores messages again, and records how long that took after a
// fault.
func (s *round) answers(ctx context.Context, fault string) error {
	began := time.Now()
	if err := s.prober.post(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	s.back(fault, time.Since(began))
	return nil
}

// back records how long it took until the server answered again.
func (w *harness) back(fault string, took time.Duration) {
	w.count(func(r *Report) { r.Back[fault] = append(r.Back[fault], took) })
}

const herdName = "herd-"

// herd kills the server and, when it is back, opens many connections at once, each with missed
// events of every room.
func (s *round) herd(ctx context.Context, rnd *rand.Rand) error {
	if err := s.again(ctx, "herd", s.killed); err != nil {
		return err
	}
	person, session := s.members[0].identity(ctx)
	if person == "" {
		return nil
	}
	var heads []ObservedPart
	for _, room := range s.rooms {
		seq, epoch := s.ledger.last(s.members[0].runs[room])
		heads = append(heads, ObservedPart{After: seq, Epoch: epoch})
	}
	enough := waitLimit + time.Duration(s.cfg.Herd)*20*time.Millisecond // the harness itself is slow to read so much
	ctx, cancel := context.WithTimeout(ctx, enough)
	defer cancel()
	var all, in sync.WaitGroup
	for i := range s.cfg.Herd {
		h := s.newMember(fmt.Sprintf("%s%d-%d", herdName, s.nextExtra(), i))
		h.mute = true
		h.is(person, session)
		for n, room := range s.rooms {
			after := max(0, heads[n].After-rnd.Int64N(500))
			s.ledger.part(h.runs[room], ObservedPart{Epoch: heads[n].Epoch, After: after})
		}
		in.Add(1)
		all.Go(func() { h.live(ctx) })
		all.Go(func() {
			defer in.Done()
			for n, room := range s.rooms {
				for last, _ := s.ledger.last(h.runs[room]); last < heads[n].After && ctx.Err() == nil; last,
					_ = s.ledger.last(h.runs[room]) {
					sleep(ctx, 20*time.Millisecond)
				}
			}
		})
	}
	began := time.Now()
	in.Wait()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && time.Since(began) >= enough-time.Second {
		return fmt.Errorf("%d connections that came at once did not all have what they missed after %v", s.cfg.Herd,
			enough)
	}
	s.back("herd, all served", time.Since(began))
	cancel()
	all.Wait()
	return nil
}

// nextExtra returns a new number with each call.
func (w *harness) nextExtra() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.extras++
	return w.extras
}

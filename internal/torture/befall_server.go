package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// kill ends the server without a word, at a random moment under load.
func (s *storm) kill(ctx context.Context, _ *rand.Rand) error {
	return s.again(ctx, func() error {
		s.count(func(r *Report) { r.Kills++ })
		return s.cfg.Subject.Kill()
	})
}

// term asks the server to end, and it has to do so well.
func (s *storm) term(ctx context.Context, _ *rand.Rand) error {
	return s.again(ctx, s.cfg.Subject.Stop)
}

// again ends the server and starts it, whether or not the round is over.
func (s *storm) again(ctx context.Context, end func() error) error {
	s.server.Lock()
	defer s.server.Unlock()
	s.proxy.lead("")
	if err := end(); err != nil {
		return err
	}
	return s.start(context.WithoutCancel(ctx))
}

const herdName = "herd-"

// herd kills the server and has many connections come at once when it is back,
// each with a while of every room to catch up on.
func (s *storm) herd(ctx context.Context, rnd *rand.Rand) error {
	if err := s.kill(ctx, rnd); err != nil {
		return err
	}
	person, session := s.members[0].identity(ctx)
	if person == "" {
		return nil
	}
	var heads []Part
	for _, room := range s.rooms {
		seq, epoch := s.ledger.last(s.members[0].runs[room])
		heads = append(heads, Part{After: seq, Epoch: epoch})
	}
	enough := patience + time.Duration(s.cfg.Herd)*20*time.Millisecond // it is we who are slow to read so much
	ctx, cancel := context.WithTimeout(ctx, enough)
	defer cancel()
	var all, in sync.WaitGroup
	for i := range s.cfg.Herd {
		h := s.newMember(fmt.Sprintf("%s%d-%d", herdName, s.extra(), i))
		h.mute = true
		h.is(person, session)
		for n, room := range s.rooms {
			after := max(0, heads[n].After-rnd.Int64N(500))
			s.ledger.part(h.runs[room], Part{Epoch: heads[n].Epoch, After: after})
		}
		in.Add(1)
		all.Go(func() { h.live(ctx) })
		all.Go(func() {
			defer in.Done()
			for n, room := range s.rooms {
				for last, _ := s.ledger.last(h.runs[room]); last < heads[n].After && ctx.Err() == nil; last, _ = s.ledger.last(h.runs[room]) {
					sleep(ctx, 20*time.Millisecond)
				}
			}
		})
	}
	began := time.Now()
	in.Wait()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && time.Since(began) >= enough-time.Second {
		return fmt.Errorf("%d connections that came at once did not all have what they missed after %v", s.cfg.Herd, enough)
	}
	cancel()
	all.Wait()
	return nil
}

// extra returns another number each time.
func (w *world) extra() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.extras++
	return w.extras
}

// full takes away what space there is on the disk, where the server has a disk
// of its own, and gives it back.
func (s *storm) full(ctx context.Context, rnd *rand.Rand) error {
	s.server.Lock()
	defer s.server.Unlock()
	p, ok := s.cfg.Subject.(*Process)
	if !ok || !p.OwnDisk {
		return nil
	}
	if err := p.fill(); err != nil {
		return err
	}
	sleep(ctx, between(rnd, 300*time.Millisecond, 2*time.Second))
	if err := p.empty(); err != nil {
		return err
	}
	return s.recover(ctx)
}

// recover waits for the server to be well after a fault that it lived through.
func (s *storm) recover(ctx context.Context) error {
	began := time.Now()
	if err := s.well(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	s.count(func(r *Report) { r.Recoveries = append(r.Recoveries, time.Since(began)) })
	return nil
}

// limit lets the server write nowhere beyond a file's first bytes. To SQLite that
// is no full disk but one that fails, so the server may ask for a restart, and
// has one.
func (s *storm) limit(ctx context.Context, rnd *rand.Rand) error {
	p, ok := s.cfg.Subject.(interface{ PID() int })
	if !ok {
		return nil
	}
	s.server.Lock()
	err := limitFiles(p.PID(), 4096)
	s.server.Unlock()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return err
	}
	sleep(ctx, between(rnd, 300*time.Millisecond, 2*time.Second))
	if err := limitFiles(p.PID(), -1); err != nil {
		return err
	}
	return s.term(ctx, rnd)
}

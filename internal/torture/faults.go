package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// A fault is something bad that happens to the server or to connections. It returns when it is
// over.
type fault struct {
	name   string
	onBox  bool // a fault of the server itself: at most one at a time
	inject func(s *round, ctx context.Context, rnd *rand.Rand) error
}

var faults = []fault{
	{"kill", true, (*round).kill},
	{"term", true, (*round).term},
	{"herd", true, (*round).herd},
	{"cut", false, (*round).cut},
	{"halfopen", false, (*round).halfOpen},
	{"delay", false, (*round).delay},
	{"slow", false, (*round).slow},
	{"stall", false, (*round).stall},
	{"tab", false, (*round).tab},
	{"streamcut", false, (*round).cutSSE},
	{"heads", false, (*round).heads},
}

// faultsOf returns the faults that a subject supports.
func faultsOf(s Subject) []fault {
	can := slices.Clone(faults)
	for _, a := range subjectFaults(s) {
		can = append(can, fault{a.Name, true, func(s *round, ctx context.Context, rnd *rand.Rand) error {
			return s.injectSubjectFault(ctx, rnd, a)
		}})
	}
	return can
}

// FaultNames returns the names of the faults that a subject supports.
func FaultNames(s Subject) []string {
	var names []string
	for _, f := range faultsOf(s) {
		names = append(names, f.name)
	}
	for _, t := range fileFaultsOf(s) {
		names = append(names, t.name)
	}
	return names
}

// CheckFaults returns an error if a subject does not support one of the names.
func CheckFaults(s Subject, names []string) error {
	_, _, err := chooseFaults(s, names)
	return err
}

// chooseFaults returns the faults with those names, or all: those during rounds, and those between
// rounds.
func chooseFaults(s Subject, names []string) (chosen []fault, between []fileFault, err error) {
	if len(names) == 0 {
		return faultsOf(s), fileFaultsOf(s), nil
	}
	can, canBetween := faultsOf(s), fileFaultsOf(s)
	for _, name := range names {
		i := slices.IndexFunc(can, func(f fault) bool { return f.name == name })
		n := slices.IndexFunc(canBetween, func(t fileFault) bool { return t.name == name })
		switch {
		case i >= 0:
			chosen = append(chosen, can[i])
		case n >= 0:
			between = append(between, canBetween[n])
		default:
			return nil, nil, fmt.Errorf("there is no fault %q here, but %s", name, strings.Join(FaultNames(s), ", "))
		}
	}
	return chosen, between, nil
}

// injectAll injects faults during a round. Every third round has only one kind; in the others all
// are mixed, those of the server and those of connections side by side.
func (s *round) injectAll(ctx context.Context, round int, chosen []fault) error {
	if len(chosen) == 0 { // all chosen faults come between rounds
		sleep(ctx, time.Second)
		return nil
	}
	if round%3 == 0 {
		rnd := newRand(s.cfg.Seed, round, 0)
		chosen = []fault{chosen[rnd.IntN(len(chosen))]}
	}
	g, ctx := errgroup.WithContext(ctx)
	for lane, onBox := range []bool{true, false} {
		rnd := newRand(s.cfg.Seed, round, lane+1)
		mine := slices.DeleteFunc(slices.Clone(chosen), func(f fault) bool { return f.onBox != onBox })
		if len(mine) > 0 {
			g.Go(func() error { return s.injectFaults(ctx, rnd, mine, len(mine) == len(chosen)) })
		}
	}
	return g.Wait()
}

// injectFaults injects one fault after the other until ctx ends. For a fault of connections, the
// time until the server answers is measured only if it comes alone, because other faults would
// change it.
func (s *round) injectFaults(ctx context.Context, rnd *rand.Rand, mine []fault, alone bool) error {
	for {
		sleep(ctx, between(rnd, 200*time.Millisecond, 1200*time.Millisecond))
		if ctx.Err() != nil {
			return nil
		}
		f := mine[rnd.IntN(len(mine))]
		s.count(func(r *Report) { r.Faults[f.name]++ })
		s.cfg.Logger.Debug("fault", "op", f.name)
		if err := f.inject(s, ctx, rnd); err != nil {
			return fmt.Errorf("fault %s: %w", f.name, err)
		}
		if f.onBox || !alone {
			continue
		}
		if err := s.answers(ctx, f.name); err != nil {
			return fmt.Errorf("after fault %s: %w", f.name, err)
		}
	}
}

func between(rnd *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rnd.Int64N(int64(most-least)))
}

package torture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// hasFiles is implemented by subjects whose files can be reached.
type hasFiles interface {
	// Files returns the folder with all files of the server, and the file in it that holds the log.
	Files() (folder, database string)
}

// A fileFault is a fault of the server's files. It comes between two rounds, because it decides
// whether the log may become another one, and so what is correct afterwards.
type fileFault struct {
	name string
	run  func(s *round, ctx context.Context, rnd *rand.Rand, f hasFiles) (found []Finding, err error)
}

var fileFaults = []fileFault{
	{"restore", (*round).restored},
	{"corrupt", (*round).corrupted},
	{setBackName, (*round).restoreSnapshot},
}

// fileFaultsOf returns the file faults that a subject supports.
func fileFaultsOf(s Subject) []fileFault {
	if _, ok := s.(hasFiles); !ok {
		return nil
	}
	return fileFaults
}

// try injects one of the chosen faults, in a room of its own.
func (w *harness) try(ctx context.Context, n int, chosen []fileFault) error {
	rnd := newRand(w.cfg.Seed, n, 3)
	t := chosen[rnd.IntN(len(chosen))]
	w.count(func(r *Report) { r.Faults[t.name]++ })
	s := w.newRound(n)
	s.rooms = []string{s.rooms[0] + "-" + t.name}
	var err error
	if s.prober, err = s.newProber(ctx); err != nil {
		return fmt.Errorf("fault %s: %w", t.name, err)
	}
	w.server.Lock()
	defer w.server.Unlock()
	found, err := t.run(s, ctx, rnd, w.cfg.Subject.(hasFiles))
	if err != nil {
		return fmt.Errorf("fault %s: %w", t.name, err)
	}
	if len(found) > 0 {
		return s.broken(n, s.ledger.evidence(nil), found)
	}
	return nil
}

// posts posts several messages.
func (s *round) posts(ctx context.Context, times int) error {
	for range times {
		if err := s.prober.post(ctx); err != nil {
			return err
		}
	}
	return nil
}

// restored copies the folder under the running server, posts more messages, ends the server, and
// puts the copy back. Every client that resumes must then either be told that the log is another
// one, or find everything that was acknowledged.
func (s *round) restored(ctx context.Context, rnd *rand.Rand, f hasFiles) ([]Finding, error) {
	folder, _ := f.Files()
	tmp, err := os.MkdirTemp("", "parley-torture-copy-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	backup, left := filepath.Join(tmp, "copy"), filepath.Join(tmp, "left")
	if err := s.posts(ctx, 5+rnd.IntN(20)); err != nil {
		return nil, err
	}
	copied := s.ledger.now()
	var g errgroup.Group
	torn := rnd.IntN(2) == 0
	if torn { // the copy may then mix two moments
		g.Go(func() error { return s.posts(ctx, 10) })
	}
	if err := errors.Join(copyFiles(folder, backup), g.Wait()); err != nil {
		return nil, err
	}
	if err := s.posts(ctx, 5+rnd.IntN(20)); err != nil {
		return nil, err
	}
	seen, err := s.history(ctx, s.rooms[0], 0, -1)
	if err != nil {
		return nil, err
	}
	end := s.killed
	if rnd.IntN(2) == 0 {
		end = s.cfg.Subject.Stop
	}
	if err := s.end(end); err != nil {
		return nil, err
	}
	ended := s.ledger.now()
	if err := copyFiles(folder, left); err != nil {
		return nil, err
	}
	if err := putBack(rnd, f, backup); err != nil {
		return nil, err
	}
	whole := true
	if err := s.start(context.WithoutCancel(ctx), "restore"); err != nil {
		if !torn {
			return nil, fmt.Errorf("a whole copy was put back: %w", err)
		}
		whole = false
		_ = s.cfg.Subject.Kill() // if it runs at all and reports that it cannot serve
		if err := s.comeBack(ctx, folder, left); err != nil {
			return nil, fmt.Errorf("after a copy that was refused: %w", err)
		}
	}
	if err := s.posts(ctx, 3+rnd.IntN(8)); err != nil {
		return nil, err
	}
	after, err := s.history(ctx, s.rooms[0], 0, -1)
	if err != nil {
		return nil, err
	}
	e := s.ledger.evidence([]History{after})
	reader := Observed{Reader: "who comes back", Room: s.rooms[0], Complete: true}
	if after.Epoch == seen.Epoch {
		last := int64(len(seen.Events))
		reader.Parts = []ObservedPart{
			{Epoch: seen.Epoch, Events: seen.Events},
			{Epoch: after.Epoch, After: last, Events: after.Events[min(last, int64(len(after.Events))):]},
		}
	} else {
		e.forget(copied, ended, whole)
		reader.Parts = []ObservedPart{{Epoch: after.Epoch, Events: after.Events}}
	}
	e.Runs = append(e.Runs, reader)
	return checkLog(e), nil
}

// corrupted ends the server and overwrites pages of its log. The server must then either report the
// damage, by not starting or by refusing requests, or have everything that was acknowledged.
func (s *round) corrupted(ctx context.Context, rnd *rand.Rand, f hasFiles) ([]Finding, error) {
	folder, database := f.Files()
	left, err := os.MkdirTemp("", "parley-torture-left-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(left)
	if err := s.posts(ctx, 20+rnd.IntN(20)); err != nil {
		return nil, err
	}
	end := s.killed
	if rnd.IntN(2) == 0 {
		end = s.cfg.Subject.Stop
	}
	if err := s.end(end); err != nil {
		return nil, err
	}
	if err := errors.Join(copyFiles(folder, left), overwritePages(rnd, database)); err != nil {
		return nil, err
	}
	if err := s.start(context.WithoutCancel(ctx), "corrupt"); err != nil {
		_ = s.cfg.Subject.Kill() // if it runs at all and reports that it cannot serve
		return s.recovered(ctx, folder, left)
	}
	acks := 0
	for range 10 {
		if s.prober.once(ctx) == nil {
			acks++
		}
	}
	after, err := s.history(ctx, s.rooms[0], 0, -1)
	if err == nil {
		return checkLog(s.ledger.evidence([]History{after})), nil
	}
	if acks > 0 {
		return []Finding{{
			Rule: Lost, Room: s.rooms[0],
			Why: fmt.Sprintf("the server acknowledged %d messages, but its log cannot be read: %v", acks, err),
		}}, nil
	}
	_ = s.end(s.killed)
	return s.recovered(ctx, folder, left)
}

// recovered restores the files that the server left, and checks that everything is there.
func (s *round) recovered(ctx context.Context, folder, left string) ([]Finding, error) {
	if err := s.comeBack(ctx, folder, left); err != nil {
		return nil, fmt.Errorf("after damage that was refused: %w", err)
	}
	after, err := s.history(ctx, s.rooms[0], 0, -1)
	if err != nil {
		return nil, err
	}
	return checkLog(s.ledger.evidence([]History{after})), nil
}

// checkLog checks only a log. There are no message states to check.
func checkLog(e Evidence) []Finding {
	e.Pages, e.Reads = nil, nil
	for i := range e.Histories {
		h := &e.Histories[i]
		for _, event := range h.Events {
			if event.Kind == Message {
				h.Messages = append(h.Messages,
					MessageState{Seq: event.Seq, Author: event.Author, Text: event.Text, Gone: event.Deleted})
			}
		}
	}
	return Check(e)
}

// forget drops evidence that is not valid once the log became another one: everything acknowledged
// between the beginning of the copy and the end of the server, if the copy was put back, and
// everything that was read.
func (e *Evidence) forget(copied, ended Tick, whole bool) {
	for i := range e.Attempts {
		if a := &e.Attempts[i]; whole && a.Answered > copied && a.Answered < ended {
			a.Answered, a.Seq = 0, 0
		}
	}
	e.Looks = slices.DeleteFunc(e.Looks, func(l HeadRead) bool { return l.Called < ended })
}

// end ends the server until it is started again.
func (s *round) end(how func() error) error {
	s.forwardNowhere()
	return how()
}

// comeBack restores the folder's former content and starts the server.
func (s *round) comeBack(ctx context.Context, folder, left string) error {
	if err := errors.Join(emptyFolder(folder), copyFiles(left, folder)); err != nil {
		return err
	}
	return s.start(context.WithoutCancel(ctx), "put back")
}

// putBack writes a copy over a folder in one of the usual ways.
func putBack(rnd *rand.Rand, f hasFiles, backup string) error {
	folder, database := f.Files()
	name := filepath.Base(database)
	switch rnd.IntN(5) {
	case 0: // cp -r
		return copyFiles(backup, folder)
	case 1: // cp -a
		return errors.Join(copyFiles(backup, folder), keepTimes(backup, folder))
	case 2: // cat: only the log, which may consist of two files
		for _, end := range []string{"", "-wal"} {
			if err := copyFile(filepath.Join(backup, name+end), database+end); err != nil &&
				(end == "" || !errors.Is(err, fs.ErrNotExist)) {
				return err
			}
		}
		return nil
	case 3: // tar -x
		if err := os.Remove(database); err != nil {
			return err
		}
		return errors.Join(copyFiles(backup, folder), keepTimes(backup, folder))
	default: // rm -rf and cp -a
		return errors.Join(emptyFolder(folder), copyFiles(backup, folder), keepTimes(backup, folder))
	}
}

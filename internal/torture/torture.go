// Package torture tests whether a server keeps its promises while it is killed, cut off, starved
// and confused. Many people write numbered messages and read each other's while faults are injected
// into the server and the connections. Then a checker proves, only from what was seen from outside,
// that nothing was lost, duplicated, reordered or invented. Start reading at Check, then at Run.
//
// It knows the protocol as docs/protocol.md describes it, and nothing of how the server works: any
// other server with this protocol could be tested.
package torture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Config says how long, how hard and in which ways a server is tortured. A zero field means the
// default of its tag, if there is one, except for Beside and Rest.
type Config struct {
	For    time.Duration `default:"1m" help:"How long; what has begun is finished and checked."`
	Seed   uint64        `help:"What decides which faults come when; 0: a new one, which is printed."`
	Faults []string      `placeholder:"NAME" help:"Which faults, separated by commas; default: all. They are explained in docs/torture.md."`
	People int           `default:"6" help:"People who talk."`
	Rooms  int           `default:"3" help:"Rooms that all of them are in."`
	Rate   float64       `default:"300" help:"Messages, edits, deletions and reactions per second, of all of them together."`
	Herd   int           `default:"1000" help:"Connections that come back at once in the fault herd."`

	Beside time.Duration `default:"24s" help:"How long to measure, before the faults, what members notice of others who misbehave; 0: not at all."`
	Rest   time.Duration `default:"1m" help:"How long to wait, after the faults, until the server's memory is what it was."`

	Evidence string        `default:"torture-evidence" placeholder:"DIR" help:"Where to keep what was seen if something is wrong."`
	Round    time.Duration `kong:"-"` // length of a round before its check; default 20 s
	Subject  Subject       `kong:"-"` // the server; optional abilities are found by type assertions
	Logger   *slog.Logger  `kong:"-"` // default: discard
}

// A Report describes what a server went through.
type Report struct {
	Seed        uint64
	Took        time.Duration
	Rounds      int
	Faults      map[string]int // how often each came
	Kills       int            // by SIGKILL
	Connections int            // of members, including broken ones
	Behind      int            // joins that had to read pages
	Messages    int            // in the histories
	Events      int            // in the histories, including messages
	Acks        int
	Refusals    int // answers that something was not stored
	Deliveries  int
	Compared    int // events compared with a history
	Memory      Memory

	// Back has for each fault how long it took, each time, from the server's start until it
	// reported success or, if the server had not ended, from the end of the fault until it stored
	// the next message.
	Back map[string][]time.Duration
	// Beside has for each kind of misbehaviour how long messages took between other members,
	// sorted.
	Beside map[string][]time.Duration
}

// Run tortures cfg.Subject and returns a report. The error is a *Broken if a promise was broken.
// Any other error means that the harness could not do its work, or that the server did not come
// back.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if cfg.Seed == 0 {
		cfg.Seed = uint64(time.Now().UnixNano())
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Round = cmp.Or(cfg.Round, 20*time.Second)
	cfg.People, cfg.Rooms, cfg.Rate, cfg.Herd = cmp.Or(cfg.People, 6), cmp.Or(cfg.Rooms, 3), cmp.Or(cfg.Rate, 300),
		cmp.Or(cfg.Herd, 1000)
	cfg.Faults = slices.DeleteFunc(slices.Clone(cfg.Faults), func(s string) bool { return s == "" })
	chosen, between, err := chooseFaults(cfg.Subject, cfg.Faults)
	if err != nil {
		return Report{}, err
	}
	w, err := newHarness(cfg)
	if err != nil {
		return Report{}, err
	}
	began := time.Now()
	err = w.torture(ctx, chosen, between)
	w.report.Took = time.Since(began)
	return w.report, err
}

// Broken is the error for broken promises.
type Broken struct {
	Seed  uint64
	Round int
	Found []Finding
	Kept  string // the folder with the evidence; "" if it could not be stored
}

func (b *Broken) Error() string {
	s := fmt.Sprintf("a promise was broken in round %d of seed %d\n%s", b.Round, b.Seed, Explain(b.Found))
	if b.Kept != "" {
		s += "\nwhat was seen is in " + b.Kept
	}
	return s
}

// writeEvidence writes evidence for a person to read: one file per kind of record, one record per
// line.
func writeEvidence(dir string, e Evidence, found []Finding) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var runs []any
	for _, r := range e.Runs {
		for _, p := range r.Parts {
			runs = append(runs, struct {
				Reader, Room string
				ObservedPart
			}{r.Reader, r.Room, p})
		}
	}
	return errors.Join(
		writeLines(filepath.Join(dir, "findings.jsonl"), found),
		writeLines(filepath.Join(dir, "attempts.jsonl"), e.Attempts),
		writeLines(filepath.Join(dir, "looks.jsonl"), e.Looks),
		writeLines(filepath.Join(dir, "runs.jsonl"), runs),
		writeLines(filepath.Join(dir, "pages.jsonl"), e.Pages),
		writeLines(filepath.Join(dir, "reads.jsonl"), e.Reads),
		writeLines(filepath.Join(dir, "times.jsonl"), e.Times),
		writeLines(filepath.Join(dir, "histories.jsonl"), e.Histories))
}

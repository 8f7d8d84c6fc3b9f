package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"parley/internal/move"
)

type moveCmd struct {
	From             string `placeholder:"PLACE" help:"Where everything is: a data folder, or a PostgreSQL database, written as for serve --database. No server may use it."`
	FromPasswordFile string `placeholder:"FILE" help:"File with the password of the database of --from, in its first line."`
	To               string `placeholder:"PLACE" help:"Where everything goes: a data folder without a parley.db, or an empty PostgreSQL database."`
	ToPasswordFile   string `placeholder:"FILE" help:"File with the password of the database of --to, in its first line."`
	Unmark           bool   `help:"Move nothing, but let servers use --from again, as it was when it was moved. What was written elsewhere since is not there."`
}

func (c *moveCmd) check() error {
	_, _, err := c.places()
	return err
}

func (c *moveCmd) places() (from, to place, err error) {
	if from, err = readPlace("--from", c.From, c.FromPasswordFile); err != nil {
		return from, to, err
	}
	if c.Unmark {
		if c.To != "" || c.ToPasswordFile != "" {
			err = errors.New("--unmark moves nothing: leave out --to")
		}
		return from, to, err
	}
	to, err = readPlace("--to", c.To, c.ToPasswordFile)
	return from, to, err
}

// Run moves everything. The source is marked when the target has everything and before the target can be used, so that
// two servers never go on from the same log.
func (c *moveCmd) Run(ctx context.Context, con *console) (err error) {
	from, to, err := c.places()
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(con.stderr, nil))
	if c.Unmark {
		return unmark(ctx, from, con, logger)
	}
	source, err := from.open(ctx, false, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	began := time.Now()
	report, err := moveAll(ctx, source, to, newProgress(con.stderr))
	if errors.Is(err, move.ErrUnknown) {
		return fmt.Errorf("%w; look with “parley check” whether %s has everything: then use that; if it is empty, let "+
			"%s be used again with “parley move --unmark”, and try again", err, to, from)
	}
	if err != nil {
		return err
	}
	epoch := "the log has the epoch " + source.Epoch()
	if source.Epoch() == "" {
		epoch = "the first start gives the log a new epoch"
	}
	_, err = fmt.Fprintf(con.stdout, "moved %s from %s to %s in %.1f s\nboth have the SHA-256 %x; %s\n"+
		"no server starts on %s any more\n",
		amounts(report), from, to, time.Since(began).Seconds(), report.Hash, epoch, from)
	return err
}

// unmark lets servers use a place that was marked.
func unmark(ctx context.Context, p place, con *console, logger *slog.Logger) error {
	source, err := p.open(ctx, false, logger)
	if err == nil {
		return errors.Join(fmt.Errorf("%s is not marked as moved; nothing was changed", p), source.Close())
	}
	if !errors.Is(err, move.ErrMoved) {
		return err
	}
	if source, err = p.open(ctx, true, logger); err != nil {
		return err
	}
	if err := errors.Join(source.SetMoved(ctx, ""), source.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.stdout, "servers may use %s again\n", p)
	return err
}

// moveAll fills a place and marks the source. If that fails the source is as it was.
func moveAll(ctx context.Context, source movedSource, to place, p *progress) (report move.Report, err error) {
	marked := false
	err = to.fill(ctx, source.Epoch(), func(ctx context.Context, target move.Target) (err error) {
		if report, err = move.Copy(ctx, source, target, p.tell); err != nil {
			return err
		}
		marked = true
		return source.SetMoved(ctx, to.String()+" on "+time.Now().UTC().Format("2006-01-02 15:04 MST"))
	})
	if err != nil && marked && !errors.Is(err, move.ErrUnknown) {
		if unmarking := source.SetMoved(context.WithoutCancel(ctx), ""); unmarking != nil {
			err = fmt.Errorf("%w; and the source may still be marked as moved (%w): “parley move --unmark” ends that",
				err, unmarking)
		}
	}
	return report, err
}

// amounts says how much a report is about.
func amounts(r move.Report) string {
	return fmt.Sprintf("%s, %s and %s", count(int(r.Rooms), "room"), countPeople(r.People),
		count(int(r.Events), "event"))
}

func countPeople(n int64) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprint(n, " people")
}

// tellEvery is the time between two lines about the progress.
const tellEvery = 2 * time.Second

// A progress tells an operator how far copying is.
type progress struct {
	w    io.Writer
	told time.Time
}

func newProgress(w io.Writer) *progress { return &progress{w, time.Now()} }

func (p *progress) tell(table string, rows, of int64, readBack bool) {
	if time.Since(p.told) < tellEvery {
		return
	}
	p.told = time.Now()
	what := "copied"
	if readBack {
		what = "read back"
	}
	all := ""
	if of > 0 {
		all = fmt.Sprintf(" of %d", of)
	}
	fmt.Fprintf(p.w, "%s: %d%s rows %s\n", table, rows, all, what)
}

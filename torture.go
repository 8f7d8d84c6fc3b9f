package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parley/internal/torture"
)

type tortureCmd struct {
	Server string `placeholder:"FILE" help:"The program to torture. Default: this one."`
	logFlags

	torture.Config `embed:""`
}

// check takes the faults for which a disk is needed too: that there is none is
// found out later.
func (c *tortureCmd) check() error {
	return torture.CheckFaults(&torture.Process{OwnDisk: true}, c.Config.Faults)
}

// Run tortures a server of its own on data of its own.
func (c *tortureCmd) Run(ctx context.Context, con *console) error {
	program := c.Server
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return fmt.Errorf("which program this is: %w", err)
		}
	}
	dir, err := os.MkdirTemp("", "parley-torture-")
	if err != nil {
		return fmt.Errorf("a folder to torture in: %w", err)
	}
	defer os.RemoveAll(dir)
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return fmt.Errorf("the server's log: %w", err)
	}
	defer log.Close()
	subject := &torture.Process{Program: program, Args: []string{"serve"}, Data: filepath.Join(dir, "data"), Log: log}
	if err := os.Mkdir(subject.Data, 0o700); err != nil {
		return fmt.Errorf("a data folder to torture: %w", err)
	}
	if unmount, err := torture.MountDisk(subject.Data); err == nil {
		subject.OwnDisk = true
		defer unmount()
	} else {
		fmt.Fprintf(con.stdout, "the fault full is left out: %v\n", err)
	}
	c.Config.Subject = subject
	c.Config.Logger = c.logger(con.stderr)
	c.Config.Seed = cmp.Or(c.Config.Seed, uint64(time.Now().UnixNano()))
	fmt.Fprintf(con.stdout, "seed %d\n", c.Config.Seed)
	report, err := torture.Run(ctx, c.Config)
	printReport(con.stdout, report)
	if broken, ok := errors.AsType[*torture.Broken](err); ok && broken.Kept != "" {
		err = errors.Join(err, os.Rename(log.Name(), filepath.Join(broken.Kept, "server.log")))
	}
	if err == nil {
		fmt.Fprintln(con.stdout, "nothing was lost, doubled, reordered or made up")
	}
	return err
}

func printReport(w io.Writer, r torture.Report) {
	var befell []string
	for _, name := range slices.Sorted(maps.Keys(r.Faults)) {
		befell = append(befell, fmt.Sprintf("%s %d", name, r.Faults[name]))
	}
	for _, row := range [][2]any{
		{"took", r.Took.Round(time.Second)},
		{"rounds checked", r.Rounds},
		{"faults", strings.Join(befell, ", ")},
		{"kills", r.Kills},
		{"connections", r.Connections},
		{"joins that read pages", r.Behind},
		{"events", r.Events},
		{"messages among them", r.Messages},
		{"acknowledgements", r.Acks},
		{"refusals", r.Refusals},
		{"deliveries", r.Deliveries},
		{"events compared", r.Compared},
		{"memory", memory(r.Memory)},
	} {
		fmt.Fprintf(w, "%-24s %v\n", row[0], row[1])
	}
	fmt.Fprintln(w, "until it answers again:")
	for _, name := range slices.Sorted(maps.Keys(r.Back)) {
		fmt.Fprintf(w, "  %-22s %s\n", name, spread(r.Back[name]))
	}
	if len(r.Beside) > 0 {
		fmt.Fprintln(w, "from one member to another, beside two who are:")
	}
	for _, way := range []string{torture.BesideNobody, torture.BesideStalled, torture.BesideSlow, torture.BesideHalfOpen} {
		if took := r.Beside[way]; len(took) > 0 {
			fmt.Fprintf(w, "  %-22s median %v, p99 %v, %d messages\n", way,
				round(torture.Percentile(took, 0.5)), round(torture.Percentile(took, 0.99)), len(took))
		}
	}
}

func memory(m torture.Memory) string {
	return fmt.Sprintf("%d MiB before, at most %d, %d after %v", m.Before>>20, m.Peak>>20, m.After>>20, m.Within.Round(time.Second))
}

// spread says how long something takes: in the middle, mostly, and at the most.
func spread(times []time.Duration) string {
	slices.Sort(times)
	return fmt.Sprintf("median %v, p95 %v, most %v, %d times", round(torture.Percentile(times, 0.5)),
		round(torture.Percentile(times, 0.95)), round(times[len(times)-1]), len(times))
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

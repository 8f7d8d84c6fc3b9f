package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
	for _, name := range torture.FaultNames() {
		if n := r.Faults[name]; n > 0 {
			befell = append(befell, fmt.Sprintf("%s %d", name, n))
		}
	}
	for _, row := range [][2]any{
		{"took", r.Took.Round(time.Second)},
		{"rounds checked", r.Rounds},
		{"faults", strings.Join(befell, ", ")},
		{"kills", r.Kills},
		{"connections", r.Connections},
		{"joins that read pages", r.Behind},
		{"messages", r.Messages},
		{"acknowledgements", r.Acks},
		{"refusals", r.Refusals},
		{"deliveries", r.Deliveries},
		{"events compared", r.Compared},
		{"start to first answer", spread(r.Restarts)},
		{"end of fault to well", spread(r.Recoveries)},
		{"memory before, after", fmt.Sprintf("%d, %d MiB", r.Memory[0]>>20, r.Memory[1]>>20)},
	} {
		fmt.Fprintf(w, "%-24s %v\n", row[0], row[1])
	}
}

// spread says how long something takes: in the middle and at the most.
func spread(times []time.Duration) string {
	if len(times) == 0 {
		return "never"
	}
	slices.Sort(times)
	return fmt.Sprintf("median %v, most %v", times[len(times)/2].Round(time.Millisecond), times[len(times)-1].Round(time.Millisecond))
}

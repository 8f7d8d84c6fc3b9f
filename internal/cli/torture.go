package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"parley/internal/cluster/natsbus"
	"parley/internal/pgserver"
	"parley/internal/torture"
)

type tortureCmd struct {
	Server   string `placeholder:"FILE" help:"The program to torture. Default: this one."`
	Postgres bool   `help:"Let it keep its log in a PostgreSQL server, which is started from the programs that are installed, and torture that and the connections to it too."`
	Cluster  bool   `help:"Let several servers keep their log in a PostgreSQL server with a synchronous standby, and torture all of these and the connections between them."`
	Nodes    int    `default:"3" help:"With --cluster: how many servers."`
	NATS     bool   `name:"nats" help:"With --cluster: let the servers hear each other over a NATS server in place of connections to each other, as with --bus, and torture that too. It is a process of its own."`
	logFlags

	torture.Config `embed:""`
}

// check also accepts the faults that need a disk of their own; a missing disk is found later.
func (c *tortureCmd) check() error {
	switch {
	case c.Cluster && c.Nodes < 2:
		return errors.New("a cluster has at least two nodes")
	case c.NATS && !c.Cluster:
		return errors.New("--nats is for several servers: add --cluster, or leave it out")
	case c.NATS:
		return torture.CheckFaults(&torture.Cluster{NATS: &torture.Process{}}, c.Config.Faults)
	case c.Cluster:
		return torture.CheckFaults(&torture.Cluster{}, c.Config.Faults)
	case c.Postgres:
		return torture.CheckFaults(&torture.PostgresProcess{}, c.Config.Faults)
	}
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
	subject, end, err := c.subject(ctx, con, program, dir, log)
	if err != nil {
		return err
	}
	defer end()
	c.Config.Subject = subject
	c.Config.Logger = c.logger(con.stderr)
	c.Config.Seed = cmp.Or(c.Config.Seed, uint64(time.Now().UnixNano()))
	fmt.Fprintf(con.stdout, "seed %d\n", c.Config.Seed)
	report, err := torture.Run(ctx, c.Config)
	report.Print(con.stdout)
	if broken, ok := errors.AsType[*torture.Broken](err); ok && broken.Kept != "" {
		err = errors.Join(err, os.Rename(log.Name(), filepath.Join(broken.Kept, "server.log")))
	}
	if err == nil {
		fmt.Fprintln(con.stdout, "nothing was lost, doubled, reordered or made up")
	}
	return err
}

// subject returns what to torture: the program on SQLite, with a disk of its own where possible, or on PostgreSQL, or
// as several nodes. Their data folders are in dir. end frees what that needs.
func (c *tortureCmd) subject(ctx context.Context, con *console, program, dir string, log io.Writer) (
	_ torture.Subject, end func(), err error,
) {
	if !c.Cluster {
		c.Nodes = 1
	}
	var nodes []*torture.Process
	for i := range c.Nodes {
		data := filepath.Join(dir, fmt.Sprint("data", i+1))
		if err := os.Mkdir(data, 0o700); err != nil {
			return nil, nil, fmt.Errorf("a data folder to torture: %w", err)
		}
		nodes = append(nodes, &torture.Process{Program: program, Args: []string{"serve"}, Data: data, Log: log})
	}
	switch {
	case c.Cluster:
		var nats *torture.Process
		if c.NATS {
			self, err := os.Executable() // c.Server may be another build
			if err != nil {
				return nil, nil, fmt.Errorf("which program this is: %w", err)
			}
			nats = &torture.Process{Program: self, Args: []string{"torture-nats"}, Log: log}
		}
		return onCluster(ctx, con, nodes, nats)
	case c.Postgres:
		return onPostgres(ctx, nodes[0])
	}
	unmount, err := torture.MountDisk(nodes[0].Data)
	if err != nil {
		fmt.Fprintf(con.stdout, "the fault full is left out: %v\n", err)
		return nodes[0], func() {}, nil
	}
	nodes[0].OwnDisk = true
	return nodes[0], func() { unmount() }, nil
}

func onPostgres(ctx context.Context, p *torture.Process) (_ torture.Subject, end func(), err error) {
	database, err := pgserver.Start(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	subject, err := torture.OnPostgres(ctx, p, database)
	if err != nil {
		return nil, nil, errors.Join(err, database.Stop())
	}
	return subject, func() {
		subject.Close()
		database.Stop()
	}, nil
}

func onCluster(ctx context.Context, con *console, nodes []*torture.Process, nats *torture.Process) (
	_ torture.Subject, end func(), err error,
) {
	subject, err := torture.NewCluster(ctx, nodes, nats)
	if err != nil {
		return nil, nil, err
	}
	if subject.NoNetwork != nil {
		fmt.Fprintf(con.stdout, "the faults of packets are left out: %v\n", subject.NoNetwork)
	}
	return subject, func() { subject.Close() }, nil
}

// tortureNATSCmd is the NATS server of torture --cluster --nats, so that this needs nothing but the program.
type tortureNATSCmd struct {
	Address string `arg:"" help:"Where to listen: host and port."`
}

// Run serves NATS until ctx ends.
func (c *tortureNATSCmd) Run(ctx context.Context, con *console) error {
	return natsbus.Serve(ctx, c.Address, func() { fmt.Fprintln(con.stdout, "listening on nats://"+c.Address) })
}

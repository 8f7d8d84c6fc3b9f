package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/alecthomas/kong"

	"parley/internal/bench"
)

type benchCmd struct {
	bench.Config `embed:""`

	Chat    bench.Chat    `cmd:"" help:"All talk in one room, in bursts, and wait until everybody has everything."`
	Fanout  bench.Fanout  `cmd:"" help:"One talks and many listen, one message at a time."`
	Rooms   bench.Rooms   `cmd:"" help:"Many rooms, in which everybody talks now and then."`
	Idle    bench.Idle    `cmd:"" help:"Connections that only stay: memory of each."`
	Once    bench.Once    `cmd:"" help:"Rooms that nobody is in any more: memory of them all."`
	Join    bench.Join    `cmd:"" help:"Connections that come all at once, to a room with a history."`
	Slow    bench.Slow    `cmd:"" help:"One in ten reads nothing: what the others see."`
	Mixed   bench.Mixed   `cmd:"" help:"A giant room beside small ones: what the small ones see."`
	History bench.History `cmd:"" help:"Pages of a long history, and a resume."`
	Store   bench.Store   `cmd:"" help:"Messages stored per second."`
	Search  bench.Search  `cmd:"" help:"Words looked for among a million messages."`

	Across   bench.Across   `cmd:"" help:"From one node to another: how long after its commit a message is shown there. Needs --nodes."`
	Failover bench.Failover `cmd:"" help:"The database's primary dies again and again: what is lost, and when it goes on. Needs --postgres."`
	Rolling  bench.Rolling  `cmd:"" help:"Each node is restarted: what listeners notice. Needs --nodes."`

	Handshakes bench.Handshakes `cmd:"" help:"Clients that come, shake hands in TLS, and go."`

	All    struct{}    `cmd:"" help:"All of these, one after another, with their defaults."`
	Report benchReport `cmd:"" help:"Join what --json has written in several runs: print it, draw it."`
}

// benchReport combines reports; it needs no server.
type benchReport struct {
	Files []string `arg:"" type:"existingfile" help:"Files that --json has written."`
}

func (c *benchCmd) check() error {
	if err := (databaseFlags{Database: c.Database}).check(); err != nil {
		return err
	}
	return bench.CheckPeers(c.Peers)
}

// Run runs the chosen scenario. Kong calls it for each scenario command.
func (c *benchCmd) Run(ctx context.Context, con *console, command *kong.Context) error {
	self, err := exec.LookPath(os.Args[0]) // as it was called
	if err != nil {
		return fmt.Errorf("find this program, to start a server with: %w", err)
	}
	c.Program, c.Version, c.Out, c.Progress = []string{self}, buildVersion(), con.stdout, con.stderr
	switch command.Selected().Name {
	case "report":
		return bench.Merge(c.Config, c.Report.Files)
	case "all":
		return bench.Run(ctx, c.Config, &c.Chat, &c.Fanout, &c.Rooms, &c.Idle, &c.Once, &c.Join, &c.Slow, &c.Mixed,
			&c.History, &c.Store, &c.Search, &c.Across, &c.Failover, &c.Rolling, &c.Handshakes)
	}
	return bench.Run(ctx, c.Config, command.Selected().Target.Addr().Interface().(bench.Scenario))
}

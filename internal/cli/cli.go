// Package cli holds the commands of the program: serve, chat, backup and the rest. It
// is the one place that knows every part. Start reading at Main, and for the server
// itself at serveCmd.Run.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// stopTimeout is how long a command may take to end after the first signal; serve may also drain.
const stopTimeout = 10 * time.Second

// commands is the command line. Its tags are the manual.
type commands struct {
	Serve    serveCmd    `cmd:"" default:"withargs" help:"Serve the rooms. This is what parley does without a command."`
	Chat     chatCmd     `cmd:"" help:"Talk in a room from a terminal, or from a script."`
	Backup   backupCmd   `cmd:"" help:"Copy all rooms, people and sessions to a file, also while servers use them."`
	Restore  restoreCmd  `cmd:"" help:"Put what a back-up holds into an empty data folder or database."`
	Move     moveCmd     `cmd:"" help:"Move all rooms, people and sessions from a data folder to a PostgreSQL database or back, and prove that nothing changed."`
	Check    checkCmd    `cmd:"" help:"Check a data folder that no server uses, a database, or a back-up: exit status 0 if it is whole, 1 if not."`
	Rollback rollbackCmd `cmd:"" help:"Return the data folder to what it was before the last upgrade, and say what is lost by that."`
	Health   healthCmd   `cmd:"" help:"Ask a server whether it is well: exit status 0 if it can store messages, 1 if not."`
	Bench    benchCmd    `cmd:"" help:"Measure how fast a server is, and others beside it, on this machine."`
	Torture  tortureCmd  `cmd:"" help:"Torture a server of its own with kills, broken lines and a full disk, and prove that nothing is lost."`
	Version  versionCmd  `cmd:"" help:"Say which version this is."`

	TortureNATS tortureNATSCmd `cmd:"" name:"torture-nats" hidden:"" help:"The NATS server of torture --cluster --nats."`
}

// A console is where a command writes for people (stderr) and for programs (stdout).
type console struct {
	stdout, stderr io.Writer
}

// Main carries out the command line of the process and ends the process with status
// 0, 1 if the command failed, or 2 if it was not understood.
func Main() {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		// The first signal asks the command to end. After that, signals have their default effect,
		// so a second one ends the program at once: acknowledged messages are already on the disk.
		<-signals
		signal.Stop(signals)
		stop()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run carries out one command line and returns the exit status: 0 for success, 1 if the command
// failed, 2 if the command line was not understood.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	exited := -1
	parser := newParser(stdout, stderr, func(code int) { exited = code })
	command, err := parser.Parse(args)
	if exited >= 0 { // --help was given
		return exited
	}
	if err == nil {
		err = check(command)
	}
	if err != nil {
		printError(stderr, refusal(err))
		return 2
	}
	command.BindTo(ctx, (*context.Context)(nil))
	limit := stopTimeout
	if serve, ok := command.Selected().Target.Addr().Interface().(*serveCmd); ok {
		limit += 2 * serve.drain()
	}
	defer endLate(ctx, limit)()
	if err := command.Run(&console{stdout, stderr}); err != nil {
		printError(stderr, err.Error())
		return 1
	}
	return 0
}

// endLate ends the process if the command is still busy so long after ctx has ended. It returns a
// function that the command's end calls.
func endLate(ctx context.Context, limit time.Duration) (ended func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
		case <-done:
			return
		}
		timer := time.NewTimer(limit)
		defer timer.Stop()
		select {
		case <-timer.C:
			printError(os.Stderr, fmt.Sprintf("still busy after %v; ended all the same", limit))
			os.Exit(1)
		case <-done:
		}
	}()
	return func() { close(done) }
}

// newParser returns the command line parser.
func newParser(stdout, stderr io.Writer, exit func(int)) *kong.Kong {
	parser, err := kong.New(&commands{},
		kong.Name("parley"),
		kong.Description("A chat server that you start with one command and can rely on."),
		kong.DefaultEnvars("PARLEY"),
		kong.Writers(stdout, stderr),
		kong.Exit(exit),
		kong.Help(help),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		panic(err) // a mistake in commands, which no command line can cause
	}
	strictOptions(parser)
	return parser
}

// help also shows the flags of serve if no command is named, because serve is the default command.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil || ctx.Selected() != nil {
		return err
	}
	serve, err := kong.Trace(ctx.Kong, []string{"serve"})
	if err != nil {
		return err
	}
	fmt.Fprintln(ctx.Stdout)
	return kong.DefaultHelpPrinter(options, serve)
}

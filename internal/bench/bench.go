// Package bench measures how fast a chat server is, and compares it with others that do the same
// work. It has a load generator for several protocols, a table of scenarios, and a report. Start
// reading at Run.
//
// It knows Parley only as docs/protocol.md describes it, and a server only as a process with an
// address. It must need so little CPU that the server is what is measured.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Config says what is measured and where the results go.
type Config struct {
	Server   string        `placeholder:"URL|COMMAND" help:"Measure this Parley server instead of one of our own: the URL of one that runs (then its CPU time and memory are not known), or a command that starts one and prints \"listening on URL\"."`
	Peers    []string      `placeholder:"NAME" help:"Also measure these servers, in turn with Parley: all, or some of floor, gorilla, gws, centrifuge, node-ws, bun."`
	PeersDir string        `default:"bench" placeholder:"DIR" help:"Where bench/install has put the peers. Default: ${default}."`
	Postgres bool          `help:"Also measure Parley with its log in a PostgreSQL server, which is started from the programs that are installed, with its data in --dir. Its CPU time counts."`
	Database string        `placeholder:"URL" help:"The same on a PostgreSQL server that runs already: databases are made there for the while. Its CPU time is not known."`
	Nodes    int           `help:"Also measure so many Parley servers that share a database of --postgres or --database, with the clients spread over them."`
	TLS      bool          `name:"tls" help:"Measure over TLS, with a certificate made for the while, and peers that speak it."`
	Runs     int           `default:"5" min:"1" help:"How often everything is measured; the table has the median and the extremes. Default: ${default}."`
	For      time.Duration `default:"5s" help:"How long each measurement lasts. Default: ${default}."`
	Dir      string        `default:"." placeholder:"DIR" help:"Where the server that is measured keeps its data for the while: a folder on the disk that counts. Default: ${default}."`
	JSON     string        `name:"json" placeholder:"FILE" help:"Write all figures to a file."`
	SVG      string        `name:"svg" placeholder:"FILE" help:"Draw the figures."`
	Docs     string        `placeholder:"FILE" help:"Put the table into a Markdown file, between the lines <!-- bench --> and <!-- /bench -->."`

	Program  []string  `kong:"-"` // the command of this program, to start a server
	Version  string    `kong:"-"` // of this program
	Out      io.Writer `kong:"-"` // for the table
	Progress io.Writer `kong:"-"` // for progress and notes

	tlsFiles *tlsFiles // set with TLS
}

// A Scenario is a kind of work to be measured, at one or more sizes.
type Scenario interface {
	cases() []Case
}

// A Case is a scenario at one size.
type Case struct {
	Scenario string `json:"scenario"`
	Size     int    `json:"size"`    // what the scenario grows by
	Setting  string `json:"setting"` // described in words, with the size
	Columns  []Column

	connections  int           // that it needs
	needsStore   bool          // requires a server with a history
	needsStart   bool          // requires a server that we started
	needsTLS     bool          // measures nothing without TLS
	needsNodes   bool          // is about several nodes
	needsClock   bool          // needs to know when the database has committed a message
	drain        time.Duration // of its nodes; 0: a short one
	ownServer    bool          // starts the servers, on PostgreSQL servers of its own
	reusesServer bool          // all runs use one server, because the preparation takes long
	measure      func(context.Context, *testbed) (Values, error)
}

// Values are what one run measured, by column key, in units of 1, seconds or bytes.
type Values map[string]float64

// A testbed is a server on which a case is measured once, and how to talk to it.
type testbed struct {
	cfg     *Config
	peer    Peer
	address string
	process *process      // nil if we did not start it
	others  []*process    // the further nodes
	ended   time.Duration // CPU time of processes that were restarted
	drain   time.Duration // of each node
	dir     string        // its data folder, if we started it
	env     []string      // variables for its process

	database *measuredDatabase // has its log; nil: it is in dir
	clock    *commitClock      // between it and its database; nil without Case.needsClock
	carried  any               // kept by a case for its next run on the same server
	label    string
	notes    []string
	spoke    time.Time // when progress was last printed
}

// Run measures scenarios and prints one table. For a measurement that failed, the table has the
// reason. The error is about failures of Parley itself.
func Run(ctx context.Context, cfg Config, scenarios ...Scenario) error {
	b := &runner{cfg: &cfg, report: newReport(cfg.Version)}
	if len(scenarios) == 1 && slices.ContainsFunc(scenarios[0].cases(), func(c Case) bool { return c.needsTLS }) {
		cfg.TLS = true
	}
	if err := b.prepare(); err != nil {
		return err
	}
	defer cfg.tlsFiles.remove()
	if cfg.Postgres || cfg.Database != "" {
		if err := b.openDatabases(ctx); err != nil {
			return err
		}
		defer b.databases.stop() // a folder that is left behind is no reason to fail
	}
	var failures error
	for _, s := range scenarios {
		for _, c := range s.cases() {
			if c.needsTLS && !cfg.TLS {
				b.say("%s: left out, as there is nothing to measure without --tls", c.Scenario)
				continue
			}
			if cfg.TLS && !c.needsTLS {
				c.Setting += ", over TLS"
			}
			if c.connections > b.most {
				b.say("%s, %s: left out, as it needs %d connections and only %d open files are allowed (ulimit -n)",
					c.Scenario, c.Setting, c.connections, b.files)
				continue
			}
			if c.needsNodes && cfg.Nodes == 0 {
				b.say("%s: left out, as there is nothing to measure without --nodes", c.Scenario)
				continue
			}
			if c.ownServer && !cfg.Postgres {
				b.say("%s: left out, as there is nothing to measure without --postgres", c.Scenario)
				continue
			}
			for _, p := range b.field {
				if c.needsStore && !c.fits(p) {
					b.say("%s: without %s, which keeps no messages or was not started here", c.Scenario, p.Name)
				}
			}
			failures = errors.Join(failures, b.compare(ctx, c))
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
	}
	return errors.Join(failures, b.publish())
}

// A runner carries out one call of Run.
type runner struct {
	cfg    *Config
	field  []Peer // Parley first
	most   int    // connections at once
	files  int
	report *Report

	databases *databases // nil without Config.Postgres and Config.Database
}

func (b *runner) say(format string, args ...any) {
	fmt.Fprintf(b.cfg.Progress, "bench: "+format+"\n", args...)
}

func (b *runner) prepare() error {
	switch {
	case b.cfg.Runs < 1:
		return fmt.Errorf("--runs %d: at least one", b.cfg.Runs)
	case b.cfg.Postgres && b.cfg.Database != "":
		return errors.New("either --postgres or --database: the one starts a database server, the other uses one")
	case b.cfg.Nodes != 0 && !b.cfg.Postgres && b.cfg.Database == "":
		return errors.New("--nodes: several servers need a database that they share: --postgres or --database")
	case b.cfg.Nodes < 0 || b.cfg.Nodes == 1:
		return fmt.Errorf("--nodes %d: at least two; one is measured anyway", b.cfg.Nodes)
	}
	others, missing, err := choosePeers(b.cfg.PeersDir, b.cfg.Peers, b.cfg.TLS)
	if err != nil {
		return err
	}
	for _, m := range missing {
		b.say("%s", m)
	}
	own := Peer{Name: parleyName, protocol: parleyProtocol{}, hasHistory: true}
	if strings.HasPrefix(b.cfg.Server, "http") {
		if own.address, err = hostPort(b.cfg.Server, b.cfg.TLS); err != nil {
			return err
		}
		b.say("the server is not started here, so its CPU time and memory are not known, and its limits hold")
	} else {
		own.command = strings.Fields(b.cfg.Server)
	}
	b.field = append([]Peer{own}, others...)
	if b.files, err = raiseFileLimit(); err != nil {
		return err
	}
	const spare = 200 // files other than the connections
	b.most = b.files - spare
	if _, err := cpuTime(os.Getpid()); err != nil {
		b.say("%v", errNoProc)
	}
	if b.cfg.TLS {
		if b.cfg.tlsFiles, err = newTLSFiles(); err != nil {
			return fmt.Errorf("a certificate to measure with: %w", err)
		}
	}
	return nil
}

// compare measures c with each peer in turn, as often as requested, so that other load on the
// machine affects all peers alike.
func (b *runner) compare(ctx context.Context, c Case) (err error) {
	collected := make(map[string]*collection)
	stands := make(map[string]*testbed)
	defer func() {
		for _, s := range stands {
			s.end()
		}
	}()
	for run := range b.cfg.Runs {
		for i := range b.field {
			p := b.field[(i+run)%len(b.field)] // the first one has the coolest machine, so it changes
			if !c.fits(p) {
				continue
			}
			all := collected[p.Name]
			if all == nil {
				all = &collection{}
				collected[p.Name] = all
			}
			if all.failed != "" {
				continue
			}
			b.say("%s, %s: %s, run %d of %d", c.Scenario, c.Setting, p.Name, run+1, b.cfg.Runs)
			v, notes, e := b.once(ctx, c, p, stands)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			all.add(v, notes, e)
			if e != nil {
				b.say("%s, %s: %s: %v", c.Scenario, c.Setting, p.Name, e)
				if p.Name == parleyName {
					err = errors.Join(err, fmt.Errorf("%s, %s: %w", c.Scenario, c.Setting, e))
				}
			}
		}
	}
	for _, p := range b.field {
		if c.fits(p) {
			b.report.add(c, p.Name, collected[p.Name])
		}
	}
	return err
}

// fits reports whether c can be measured with p at all.
func (c Case) fits(p Peer) bool {
	return (p.hasHistory || !c.needsStore) && (p.address == "" || !c.needsStart) &&
		(p.nodes > 1 || !c.needsNodes) && (p.onPostgres || !c.ownServer)
}

// once measures c once with p, on a new server unless c reuses its own.
func (b *runner) once(ctx context.Context, c Case, p Peer, stands map[string]*testbed) (Values, []string, error) {
	s := stands[p.Name]
	if s == nil {
		var err error
		if c.ownServer {
			s = &testbed{cfg: b.cfg, peer: p}
		} else if s, err = b.startPeer(ctx, c, p); err != nil {
			return nil, nil, err
		}
		if c.reusesServer {
			stands[p.Name] = s
		} else {
			defer s.end()
		}
	}
	s.label, s.spoke, s.notes = c.Scenario+", "+p.Name, time.Now(), nil
	v, err := c.measure(ctx, s)
	if err != nil && s.process != nil && s.process.stderr.String() != "" {
		err = fmt.Errorf("%w; the server's last words: %s", err, s.process.stderr)
	}
	return v, s.notes, err
}

// startPeer starts p for a case, unless it is running.
func (b *runner) startPeer(ctx context.Context, c Case, p Peer) (*testbed, error) {
	s := &testbed{cfg: b.cfg, peer: p, address: p.address, drain: c.drain}
	if p.address != "" {
		return s, nil
	}
	if p.onPostgres {
		var err error
		if s.database, err = b.databases.newDatabase(ctx); err != nil {
			return nil, err
		}
		if s.env, err = s.databaseEnv(c.needsClock); err != nil {
			s.end()
			return nil, err
		}
	}
	if len(p.command) == 0 {
		return s, s.startInFolder(ctx)
	}
	if files := b.cfg.tlsFiles; files != nil && p.Name != parleyName {
		s.peer.command = append(slices.Clone(p.command), files.cert, files.key)
	}
	return s, s.start(ctx)
}

// databaseEnv returns the variables for servers that keep their log in the database, with a clock between if that is
// needed.
func (s *testbed) databaseEnv(needsClock bool) (env []string, err error) {
	if !needsClock {
		return s.database.env(""), nil
	}
	upstream := s.database.address()
	if upstream == "" {
		return nil, errors.New("the commits of a database are only seen at a TCP address without TLS")
	}
	if s.clock, err = newCommitClock(upstream); err != nil {
		return nil, err
	}
	return s.database.env(s.clock.address()), nil
}

// startInFolder starts this program with a data folder of its own.
func (s *testbed) startInFolder(ctx context.Context) (err error) {
	if s.dir, err = os.MkdirTemp(s.cfg.Dir, "parley-bench-"); err != nil {
		return err
	}
	if s.peer.nodes > 1 {
		return s.startNodes(ctx)
	}
	s.peer.command = s.serve("data", "127.0.0.1:0")
	return s.start(ctx)
}

// serve returns the command of this program as a server with a folder below the testbed's.
func (s *testbed) serve(data, listen string) []string {
	// Lift only the limits per address, because all clients come from one.
	command := slices.Concat(s.cfg.Program, []string{
		"serve", "--listen=" + listen, "--data=" + filepath.Join(s.dir, data), "--log-level=warn",
		"--message-rate=0", "--guest-rate=0", "--connections-per-address=0", "--search-rate=0",
		"--people-per-address=0", "--read-rate=0", "--room-rate=0",
	})
	if files := s.cfg.tlsFiles; files != nil {
		command = append(command, "--tls-cert="+files.cert, "--tls-key="+files.key)
	}
	return command
}

func (s *testbed) start(ctx context.Context) (err error) {
	if s.process, err = startProcess(ctx, s.peer.command, s.env, s.cfg.TLS); err != nil {
		s.end()
		return fmt.Errorf("start %s: %w", s.peer.Name, err)
	}
	s.address = s.process.address
	s.visitPage(ctx, s.address)
	return nil
}

// end stops the server and removes its data.
func (s *testbed) end() {
	for _, p := range s.processes() {
		p.stop()
	}
	s.database.drop()
	if s.clock != nil {
		s.clock.close()
	}
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}

// processes returns those that were started, one for each node.
func (s *testbed) processes() []*process {
	if s.process == nil {
		return nil
	}
	return append([]*process{s.process}, s.others...)
}

// progress prints the progress of a long measurement, every few seconds.
func (s *testbed) progress(format string, args ...any) {
	if time.Since(s.spoke) < 5*time.Second {
		return
	}
	s.spoke = time.Now()
	fmt.Fprintf(s.cfg.Progress, "bench: %s: %s\n", s.label, fmt.Sprintf(format, args...))
}

// note adds a note below the table.
func (s *testbed) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

func thisMachine() Machine {
	m := Machine{
		Processor: fieldOf("/proc/cpuinfo", "model name"), Processors: runtime.NumCPU(),
		System: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if m.Processor == "" {
		m.Processor = runtime.GOARCH
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System = "Linux " + strings.TrimSpace(string(release))
	}
	var kb int
	if _, err := fmt.Sscanf(fieldOf("/proc/meminfo", "MemTotal"), "%d kB", &kb); err == nil {
		m.MemoryMiB = kb / 1024
	}
	return m
}

package durability

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"parley/internal/cli"
	"parley/internal/pgserver"
	"parley/internal/torture"
)

// unsynced is the program, except that SQLite leaves it to the kernel when a commit reaches the
// disk.
func unsynced() {
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		_, err := conn.ExecContext(context.Background(), `PRAGMA synchronous = NORMAL`, []driver.NamedValue{})
		return err
	})
	cli.Main()
}

// checkpointing is the program, except that SQLite moves its write-ahead log into the database all
// the time, so that faults hit it.
func checkpointing() {
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		_, err := conn.ExecContext(context.Background(), `PRAGMA wal_autocheckpoint = 20`, []driver.NamedValue{})
		return err
	})
	cli.Main()
}

// startable returns the program of these tests as a subject, on its own disk where possible.
func startable(t *testing.T) (*torture.Process, *bytes.Buffer) {
	t.Helper()
	program, err := exec.LookPath("parley")
	if err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	p := &torture.Process{Program: program, Args: []string{"serve"}, Data: t.TempDir(), Log: log}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	unmount, err := torture.MountDisk(p.Data)
	if err != nil {
		t.Logf("the fault full is left out: %v", err)
		return p, log
	}
	p.OwnDisk = true
	t.Cleanup(func() {
		_ = p.Kill() // so that the disk can be unmounted
		if err := unmount(); err != nil {
			t.Error(err)
		}
	})
	return p, log
}

// PARLEY_TORTURE=short runs a minute of torture, any other value everything. It takes time, and is
// not run with the race detector.
var (
	tortured = os.Getenv("PARLEY_TORTURE")
	briefly  = tortured == "short"
)

// needsTorture skips a test unless torture is requested.
func needsTorture(t *testing.T) {
	t.Helper()
	if tortured == "" {
		t.Skip("make torture-short and make torture run it")
	}
}

// needsLongTorture skips a test that takes minutes.
func needsLongTorture(t *testing.T) {
	t.Helper()
	if tortured == "" || briefly {
		t.Skip("make torture runs it")
	}
}

// freshSeed returns a new seed each time, or the one in PARLEY_TORTURE_SEED.
func freshSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if again := os.Getenv("PARLEY_TORTURE_SEED"); again != "" {
		var err error
		if seed, err = strconv.ParseUint(again, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("the same again: PARLEY_TORTURE=%s PARLEY_TORTURE_SEED=%d go test -run %s", tortured, seed, t.Name())
	return seed
}

// torment runs the torture and logs its report.
func torment(t *testing.T, cfg torture.Config, log fmt.Stringer) torture.Report {
	t.Helper()
	cfg.Evidence = t.ArtifactDir()
	report, err := torture.Run(t.Context(), cfg)
	var said strings.Builder
	report.Print(&said)
	t.Logf("seed %d:\n%s", cfg.Seed, &said)
	if err != nil {
		t.Errorf("%v\nthe server's last words:\n%s", err, lastLines(log.String(), 20))
	}
	if report.Acks == 0 || report.Compared < report.Events || 4*report.Events < 5*report.Messages ||
		len(report.Faults) == 0 {
		t.Errorf("seed %d: hardly anything happened", cfg.Seed)
	}
	return report
}

// Bounds of what a server may hold, above what it holds before anybody comes:
// several times what has been measured.
const (
	mostMemory  = 400 << 20 // bytes, at any time
	leftMemory  = 64 << 20  // bytes, when it is over
	tortureRest = time.Minute
)

// All faults that the real program can suffer: a seed that is always the same and
// one that never is.
func TestNothingIsLostUnderTorture(t *testing.T) {
	needsTorture(t)
	cfg := torture.Config{
		For: time.Minute, Round: 12 * time.Second, Herd: 1000, Rate: 300, Rest: tortureRest, Beside: 24 * time.Second,
	}
	if briefly {
		cfg = torture.Config{For: 12 * time.Second, Round: 12 * time.Second, Herd: 60, Rate: 200, Rest: tortureRest}
	}
	for name, seed := range map[string]func(*testing.T) uint64{
		"as always": func(*testing.T) uint64 { return 1 },
		"anew":      freshSeed,
	} {
		t.Run(name, func(t *testing.T) {
			if briefly {
				t.Parallel()
			}
			p, log := startable(t)
			cfg := cfg
			cfg.Seed, cfg.Subject = seed(t), p
			m := torment(t, cfg, log).Memory
			if m.Peak > m.Before+mostMemory || m.After > m.Before+leftMemory {
				t.Errorf("the server's memory: %s", m)
			}
		})
	}
}

// The same on a PostgreSQL of its own, which is killed and frozen, and cut off from the program.
func TestNothingIsLostUnderTortureOnPostgres(t *testing.T) {
	needsTorture(t)
	cfg := torture.Config{For: time.Minute, Round: 12 * time.Second, Herd: 300, Rate: 200, Rest: tortureRest}
	if briefly {
		cfg.For, cfg.Herd = 24*time.Second, 60
		t.Parallel()
	}
	subject, log := onPostgres(t)
	cfg.Seed, cfg.Subject = freshSeed(t), subject
	torment(t, cfg, log)
}

// The same as several nodes on a PostgreSQL with a synchronous standby. Nodes, databases and the bus between nodes are
// killed, frozen and cut off.
func TestNothingIsLostUnderTortureInACluster(t *testing.T) {
	needsTorture(t)
	cfg := torture.Config{For: 3 * time.Minute, Round: 30 * time.Second, Herd: 300, Rate: 150}
	if briefly {
		cfg.For, cfg.Round, cfg.Herd = 30*time.Second, 15*time.Second, 60
		t.Parallel()
	}
	subject, log := inCluster(t, "", directly)
	if briefly { // often enough that some of the faults of packets come in half a minute
		cfg.Faults = torture.FaultNames(subject)
		for _, name := range cfg.Faults {
			if strings.HasPrefix(name, "net") {
				cfg.Faults = append(cfg.Faults, name, name)
			}
		}
	}
	cfg.Seed, cfg.Subject = freshSeed(t), subject
	torment(t, cfg, log)
}

// The same as nodes that hear each other over a NATS server, which is killed and frozen too.
func TestNothingIsLostUnderTortureInAClusterWithNATS(t *testing.T) {
	needsTorture(t)
	cfg := torture.Config{For: 2 * time.Minute, Round: 20 * time.Second, Herd: 300, Rate: 150}
	if briefly {
		cfg.For, cfg.Round, cfg.Faults = 12*time.Second, 12*time.Second, []string{"buskill", "busfreeze"}
		t.Parallel()
	}
	subject, log := inCluster(t, "", overNATS)
	cfg.Seed, cfg.Subject = freshSeed(t), subject
	torment(t, cfg, log)
}

// A wrong cluster must be found, by the right rule.
func TestEachBreakageOfAClusterIsFound(t *testing.T) {
	needsTorture(t)
	for breaks, tt := range map[torture.ClusterBreakage]struct {
		faults []string
		want   []torture.Rule
		said   string // or this is in what the servers write
	}{
		torture.SkipRowLock: {
			[]string{"delay"},
			[]torture.Rule{torture.Hole, torture.Doubled, torture.Lost, torture.Moved, torture.Altered},
			"more than one row returned by a subquery", // which looks for the event with a seq
		},
		torture.AsynchronousStandby: {
			[]string{"failover"},
			[]torture.Rule{torture.Lost, torture.NewEpoch},
			"the database has lost messages that were acknowledged",
		},
	} {
		t.Run(string(breaks), func(t *testing.T) {
			if briefly {
				t.Parallel()
			}
			subject, log := inCluster(t, "", directly)
			subject.Breaks = breaks
			_, err := torture.Run(t.Context(), torture.Config{
				For: 10 * time.Second, Round: 10 * time.Second, Seed: freshSeed(t), Faults: tt.faults, Rate: 200,
				Rooms: 1, Subject: subject,
			})
			broken, _ := errors.AsType[*torture.Broken](err)
			switch {
			case broken != nil && slices.ContainsFunc(broken.Found,
				func(f torture.Finding) bool { return slices.Contains(tt.want, f.Rule) }):
				t.Log(broken)
			case err != nil && strings.Contains(log.String(), tt.said):
				t.Logf("%v\nthe servers say: %s", err, tt.said)
			default:
				t.Errorf("found %v, want one of %v\nthe servers' last words:\n%s",
					err, tt.want, lastLines(log.String(), 20))
			}
		})
	}
}

// A hearing is how nodes hear each other.
type hearing int

const (
	directly hearing = iota
	overNATS
)

// inCluster returns three programs of these tests as a subject. They read their clocks from files unless program is "".
// The test is skipped where there is no PostgreSQL.
func inCluster(t *testing.T, program string, how hearing) (*torture.Cluster, *sharedLog) {
	t.Helper()
	clocked := program != ""
	if !clocked {
		var err error
		if program, err = exec.LookPath("parley"); err != nil {
			t.Fatal(err)
		}
	}
	log := &sharedLog{}
	var programs []*torture.Process
	for range 3 {
		p := &torture.Process{Program: program, Args: []string{"serve"}, Data: t.TempDir(), Log: log}
		if clocked {
			p.Clock = filepath.Join(t.TempDir(), "clock")
			if err := torture.SetClock(p.Clock, 0); err != nil {
				t.Fatal(err)
			}
		}
		programs = append(programs, p)
	}
	var nats *torture.Process
	if how == overNATS {
		nats = &torture.Process{Program: program, Args: []string{"torture-nats"}, Log: log}
	}
	c, err := torture.NewCluster(t.Context(), programs, nats)
	if errors.Is(err, pgserver.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if c.NoNetwork != nil {
		t.Logf("the faults of packets are left out: %v", c.NoNetwork)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Kill(), c.Close()); err != nil {
			t.Error(err)
		}
	})
	return c, log
}

// A sharedLog is what several programs write.
type sharedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *sharedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *sharedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// onPostgres returns the program of these tests as a subject on PostgreSQL. The test is skipped where there is none.
func onPostgres(t *testing.T) (*torture.PostgresProcess, *bytes.Buffer) {
	t.Helper()
	program, err := exec.LookPath("parley")
	if err != nil {
		t.Fatal(err)
	}
	database, err := pgserver.Start(t.Context(), "")
	if errors.Is(err, pgserver.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	p := &torture.Process{Program: program, Args: []string{"serve"}, Data: t.TempDir(), Log: log}
	subject, err := torture.OnPostgres(t.Context(), p, database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := p.Kill()
		subject.Close()
		if err := errors.Join(err, database.Stop()); err != nil {
			t.Error(err)
		}
	})
	return subject, log
}

// Each fault by itself, and each finding is that fault's.
func TestNothingIsLostUnderEachTorture(t *testing.T) {
	needsLongTorture(t)
	seed := freshSeed(t)
	for _, name := range torture.FaultNames(&torture.Process{OwnDisk: true}) {
		t.Run(name, func(t *testing.T) {
			p, log := startable(t)
			if !slices.Contains(torture.FaultNames(p), name) {
				t.Skip("it cannot be brought about here")
			}
			report := torment(t, torture.Config{
				For: 20 * time.Second, Round: 10 * time.Second, Seed: seed, Faults: []string{name}, Herd: 1000,
				Rate: 300, Subject: p,
			}, log)
			if report.Faults[name] == 0 || len(report.Faults) != 1 {
				t.Errorf("befell: %v", report.Faults)
			}
		})
	}
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

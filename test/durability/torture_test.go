package durability

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
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
func torment(t *testing.T, cfg torture.Config, log *bytes.Buffer) torture.Report {
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

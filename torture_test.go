package main

import (
	"bytes"
	"context"
	"database/sql/driver"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"modernc.org/sqlite"

	"parley/internal/torture"
)

// unsynced is main, but that SQLite leaves it to the kernel when a commit
// reaches the disk.
func unsynced() {
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		_, err := conn.ExecContext(context.Background(), `PRAGMA synchronous = NORMAL`, []driver.NamedValue{})
		return err
	})
	main()
}

// checkpointing is main, but that SQLite empties its log into the database all
// the time, so that faults find it at that.
func checkpointing() {
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		_, err := conn.ExecContext(context.Background(), `PRAGMA wal_autocheckpoint = 20`, []driver.NamedValue{})
		return err
	})
	main()
}

// startable returns the program of these tests as one to torture, on a disk of
// its own where that can be had.
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
		_ = p.Kill() // a disk in use stays
		if err := unmount(); err != nil {
			t.Error(err)
		}
	})
	return p, log
}

// needsTorture skips a test that takes minutes and wants the machine to itself.
func needsTorture(t *testing.T) {
	t.Helper()
	if os.Getenv("PARLEY_TORTURE") == "" {
		t.Skip("make torture runs it")
	}
}

// The short form of parley torture: a seed that is always the same and one that
// never is.
func TestNothingIsLostUnderTorture(t *testing.T) {
	needsTorture(t)
	seeds := []uint64{1, uint64(time.Now().UnixNano())}
	length := 12 * time.Second
	if testing.Short() {
		seeds, length = seeds[1:], 4*time.Second
	}
	for _, seed := range seeds {
		p, log := startable(t)
		report, err := torture.Run(t.Context(), torture.Config{
			For: length, Round: length, Seed: seed, Herd: 60, Rate: 200, Subject: p,
			Evidence: t.ArtifactDir(),
		})
		t.Logf("seed %d: %+v", seed, report)
		if err != nil {
			t.Errorf("%v\nthe server's last words:\n%s", err, lastLines(log.String(), 20))
		}
		if report.Acks == 0 || report.Compared < report.Messages || len(report.Faults) == 0 {
			t.Errorf("seed %d: hardly anything happened", seed)
		}
	}
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func TestTortureSaysWhatItDid(t *testing.T) {
	program, err := exec.LookPath("parley")
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	dir := t.TempDir()
	if status := run(t.Context(), []string{"torture", "--server", program, "--for", "1s", "--beside", "0s", "--seed", "5", "--faults", "kill,cut", "--evidence", dir}, &out, &errs); status != 0 {
		t.Fatalf("exit status %d: %s%s", status, &out, &errs)
	}
	for _, want := range []string{"seed 5", "kills", "until it answers again", "nothing was lost"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &out)
		}
	}
	if kept, err := os.ReadDir(dir); err != nil || len(kept) > 0 {
		t.Errorf("evidence of nothing: %v, %v", kept, err)
	}
	if status := run(t.Context(), []string{"torture", "--server", program, "--faults", "flood"}, &out, &errs); status != 1 || !strings.Contains(errs.String(), `no fault "flood"`) {
		t.Errorf("an unknown fault: exit status %d: %s", status, &errs)
	}
}

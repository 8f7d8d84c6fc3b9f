package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"parley/internal/pgserver"
)

// TestBenchMeasuresEachScenario lets the real program measure itself briefly, and expects each
// value of each scenario.
func TestBenchMeasuresEachScenario(t *testing.T) {
	if testing.Short() {
		t.Skip("each scenario takes a second or two")
	}
	if runtime.GOOS == "windows" {
		t.Skip("a link makes the test binary the program")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "parley") // with this name the test binary is the program
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"chat":    "--members=4 --burst=5",
		"fanout":  "--members=5,10 --messages=20",
		"rooms":   "--rooms=3 --members=2 --every=50ms",
		"idle":    "--connections=20 --settle=0s",
		"once":    "--rooms=120 --settle=10ms",
		"join":    "--connections=10 --history=20",
		"slow":    "--members=10 --rate=100 --fill=1",
		"mixed":   "--giant=10 --rate=50 --rooms=3 --members=2 --every=50ms",
		"history": "--messages=300 --behind=100",
		"store":   "--senders=2 --window=10",

		"store on PostgreSQL": "--postgres --senders=2 --window=10",
		"chat on PostgreSQL":  "--postgres --members=4 --burst=5",
		"fanout on nodes":     "--postgres --nodes=2 --members=5 --messages=20",
		"across":              "--postgres --nodes=2 --messages=10",
		"failover":            "--postgres --kills=1 --senders=2",
		"rolling":             "--postgres --nodes=2 --clients=4 --every=10ms",

		"store in rooms": "--senders=2 --window=10 --rooms=7",

		"chat over TLS":    "--tls --members=4 --burst=5",
		"fanout over TLS":  "--tls --members=5,10 --messages=20",
		"idle over TLS":    "--tls --connections=20 --settle=0s",
		"join over TLS":    "--tls --connections=10 --history=20",
		"slow over TLS":    "--tls --members=10 --rate=100 --fill=1",
		"history over TLS": "--tls --messages=300 --behind=100",
		"handshakes":       "--at-once=2",
	}
	for name, flags := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(flags, "--postgres") && !pgserver.Installed() {
				t.Skip(pgserver.ErrNone)
			}
			scenario, _, _ := strings.Cut(name, " ")
			dir := t.TempDir()
			for _, folder := range []string{dir, filepath.Dir(dir)} { // PostgreSQL does not run as root
				if err := os.Chmod(folder, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			figures, picture := filepath.Join(dir, "figures.json"), filepath.Join(dir, "picture.svg")
			args := append(
				[]string{
					"bench", scenario, "--runs=1", "--for=200ms", "--dir=" + dir, "--json=" + figures,
					"--svg=" + picture,
				}, strings.Fields(flags)...)
			out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
			if !row.Match(out) || !bytes.Contains(out, []byte("**"+scenario+"**")) {
				t.Errorf("no table:\n%s", out)
			}
			checkFigures(t, figures)
			if left, err := filepath.Glob(filepath.Join(dir, "parley-bench-*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// row begins the row of a server in a table.
var row = regexp.MustCompile(`\n\| (parley|2 nodes) `)

// checkFigures requires a value in each column, except for CPU, which is too coarse for so short a
// time, and memory, which may shrink. Nothing may be lost.
func checkFigures(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Results []struct {
			Columns []struct{ Key, Unit string }
			Values  map[string]struct{ Median float64 }
		}
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Results) == 0 {
		t.Error("no results")
	}
	for _, r := range report.Results {
		for _, c := range r.Columns {
			if strings.Contains(c.Key, "cpu") || c.Unit == "bytes" {
				continue
			}
			v, ok := r.Values[c.Key]
			switch c.Key {
			case "lost", "doubled":
				ok = ok && v.Median == 0
			case "same_p50": // the message may come before the answer
			default:
				ok = ok && v.Median > 0
			}
			if !ok {
				t.Errorf("%s is %v", c.Key, v.Median)
			}
		}
	}
}

// TestEveryFlagOfBenchIsDocumented requires each flag of each scenario to be named in
// docs/performance.md.
func TestEveryFlagOfBenchIsDocumented(t *testing.T) {
	doc := readDoc(t, "performance.md")
	for _, scenario := range []string{
		"chat", "fanout", "rooms", "idle", "once", "join", "slow", "mixed", "history", "store", "report",
	} {
		var help bytes.Buffer
		if status := run(t.Context(), []string{"bench", scenario, "--help"}, &help, &help); status != 0 {
			t.Fatalf("parley bench %s --help: exit status %d", scenario, status)
		}
		for _, f := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(help.String(), -1) {
			if f != "--help" && !strings.Contains(doc, "`"+f+"`") {
				t.Errorf("docs/performance.md does not name `%s` of parley bench %s", f, scenario)
			}
		}
	}
}

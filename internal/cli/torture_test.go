package cli

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestTortureReportsWhatItDid(t *testing.T) {
	program, err := exec.LookPath("parley")
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	dir := t.TempDir()
	if status := run(t.Context(),
		[]string{
			"torture", "--server", program, "--for", "1s", "--beside", "0s", "--seed", "5", "--faults", "kill,cut",
			"--evidence", dir,
		}, &out, &errs); status != 0 {
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
	if status := run(t.Context(), []string{"torture", "--server", program, "--faults", "flood"}, &out,
		&errs); status != 2 || !strings.Contains(errs.String(), `no fault "flood"`) {
		t.Errorf("an unknown fault: exit status %d: %s", status, &errs)
	}
}

func TestTortureRefusesFaultsThatDoNotFit(t *testing.T) {
	inFolder(t)
	for line, want := range map[string]string{
		"--nats":                            "--nats is for several servers: add --cluster",
		"--cluster --faults buskill":        `no fault "buskill"`,
		"--cluster --nats --faults buspair": `no fault "buspair"`,
		"--cluster --nodes 1":               "at least two nodes",
		"--cluster --nats --faults dbkill":  `no fault "dbkill"`,
		"--postgres --faults nodekill":      `no fault "nodekill"`,
	} {
		if got := refused(t, append([]string{"torture"}, strings.Fields(line)...)); !strings.Contains(got, want) {
			t.Errorf("%s: %s", line, got)
		}
	}
}

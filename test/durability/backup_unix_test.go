//go:build unix

package durability

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/client"
	"parley/internal/store/sqlite"
	"parley/internal/torture"
)

// A back-up that is stopped in the middle must not keep the write-ahead log from being emptied, and
// must be complete when it continues.
func TestStoppedBackupDelaysNothing(t *testing.T) {
	program, err := exec.LookPath("parley-checkpointing") // empties the write-ahead log after 20 pages
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := &bytes.Buffer{}
	p := &torture.Process{
		Program: program, Args: []string{"serve", "--message-length", "0"}, Data: filepath.Join(dir, "data"), Log: log,
	}
	url, err := p.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	c, err := client.Dial(t.Context(), url, client.Options{Name: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sent := 0
	say := func(times int) {
		for range times {
			sent++
			if _, err := c.Send(t.Context(), "lobby",
				fmt.Sprint(sent, " ", strings.Repeat("words ", 3000))); err != nil {
				t.Fatal(err)
			}
		}
	}
	say(150)
	path, backup := "", (*exec.Cmd)(nil)
	for try := 1; ; try++ { // a back-up may be complete before it is stopped
		path = filepath.Join(dir, fmt.Sprintf("copy-%d.db", try))
		backup = exec.Command(program, "backup", "--data", p.Data, path)
		if err := backup.Start(); err != nil {
			t.Fatal(err)
		}
		defer backup.Process.Kill()
		for began := time.Now(); time.Since(began) < patience; {
			_, partly := os.Stat(path + ".partial")
			if _, ready := os.Stat(path); partly == nil || ready == nil {
				break
			}
		}
		if err := backup.Process.Signal(syscall.SIGSTOP); err == nil {
			if _, err := os.Stat(path + ".partial"); err == nil {
				break
			}
			if err := backup.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
		if err := backup.Wait(); err != nil {
			t.Fatal(err)
		}
		if try == 50 {
			t.Skip("each back-up was ready before it could be stopped")
		}
	}
	say(150)
	info, err := os.Stat(filepath.Join(p.Data, "parley.db-wal"))
	if err != nil || info.Size() > 1<<20 {
		t.Errorf("beside a back-up that is stopped the write-ahead log has %d bytes, %v", info.Size(), err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the back-up has its name already")
	}
	if err := backup.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := backup.Wait(); err != nil {
		t.Fatal(err)
	}
	checked, err := sqlite.Check(t.Context(), path)
	if err != nil || len(checked.Found) > 0 || checked.Events < 150 || checked.Events > 300 {
		t.Errorf("the back-up: %+v, %v", checked, err)
	}
	if left, err := filepath.Glob(filepath.Join(p.Data, "parley.copy*")); err != nil || len(left) > 0 {
		t.Errorf("left in the data folder: %v, %v", left, err)
	}
}

//go:build unix

package pgserver

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"testing"

	"parley/internal/await"
)

// A process of a killed server may outlive it for a while. It holds the shared memory, without which no new server
// starts.
func TestRestartWaitsForAProcessOfTheKilledServer(t *testing.T) {
	s, err := Start(t.Context(), "", "fsync=off")
	if errors.Is(err, ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	pids := s.pids()
	if len(pids) < 2 {
		t.Skip("without /proc its processes are not known")
	}
	survivor := pids[1]
	defer syscall.Kill(survivor, syscall.SIGKILL)
	for _, err := range []error{
		syscall.Kill(survivor, syscall.SIGSTOP), syscall.Kill(pids[0], syscall.SIGKILL), s.end(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	restarted := make(chan error, 1)
	go func() { restarted <- s.Restart(t.Context()) }()
	await.True(t, "a new server has given up", func() bool {
		log, err := os.ReadFile(s.log.Name())
		return err != nil || bytes.Contains(log, []byte("pre-existing shared memory"))
	})
	if err := syscall.Kill(survivor, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	if err := <-restarted; err != nil {
		t.Error(err)
	}
}

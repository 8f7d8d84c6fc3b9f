//go:build unix

package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"parley/internal/pgserver"
	"parley/internal/store/storetest"
)

// lockVariable names the database in which a process of its own locks a room; see lockRoom.
const lockVariable = "PARLEY_TEST_LOCK"

// lockRoom locks a room, waits for a line on standard input, and commits. It prints a line when the room is locked,
// and then how many attempts it took.
func lockRoom(t *testing.T, url string) {
	s := open(t, Config{URL: url})
	attempts, input := 0, bufio.NewReader(os.Stdin)
	storetest.Must(t, s.writer.Transact(t.Context(), func(ctx context.Context) error {
		attempts++
		s.writer.tx.room("lobby")
		storetest.Must(t, s.writer.Load(ctx, nil))
		if attempts == 1 {
			fmt.Fprintln(os.Stdout, "locked")
			_, err := input.ReadString('\n')
			return err
		}
		return nil
	}))
	fmt.Fprintln(os.Stdout, "attempts", attempts)
}

// A frozen database keeps no reader for ever: neither one that has a connection to it nor one that would make one.
func TestReadsFromAFrozenDatabaseEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a PostgreSQL")
	}
	server, err := pgserver.Start(t.Context(), "")
	if errors.Is(err, pgserver.ErrNone) {
		t.Skip(err)
	}
	storetest.Must(t, err)
	t.Cleanup(func() { storetest.Must(t, server.Stop()) })
	name, err := server.NewDatabase(t.Context())
	storetest.Must(t, err)
	s, _ := start(t, server.URL(name))
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "before", ""))
	_, err = s.Heads(t.Context()) // so that there is a connection, and it is known how long this takes
	storetest.Must(t, err)
	storetest.Must(t, server.Freeze())
	s.readTimeout = 100 * time.Millisecond
	for range 2 {
		for name, read := range reads(s) {
			if err := read(t.Context()); !errors.Is(err, errUnreachable) {
				t.Errorf("%s: %v, want %v", name, err, errUnreachable)
			}
		}
	}
	storetest.Must(t, server.Thaw())
	s.readTimeout = readTimeout
	for name, read := range reads(s) {
		if err := read(t.Context()); err != nil {
			t.Errorf("%s after that: %v", name, err)
		}
	}
}

// A process that is frozen between the two round trips of a transaction stops a room for a second at most. When it
// goes on it makes the transaction again.
func TestFrozenProcessDoesNotKeepARoomLocked(t *testing.T) {
	if url := os.Getenv(lockVariable); url != "" {
		lockRoom(t, url)
		return
	}
	url := newDatabase(t)
	s, _ := start(t, url)
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "before", ""))

	own, err := os.Executable()
	storetest.Must(t, err)
	process := exec.CommandContext(t.Context(), own, "-test.run=^"+t.Name()+"$")
	process.Env, process.Stderr = append(os.Environ(), lockVariable+"="+url), os.Stderr
	input, err := process.StdinPipe()
	storetest.Must(t, err)
	output, err := process.StdoutPipe()
	storetest.Must(t, err)
	storetest.Must(t, process.Start())
	lines := bufio.NewScanner(output)
	until := func(line string) {
		t.Helper()
		for lines.Scan() {
			if lines.Text() == line {
				return
			}
		}
		t.Errorf("the process does not say %q", line)
	}
	until("locked")
	storetest.Must(t, process.Process.Signal(syscall.SIGSTOP))
	_, err = fmt.Fprintln(input)
	storetest.Must(t, err)
	if c := storetest.Post(t, s, storetest.Draft("lobby", storetest.Ada, "meanwhile", ""))[0]; c.Err != nil {
		t.Errorf("%+v", c)
	}
	storetest.Must(t, process.Process.Signal(syscall.SIGCONT))
	until("attempts 2")
	storetest.Must(t, process.Wait())
}

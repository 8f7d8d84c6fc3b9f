package torture

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"parley/internal/netns"
)

// A Process is the real program.
type Process struct {
	Program string
	Args    []string       // before the flags that every server here needs
	Env     []string       // in addition to the environment; "NAME=value"
	Data    string         // its data folder
	Listen  string         // where it listens; default: a free port of the loopback interface
	Log     io.Writer      // receives its standard error
	OwnDisk bool           // Data is a file system made by MountDisk
	Machine *netns.Machine // where it runs; default: this machine
	Clock   string         // the file with the clock's offset, if the program reads one; see SetClock

	cmd *exec.Cmd
	pid atomic.Int64
}

// waitLimit is how long to wait for something that should happen soon.
const waitLimit = 20 * time.Second

// Start runs the program without the limits that would slow down the harness.
func (p *Process) Start(context.Context) (string, error) {
	return p.launch("--listen", cmp.Or(p.Listen, "127.0.0.1:0"), "--data", p.Data,
		"--message-rate", "0", "--guest-rate", "0", "--connections-per-address", "0",
		"--people-per-address", "0", "--read-rate", "0", "--room-rate", "0", "--search-rate", "0")
}

// launch runs the program with Args and more. It returns where the program listens, as that says in its first line.
func (p *Process) launch(more ...string) (string, error) {
	p.cmd = exec.Command(p.Program, append(append([]string{}, p.Args...), more...)...)
	// The user's own settings, such as a database, are not for a server that is tortured.
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PARLEY_") })
	p.cmd.Env = append(p.cmd.Env, p.Env...)
	if p.Clock != "" {
		p.cmd.Env = append(p.cmd.Env, "PARLEY_CLOCK="+p.Clock)
	}
	p.cmd.Stderr = p.Log
	endsWithUs(p.cmd)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("start %s: %w", p.Program, err)
	}
	if err := p.Machine.Do(p.cmd.Start); err != nil {
		return "", fmt.Errorf("start %s: %w", p.Program, err)
	}
	p.pid.Store(int64(p.cmd.Process.Pid))
	giveUp := time.AfterFunc(waitLimit, func() { _ = p.cmd.Process.Kill() }) // if the line does not come
	line, err := bufio.NewReader(stdout).ReadString('\n')
	giveUp.Stop()
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		return "", fmt.Errorf("start %s: it says %q: %w", p.Program, line, errors.Join(err, p.Kill())) // more is in Log
	}
	return url, nil
}

// Files returns the program's data folder and database.
func (p *Process) Files() (folder, database string) {
	return p.Data, filepath.Join(p.Data, "parley.db")
}

// PID returns the process id, 0 if the program is not running.
func (p *Process) PID() int { return int(p.pid.Load()) }

// Kill sends SIGKILL.
func (p *Process) Kill() error {
	if p.PID() == 0 {
		return nil
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the server: %w", err)
	}
	err := p.cmd.Wait() // the status shows that it was killed, or had ended before
	p.pid.Store(0)
	if runtime.GOOS != "windows" && p.cmd.ProcessState.Exited() {
		return fmt.Errorf("the server had ended by itself: %w", cmp.Or(err, errors.New("exit status 0")))
	}
	return nil
}

// Stop sends SIGTERM.
func (p *Process) Stop() error {
	if p.PID() == 0 {
		return nil
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	giveUp := time.AfterFunc(waitLimit, func() { _ = p.cmd.Process.Kill() })
	defer giveUp.Stop()
	err := p.cmd.Wait()
	p.pid.Store(0)
	if err != nil {
		return fmt.Errorf("the server was asked to stop: %w", err)
	}
	return nil
}

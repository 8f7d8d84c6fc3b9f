package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"parley/internal/netns"
)

// A group is the processes of the cluster.
type group struct {
	mu      sync.Mutex
	started []*part
}

type part struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and all that it said is printed
}

// start starts a process on a machine. Its standard error goes to ours, with its name before each line.
func (g *group) start(name string, m *netns.Machine, cmd *exec.Cmd) (*part, error) {
	read, write := io.Pipe()
	cmd.Stderr = write
	apart(cmd)
	if err := m.Do(cmd.Start); err != nil {
		return nil, err
	}
	p := &part{cmd, make(chan struct{})}
	g.mu.Lock()
	g.started = append(g.started, p)
	g.mu.Unlock()
	go func() {
		for lines := bufio.NewScanner(read); lines.Scan(); {
			g.say(name, lines.Text())
		}
		close(p.done)
	}()
	go func() {
		_ = cmd.Wait() // its status is told
		g.say(name, cmd.ProcessState.String())
		_ = write.Close()
	}()
	return p, nil
}

func (g *group) say(name, line string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fmt.Fprintf(os.Stderr, "%s: %s\n", name, line)
}

// end asks all processes to end and waits for them. What has not ended after ten seconds is killed. Nothing may be
// started meanwhile.
func (g *group) end() {
	for _, p := range g.started {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	}
	late := time.AfterFunc(10*time.Second, func() {
		for _, p := range g.started {
			_ = p.cmd.Process.Kill()
		}
	})
	defer late.Stop()
	for _, p := range g.started {
		<-p.done
	}
}

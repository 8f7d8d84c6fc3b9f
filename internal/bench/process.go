package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	startTimeout = 30 * time.Second // for a server to print its address
	stopTimeout  = time.Minute      // for it to end after a signal
)

// A process is a server that was started to be measured.
type process struct {
	cmd     *exec.Cmd
	stderr  *tailBuffer
	address string        // host:port
	took    time.Duration // from its start until it printed its address
}

// startProcess starts a server, with further variables, and waits for the line "listening on URL".
func startProcess(ctx context.Context, command, env []string, secure bool) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, command[0], command[1:]...), stderr: &tailBuffer{}}
	p.cmd.Stderr = p.stderr
	// Variables for the user's own server must not change the measured one.
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PARLEY_") })
	p.cmd.Env = append(p.cmd.Env, env...)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	giveUp := time.AfterFunc(startTimeout, func() { p.cmd.Process.Kill() })
	defer giveUp.Stop()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	p.took = time.Since(began)
	u, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	address, parseErr := hostPort(u, secure)
	if err != nil || !found || parseErr != nil {
		p.stop()
		return nil, fmt.Errorf("%s says %q instead of where it listens: %s", command[0], line, p.stderr)
	}
	p.address = address
	go io.Copy(io.Discard, stdout) // until the process closes it
	return p, nil
}

// hostPort returns the address in a server's URL, which must use TLS if and only if secure is set.
func hostPort(u string, secure bool) (string, error) {
	parsed, err := url.Parse(u)
	if err != nil {
		return "", err
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	if parsed.Scheme != scheme || parsed.Port() == "" {
		return "", fmt.Errorf("%q is no URL like %s://127.0.0.1:8080; --tls says whether it has to be https", u, scheme)
	}
	return parsed.Host, nil
}

// stop ends the process and waits for it.
func (p *process) stop() {
	if p.cmd.Process.Signal(os.Interrupt) != nil {
		p.cmd.Process.Kill()
	}
	giveUp := time.AfterFunc(stopTimeout, func() { p.cmd.Process.Kill() })
	defer giveUp.Stop()
	p.cmd.Wait() // its status says nothing about the measurement
}

// usage is what a server used during a measurement.
type usage struct {
	wall, cpu time.Duration
	known     bool          // whether cpu is known
	own       time.Duration // CPU time of the generator
}

// A meter measures usage.
type meter struct {
	testbed *testbed
	began   time.Time
	cpu     time.Duration
	own     time.Duration
	err     error
}

func (s *testbed) meter() *meter {
	m := &meter{testbed: s}
	m.own, _ = cpuTime(os.Getpid()) // 0 without /proc, and so is the difference
	m.cpu, m.err = s.cpu()
	m.began = time.Now()
	return m
}

// cpu returns the CPU time of the server, of all its nodes also before a restart, and of its database server if it has
// one.
func (s *testbed) cpu() (time.Duration, error) {
	if s.process == nil {
		return 0, errNoProc
	}
	all := s.ended
	for _, p := range s.processes() {
		used, err := cpuTime(p.cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		all += used
	}
	if s.database == nil {
		return all, nil
	}
	database, err := s.database.cpu()
	return all + database, err
}

func (m *meter) elapsed() time.Duration { return time.Since(m.began) }

func (m *meter) read() usage {
	u := usage{wall: m.elapsed()}
	own, _ := cpuTime(os.Getpid())
	u.own = own - m.own
	if m.err != nil {
		return u
	}
	now, err := m.testbed.cpu()
	u.cpu, u.known = now-m.cpu, err == nil
	return u
}

// A tailBuffer keeps the end of a server's standard error.
type tailBuffer struct {
	mu   sync.Mutex
	text []byte
}

func (w *tailBuffer) Write(p []byte) (int, error) {
	const most = 2000
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	w.text = w.text[max(0, len(w.text)-most):]
	return len(p), nil
}

func (w *tailBuffer) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.text))
}

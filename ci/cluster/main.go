// Command cluster runs a whole cluster on this machine until it is interrupted: a PostgreSQL with a synchronous
// standby, three nodes, and HAProxy before them if it is installed. Its argument is the program parley.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"parley/internal/pgserver"
)

const nodes = 3

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) != 1 {
		return errors.New("name the program parley")
	}
	dir, err := os.MkdirTemp("", "parley-cluster-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	database, stop, err := startDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()

	var parts group
	defer parts.end()
	c := cluster{program: args[0], dir: dir, database: database, parts: &parts}
	urls, err := c.startNodes(ctx)
	if err != nil {
		return err
	}
	if err := c.startBalancer(ctx, urls); err != nil {
		return err
	}
	fmt.Println("Ctrl-C ends all of it; kill a process to see how the others go on")
	<-ctx.Done()
	return nil
}

// startDatabase starts a PostgreSQL with a standby. It returns the URL of a new database on them, and what stops them.
func startDatabase(ctx context.Context) (url string, stop func() error, err error) {
	primary, err := pgserver.Start(ctx, "")
	if err != nil {
		return "", nil, err
	}
	standby, err := primary.NewStandby(ctx)
	if err != nil {
		return "", nil, errors.Join(err, primary.Stop())
	}
	stop = func() error { return errors.Join(standby.Stop(), primary.Stop()) }
	name, err := primary.NewDatabase(ctx)
	if err != nil {
		return "", nil, errors.Join(err, stop())
	}
	fmt.Printf("PostgreSQL: primary %s, synchronous standby %s\n", primary.Address(), standby.Address())
	return primary.URLBy(name, primary.Address(), standby.Address()), stop, nil
}

// A cluster is what the nodes have in common.
type cluster struct {
	program, dir, database string
	parts                  *group
}

// startNodes starts the nodes, says where they are, and returns their URLs.
func (c *cluster) startNodes(ctx context.Context) (urls []string, err error) {
	var peers []string
	for range nodes {
		peer, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		peers = append(peers, peer)
	}
	secret := filepath.Join(c.dir, "secret")
	if err := os.WriteFile(secret, []byte(rand.Text()+rand.Text()), 0o600); err != nil {
		return nil, err
	}
	for i := range nodes {
		name := fmt.Sprint("node-", i+1)
		cmd := exec.Command(c.program, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(c.dir, name),
			"--node-name", name, "--cluster-listen", peers[i], "--cluster-peers", strings.Join(peers, ","),
			"--cluster-secret-file", secret, "--trusted-proxy", "127.0.0.1", "--drain", "1s")
		cmd.Env = append(os.Environ(), "PARLEY_DATABASE="+c.database)
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := c.parts.start(name, cmd); err != nil {
			return nil, err
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
		if err != nil || !ok {
			return nil, fmt.Errorf("%s does not listen: %q", name, line)
		}
		urls = append(urls, url)
		fmt.Printf("%s: %s/r/lobby (process %d)\n", name, url, cmd.Process.Pid)
	}
	return urls, nil
}

// balancer is HAProxy's configuration, without its address and servers. A node that drains gets no new clients.
const balancer = `
defaults
	mode http
	timeout connect 2s
	timeout client 100s
	timeout server 100s
	timeout tunnel 1h
	option forwardfor
	option redispatch
	retries 2
	default-server check inter 1s fall 2 rise 1
`

// startBalancer starts HAProxy before the nodes, if it is installed.
func (c *cluster) startBalancer(ctx context.Context, urls []string) error {
	path, err := exec.LookPath("haproxy")
	if err != nil {
		fmt.Println("HAProxy is not installed: there is no balancer")
		return nil
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	config := balancer + "listen parley\n\tbind " + address +
		"\n\tbalance leastconn\n\toption httpchk GET /readyz\n"
	for i, url := range urls {
		config += fmt.Sprintf("\tserver node-%d %s\n", i+1, strings.TrimPrefix(url, "http://"))
	}
	file := filepath.Join(c.dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	if err := c.parts.start("haproxy", exec.Command(path, "-q", "-db", "-f", file)); err != nil {
		return err
	}
	fmt.Printf("all of them, by HAProxy: http://%s/r/lobby\n", address)
	return nil
}

// freeAddress returns an address on which nobody listens.
func freeAddress(ctx context.Context) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// A group is the processes of the cluster.
type group struct {
	mu      sync.Mutex // for lines on standard error
	started []*part
}

type part struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and all that it said is printed
}

// start starts a process. Its standard error goes to ours, with its name before each line.
func (g *group) start(name string, cmd *exec.Cmd) error {
	read, write := io.Pipe()
	cmd.Stderr = write
	apart(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &part{cmd, make(chan struct{})}
	g.started = append(g.started, p)
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
	return nil
}

func (g *group) say(name, line string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fmt.Fprintf(os.Stderr, "%s: %s\n", name, line)
}

// end asks all processes to end and waits for them. What has not ended after ten seconds is killed.
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

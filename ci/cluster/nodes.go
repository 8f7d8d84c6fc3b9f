package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"parley/internal/netns"
)

const (
	nodes = 3
	rest  = 5 * time.Second // after which a node that has ended starts again, as a supervisor would do
)

// A cluster is its nodes and what they have in common.
type cluster struct {
	program, dir, database string
	network                *netns.Network
	nodes                  []*node
	parts                  group
	kept                   sync.WaitGroup // goroutines that start nodes again
}

type node struct {
	name    string
	machine *netns.Machine
	listen  string   // for clients
	args    []string // of its program
	part    *part    // what runs
}

func (n *node) url() string { return "http://" + n.listen }

// startNodes starts the nodes, says where they are, and starts them again whenever they end, until ctx ends.
func (c *cluster) startNodes(ctx context.Context) error {
	var peers []string
	for i := range nodes {
		m, err := c.network.NewMachine()
		if err != nil {
			return err
		}
		n := &node{name: fmt.Sprint("node-", i+1), machine: m}
		if n.listen, err = address(ctx, m, "8080"); err != nil {
			return err
		}
		peer, err := address(ctx, m, "7422")
		if err != nil {
			return err
		}
		c.nodes, peers = append(c.nodes, n), append(peers, peer)
	}
	secret := filepath.Join(c.dir, "secret")
	if err := os.WriteFile(secret, []byte(rand.Text()+rand.Text()), 0o600); err != nil {
		return err
	}
	for i, n := range c.nodes {
		n.args = []string{
			"serve", "--listen", n.listen, "--data", filepath.Join(c.dir, n.name), "--node-name", n.name,
			"--cluster-listen", peers[i], "--cluster-peers", strings.Join(peers, ","), "--cluster-secret-file", secret,
			"--trusted-proxy", c.network.Address(), "--drain", "1s",
		}
		if err := c.startNode(ctx, n); err != nil {
			return err
		}
		c.kept.Go(func() { c.keep(ctx, n) })
	}
	return nil
}

// startNode starts a node and waits until it listens. If ctx ends meanwhile, the node is asked to end.
func (c *cluster) startNode(ctx context.Context, n *node) error {
	cmd := exec.Command(c.program, n.args...)
	cmd.Env = append(os.Environ(), "PARLEY_DATABASE="+c.database)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	started, err := c.parts.start(n.name, n.machine, cmd)
	if err != nil {
		return err
	}
	n.part = started
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) }) // it may have ended
	defer stop()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "listening on ") {
		return fmt.Errorf("%s does not listen: %q", n.name, line)
	}
	fmt.Printf("%s: %s/r/lobby (process %d)\n", n.name, n.url(), cmd.Process.Pid)
	return nil
}

// keep starts a node again whenever it has ended, until ctx ends.
func (c *cluster) keep(ctx context.Context, n *node) {
	for {
		select {
		case <-n.part.done:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return
		}
		if err := c.startNode(ctx, n); err != nil {
			c.parts.say(n.name, err.Error()) // it is tried again
		}
	}
}

// address returns where to listen on a machine: the port, or on this machine any one on which nobody listens.
func address(ctx context.Context, m *netns.Machine, port string) (string, error) {
	if m != nil {
		return net.JoinHostPort(m.Address(), port), nil
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(m.Address(), "0"))
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

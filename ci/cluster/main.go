// Command cluster runs a whole cluster on this machine until it is interrupted: a PostgreSQL with a synchronous
// standby, three nodes, and HAProxy before them if it is installed. Where there are network namespaces, each of them
// but HAProxy has one of its own. Its argument is the program parley.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"parley/internal/netns"
	"parley/internal/pgserver"
)

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
	network, err := netns.New()
	if errors.Is(err, netns.ErrNone) {
		fmt.Println("all of it listens on the loopback interface:", err)
	} else if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	databases, err := startDatabases(ctx, network)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, databases.stop()) }()

	c := cluster{program: args[0], dir: dir, network: network, database: databases.url}
	ctx, cancel := context.WithCancel(ctx)
	defer c.parts.end()
	defer c.kept.Wait()
	defer cancel()
	if err := c.startNodes(ctx); err != nil {
		return err
	}
	if err := c.startBalancer(ctx); err != nil {
		return err
	}
	databases.explain()
	c.explainCuts(databases.primary)
	fmt.Printf("Ctrl-C ends all of it; kill a process to see how the others go on. A node that has ended starts again "+
		"after %v\n", rest)
	<-ctx.Done()
	return nil
}

// The databases are a primary and its standby.
type databases struct {
	primary, standby *pgserver.Server
	url              string // of a new database on them
}

func startDatabases(ctx context.Context, network *netns.Network) (_ *databases, err error) {
	d := &databases{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.stop())
		}
	}()
	first, err1 := network.NewMachine()
	second, err2 := network.NewMachine()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if d.primary, err = pgserver.StartOn(ctx, first, ""); err != nil {
		return nil, err
	}
	if d.standby, err = d.primary.NewStandbyOn(ctx, second); err != nil {
		return nil, err
	}
	name, err := d.primary.NewDatabase(ctx)
	d.url = d.primary.URLBy(name, d.primary.Address(), d.standby.Address())
	return d, err
}

func (d *databases) stop() (err error) {
	for _, s := range []*pgserver.Server{d.standby, d.primary} {
		if s != nil {
			err = errors.Join(err, s.Stop())
		}
	}
	return err
}

// explain says where the databases are, and how the standby takes over.
func (d *databases) explain() {
	fmt.Printf("PostgreSQL: primary %s, synchronous standby %s\n", d.primary.Address(), d.standby.Address())
	fmt.Printf("  kill the primary: kill -9 %s\n", postmaster(d.primary))
	fmt.Printf("  let the standby take over: touch %s/promote; kill -USR1 %s\n", d.standby.Data(),
		postmaster(d.standby))
}

// postmaster returns words of a shell for the process id of a server.
func postmaster(s *pgserver.Server) string { return "$(head -1 " + s.Data() + "/postmaster.pid)" }

// explainCuts says how to cut machines off from each other.
func (c *cluster) explainCuts(primary *pgserver.Server) {
	if c.network == nil {
		return
	}
	enter := "nsenter -n -t " + postmaster(primary) + " nft "
	fmt.Printf("each of these but HAProxy is a machine of its own\n"+
		"  nothing of node-1 comes to the primary: %sadd element ip parley drop_from '{ %s }'\n"+
		"  it comes again: %sflush set ip parley drop_from\n", enter, c.nodes[0].machine.Address(), enter)
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

// startBalancer starts HAProxy before the nodes, on the loopback interface, if it is installed.
func (c *cluster) startBalancer(ctx context.Context) error {
	path, err := exec.LookPath("haproxy")
	if err != nil {
		fmt.Println("HAProxy is not installed: there is no balancer")
		return nil
	}
	listen, err := address(ctx, nil, "")
	if err != nil {
		return err
	}
	config := balancer + "listen parley\n\tbind " + listen +
		"\n\tbalance leastconn\n\toption httpchk GET /readyz\n"
	for _, n := range c.nodes {
		config += fmt.Sprintf("\tserver %s %s\n", n.name, strings.TrimPrefix(n.url(), "http://"))
	}
	file := filepath.Join(c.dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	if _, err := c.parts.start("haproxy", nil, exec.Command(path, "-q", "-db", "-f", file)); err != nil {
		return err
	}
	fmt.Printf("all of them, by HAProxy: http://%s/r/lobby\n", listen)
	return nil
}

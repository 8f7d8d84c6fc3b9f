package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/internal/netns"
	"parley/internal/pgserver"
)

// A Cluster is several servers on one PostgreSQL server that has a synchronous standby. Each reaches the databases and
// the other servers through proxies. All run on machines of their own where there are network namespaces.
type Cluster struct {
	Breaks    ClusterBreakage // set before Start; "": it is correct
	NATS      *Process        // the NATS server over which nodes hear each other; nil: they connect to each other
	NoNetwork error           // why there are no machines of their own; nil: there are

	network  *netns.Network
	nodes    []*clusterNode
	database string // its name
	weather  *busWeather

	mu               sync.Mutex
	primary, standby *pgserver.Server

	hangUp  context.CancelFunc
	proxied sync.WaitGroup
}

// A clusterNode is one server of a Cluster.
type clusterNode struct {
	process   *Process
	databases []*proxy    // to each database server
	bus       []*proxy    // to each other node; nil to itself. Or a single one, to the NATS server
	isAway    atomic.Bool // it does not run, is frozen or cannot reach the database
}

// NewCluster lets programs, one for each node, keep their log in a new database of a primary with a synchronous
// standby, and speak to each other: over nats, a program that serves NATS at the address that follows its arguments, or
// directly if it is nil. Close ends all but the nodes, which must have ended before. The error is pgserver.ErrNone if
// there is no PostgreSQL.
func NewCluster(ctx context.Context, programs []*Process, nats *Process) (_ *Cluster, err error) {
	c := &Cluster{NATS: nats, weather: newBusWeather()}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.network, err = netns.New(); errors.Is(err, netns.ErrNone) {
		c.NoNetwork = err
	} else if err != nil {
		return nil, err
	}
	if err := c.startDatabases(ctx); err != nil {
		return nil, err
	}
	certificate, err := newNodeCertificate(programs[0].Data)
	if err != nil {
		return nil, err
	}
	var buses []string
	for _, p := range programs {
		c.nodes = append(c.nodes, &clusterNode{process: p})
		if p.Machine, err = c.network.NewMachine(); err != nil {
			return nil, err
		}
		bus, err := quietAddress(p.Machine)
		if err != nil {
			return nil, err
		}
		buses = append(buses, bus)
		if p.Listen, err = quietAddress(p.Machine); err != nil {
			return nil, err
		}
	}
	ctx, c.hangUp = context.WithCancel(context.WithoutCancel(ctx))
	if err := c.startNATS(); err != nil {
		return nil, err
	}
	for i := range c.nodes {
		if err := c.connect(ctx, i, certificate, buses); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// startDatabases starts a primary and its standby, and makes a database.
func (c *Cluster) startDatabases(ctx context.Context) error {
	first, err1 := c.network.NewMachine()
	second, err2 := c.network.NewMachine()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	var err error
	if c.primary, err = pgserver.StartOn(ctx, first, ""); err != nil {
		return err
	}
	if c.standby, err = c.primary.NewStandbyOn(ctx, second); err != nil {
		return err
	}
	c.database, err = c.primary.NewDatabase(ctx)
	return err
}

// connect puts proxies between a node and all others, and tells the program of them.
func (c *Cluster) connect(ctx context.Context, i int, certificate *nodeCertificate, buses []string) error {
	n := c.nodes[i]
	var databases []string
	for _, s := range []*pgserver.Server{c.primary, c.standby} {
		p, err := newProxy(n.process.Machine)
		if err != nil {
			return err
		}
		p.newFilter = c.databaseFilter
		c.run(ctx, p, s.Address())
		n.databases, databases = append(n.databases, p), append(databases, p.address())
	}
	// Not a flag: all users of a machine see command lines.
	n.process.Env = append(n.process.Env, "PARLEY_DATABASE="+c.primary.URLBy(c.database, databases...))
	n.process.Args = append(n.process.Args, "--node-name", fmt.Sprint("node", i+1), "--drain", "1s")
	if c.NATS != nil {
		return c.connectToNATS(ctx, n)
	}
	return c.connectToOthers(ctx, i, certificate, buses)
}

// connectToOthers puts proxies between a node and the other ones.
func (c *Cluster) connectToOthers(ctx context.Context, i int, certificate *nodeCertificate, buses []string) error {
	n := c.nodes[i]
	var peers []string
	for other, address := range buses {
		if other == i {
			n.bus = append(n.bus, nil)
			continue
		}
		p, err := newProxy(n.process.Machine)
		if err != nil {
			return err
		}
		p.newFilter, p.tls = c.weather.newFilter, certificate.config
		c.run(ctx, p, address)
		n.bus, peers = append(n.bus, p), append(peers, p.address())
	}
	n.process.Args = append(n.process.Args, "--cluster-listen", buses[i], "--cluster-peers", strings.Join(peers, ","),
		"--cluster-cert", certificate.cert, "--cluster-key", certificate.key, "--cluster-ca", certificate.cert)
	return nil
}

// run runs a proxy to an address until Close.
func (c *Cluster) run(ctx context.Context, p *proxy, address string) {
	p.forwardTo(address)
	c.proxied.Go(func() { p.run(ctx) })
}

// Close ends the proxies, and so all connections between the nodes and to the databases, then the databases, the NATS
// server and the network.
func (c *Cluster) Close() (err error) {
	if c.NATS != nil {
		_ = c.NATS.Kill() // that it had ended by itself was noticed when a fault ended it
	}
	if c.hangUp != nil {
		c.hangUp()
		c.proxied.Wait()
	}
	for _, s := range []*pgserver.Server{c.standby, c.primary} {
		if s != nil {
			err = errors.Join(err, s.Stop())
		}
	}
	return errors.Join(err, c.network.Close())
}

// Start starts the nodes that do not run.
func (c *Cluster) Start(ctx context.Context) (string, error) {
	g, starting := errgroup.WithContext(ctx)
	for _, n := range c.nodes {
		g.Go(func() error { return n.start(starting) })
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	return c.nodes[0].url(), c.breakDatabase(ctx)
}

func (n *clusterNode) url() string { return "http://" + n.process.Listen }

func (n *clusterNode) start(ctx context.Context) error {
	if n.process.PID() != 0 {
		return nil
	}
	if _, err := n.process.Start(ctx); err != nil {
		return err
	}
	n.isAway.Store(false)
	return nil
}

// URLs returns the addresses of the nodes.
func (c *Cluster) URLs() []string {
	urls := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		if !n.isAway.Load() {
			urls[i] = n.url()
		}
	}
	return urls
}

// Kill sends SIGKILL to all nodes.
func (c *Cluster) Kill() error { return c.end((*Process).Kill) }

// Stop sends SIGTERM to all nodes.
func (c *Cluster) Stop() error { return c.end((*Process).Stop) }

func (c *Cluster) end(how func(*Process) error) error {
	errs := make([]error, len(c.nodes))
	var wg sync.WaitGroup
	for i, n := range c.nodes {
		wg.Go(func() { errs[i] = how(n.process) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// quietAddress returns an address of a machine with a port that no outgoing connection takes by chance while its server
// is down: the kernel chooses from 32768 on.
func quietAddress(m *netns.Machine) (string, error) {
	for range 100 {
		address := fmt.Sprint(m.Address(), ":", 20000+rand.IntN(12000))
		free := m.Do(func() error {
			ln, err := net.Listen("tcp", address)
			if err != nil {
				return err
			}
			return ln.Close()
		})
		if free == nil {
			return address, nil
		}
	}
	return "", errors.New("no free port from 20000 to 32000")
}

// databasesNow returns the primary and the standby.
func (c *Cluster) databasesNow() (primary, standby *pgserver.Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.primary, c.standby
}

// swap says that the standby has taken over.
func (c *Cluster) swap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.primary, c.standby = c.standby, c.primary
}

// long returns a time that is shorter or longer than the five seconds after which a silent node counts as lost.
func long(rnd *rand.Rand) time.Duration {
	if rnd.IntN(3) == 0 {
		return between(rnd, 6*time.Second, 8*time.Second)
	}
	return between(rnd, 300*time.Millisecond, 3*time.Second)
}

package torture

import (
	"context"
	"math/rand/v2"
	"time"
)

// Faults returns the faults of nodes, of the bus between them, and of the databases.
func (c *Cluster) Faults() []SubjectFault {
	all := append(c.nodeFaults(), c.busFaults()...)
	if len(c.nodes) > 0 && c.nodes[0].process.Clock != "" { // so that clocks differ
		all = append(all, SubjectFault{Name: "clock", Begin: func(rnd *rand.Rand) error {
			return c.nodes[rnd.IntN(len(c.nodes))].process.misset(rnd)
		}})
	}
	all = append(all, c.databaseFaults()...)
	if len(c.nodes) == 0 || c.network != nil {
		all = append(all, c.packetFaults()...)
	}
	return all
}

// nodeFaults returns the faults of one node, while the others go on.
func (c *Cluster) nodeFaults() []SubjectFault {
	var n *clusterNode
	choose := func(rnd *rand.Rand) *clusterNode {
		n = c.nodes[rnd.IntN(len(c.nodes))]
		n.isAway.Store(true)
		return n
	}
	return []SubjectFault{
		{
			Name: "nodekill", For: long, Serves: true,
			Begin: func(rnd *rand.Rand) error { return choose(rnd).process.Kill() },
			End:   func(*rand.Rand) error { return n.start(context.Background()) },
		},
		{
			Name: "nodefreeze", For: long, Serves: true,
			Begin: func(rnd *rand.Rand) error { return choose(rnd).process.freeze() },
			End: func(*rand.Rand) error {
				n.isAway.Store(false)
				return n.process.thaw()
			},
		},
		{
			Name: "rolling", // each node in turn is asked to end, and starts
			Begin: func(*rand.Rand) error {
				for _, n := range c.nodes {
					n.isAway.Store(true)
					if err := n.process.Stop(); err != nil {
						return err
					}
					if err := n.start(context.Background()); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			Name: "nodedb", For: long, Serves: true, // one node cannot reach any database
			Begin: func(rnd *rand.Rand) error {
				d := directions[rnd.IntN(len(directions))]
				for _, p := range choose(rnd).databases {
					p.block(d)
				}
				return nil
			},
			End: func(rnd *rand.Rand) error {
				for _, p := range n.databases {
					p.heal(rnd)
				}
				n.isAway.Store(false)
				return nil
			},
		},
	}
}

// directions are those in which a network can be cut.
var directions = []direction{toServer | toClient, toServer, toClient}

// heal lets everything pass again: on the connections that were cut, or only on new ones, as if the other side had
// given them up.
func (p *proxy) heal(rnd *rand.Rand) {
	if rnd.IntN(2) == 0 {
		for _, l := range p.some(nil, -1) {
			l.end()
		}
	}
	p.block(0)
}

// busFaults returns the faults between nodes. All nodes can answer during them.
func (c *Cluster) busFaults() []SubjectFault {
	if c.NATS != nil {
		return append(c.natsFaults(), c.weatherFaults()...)
	}
	return append(c.pairFaults(), c.weatherFaults()...)
}

// pairFaults returns those in which nodes do not reach each other.
func (c *Cluster) pairFaults() []SubjectFault {
	var cut []*proxy
	split := func(pairs [][2]int, d direction) error {
		cut = nil
		for _, pair := range pairs {
			// Of the two connections of a pair, whichever is used carries both directions.
			there, back := c.nodes[pair[0]].bus[pair[1]], c.nodes[pair[1]].bus[pair[0]]
			there.block(d)
			back.block(d.opposite())
			cut = append(cut, there, back)
		}
		return nil
	}
	heal := func(rnd *rand.Rand) error {
		for _, p := range cut {
			p.heal(rnd)
		}
		return nil
	}
	return []SubjectFault{
		{
			Name: "buspair", For: long, Serves: true, End: heal,
			Begin: func(rnd *rand.Rand) error { return split([][2]int{c.pair(rnd)}, toServer|toClient) },
		},
		{
			Name: "busoneway", For: long, Serves: true, End: heal,
			Begin: func(rnd *rand.Rand) error { return split([][2]int{c.pair(rnd)}, toServer) },
		},
		{
			Name: "busalone", For: long, Serves: true, End: heal, // one node is cut off from all others
			Begin: func(rnd *rand.Rand) error {
				first := c.pair(rnd)[0]
				var pairs [][2]int
				for other := range c.nodes {
					if other != first {
						pairs = append(pairs, [2]int{first, other})
					}
				}
				return split(pairs, directions[rnd.IntN(len(directions))])
			},
		},
	}
}

// weatherFaults returns those of single messages between nodes.
func (c *Cluster) weatherFaults() (faults []SubjectFault) {
	for _, w := range []struct {
		name   string
		faults busFaults
	}{
		{"busheal", busFaults{}},
		{"buslose", busFaults{drop: 0.1, beats: true}},
		{"busloseevents", busFaults{drop: 1}},
		{"busloseall", busFaults{drop: 1, beats: true}},
		{"buslast", busFaults{newest: true}},
		{"busdouble", busFaults{double: 0.5, beats: true}},
		{"busorder", busFaults{reorder: 0.3, beats: true}},
	} {
		// It does not end before the next one of these, so that it lasts until everything is read.
		faults = append(faults, SubjectFault{Name: w.name, Begin: func(*rand.Rand) error {
			c.weather.set(w.faults)
			return nil
		}})
	}
	return faults
}

// opposite returns the direction of the same bytes as seen from the other end.
func (d direction) opposite() direction {
	switch d {
	case toServer:
		return toClient
	case toClient:
		return toServer
	}
	return d
}

// pair returns the numbers of two nodes.
func (c *Cluster) pair(rnd *rand.Rand) [2]int {
	i := rnd.Perm(len(c.nodes))
	return [2]int{i[0], i[1]}
}

// databaseFaults returns the faults of the databases and of the connections to them. Nothing can be stored during most.
func (c *Cluster) databaseFaults() []SubjectFault {
	var frozen []*proxyConn
	return []SubjectFault{
		{
			Name: "failover", Serves: true, // the primary is lost, and its standby takes over
			Begin: func(rnd *rand.Rand) error { return c.failOver(rnd) },
			End: func(*rand.Rand) error {
				primary, old := c.databasesNow()
				return old.Follow(context.Background(), primary)
			},
		},
		{
			Name: "standbykill", // commits wait until somebody decides to go on without the standby
			Begin: func(*rand.Rand) error {
				_, standby := c.databasesNow()
				return standby.Kill()
			},
			End: func(*rand.Rand) error {
				primary, standby := c.databasesNow()
				if err := primary.Alone(context.Background()); err != nil {
					return err
				}
				return standby.Follow(context.Background(), primary)
			},
		},
		{
			Name: "dbfreeze", For: long,
			Begin: func(*rand.Rand) error {
				primary, _ := c.databasesNow()
				return primary.Freeze()
			},
			End: func(*rand.Rand) error {
				primary, _ := c.databasesNow()
				return primary.Thaw()
			},
		},
		{
			Name: "dbcut",
			Begin: func(rnd *rand.Rand) error {
				for _, l := range c.databaseLinks(rnd) {
					l.end()
				}
				return nil
			},
		},
		{
			Name: "dblost",
			Begin: func(rnd *rand.Rand) error {
				for _, l := range c.databaseLinks(rnd) {
					n := 1 + rnd.IntN(300)
					l.degrade(func(l *proxyConn) { l.cutIn = n })
				}
				return nil
			},
		},
		{
			Name: "dbhalfopen",
			Begin: func(rnd *rand.Rand) error {
				frozen = c.databaseLinks(rnd)
				for _, l := range frozen {
					l.freeze()
				}
				return nil
			},
			End: func(*rand.Rand) error {
				for _, l := range frozen {
					l.end()
				}
				return nil
			},
		},
	}
}

// databaseLinks returns a share of all nodes' connections to databases.
func (c *Cluster) databaseLinks(rnd *rand.Rand) (links []*proxyConn) {
	for _, n := range c.nodes {
		for _, p := range n.databases {
			links = append(links, p.some(rnd, 0.7)...)
		}
	}
	return links
}

// failOver ends the primary, at once or after it was frozen, and lets the standby take over.
func (c *Cluster) failOver(rnd *rand.Rand) error {
	primary, standby := c.databasesNow()
	switch {
	case c.Breaks == AsynchronousStandby:
		if err := c.outlive(context.Background()); err != nil {
			return err
		}
	case rnd.IntN(3) == 0:
		if err := primary.Freeze(); err != nil {
			return err
		}
		time.Sleep(between(rnd, 300*time.Millisecond, 3*time.Second))
	}
	if err := primary.Kill(); err != nil {
		return err
	}
	if c.Breaks == AsynchronousStandby {
		if err := standby.Restart(context.Background()); err != nil {
			return err
		}
	}
	if err := standby.Promote(context.Background()); err != nil {
		return err
	}
	c.swap()
	return nil
}

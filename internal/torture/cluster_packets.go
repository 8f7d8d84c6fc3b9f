package torture

import (
	"context"
	"errors"
	"math/rand/v2"

	"parley/internal/netns"
)

// packetFaults returns the faults of the network between machines: packets do not arrive. The proxies are on the nodes'
// machines, so it is their connections that lose packets, and send them again and again.
func (c *Cluster) packetFaults() []SubjectFault {
	heal := func(*rand.Rand) error { return c.heal() }
	bus := SubjectFault{
		Name: "netnodes", For: long, Serves: true, End: heal, // between two nodes
		Begin: func(rnd *rand.Rand) error {
			pair := c.pair(rnd)
			return cutMachines(rnd, c.nodes[pair[0]].process.Machine, c.nodes[pair[1]].process.Machine)
		},
	}
	if c.NATS != nil {
		bus.Name = "netbus" // between a node and the NATS server
		bus.Begin = func(rnd *rand.Rand) error {
			return cutMachines(rnd, c.nodes[rnd.IntN(len(c.nodes))].process.Machine, c.NATS.Machine)
		}
	}
	return []SubjectFault{
		bus,
		c.away("netprimary", func() []*netns.Machine {
			primary, _ := c.databasesNow()
			return []*netns.Machine{primary.Machine()}
		}),
		c.away("netalone", c.machines),
		{
			Name: "netstandby", For: long, Serves: true, End: heal, // between a node and the standby
			Begin: func(rnd *rand.Rand) error {
				_, standby := c.databasesNow()
				return cutMachines(rnd, c.nodes[rnd.IntN(len(c.nodes))].process.Machine, standby.Machine())
			},
		},
		{
			Name: "netdatabases", For: long, // commits wait until it is over, or somebody decides not to
			Begin: func(rnd *rand.Rand) error {
				primary, standby := c.databasesNow()
				return cutMachines(rnd, primary.Machine(), standby.Machine())
			},
			End: func(rnd *rand.Rand) error {
				if rnd.IntN(2) == 0 {
					return c.heal()
				}
				primary, standby := c.databasesNow()
				if err := primary.Alone(context.Background()); err != nil {
					return err
				}
				if err := c.heal(); err != nil {
					return err
				}
				return standby.Follow(context.Background(), primary)
			},
		},
	}
}

// away returns a fault that cuts a node off from the primary, and perhaps from others.
func (c *Cluster) away(name string, from func() []*netns.Machine) SubjectFault {
	var n *clusterNode
	return SubjectFault{
		Name: name, For: long, Serves: true,
		Begin: func(rnd *rand.Rand) (err error) {
			n = c.nodes[rnd.IntN(len(c.nodes))]
			n.isAway.Store(true)
			for _, m := range from() {
				if m != n.process.Machine {
					err = errors.Join(err, cutMachines(rnd, n.process.Machine, m))
				}
			}
			return err
		},
		End: func(*rand.Rand) error {
			err := c.heal()
			n.isAway.Store(false)
			return err
		},
	}
}

// machines returns those of all servers.
func (c *Cluster) machines() []*netns.Machine {
	primary, standby := c.databasesNow()
	all := []*netns.Machine{primary.Machine(), standby.Machine()}
	for _, n := range c.nodes {
		all = append(all, n.process.Machine)
	}
	if c.NATS != nil {
		all = append(all, c.NATS.Machine)
	}
	return all
}

// cutMachines lets packets between two machines not arrive, in both directions or in one, silently or not.
func cutMachines(rnd *rand.Rand, a, b *netns.Machine) error {
	how := []netns.Cut{netns.Drop, netns.Reject}[rnd.IntN(2)]
	d := directions[rnd.IntN(len(directions))]
	var err error
	if d&toServer != 0 {
		err = b.CutFrom(a, how)
	}
	if d&toClient != 0 {
		err = errors.Join(err, a.CutFrom(b, how))
	}
	return err
}

// heal lets all packets arrive again.
func (c *Cluster) heal() (err error) {
	for _, m := range c.machines() {
		err = errors.Join(err, m.Heal())
	}
	return err
}

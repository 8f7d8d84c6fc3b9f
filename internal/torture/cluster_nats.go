package torture

import (
	"context"
	"math/rand/v2"
)

// startNATS starts the NATS server, at the same address each time. It does nothing if nodes connect to each other.
func (c *Cluster) startNATS() error {
	if c.NATS == nil {
		return nil
	}
	if c.NATS.Listen == "" {
		var err error
		if c.NATS.Machine, err = c.network.NewMachine(); err != nil {
			return err
		}
		if c.NATS.Listen, err = quietAddress(c.NATS.Machine); err != nil {
			return err
		}
	}
	_, err := c.NATS.launch(c.NATS.Listen)
	return err
}

// connectToNATS puts a proxy between a node and the NATS server.
func (c *Cluster) connectToNATS(ctx context.Context, n *clusterNode) error {
	p, err := newProxy(n.process.Machine)
	if err != nil {
		return err
	}
	p.newFilter = c.weather.newFilter
	c.run(ctx, p, c.NATS.Listen)
	n.bus = []*proxy{p}
	n.process.Args = append(n.process.Args, "--bus", "nats://"+p.address())
	return nil
}

// natsFaults returns the faults of the NATS server and of the connections to it.
func (c *Cluster) natsFaults() []SubjectFault {
	var cut *proxy
	return []SubjectFault{
		{
			Name: "buskill", For: long, Serves: true,
			Begin: func(*rand.Rand) error { return c.NATS.Kill() },
			End:   func(*rand.Rand) error { return c.startNATS() },
		},
		{
			Name: "busfreeze", For: long, Serves: true,
			Begin: func(*rand.Rand) error { return c.NATS.freeze() },
			End:   func(*rand.Rand) error { return c.NATS.thaw() },
		},
		{
			Name: "busalone", For: long, Serves: true, // one node is cut off from the NATS server
			Begin: func(rnd *rand.Rand) error {
				cut = c.nodes[rnd.IntN(len(c.nodes))].bus[0]
				cut.block(directions[rnd.IntN(len(directions))])
				return nil
			},
			End: func(rnd *rand.Rand) error {
				cut.heal(rnd)
				return nil
			},
		},
	}
}

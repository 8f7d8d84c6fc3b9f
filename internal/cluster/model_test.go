package cluster_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"parley/internal/cluster"
	"parley/internal/cluster/clustertest"
)

// TestAnyInterleavingEndsWithEveryNodeKnowingAll tests the main promise: whatever is sent, lost, doubled, delayed and
// cut off, a node that reads the store when it is told that it missed something knows everything in the end.
func TestAnyInterleavingEndsWithEveryNodeKnowingAll(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 80).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) {
			m := &model{t: t, network: clustertest.New(seed), stored: map[string]int{}}
			for range 3 {
				m.start()
			}
			for _, s := range steps {
				m.do(s)
				synctest.Wait()
			}
			m.check(rt)
		})
	})
}

// A step is one action: what selects it, by which node, about which key.
type step struct{ what, who, key, n int }

func drawStep(t *rapid.T) step {
	return step{
		what: rapid.IntRange(0, 12).Draw(t, "what"), who: rapid.IntRange(0, 2).Draw(t, "who"),
		key: rapid.IntRange(0, 2).Draw(t, "key"), n: rapid.IntRange(0, 9).Draw(t, "n"),
	}
}

var modelKeys = []string{"lobby", "café 🎈", "x.*.>"}

type model struct {
	t       *testing.T
	network *clustertest.Network
	nodes   []*modelNode

	mu     sync.Mutex     // guards stored and what the nodes know
	stored map[string]int // by key: how many messages the store has: 0, 1, 2 …
}

// A modelNode knows, of each key to which it listens, which messages exist.
type modelNode struct {
	*cluster.Node
	bus   *clustertest.Bus
	stop  func(goodbye bool)
	known map[string][]bool
}

func (m *model) start() {
	n := &modelNode{bus: m.network.Bus(), known: map[string][]bool{}}
	n.Node = cluster.New(n.bus, cluster.Config{
		Others: func(context.Context) (int, error) { return 2, nil },
	})
	n.Handle(cluster.Events, cluster.Handler{
		Receive: func(_ cluster.NodeID, key string, payload []byte) {
			m.mu.Lock()
			defer m.mu.Unlock()
			n.learn(key, int(payload[0]))
		},
		Missed: func(_ cluster.NodeID, key string) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if _, listens := n.known[key]; listens {
				m.read(n, key)
			}
		},
		EachSecond: func(poll bool) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for key := range n.known {
				if poll {
					m.read(n, key)
				}
			}
		},
	})
	ctx, cancel := context.WithCancel(m.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = n.Run(ctx)
	}()
	n.stop = func(goodbye bool) {
		n.bus.SetCut(!goodbye)
		cancel()
		<-done
	}
	m.t.Cleanup(func() { n.stop(true) })
	m.nodes = append(m.nodes, n)
	wait(2100 * time.Millisecond) // until each node hears it, or learns from the store that it should
}

// learn notes that a message exists.
func (n *modelNode) learn(key string, message int) {
	known, listens := n.known[key]
	if !listens {
		return
	}
	known = append(known, make([]bool, max(0, message+1-len(known)))...)
	known[message] = true
	n.known[key] = known
}

// read is what a node does that must not rely on messages: it asks the store.
func (m *model) read(n *modelNode, key string) {
	n.known[key] = slices.Repeat([]bool{true}, m.stored[key])
}

// store adds a message of n's and returns it.
func (m *model) store(n *modelNode, key string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n.learn(key, m.stored[key])
	m.stored[key]++
	return m.stored[key] - 1
}

// toggle lets a node listen to a key, or ignore it.
func (m *model) toggle(n *modelNode, key string, ignore bool) {
	m.mu.Lock()
	_, listens := n.known[key]
	m.mu.Unlock()
	switch {
	case !listens:
		n.Listen(cluster.Events, key)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.read(n, key)
	case ignore:
		m.mu.Lock()
		delete(n.known, key)
		m.mu.Unlock()
		n.Ignore(cluster.Events, key)
	}
}

func (m *model) do(s step) {
	n, key := m.nodes[s.who], modelKeys[s.key]
	switch s.what {
	case 0, 1, 2, 3:
		for range s.n {
			n.Send(cluster.Events, key, []byte{byte(m.store(n, key))})
		}
	case 4, 5:
		m.toggle(n, key, s.n == 0)
	case 6:
		m.network.SetFaults(clustertest.Faults{Drop: float64(s.n) / 9})
	case 7:
		m.network.SetFaults(clustertest.Faults{Double: 0.5, Delay: time.Duration(s.n) * time.Second / 2})
	case 8:
		m.network.SetFaults(clustertest.Faults{Drop: 1, Only: clustertest.NoBeat})
	case 9:
		n.bus.SetCut(s.n%2 == 0)
	case 10:
		m.network.Wall(n.bus, m.nodes[s.n%3].bus)
	case 11:
		if s.n%2 == 0 {
			n.stop(true)
		} else {
			m.store(n, key) // it dies after the commit and before it sends
			n.stop(false)
		}
		m.nodes = slices.Delete(m.nodes, s.who, s.who+1)
		m.start()
	case 12:
		wait(time.Duration(s.n) * time.Second)
	}
}

// check mends the network and compares what the nodes know with the store.
func (m *model) check(rt *rapid.T) {
	m.network.SetFaults(clustertest.Faults{})
	m.network.RemoveWalls()
	for _, n := range m.nodes {
		n.bus.SetCut(false)
	}
	wait(10 * time.Second)
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, n := range m.nodes {
		for key, known := range n.known {
			if len(known) != m.stored[key] || slices.Contains(known, false) {
				rt.Errorf("node %d knows of %q %v, the store has %d", i, key, known, m.stored[key])
			}
		}
		if n.IsCutOff() || len(n.Peers()) != len(m.nodes)-1 {
			rt.Errorf("node %d is cut off: %v, and has the peers %v", i, n.IsCutOff(), n.Peers())
		}
	}
}

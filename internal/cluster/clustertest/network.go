// Package clustertest has a bus in memory for tests, with the faults that a real one can have.
//
// It knows nothing of nodes.
package clustertest

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"parley/internal/cluster"
)

// Faults say what a network does to messages. The zero value does nothing to them.
type Faults struct {
	Drop   float64       // the share of messages that is lost: 1 loses all
	Double float64       // the share that comes twice
	Delay  time.Duration // each message comes after a random time up to this, so that messages overtake one another
	// Only says which subjects the faults concern; nil means all.
	Only func(subject string) bool
}

// NoBeat says whether a subject is not that of the nodes' beats. For Faults.Only.
func NoBeat(subject string) bool { return subject != "b" }

// A Network connects buses in memory.
type Network struct {
	mu     sync.Mutex
	random *rand.Rand
	faults Faults
	buses  []*Bus
	walls  map[[2]*Bus]bool // from, to
}

// New returns a network without faults. seed decides what happens to which message.
func New(seed uint64) *Network {
	return &Network{random: rand.New(rand.NewPCG(seed, 0)), walls: map[[2]*Bus]bool{}}
}

// SetFaults replaces the faults. They concern what is published from now on.
func (n *Network) SetFaults(f Faults) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = f
}

// Wall loses everything that is published on from for to, and nothing in the other direction. Both stay connected.
func (n *Network) Wall(from, to *Bus) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.walls[[2]*Bus{from, to}] = true
}

// RemoveWalls removes all walls.
func (n *Network) RemoveWalls() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.walls)
}

// Bus returns a new bus, whose channel holds 4,096 messages.
func (n *Network) Bus() *Bus {
	b := &Bus{network: n, messages: make(chan cluster.Message, 4096), subjects: map[string]bool{}}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.buses = append(n.buses, b)
	return b
}

// A Bus is a cluster.Bus of one node. Its fields are guarded by the network's lock.
type Bus struct {
	network  *Network
	messages chan cluster.Message
	subjects map[string]bool
	cut      bool
	closed   bool
}

// SetCut cuts the bus off from all others, or connects it again.
func (b *Bus) SetCut(cut bool) {
	b.network.mu.Lock()
	defer b.network.mu.Unlock()
	b.cut = cut
}

// Publish gives a message to the other buses, with the network's faults.
func (b *Bus) Publish(subject string, payload []byte) {
	n := b.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if b.cut || b.closed {
		return
	}
	m := cluster.Message{Subject: subject, Payload: slices.Clone(payload)}
	for _, to := range n.buses {
		if to != b && !n.walls[[2]*Bus{b, to}] {
			n.carry(to, m)
		}
	}
}

// carry gives one message to one bus. The caller holds mu.
func (n *Network) carry(to *Bus, m cluster.Message) {
	faults := n.faults
	if faults.Only != nil && !faults.Only(m.Subject) {
		faults = Faults{}
	}
	if n.random.Float64() < faults.Drop {
		return
	}
	copies := 1
	if n.random.Float64() < faults.Double {
		copies = 2
	}
	for range copies {
		if faults.Delay == 0 {
			to.arrive(m)
			continue
		}
		time.AfterFunc(time.Duration(n.random.Int64N(int64(faults.Delay))), func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			to.arrive(m)
		})
	}
}

// arrive puts a message into the channel, or drops it. The caller holds the network's lock.
func (b *Bus) arrive(m cluster.Message) {
	if b.cut || b.closed || !b.subjects[m.Subject] {
		return
	}
	select {
	case b.messages <- m:
	default:
	}
}

// Subscribe begins to receive a subject's messages.
func (b *Bus) Subscribe(subject string) {
	b.network.mu.Lock()
	defer b.network.mu.Unlock()
	b.subjects[subject] = true
}

// Unsubscribe ends a subscription.
func (b *Bus) Unsubscribe(subject string) {
	b.network.mu.Lock()
	defer b.network.mu.Unlock()
	delete(b.subjects, subject)
}

// Messages returns the channel of all that comes.
func (b *Bus) Messages() <-chan cluster.Message { return b.messages }

// IsConnected reports whether the bus is neither cut off nor closed.
func (b *Bus) IsConnected() bool {
	b.network.mu.Lock()
	defer b.network.mu.Unlock()
	return !b.cut && !b.closed
}

// Close ends the bus. Nothing comes any more.
func (b *Bus) Close() error {
	b.network.mu.Lock()
	defer b.network.mu.Unlock()
	b.closed = true
	return nil
}

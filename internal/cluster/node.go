package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// shortages is for how many seconds in a row the store must know of more nodes than beats come from until this node
	// counts as cut off. A new node may be in the store before its first beat has come, and one that was killed stays
	// there for some seconds after it has counted as gone.
	shortages = 5
	// lateAfter is how long no beat of another node may come until messages may be missing, and looksPerSecond is how
	// often the node looks for that. So what a node stores and cannot tell is found within two seconds.
	lateAfter      = 1500 * time.Millisecond
	looksPerSecond = 4
)

// Config says how a Node behaves. The zero value of a field means its default.
type Config struct {
	Name string // of this node; default "node"
	// Others asks the store how many other nodes live. It is called once a second. Default: nobody is asked.
	Others func(ctx context.Context) (int, error)
	Logger *slog.Logger // default: discard
}

// A Node is this process in the cluster: it sends to the other nodes, hears them, and knows which there are.
type Node struct {
	id       NodeID
	bus      Bus
	others   func(ctx context.Context) (int, error)
	logger   *slog.Logger
	handlers []topicHandler // fixed when Run begins
	sender   sender

	mu       sync.Mutex
	listened map[string]int // subject: how many times Listen was called for it

	peers       atomic.Pointer[[]Peer]
	othersCount atomic.Int64
	cutOff      atomic.Bool

	sentCount, receivedCount, missedCount atomic.Uint64
}

type topicHandler struct {
	topic Topic
	Handler
}

// New returns a node. It hears nothing and sends no beats until Run. It does not close the bus.
func New(bus Bus, cfg Config) *Node {
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	id := NodeID(cmp.Or(cfg.Name, "node") + "/" + hex.EncodeToString(random))
	n := &Node{
		id: id, bus: bus, others: cfg.Others,
		logger:   cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		sender:   sender{id: id, bus: bus, sent: map[string]lastSent{}},
		listened: map[string]int{},
	}
	n.peers.Store(&[]Peer{})
	return n
}

// ID returns the node's own id.
func (n *Node) ID() NodeID { return n.id }

// Peers returns the other nodes whose beats come, the oldest first.
func (n *Node) Peers() []Peer { return slices.Clone(*n.peers.Load()) }

// IsCutOff reports whether messages of other nodes do not come: the bus is not connected, or the store knows of more
// nodes than beats come from.
func (n *Node) IsCutOff() bool { return n.cutOff.Load() }

// Counts are how many messages, beats aside, a node has sent and received, and how many calls of Missed it has made.
type Counts struct{ Sent, Received, Missed uint64 }

// Counts returns the node's counts since it began.
func (n *Node) Counts() Counts {
	return Counts{Sent: n.sentCount.Load(), Received: n.receivedCount.Load(), Missed: n.missedCount.Load()}
}

// Handle adds a handler of a topic. Call it before Run. A topic may have several handlers.
func (n *Node) Handle(t Topic, h Handler) { n.handlers = append(n.handlers, topicHandler{t, h}) }

// Listen begins to receive the messages about key. What was sent before Listen returns, or shortly after, may not come:
// so call Listen first and then read the store. Each Listen needs one Ignore. Everybody needs neither.
func (n *Node) Listen(t Topic, key string) {
	subject := subjectOf(t, key)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listened[subject]++
	if n.listened[subject] == 1 {
		n.bus.Subscribe(subject)
	}
}

// Ignore takes back one Listen.
func (n *Node) Ignore(t Topic, key string) {
	subject := subjectOf(t, key)
	n.mu.Lock()
	defer n.mu.Unlock()
	switch n.listened[subject] {
	case 0:
	case 1:
		delete(n.listened, subject)
		n.bus.Unsubscribe(subject)
	default:
		n.listened[subject]--
	}
}

func (n *Node) listens(subject string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listened[subject] > 0
}

// Send sends a message about key to the other nodes that listen to it. It never blocks. The payload may be changed
// afterwards. What is sent when Run has ended arrives as well, but nobody notices if it is lost.
func (n *Node) Send(t Topic, key string, payload []byte) {
	n.sentCount.Add(1)
	n.sender.send(subjectOf(t, key), payload)
}

// Run hears the other nodes and calls the handlers until ctx ends. Then it tells the others that this node stops.
func (n *Node) Run(ctx context.Context) error {
	n.Listen(Everybody, "")
	n.bus.Subscribe(beatSubject)
	var wg sync.WaitGroup
	wg.Go(func() { eachSecond(ctx, func(context.Context) { n.sender.beat() }) })
	if n.others != nil {
		wg.Go(func() { eachSecond(ctx, n.countOthers) })
	}
	n.hear(ctx)
	wg.Wait()
	n.sender.goodbye()
	return nil
}

// eachSecond calls do now and then each second until ctx ends.
func eachSecond(ctx context.Context, do func(context.Context)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		do(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// countOthers asks the store. If the store does not answer, its last answer is kept: while there is no database,
// nothing can be missed.
func (n *Node) countOthers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if count, err := n.others(ctx); err == nil {
		n.othersCount.Store(int64(count))
	} else if ctx.Err() == nil {
		n.logger.LogAttrs(ctx, slog.LevelDebug, "the store does not say how many nodes live", slog.Any("err", err))
	}
}

// hear is the goroutine on which all handlers run.
func (n *Node) hear(ctx context.Context) {
	ss := &sources{n: n, byID: map[NodeID]*source{}, ended: map[NodeID]time.Time{}}
	tick := time.NewTicker(time.Second / looksPerSecond)
	defer tick.Stop()
	last, looks, wasLate, short := time.Now(), 0, false, shortage{}
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-n.bus.Messages():
			ss.receive(m)
		case <-tick.C:
			now := time.Now()
			if pause := now.Sub(last) - time.Second/looksPerSecond; pause > time.Second {
				ss.forgive(pause)
			}
			last = now
			isLate := ss.isAnyLate(now)
			becomesLate := isLate && !wasLate
			wasLate = isLate
			if looks++; looks%looksPerSecond != 0 && !becomesLate {
				continue
			}
			ss.sweep(now)
			was := short
			short = n.checkCutOff(ctx, short, ss)
			poll := n.IsCutOff() || short.isOpen || was.isOpen || isLate || n.isAnyUnknown()
			n.each(func(h Handler) {
				if h.EachSecond != nil {
					h.EachSecond(poll)
				}
			})
		}
	}
}

// isAnyUnknown reports whether beats come from more nodes than the store knows of. One that has lost the database may
// have stored something and not know it: it tells nobody of that until it knows.
func (n *Node) isAnyUnknown() bool {
	return n.others != nil && int64(len(*n.peers.Load())) > n.othersCount.Load()
}

// A shortage is a time in which the store knows of more nodes than beats come from.
type shortage struct {
	seconds int   // that it has lasted
	others  int64 // the most nodes of which the store knew
	// isOpen is set if more nodes were missing than have said goodbye; they may store something and not be heard.
	isOpen bool
	// isUnknown is set if more were missing than have left in whatever way: some were never heard.
	isUnknown bool
}

// checkCutOff decides whether the node is cut off. It returns the shortage anew.
func (n *Node) checkCutOff(ctx context.Context, short shortage, ss *sources) shortage {
	peers, others, connected := len(*n.peers.Load()), n.othersCount.Load(), n.bus.IsConnected()
	wasShort := short
	if missing := int(others) - peers; missing > 0 {
		ended, silent := ss.recentlyLeft()
		short.seconds++
		short.others = max(short.others, others)
		short.isOpen = short.isOpen || missing > ended
		short.isUnknown = short.isUnknown || missing > ended+silent
	} else {
		short = shortage{}
	}
	is := !connected || short.seconds >= shortages
	was := n.cutOff.Swap(is)
	switch {
	case is && !was:
		n.logger.LogAttrs(ctx, slog.LevelWarn, "cut off from other nodes",
			slog.Bool("bus_connected", connected), slog.Int64("others", others), slog.Int("peers", peers))
	case was && !is:
		n.logger.LogAttrs(ctx, slog.LevelInfo, "no longer cut off from other nodes", slog.Int("peers", peers))
	}
	// Of a node that is heard at last, its beats tell what was missed. What one said that was never heard is lost.
	neverHeard := wasShort.isUnknown && short.seconds == 0 && others < wasShort.others
	if !is && (was || neverHeard) {
		n.missedEverything("") // also of nodes that live no more
	}
	return short
}

// each calls do with each handler.
func (n *Node) each(do func(Handler)) {
	for _, h := range n.handlers {
		do(h.Handler)
	}
}

func (n *Node) received(from NodeID, t Topic, key string, payload []byte) {
	n.receivedCount.Add(1)
	for _, h := range n.handlers {
		if h.topic == t && h.Receive != nil {
			h.Receive(from, key, payload)
		}
	}
}

func (n *Node) missed(from NodeID, t Topic, key string) {
	n.missedCount.Add(1)
	for _, h := range n.handlers {
		if h.topic == t && h.Missed != nil {
			h.Missed(from, key)
		}
	}
}

// missedEverything calls Missed for each key that is listened to.
func (n *Node) missedEverything(from NodeID) {
	n.mu.Lock()
	subjects := slices.Collect(maps.Keys(n.listened))
	n.mu.Unlock()
	for _, subject := range subjects {
		if topic, key, ok := splitSubject(subject); ok {
			n.missed(from, topic, key)
		}
	}
}

func (n *Node) peerJoined(id NodeID) {
	n.logger.LogAttrs(context.Background(), slog.LevelInfo, "a node joined", slog.String("node", string(id)),
		slog.Int("peers", len(*n.peers.Load())))
	n.each(func(h Handler) {
		if h.PeerJoined != nil {
			h.PeerJoined(id)
		}
	})
}

func (n *Node) peerLeft(id NodeID) {
	n.logger.LogAttrs(context.Background(), slog.LevelInfo, "a node left", slog.String("node", string(id)),
		slog.Int("peers", len(*n.peers.Load())))
	n.each(func(h Handler) {
		if h.PeerLeft != nil {
			h.PeerLeft(id)
		}
	})
}

package room

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// A cluster is several hubs on one log in memory, within a synctest bubble, with a network that can lose, double and
// delay what they tell each other.
type cluster struct {
	t     testing.TB
	log   *storetest.Memory
	nodes []*testNode

	mu   sync.Mutex
	fate func() fate // of each message to each node; nil: it comes at once
}

// A fate is what becomes of a message.
type fate struct {
	copies int // 0: it is lost
	delay  time.Duration
}

// A testNode is a hub with its view of the others.
type testNode struct {
	*Hub
	of *cluster
	id string

	lateBy      time.Duration // how long after the commit the log answers this node
	loseAnswers atomic.Bool   // the log stores drafts and says that it may not have

	mu        sync.Mutex
	listening map[chat.RoomName]bool
	isAlone   bool // it hears and tells nothing
	asked     int
	results   chan func(more bool) // of its log, in order
	reads     int                  // of its log
}

// missedAfter is how long it takes until a node notices that it has missed a message.
const missedAfter = time.Second

// inCluster runs f with n hubs, and stops them when f returns.
func inCluster(t *testing.T, n int, cfg Config, f func(t *testing.T, c *cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t, log: storetest.NewMemory(store.Config{})}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		go c.log.Run(context.WithoutCancel(ctx))
		for i := range n {
			node := &testNode{
				of: c, id: fmt.Sprint("node-", i),
				listening: map[chat.RoomName]bool{}, results: make(chan func(bool), 10_000),
			}
			node.Hub = New(nodeLog{c.log, node}, c.log, "epoch", cfg)
			node.SetOthers(node, c.log.HeadsOf)
			c.nodes = append(c.nodes, node)
			running.Go(func() {
				if err := node.Run(ctx); err != nil {
					t.Error(err)
				}
			})
			go node.answerLoop()
		}
		f(t, c)
		cancel()
		running.Wait()
		c.log.Close()
		for _, n := range c.nodes {
			close(n.results)
		}
	})
}

// A nodeLog is the log as one node sees it.
type nodeLog struct {
	*storetest.Memory
	node *testNode
}

func (l nodeLog) Append(d chat.Draft, done func(chat.Commit)) {
	l.Memory.Append(d, func(c chat.Commit) {
		l.node.results <- func(more bool) {
			if l.node.loseAnswers.Load() {
				c = chat.Commit{Err: &chat.Error{Code: chat.Unavailable, Message: "The database does not answer."}}
			}
			c.More = more // the log's transactions are those of all nodes
			done(c)
		}
	})
}

func (l nodeLog) After(ctx context.Context, name chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	l.node.mu.Lock()
	l.node.reads++
	l.node.mu.Unlock()
	return l.Memory.After(ctx, name, seq, limit)
}

func (n *testNode) answerLoop() {
	for result := range n.results {
		time.Sleep(n.lateBy)
		result(len(n.results) > 0)
	}
}

// tell calls receive for each other node that listens to a room, once, twice or not at all; then missed a while later.
func (n *testNode) tell(room chat.RoomName, receive, missed func(to *testNode)) {
	for _, to := range n.of.nodes {
		if to == n {
			continue
		}
		hears := func() bool { return !n.isCutOff() && !to.isCutOff() && to.listens(room) }
		f := fate{copies: 1}
		n.of.mu.Lock()
		if n.of.fate != nil {
			f = n.of.fate()
		}
		n.of.mu.Unlock()
		if f.copies == 0 || !hears() {
			time.AfterFunc(missedAfter, func() {
				if hears() {
					missed(to)
				}
			})
		}
		for range f.copies {
			time.AfterFunc(f.delay, func() {
				if hears() {
					receive(to)
				}
			})
			f.delay *= 2
		}
	}
}

func (n *testNode) isCutOff() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.isAlone
}

// cutOff lets a node hear and tell nothing, or ends that.
func (n *testNode) cutOff(is bool) {
	n.mu.Lock()
	n.isAlone = is
	n.mu.Unlock()
}

func (n *testNode) listens(room chat.RoomName) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listening[room]
}

func (n *testNode) setListens(room chat.RoomName, is bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listening[room] = is
}

func (n *testNode) Listen(room chat.RoomName) { n.setListens(room, true) }
func (n *testNode) Ignore(room chat.RoomName) { n.setListens(room, false) }

func (n *testNode) Stored(commits []chat.Commit) {
	byRoom := map[chat.RoomName][]chat.Event{}
	for _, c := range commits {
		byRoom[c.Event.Room] = append(byRoom[c.Event.Room], c.Event)
	}
	for room, events := range byRoom {
		n.tell(room, func(to *testNode) { to.Receive(events) }, func(to *testNode) { to.Hub.Hint(room, 0) })
	}
}

func (n *testNode) Hint(room chat.RoomName, head chat.Seq) {
	hint := func(to *testNode) { to.Hub.Hint(room, head) }
	n.tell(room, hint, hint)
}

func (n *testNode) Members(room chat.RoomName, m Members) {
	n.tell(room, func(to *testNode) { to.SetMembers(room, n.id, m) }, func(to *testNode) {
		to.SetMembers(room, n.id, n.OwnMembers(room))
	})
}

func (n *testNode) Typing(room chat.RoomName, p chat.Person) {
	n.tell(room, func(to *testNode) { to.ShowTyping(room, p) }, func(*testNode) {})
}

func (n *testNode) AskMembers(_ context.Context, room chat.RoomName) map[string]Members {
	n.mu.Lock()
	n.asked++
	n.mu.Unlock()
	all := map[string]Members{}
	for _, peer := range n.of.nodes {
		if peer != n && !n.isCutOff() && !peer.isCutOff() {
			all[peer.id] = peer.OwnMembers(room)
		}
	}
	return all
}

// join adds a reader on a node; a member if p is not nil.
func (n *testNode) join(p *chat.Person, s *slate, after ...chat.Seq) (*Reader, JoinResult) {
	n.of.t.Helper()
	return (&bench{n.Hub, n.of.t, nil}).join(p, s, after...)
}

// say posts a text to lobby on a node.
func (n *testNode) say(from chat.Person, text string) {
	n.of.t.Helper()
	(&bench{n.Hub, n.of.t, nil}).say(from, text)
}

func (n *testNode) readCount() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.reads
}

// setFate sets what becomes of messages from now on.
func (c *cluster) setFate(f func() fate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fate = f
}

// lose is the fate of all messages on a broken network.
func lose() fate { return fate{} }

func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

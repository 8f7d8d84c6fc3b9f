package cluster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/cluster"
	"parley/internal/cluster/clustertest"
	"parley/internal/room"
	"parley/internal/store"
	"parley/internal/store/postgres"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/storetest"
)

var (
	ada   = chat.Person{ID: "ada", Name: "Ada"}
	grace = chat.Person{ID: "grace", Name: "Grace"}
)

// A roomStore is what rooms need of a store.
type roomStore interface {
	room.Log
	room.Archive
	HeadsOf(ctx context.Context, rooms []chat.RoomName) (map[chat.RoomName]chat.Seq, error)
}

// A sharedMemory is a store in memory that several hubs share. Its transactions are those of all hubs, so that none can
// wait for the last one of a transaction.
type sharedMemory struct {
	*storetest.Memory
	reads, heads *atomic.Int64 // how many
}

func (m sharedMemory) After(
	ctx context.Context, name chat.RoomName, seq chat.Seq, limit int,
) ([]chat.Event, error) {
	m.reads.Add(1)
	return m.Memory.After(ctx, name, seq, limit)
}

func (m sharedMemory) HeadsOf(ctx context.Context, rooms []chat.RoomName) (map[chat.RoomName]chat.Seq, error) {
	m.heads.Add(1)
	return m.Memory.HeadsOf(ctx, rooms)
}

func (m sharedMemory) Append(d chat.Draft, done func(chat.Commit)) {
	m.Memory.Append(d, func(c chat.Commit) {
		c.More = false
		done(c)
	})
}

// A roomNode is a node with its rooms.
type roomNode struct {
	*room.Hub
	bus  *clustertest.Bus
	node *cluster.Node
	stop func()

	store roomStore

	mu      sync.Mutex
	stored  map[chat.RoomName]chat.Seq // as the index is told
	deletes map[chat.RoomName]bool
	deleted []string
	missed  int
}

// startRooms starts nodes on a network; each ends when its stop is called.
func startRooms(t *testing.T, network *clustertest.Network, stores []roomStore) (nodes []*roomNode) {
	for i, s := range stores {
		n := &roomNode{
			bus: network.Bus(), store: s, stored: map[chat.RoomName]chat.Seq{}, deletes: map[chat.RoomName]bool{},
		}
		n.Hub = room.New(s, s, "epoch", room.Config{})
		n.node = cluster.New(n.bus, cluster.Config{
			Name:   fmt.Sprint("node", i),
			Others: func(context.Context) (int, error) { return len(stores) - 1, nil },
		})
		cluster.ConnectRooms(n.node, n.Hub, cluster.RoomsConfig{
			Heads: s.HeadsOf,
			Stored: func(name chat.RoomName, head chat.Seq, _ time.Time, deletes bool) {
				n.mu.Lock()
				defer n.mu.Unlock()
				n.stored[name] = max(n.stored[name], head)
				n.deletes[name] = n.deletes[name] || deletes
			},
			Deleted: func(texts []string) {
				n.mu.Lock()
				defer n.mu.Unlock()
				n.deleted = append(n.deleted, texts...)
			},
			Missed: func() {
				n.mu.Lock()
				defer n.mu.Unlock()
				n.missed++
			},
		})
		stopHub, stopNode := inBackground(t, n.Hub.Run), inBackground(t, n.node.Run)
		n.stop = func() {
			stopNode()
			stopHub()
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// inCluster runs f with three nodes on one store in memory, in a synctest bubble.
func inCluster(t *testing.T, f func(t *testing.T, network *clustertest.Network, nodes []*roomNode)) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(7)
		memory := storetest.NewMemory(store.Config{})
		go memory.Run(context.Background())
		var stores []roomStore
		for range 3 {
			stores = append(stores, sharedMemory{memory, new(atomic.Int64), new(atomic.Int64)})
		}
		nodes := startRooms(t, network, stores)
		time.Sleep(2 * time.Second) // they know each other
		f(t, network, nodes)
		for _, n := range nodes {
			n.stop()
		}
		memory.Close()
		time.Sleep(time.Minute) // for messages that are on their way
	})
}

// A reading is a reader of a room that takes everything.
type reading struct {
	mu       sync.Mutex
	seqs     []chat.Seq
	presence []chat.PresenceChange
	typed    []string
	found    room.JoinResult
	*room.Reader
}

func (s *reading) TryWrite(p []byte) (int, error) { return len(p), nil }
func (s *reading) OnWritable(func())              {}
func (s *reading) Close(chat.Code)                {}
func (s *reading) Formatted() bool                { return false }

// Append implements room.Encoder. It is called once for each event, as each reading has an encoder of its own.
func (s *reading) Append(dst []byte, e chat.Event) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case e.Kind == chat.Presence:
		s.presence = append(s.presence, *e.Change)
	case e.Kind == chat.Typing:
		s.typed = append(s.typed, e.From.Name)
	default:
		s.seqs = append(s.seqs, e.Seq)
	}
	return append(dst, 0)
}

func (s *reading) heads() (first, last chat.Seq, isRun bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, seq := range s.seqs {
		if i > 0 && seq != s.seqs[i-1]+1 {
			return 0, 0, false
		}
	}
	if len(s.seqs) == 0 {
		return 0, 0, true
	}
	return s.seqs[0], s.seqs[len(s.seqs)-1], true
}

// join adds a reader of a room, a member if p is not nil.
func (n *roomNode) join(t *testing.T, name chat.RoomName, p *chat.Person) *reading {
	t.Helper()
	s := &reading{}
	j := room.JoinRequest{Sink: s, Encoder: s, Member: p != nil}
	var who chat.Who
	if p != nil {
		who.Person = *p
	}
	var err error
	s.Reader, err = n.Join(t.Context(), who, name, j, func(found room.JoinResult) { s.found = found })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// post posts a draft, and waits until it is stored.
func (n *roomNode) post(t *testing.T, d chat.Draft) chat.Event {
	t.Helper()
	done := make(chan chat.Commit, 1)
	if d.From.ID == "" {
		d.From = ada
	}
	if err := n.Post(d, func(c chat.Commit) { done <- c }); err != nil {
		t.Fatal(err)
	}
	c := <-done
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	return c.Event
}

// Whatever the bus does to messages, each node's readers have all events two seconds later, in order; four if it
// delays everything, too. Each node's index and cache learn of everything in rooms where nobody is.
func TestEventsReachEveryNodeWhateverTheBusDoes(t *testing.T) {
	drops := func(share float64) clustertest.Faults { return clustertest.Faults{Drop: share} }
	for name, tt := range map[string]struct {
		faults clustertest.Faults
		within time.Duration
		least  int // calls of Missed on each node
	}{
		"nothing":       {within: 10 * time.Millisecond},
		"drops a tenth": {faults: drops(0.1), within: 2 * time.Second},
		"drops half":    {faults: drops(0.5), within: 2 * time.Second},
		"drops all but beats": {
			faults: clustertest.Faults{Drop: 1, Only: clustertest.NoBeat},
			within: 2 * time.Second, least: 1,
		},
		"drops everything": {faults: drops(1), within: 2 * time.Second, least: 1},
		"doubles":          {faults: clustertest.Faults{Double: 0.5}, within: 10 * time.Millisecond},
		"delays and reorders": {
			faults: clustertest.Faults{Delay: 100 * time.Millisecond},
			within: 200 * time.Millisecond,
		},
		"all at once": {
			faults: clustertest.Faults{Drop: 0.2, Double: 0.2, Delay: time.Second},
			within: 4 * time.Second,
		},
		"drops what is stored": {
			faults: clustertest.Faults{Drop: 1, Only: func(s string) bool { return s[0] == 'e' }},
			within: 2 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, func(t *testing.T, network *clustertest.Network, nodes []*roomNode) {
				var readers []*reading
				for _, n := range nodes {
					readers = append(readers, n.join(t, "lobby", nil), n.join(t, "lobby", nil))
				}
				network.SetFaults(tt.faults)
				const posts = 200
				for i := range posts {
					nodes[rand.IntN(3)].post(t, chat.Draft{Room: "lobby", Text: strconv.Itoa(i)})
				}
				time.Sleep(tt.within)
				synctest.Wait()
				for i, s := range readers {
					if first, last, isRun := s.heads(); first != 1 || last != posts || !isRun {
						t.Errorf("reader %d has %d to %d, in order: %v", i, first, last, isRun)
					}
				}
				nodes[0].post(t, chat.Draft{Room: "garden", Text: "secret"})
				nodes[0].post(t, chat.Draft{Room: "garden", Kind: chat.Delete, Target: 1})
				time.Sleep(2*time.Second + tt.faults.Delay)
				if tt.within > 2*time.Second {
					time.Sleep(2 * time.Second)
				}
				synctest.Wait()
				for i, n := range nodes[1:] {
					n.mu.Lock()
					toldOfRoom := n.stored["garden"] == 2 && n.deletes["garden"]
					toldOfText := slices.Equal(n.deleted, []string{"secret"})
					if n.missed < tt.least || n.missed == 0 && !(toldOfRoom && toldOfText) {
						t.Errorf("node %d: room %v, text %v, missed %d", i+1, toldOfRoom, toldOfText, n.missed)
					}
					n.mu.Unlock()
				}
				for _, s := range readers {
					s.Leave()
				}
			})
		})
	}
}

// A lost last message is found by the next beat.
func TestLastEventThatIsLostIsReadFromTheStore(t *testing.T) {
	inCluster(t, func(t *testing.T, network *clustertest.Network, nodes []*roomNode) {
		s := nodes[1].join(t, "lobby", nil)
		nodes[0].post(t, chat.Draft{Room: "lobby", Text: "one"})
		network.SetFaults(clustertest.Faults{Drop: 1, Only: clustertest.NoBeat})
		nodes[0].post(t, chat.Draft{Room: "lobby", Text: "two"})
		network.SetFaults(clustertest.Faults{})
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if first, last, isRun := s.heads(); first != 1 || last != 2 || !isRun {
			t.Errorf("%d to %d, in order: %v", first, last, isRun)
		}
		s.Leave()
	})
}

// A node that the others do not hear, or that does not hear them, has everything soon, and everything again after it.
func TestNodeThatIsCutOffPollsAndHeals(t *testing.T) {
	for name, cut := range map[string]func(network *clustertest.Network, nodes []*roomNode){
		"its bus is down": func(_ *clustertest.Network, nodes []*roomNode) { nodes[2].bus.SetCut(true) },
		"it hears nobody": func(network *clustertest.Network, nodes []*roomNode) {
			network.Wall(nodes[0].bus, nodes[2].bus)
			network.Wall(nodes[1].bus, nodes[2].bus)
		},
		"it does not hear one": func(network *clustertest.Network, nodes []*roomNode) {
			network.Wall(nodes[0].bus, nodes[2].bus)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, func(t *testing.T, network *clustertest.Network, nodes []*roomNode) {
				s := nodes[2].join(t, "lobby", &ada)
				there := nodes[0].join(t, "lobby", &grace)
				time.Sleep(time.Second)
				cut(network, nodes)
				for i := range 10 {
					nodes[0].post(t, chat.Draft{Room: "lobby", Text: "while it is cut off"})
					time.Sleep(4 * time.Second)
					synctest.Wait()
					if _, last, isRun := s.heads(); last != chat.Seq(i+1) || !isRun {
						t.Errorf("%d s: the last is %d, in order: %v", 4*i, last, isRun)
					}
				}
				s.mu.Lock()
				if n := len(s.presence); n == 0 || s.presence[n-1].Count != 1 {
					t.Errorf("while it is cut off: %+v", s.presence)
				}
				s.mu.Unlock()
				nodes[2].bus.SetCut(false)
				network.RemoveWalls()
				time.Sleep(5 * time.Second)
				synctest.Wait()
				s.mu.Lock()
				if n := len(s.presence); s.presence[n-1].Count != 2 {
					t.Errorf("when it is back: %+v", s.presence)
				}
				s.mu.Unlock()
				nodes[0].post(t, chat.Draft{Room: "lobby", Text: "when it is back"})
				time.Sleep(10 * time.Millisecond)
				if _, last, isRun := s.heads(); last != 11 || !isRun {
					t.Errorf("when it is back the last is %d, in order: %v", last, isRun)
				}
				s.Leave()
				there.Leave()
			})
		})
	}
}

func TestMembersAndTypingGoBetweenNodes(t *testing.T) {
	inCluster(t, func(t *testing.T, network *clustertest.Network, nodes []*roomNode) {
		s := nodes[0].join(t, "lobby", &ada)
		began := time.Now()
		there := nodes[1].join(t, "lobby", &grace)
		if there.found.Count != 2 || len(there.found.Here) != 2 || time.Since(began) > time.Millisecond {
			t.Errorf("joined = %+v after %v", there.found, time.Since(began))
		}
		time.Sleep(time.Second)
		there.Typing()
		time.Sleep(time.Second)
		nodes[1].Rename(chat.Person{ID: grace.ID, Name: "Hopper"})
		time.Sleep(time.Second)
		there.Leave()
		time.Sleep(time.Minute)
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.presence) != 3 || *s.presence[0].Joined != grace || s.presence[1].Joined.Name != "Hopper" ||
			s.presence[2].Left.Name != "Hopper" || !slices.Equal(s.typed, []string{"Grace"}) {
			t.Errorf("told %+v, %v", s.presence, s.typed)
		}
		s.Reader.Leave()
	})
}

// When a node is killed, what it said last in any room may be lost: the heads of all rooms are one query, not one each.
func TestDeathOfANodeDoesNotReadEveryRoom(t *testing.T) {
	inCluster(t, func(t *testing.T, network *clustertest.Network, nodes []*roomNode) {
		const rooms = 1000
		for i := range rooms {
			nodes[0].join(t, chat.RoomName(fmt.Sprint("room-", i)), nil)
		}
		nodes[1].post(t, chat.Draft{Room: "room-999", Text: "hello"})
		time.Sleep(10 * time.Second)
		memory := nodes[0].store.(sharedMemory)
		reads, heads := memory.reads.Load(), memory.heads.Load()
		nodes[1].bus.SetCut(true)
		time.Sleep(7 * time.Second)
		reads, heads = memory.reads.Load()-reads, memory.heads.Load()-heads
		if reads > 110 || heads < 1 || heads > 10 {
			t.Errorf("%d reads and %d queries for heads", reads, heads)
		}
	})
}

// Whoever opens a room waits for a node that does not answer, but not long, and only once.
func TestSilentNodeIsAwaitedOnce(t *testing.T) {
	inCluster(t, func(t *testing.T, network *clustertest.Network, nodes []*roomNode) {
		network.Wall(nodes[2].bus, nodes[0].bus)
		var opened []time.Duration
		for i := range 4 {
			if i == 3 {
				network.RemoveWalls()
				time.Sleep(10 * time.Second) // it is heard again
				nodes[0].join(t, "hall", nil).Leave()
				network.Wall(nodes[2].bus, nodes[0].bus)
			}
			began := time.Now()
			nodes[0].join(t, chat.RoomName(fmt.Sprint("room-", i)), nil).Leave()
			opened = append(opened, time.Since(began))
		}
		long := 200 * time.Millisecond
		if want := []time.Duration{long, 0, 0, long}; !slices.Equal(opened, want) {
			t.Errorf("opening took %v, want %v", opened, want)
		}
	})
}

// Neither a lost question nor a lost answer leaves members out for long.
func TestLostQuestionIsAskedAgain(t *testing.T) {
	for name, lost := range map[string]byte{"the question": 'n', "the answer": 'm'} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, func(t *testing.T, network *clustertest.Network, nodes []*roomNode) {
				nodes[0].join(t, "lobby", &ada)
				time.Sleep(20 * time.Second)
				network.SetFaults(clustertest.Faults{
					Drop: 1, Only: func(subject string) bool { return subject[0] == lost },
				})
				s := nodes[1].join(t, "lobby", &grace)
				if s.found.Count != 1 {
					t.Errorf("nothing was lost: %+v", s.found)
				}
				time.Sleep(5 * time.Second)
				network.SetFaults(clustertest.Faults{})
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if _, _, here, err := nodes[1].State(t.Context(), chat.Who{}, "lobby"); here != 2 || err != nil {
					t.Errorf("%d are here, %v", here, err)
				}
				s.mu.Lock()
				if len(s.presence) != 1 || s.presence[0].Joined == nil || *s.presence[0].Joined != ada {
					t.Errorf("told %+v", s.presence)
				}
				s.mu.Unlock()
				sent := nodes[1].node.Counts().Sent
				time.Sleep(time.Minute)
				if n := nodes[1].node.Counts().Sent - sent; n != 0 {
					t.Errorf("%d more questions", n)
				}
			})
		})
	}
}

// A node that ends takes its members along, after the usual grace.
func TestMembersOfANodeThatEndsLeave(t *testing.T) {
	inCluster(t, func(t *testing.T, network *clustertest.Network, nodes []*roomNode) {
		s := nodes[0].join(t, "lobby", &ada)
		nodes[1].join(t, "lobby", &grace)
		moves := chat.Person{ID: "moves", Name: "Moves"}
		nodes[1].join(t, "lobby", &moves)
		time.Sleep(time.Second)
		nodes[1].bus.SetCut(true) // it is killed
		time.Sleep(6 * time.Second)
		nodes[2].join(t, "lobby", &moves)
		time.Sleep(time.Minute)
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		last := s.presence[len(s.presence)-1]
		if last.Left == nil || *last.Left != grace || last.Count != 2 {
			t.Errorf("told %+v", s.presence)
		}
	})
}

// What a node has said may come after its end.
func TestLateMessageOfANodeThatHasEndedLeavesNobodyBehind(t *testing.T) {
	inCluster(t, func(t *testing.T, network *clustertest.Network, nodes []*roomNode) {
		const rooms = 5
		var readers []*reading
		for i := range rooms {
			readers = append(readers, nodes[0].join(t, chat.RoomName(fmt.Sprint("room-", i)), &ada))
		}
		time.Sleep(time.Second)
		network.SetFaults(clustertest.Faults{
			Delay: 20 * time.Second, Only: func(subject string) bool { return subject[0] == 'm' },
		})
		for i := range rooms {
			nodes[1].join(t, chat.RoomName(fmt.Sprint("room-", i)), &grace)
		}
		time.Sleep(10 * time.Millisecond)
		nodes[1].stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		for i, s := range readers {
			s.mu.Lock()
			if n := len(s.presence); n != 2 || *s.presence[0].Joined != grace || *s.presence[1].Left != grace {
				t.Errorf("in room %d: told %+v", i, s.presence)
			}
			s.mu.Unlock()
		}
	})
}

// Three hubs, each with a store of its own on one PostgreSQL, and a bus that loses, doubles and delays.
func TestRoomsOnOnePostgreSQL(t *testing.T) {
	url := pgtest.Database(t, func(ctx context.Context, url string) error {
		s, err := postgres.Open(ctx, postgres.Config{URL: url})
		if err != nil {
			return err
		}
		return s.Close()
	})
	var stores []roomStore
	for range 3 {
		s, err := postgres.Open(t.Context(), postgres.Config{URL: url, Readers: 4})
		storetest.Must(t, err)
		runStore(t, s)
		stores = append(stores, s)
	}
	network := clustertest.New(1)
	nodes := startRooms(t, network, stores)
	for _, n := range nodes {
		t.Cleanup(n.stop)
	}
	network.SetFaults(clustertest.Faults{Drop: 0.1, Double: 0.1, Delay: 50 * time.Millisecond})
	var readers []*reading
	for _, n := range nodes {
		readers = append(readers, n.join(t, "lobby", nil))
	}
	const posts = 200 // on each node
	var posting sync.WaitGroup
	for _, n := range nodes {
		posting.Go(func() {
			for i := range posts {
				n.post(t, chat.Draft{Room: "lobby", Text: strconv.Itoa(i)})
			}
		})
	}
	posting.Wait()
	await.True(t, "every reader has everything", func() bool {
		return !slices.ContainsFunc(readers, func(s *reading) bool {
			_, last, _ := s.heads()
			return last < 3*posts
		})
	})
	for i, s := range readers {
		if first, last, isRun := s.heads(); first != 1 || last != 3*posts || !isRun {
			t.Errorf("reader %d has %d to %d, in order: %v", i, first, last, isRun)
		}
		s.Leave()
	}
}

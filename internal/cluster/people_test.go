package cluster_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/internal/account"
	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/cluster"
	"parley/internal/cluster/clustertest"
	"parley/internal/room"
	"parley/internal/store/postgres"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/sqlite"
	"parley/internal/store/storetest"
)

// A peopleStore is what people need of a store.
type peopleStore interface {
	storetest.Database
	Run(ctx context.Context) error
	Close() error
}

// oneSQLite opens a store that all nodes share. Each node of a real cluster has a store of its own.
func oneSQLite(t *testing.T, nodes int) []peopleStore {
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir()})
	storetest.Must(t, err)
	runStore(t, s)
	return slices.Repeat([]peopleStore{s}, nodes)
}

// onePostgres opens a store for each node, all on one database.
func onePostgres(t *testing.T, nodes int) (stores []peopleStore) {
	url := pgtest.Database(t, func(ctx context.Context, url string) error {
		s, err := postgres.Open(ctx, postgres.Config{URL: url})
		if err != nil {
			return err
		}
		return s.Close()
	})
	for range nodes {
		s, err := postgres.Open(t.Context(), postgres.Config{URL: url, Readers: 4})
		storetest.Must(t, err)
		runStore(t, s)
		stores = append(stores, s)
	}
	return stores
}

func runStore(t *testing.T, s peopleStore) {
	stop := inBackground(t, s.Run)
	t.Cleanup(func() {
		stop()
		storetest.Must(t, s.Close())
	})
}

// inBackground runs f until stop is called, which waits for it.
func inBackground(t *testing.T, f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A peopleNode is a node with its people.
type peopleNode struct {
	*account.Accounts
	bus   *clustertest.Bus
	node  *cluster.Node
	store peopleStore
}

// startPeople starts nodes on a network until the test ends, and waits until each knows the others.
func startPeople(t *testing.T, network *clustertest.Network, stores []peopleStore) (nodes []*peopleNode) {
	t.Helper()
	for i, s := range stores {
		n := &peopleNode{bus: network.Bus(), store: s}
		n.Accounts = account.New(account.Config{}, account.Stores{People: s, Lists: s, Personal: s, States: s},
			room.New(nil, nil, "", room.Config{}))
		n.node = cluster.New(n.bus, cluster.Config{
			Name:   fmt.Sprint("node", i),
			Others: func(context.Context) (int, error) { return len(stores) - 1, nil },
		})
		cluster.ConnectPeople(n.node, n.Accounts)
		t.Cleanup(inBackground(t, n.Run))
		t.Cleanup(inBackground(t, n.node.Run))
		nodes = append(nodes, n)
	}
	await.True(t, "each node knows the others", func() bool {
		return !slices.ContainsFunc(nodes, func(n *peopleNode) bool { return len(n.node.Peers()) < len(nodes)-1 })
	})
	return nodes
}

// A screen is a connection that shows the list of its person.
type screen struct {
	account.Registration

	mu    sync.Mutex
	ended bool
	shown map[chat.RoomName]shownEntry
	rooms map[*room.Reader]chat.RoomName
}

type shownEntry struct {
	read  chat.Seq
	muted bool
}

func shownOf(list []chat.ListEntry) map[chat.RoomName]shownEntry {
	shown := map[chat.RoomName]shownEntry{}
	for _, e := range list {
		shown[e.Room] = shownEntry{e.Read, e.Muted}
	}
	return shown
}

func (n *peopleNode) connect(t *testing.T, session string) *screen {
	t.Helper()
	s := &screen{rooms: map[*room.Reader]chat.RoomName{}}
	s.Owner = s
	_, err := n.Enter(t.Context(), &s.Registration, session)
	storetest.Must(t, err)
	storetest.Must(t, n.OpenList(t.Context(), &s.Registration, s, func(list []chat.ListEntry) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.shown = shownOf(list)
	}))
	return s
}

func (s *screen) SessionEnded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

func (s *screen) hasEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *screen) JoinRoom(_ context.Context, name chat.RoomName, _ chat.Seq) (*room.Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &room.Reader{}
	s.rooms[r] = name
	return r, nil
}

func (s *screen) LeaveRoom(r *room.Reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rooms, r)
}

func (s *screen) Update(u account.Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case u.Entry != nil:
		s.shown[u.Entry.Room] = shownEntry{u.Entry.Read, u.Entry.Muted}
	case u.Read != nil:
		s.read(u.Read)
	default:
		delete(s.shown, u.Removed)
	}
}

// read changes a read mark that is shown. The caller holds mu.
func (s *screen) read(e *chat.ListEntry) {
	if was, ok := s.shown[e.Room]; ok {
		was.read = e.Read
		s.shown[e.Room] = was
	}
}

func (s *screen) mark(n *peopleNode, at chat.MessageRef, exact bool) {
	done := make(chan struct{})
	n.MarkRead(s.Person().ID, at, exact, "", &s.Registration, func(e chat.ListEntry, err error) {
		s.mu.Lock()
		if err == nil {
			s.read(&e)
		}
		s.mu.Unlock()
		close(done)
	})
	<-done
}

// shows reports whether the connection shows these rooms, and gets the list updates of exactly these.
func (s *screen) shows(want map[chat.RoomName]shownEntry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Equal(s.shown, want) &&
		slices.Equal(slices.Sorted(maps.Values(s.rooms)), slices.Sorted(maps.Keys(want)))
}

// change makes n changes, as a person with several devices would.
func (s *screen) change(t *testing.T, n *peopleNode, seed uint64, changes int) {
	rnd := rand.New(rand.NewPCG(seed, 2))
	who := s.Person().ID
	for range changes {
		name, seq := []chat.RoomName{"garden", "hall", "lobby"}[rnd.IntN(3)], chat.Seq(1+rnd.IntN(5))
		var err error
		switch what := rnd.IntN(8); what {
		case 0:
			_, err = n.SetListEntry(t.Context(), who, name, chat.ListEntryChange{Listed: new(false)})
		case 1:
			n.AddToList(t.Context(), who, name, true)
		case 2:
			_, err = n.SetListEntry(t.Context(), who, name, chat.ListEntryChange{Muted: new(seq%2 == 0)})
		case 3:
			p := chat.Who{Person: s.Person(), Network: netip.MustParseAddr("192.0.2.1")}
			_, err = n.Rename(t.Context(), p, fmt.Sprint("Ada ", seed, seq), "")
		default:
			s.mark(n, chat.MessageRef{Room: name, Seq: seq}, what == 4)
		}
		if err != nil && chat.CodeOf(err) != chat.NotFound && chat.CodeOf(err) != chat.RateLimited {
			t.Error(err)
		}
	}
}

func TestPeopleAreTheSameOnAllNodes(t *testing.T) {
	noBeat := func(f clustertest.Faults) clustertest.Faults {
		f.Only = clustertest.NoBeat
		return f
	}
	stores := map[string]func(*testing.T, int) []peopleStore{"SQLite": oneSQLite, "PostgreSQL": onePostgres}
	tests := map[string]clustertest.Faults{
		"nothing is lost":       {},
		"a tenth is lost":       {Drop: 0.1},
		"all but beats is lost": noBeat(clustertest.Faults{Drop: 1}),
		"late and twice":        {Double: 0.5, Delay: 50 * time.Millisecond},
		"everything at once":    {Drop: 0.5, Double: 0.3, Delay: 50 * time.Millisecond},
	}
	for name, open := range stores {
		for fault, faults := range tests {
			t.Run(name+"/"+fault, func(t *testing.T) {
				t.Parallel()
				network := clustertest.New(1)
				nodes := startPeople(t, network, open(t, 3))
				for _, name := range []chat.RoomName{"garden", "hall", "lobby"} {
					storetest.Do(t, nodes[0].store, storetest.Drafts(name, 5)...)
				}
				p, session, err := nodes[0].Guest(t.Context(), netip.MustParseAddr("192.0.2.1"), "Ada", "")
				storetest.Must(t, err)
				network.SetFaults(faults)
				var screens []*screen
				var busy sync.WaitGroup
				for i, n := range nodes {
					s := n.connect(t, session)
					screens = append(screens, s)
					busy.Go(func() { s.change(t, n, uint64(i), 40) })
				}
				busy.Wait()
				wantSame(t, nodes, screens, p.ID)
				storetest.Must(t, nodes[1].EndSession(t.Context(), session))
				await.True(t, "the session has ended on all nodes", func() bool {
					return !slices.ContainsFunc(screens, func(s *screen) bool { return !s.hasEnded() })
				})
			})
		}
	}
}

// wantSame waits until all connections show what is stored of their person.
func wantSame(t *testing.T, nodes []*peopleNode, screens []*screen, who chat.PersonID) {
	t.Helper()
	list, err := nodes[0].RoomList(t.Context(), who)
	storetest.Must(t, err)
	states, err := nodes[0].store.PersonStates(t.Context(), []chat.PersonID{who})
	storetest.Must(t, err)
	want := shownOf(list)
	await.True(t, fmt.Sprintf("all show %v and %s", want, states[0].Name), func() bool {
		return !slices.ContainsFunc(screens, func(s *screen) bool {
			return !s.shows(want) || s.Person() != states[0].Person
		})
	})
}

// The last message is lost, and nothing follows that would show it but the beat.
func TestLostSignOutIsNoticed(t *testing.T) {
	network := clustertest.New(1)
	nodes := startPeople(t, network, oneSQLite(t, 2))
	_, session, err := nodes[0].Guest(t.Context(), netip.MustParseAddr("192.0.2.1"), "Ada", "")
	storetest.Must(t, err)
	s := nodes[1].connect(t, session)
	network.SetFaults(clustertest.Faults{Drop: 1, Only: clustertest.NoBeat})
	storetest.Must(t, nodes[0].EndSession(t.Context(), session))
	network.SetFaults(clustertest.Faults{})
	await.True(t, "the session has ended on the other node", s.hasEnded)
	if s.Begin() {
		t.Error("something more is accepted from it")
	}
}

// A node that nothing reaches asks the store.
func TestSessionThatEndsIsOutOnANodeThatIsCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for seconds")
	}
	network := clustertest.New(1)
	nodes := startPeople(t, network, oneSQLite(t, 2))
	address := netip.MustParseAddr("192.0.2.1")
	_, session, err := nodes[0].Guest(t.Context(), address, "Ada", "")
	storetest.Must(t, err)
	p, other, err := nodes[0].Guest(t.Context(), address, "Grace", "")
	storetest.Must(t, err)
	ada, grace := nodes[1].connect(t, session), nodes[1].connect(t, other)
	nodes[1].bus.SetCut(true)
	await.True(t, "the node knows that it is cut off", nodes[1].node.IsCutOff)
	storetest.Must(t, nodes[0].EndSession(t.Context(), session))
	_, err = nodes[0].Rename(t.Context(), chat.Who{Person: p, Network: address}, "Hopper", "")
	storetest.Must(t, err)
	await.True(t, "the session has ended on the other node", ada.hasEnded)
	await.True(t, "the name is known there", func() bool { return grace.Person().Name == "Hopper" })
	if grace.hasEnded() {
		t.Error("another session has ended")
	}
	storetest.Do(t, nodes[0].store, storetest.Drafts("lobby", 1)...)
	nodes[0].AddToList(t.Context(), p.ID, "lobby", true)
	nodes[1].bus.SetCut(false)
	wantSame(t, nodes, []*screen{grace}, p.ID)
}

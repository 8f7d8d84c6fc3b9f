package account

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/room"
)

// A testCluster is several Accounts on one store.
type testCluster struct {
	store *fakeStore
	nodes []*Accounts
	tell  func(deliver func()) // called for each thing that a node tells another one; nil: deliver at once

	mu    sync.Mutex
	heard map[chat.PersonID]int // how often a node has begun to listen
}

// startCluster starts nodes until the test ends. It belongs into a synctest bubble.
func startCluster(t *testing.T, n int) *testCluster {
	t.Helper()
	c := &testCluster{store: newFakeStore(), heard: map[chat.PersonID]int{}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for i := range n {
		a := c.store.start(Config{})
		a.SetOthers(testOthers{c, i})
		c.nodes = append(c.nodes, a)
		running.Go(func() {
			if err := a.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return c
}

// testOthers are the others of one node.
type testOthers struct {
	c    *testCluster
	self int
}

func (o testOthers) Tell(who chat.PersonID, room chat.RoomName) {
	for i, a := range o.c.nodes {
		if i == o.self {
			continue
		}
		deliver := func() { a.Changed(who, room) }
		if o.c.tell != nil {
			o.c.tell(deliver)
		} else {
			deliver()
		}
	}
}

func (o testOthers) Listen(who chat.PersonID) {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	o.c.heard[who]++
}

// A screen is a connection that shows the list of its person.
type screen struct {
	Registration

	mu      sync.Mutex
	got     []string
	ended   bool
	shown   map[chat.RoomName]toldEntry
	readers map[*room.Reader]chat.RoomName
}

func newScreen(t *testing.T, a *Accounts, session string) *screen {
	t.Helper()
	s := &screen{shown: map[chat.RoomName]toldEntry{}, readers: map[*room.Reader]chat.RoomName{}}
	s.Owner = s
	if _, err := a.Enter(t.Context(), &s.Registration, session); err != nil {
		t.Fatal(err)
	}
	err := a.OpenList(t.Context(), &s.Registration, s, func(list []chat.ListEntry) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, e := range list {
			s.shown[e.Room] = tell(&e)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *screen) SessionEnded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

func (s *screen) JoinRoom(_ context.Context, name chat.RoomName, _ chat.Seq) (*room.Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &room.Reader{}
	s.readers[r] = name
	return r, nil
}

func (s *screen) LeaveRoom(r *room.Reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.readers, r)
}

func (s *screen) Update(u Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case u.Entry != nil:
		s.got = append(s.got, "entry "+string(u.Entry.Room))
		s.shown[u.Entry.Room] = tell(u.Entry)
	case u.Read != nil:
		s.got = append(s.got, fmt.Sprintf("read %s %d", u.Read.Room, u.Read.Read))
		s.read(u.Read)
	default:
		s.got = append(s.got, "removed "+string(u.Removed))
		delete(s.shown, u.Removed)
	}
}

// read changes the read mark of a room that is shown. The caller holds mu.
func (s *screen) read(e *chat.ListEntry) {
	if was, ok := s.shown[e.Room]; ok {
		was.read = e.Read
		s.shown[e.Room] = was
	}
}

// mark marks a room as read on this connection.
func (s *screen) mark(a *Accounts, name chat.RoomName, seq chat.Seq, exact bool) {
	at := chat.MessageRef{Room: name, Seq: seq}
	a.MarkRead(s.Person().ID, at, exact, "", &s.Registration, func(e chat.ListEntry, err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err == nil {
			s.read(&e)
		}
	})
}

func (s *screen) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.got, want) {
		t.Errorf("got %q, want %q", s.got, want)
	}
	s.got = nil
}

// wantReaders fails unless the connection gets the list updates of exactly these rooms.
func (s *screen) wantReaders(t *testing.T, want ...chat.RoomName) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := slices.Sorted(maps.Values(s.readers)); !slices.Equal(got, want) {
		t.Errorf("it reads %q, want %q", got, want)
	}
}

func TestListThatChangesOnOneNodeChangesOnAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startCluster(t, 2)
		here, there := c.nodes[0], c.nodes[1]
		c.store.rooms["lobby"], c.store.rooms["garden"] = 7, 3
		p, session := guest(t, here, "Ada")
		desk, phone := newScreen(t, here, session), newScreen(t, there, session)

		here.AddToList(t.Context(), p.ID, "lobby", true)
		phone.want(t, "entry lobby")
		there.AddToList(t.Context(), p.ID, "garden", true)
		desk.want(t, "entry lobby", "entry garden")
		phone.want(t, "entry garden")
		desk.mark(here, "lobby", 5, false)
		phone.want(t, "read lobby 5")
		desk.want(t, "read lobby 5") // once more, as other nodes change this list too
		change := func(change chat.ListEntryChange) {
			t.Helper()
			if _, err := there.SetListEntry(t.Context(), p.ID, "lobby", change); err != nil {
				t.Error(err)
			}
		}
		change(chat.ListEntryChange{Muted: new(true)})
		desk.want(t, "entry lobby")
		desk.wantReaders(t, "garden", "lobby")
		change(chat.ListEntryChange{Listed: new(false)})
		desk.want(t, "removed lobby")
		desk.wantReaders(t, "garden")
		phone.wantReaders(t, "garden")

		there.Remove(&phone.Registration)
		c.store.AddToList(p.ID, "lobby", true, func([]chat.RoomName, error) {}) // as a write by a script does
		there.AddToListAfterWrite(t.Context(), p.ID, "lobby")
		desk.want(t, "entry lobby")
	})
}

func TestSessionThatEndsElsewhereEndsHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startCluster(t, 2)
		here, there := c.nodes[0], c.nodes[1]
		_, session := guest(t, here, "Ada")
		_, other := guest(t, here, "Grace")
		ada, grace := newScreen(t, there, session), newScreen(t, there, other)
		if !ada.Begin() {
			t.Fatal("the session has ended")
		}
		if err := here.EndSession(t.Context(), session); err != nil {
			t.Fatal(err)
		}
		ada.Done()
		synctest.Wait()
		if !ada.ended || ada.Begin() {
			t.Error("the session goes on")
		}
		if grace.ended || !grace.Begin() {
			t.Error("another person's session has ended")
		}
		grace.Done()
		if _, err := there.Enter(t.Context(), &Registration{}, session); chat.CodeOf(err) != chat.BadSession {
			t.Errorf("whoever comes back: %v", err)
		}
	})
}

func TestNewNameReachesAllNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startCluster(t, 3)
		p, session := guest(t, c.nodes[0], "Ada")
		var screens []*screen
		for _, a := range c.nodes {
			screens = append(screens, newScreen(t, a, session))
		}
		if _, err := c.nodes[1].Rename(t.Context(), chat.Who{Person: p, Network: nowhere}, "Countess", ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for i, s := range screens {
			if name := s.Person().Name; name != "Countess" {
				t.Errorf("on node %d it is %s", i, name)
			}
		}
	})
}

// If nothing arrives, a node that is told so, or knows that it is cut off, reads the
// store.
func TestWhatWasMissedIsReadFromTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startCluster(t, 2)
		c.tell = func(func()) {}
		here, there := c.nodes[0], c.nodes[1]
		for i, name := range []chat.RoomName{"garden", "hall", "lobby", "yard"} {
			c.store.rooms[name] = chat.Seq(10 + i)
		}
		p, session := guest(t, here, "Ada")
		_, other := guest(t, here, "Grace")
		for _, name := range []chat.RoomName{"garden", "hall", "lobby"} {
			here.AddToList(t.Context(), p.ID, name, true)
		}
		ada, grace := newScreen(t, there, session), newScreen(t, there, other)

		here.MarkRead(p.ID, chat.MessageRef{Room: "garden", Seq: 4}, false, "", nil, func(chat.ListEntry, error) {})
		for name, change := range map[chat.RoomName]chat.ListEntryChange{
			"hall": {Listed: new(false)}, "lobby": {Muted: new(true)},
		} {
			if _, err := here.SetListEntry(t.Context(), p.ID, name, change); err != nil {
				t.Error(err)
			}
		}
		here.AddToList(t.Context(), p.ID, "yard", true)
		if _, err := here.Rename(t.Context(), chat.Who{Person: p, Network: nowhere}, "Countess", ""); err != nil {
			t.Error(err)
		}
		if err := here.EndSession(t.Context(), other); err != nil {
			t.Error(err)
		}
		ada.want(t)
		if grace.ended {
			t.Error("it was told")
		}

		there.CheckSessions()
		synctest.Wait()
		if !grace.ended || ada.ended || ada.Person().Name != "Countess" {
			t.Errorf("ended %v and %v, name %s", grace.ended, ada.ended, ada.Person().Name)
		}
		there.Missed(p.ID)
		synctest.Wait()
		slices.Sort(ada.got)
		ada.want(t, "entry lobby", "entry yard", "read garden 4", "removed hall")
		ada.wantReaders(t, "garden", "lobby", "yard")
		there.Missed(p.ID)
		ada.want(t) // nothing has changed
	})
}

func TestStoreThatFailsIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startCluster(t, 2)
		here, there := c.nodes[0], c.nodes[1]
		c.store.rooms["lobby"] = 7
		p, session := guest(t, here, "Ada")
		ada := newScreen(t, there, session)
		c.store.broken = true
		here.AddToList(t.Context(), p.ID, "lobby", true)
		there.Missed(p.ID)
		time.Sleep(10 * time.Second)
		ada.want(t)
		if ada.ended {
			t.Error("a session ends because the store cannot be read")
		}
		c.store.mu.Lock()
		c.store.broken = false
		c.store.mu.Unlock()
		time.Sleep(2 * refreshPause)
		ada.want(t, "entry lobby")
	})
}

func TestNodeListensToThoseWhoAreConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startCluster(t, 1)
		p, session := guest(t, c.nodes[0], "Ada")
		var request Registration
		if _, err := c.nodes[0].Enter(t.Context(), &request, session); err != nil {
			t.Fatal(err)
		}
		c.nodes[0].Remove(&request)
		if c.heard[p.ID] != 0 || c.nodes[0].IsLive(p.ID) {
			t.Error("the node listens because of a request")
		}
		s := newScreen(t, c.nodes[0], session)
		if c.heard[p.ID] != 1 || !c.nodes[0].IsLive(p.ID) {
			t.Errorf("the node has begun to listen %d times", c.heard[p.ID])
		}
		c.nodes[0].Remove(&s.Registration)
		if c.nodes[0].IsLive(p.ID) {
			t.Error("the person is live without a connection")
		}
	})
}

// Whatever several connections on several nodes do at once, and however long the store
// and the others take: in the end all show what is stored.
func TestAllNodesShowTheSameInTheEnd(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { changeAtRandom(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func changeAtRandom(t *testing.T, rnd *rand.Rand) {
	c := startCluster(t, 3)
	var mu sync.Mutex
	late := func(most int) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(rnd.IntN(most)) * time.Millisecond
	}
	c.store.takesTime = func() { time.Sleep(late(10)) }
	var under sync.WaitGroup
	c.tell = func(deliver func()) { // late, in any order, sometimes twice
		for range 1 + late(3)/(2*time.Millisecond) {
			under.Go(func() {
				time.Sleep(late(20))
				deliver()
			})
		}
	}
	names := []chat.RoomName{"garden", "hall", "lobby"}
	for _, name := range names {
		c.store.rooms[name] = 100
	}
	p, session := guest(t, c.nodes[0], "Ada")
	var screens []*screen
	for i := range 4 {
		screens = append(screens, newScreen(t, c.nodes[i%3], session))
	}
	var busy sync.WaitGroup
	for i, s := range screens {
		a := c.nodes[i%3]
		busy.Go(func() {
			for range 30 {
				time.Sleep(late(15))
				mu.Lock()
				name, what, seq := names[rnd.IntN(3)], rnd.IntN(8), chat.Seq(rnd.IntN(100))
				mu.Unlock()
				switch what {
				case 0:
					_, _ = a.SetListEntry(t.Context(), p.ID, name, chat.ListEntryChange{Listed: new(false)})
				case 1, 2:
					a.AddToList(t.Context(), p.ID, name, true)
				case 3:
					_, _ = a.SetListEntry(t.Context(), p.ID, name, chat.ListEntryChange{Muted: new(seq%2 == 0)})
				case 4:
					who := chat.Who{Person: s.Person(), Network: nowhere}
					_, _ = a.Rename(t.Context(), who, fmt.Sprint("Ada ", seq), "")
				default:
					s.mark(a, name, seq, what == 5)
				}
			}
		})
	}
	busy.Wait()
	under.Wait()
	time.Sleep(time.Minute)
	synctest.Wait()
	want := map[chat.RoomName]toldEntry{}
	for name, e := range c.store.lists[p.ID] {
		want[name] = tell(&e)
	}
	stored, err := c.store.person(session)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range screens {
		if !maps.Equal(s.shown, want) {
			t.Errorf("connection %d shows %v, stored is %v", i, s.shown, want)
		}
		s.wantReaders(t, slices.Sorted(maps.Keys(want))...)
		if s.Person() != stored {
			t.Errorf("connection %d is %v, stored is %v", i, s.Person(), stored)
		}
	}
}

// A command that takes long keeps its own session, and nobody else's.
func TestSessionThatIsBusyDelaysNoOther(t *testing.T) {
	c := startCluster(t, 2)
	here, there := c.nodes[0], c.nodes[1]
	_, session := guest(t, here, "Ada")
	_, other := guest(t, here, "Grace")
	busy, _ := enter(t, there, session)
	_, told := enter(t, there, other)
	if !busy.Begin() {
		t.Fatal("the session has ended")
	}
	for _, s := range []string{session, other} {
		if err := here.EndSession(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	await.True(t, "the other session has ended", func() bool { return told.ended.Load() == 1 })
	busy.Done()
	await.True(t, "the busy one has ended", func() bool {
		if busy.Begin() {
			busy.Done()
			return false
		}
		return true
	})
}

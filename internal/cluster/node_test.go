package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/cluster"
	"parley/internal/cluster/clustertest"
)

// A listener is a node that records what its handlers are told. Its fields may be read after synctest.Wait.
type listener struct {
	*cluster.Node
	bus       *clustertest.Bus
	others    int // what the store says
	got       []string
	missed    []string
	joined    []cluster.NodeID
	left      []cluster.NodeID
	wasCutOff []bool // by second
	stop      func()
}

// startNode starts a node that handles all topics, until the test ends.
func startNode(t *testing.T, network *clustertest.Network, name string) *listener {
	t.Helper()
	bus := network.Bus()
	l := &listener{bus: bus}
	l.Node = cluster.New(bus, cluster.Config{
		Name: name, Others: func(context.Context) (int, error) { return l.others, nil },
	})
	for _, topic := range []cluster.Topic{cluster.Events, cluster.Person, cluster.Everybody} {
		l.Handle(topic, cluster.Handler{
			Receive: func(_ cluster.NodeID, key string, payload []byte) {
				l.got = append(l.got, fmt.Sprintf("%c %s %s", topic, key, payload))
			},
			Missed: func(_ cluster.NodeID, key string) {
				l.missed = append(l.missed, fmt.Sprintf("%c %s", topic, key))
			},
		})
	}
	l.Handle(cluster.Members, cluster.Handler{
		EachSecond: func(cut bool) { l.wasCutOff = append(l.wasCutOff, cut) },
		PeerJoined: func(id cluster.NodeID) { l.joined = append(l.joined, id) },
		PeerLeft:   func(id cluster.NodeID) { l.left = append(l.left, id) },
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	l.stop = func() {
		cancel()
		<-done
		done <- nil
	}
	t.Cleanup(l.stop)
	return l
}

// wait lets time pass in the bubble.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestMessageReachesTheNodesThatListenAndNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b, c := startNode(t, network, "a"), startNode(t, network, "b"), startNode(t, network, "c")
		wait(0) // until they run
		for _, key := range []string{"zażółć gęślą.*", ">", "a b"} {
			b.Listen(cluster.Events, key)
			a.Send(cluster.Events, key, []byte("1"))
		}
		a.Send(cluster.Person, "a b", []byte("of another topic"))
		a.Send(cluster.Everybody, "", []byte("all"))
		wait(10 * time.Second)
		want(t, "b got", b.got, "e zażółć gęślą.* 1", "e > 1", "e a b 1", "n  all")
		want(t, "c got", c.got, "n  all")
		want(t, "a got", a.got)
		want(t, "b missed", b.missed)
		want(t, "c missed", c.missed)
		if got, want := a.Counts(), (cluster.Counts{Sent: 5}); got != want {
			t.Errorf("a counts %+v, want %+v", got, want)
		}
	})
}

func TestLostLastMessageIsMissedOnceWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		b.Listen(cluster.Events, "lobby")
		b.Listen(cluster.Events, "quiet")
		a.Send(cluster.Events, "lobby", []byte("1"))
		wait(0)
		network.SetFaults(clustertest.Faults{Drop: 1, Only: clustertest.NoBeat})
		a.Send(cluster.Events, "lobby", []byte("2"))
		network.SetFaults(clustertest.Faults{})
		wait(time.Second)
		want(t, "missed after a second", b.missed, "e lobby")
		wait(20 * time.Second)
		want(t, "missed at the end", b.missed, "e lobby")
		a.Send(cluster.Events, "lobby", []byte("3"))
		wait(10 * time.Second)
		want(t, "got", b.got, "e lobby 1", "e lobby 3")
		want(t, "missed after one more", b.missed, "e lobby")
	})
}

func TestLostMessageIsMissedOnceWhenTheNextOneComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		b.Listen(cluster.Events, "lobby")
		a.Send(cluster.Events, "lobby", []byte("1"))
		network.SetFaults(clustertest.Faults{Drop: 1})
		a.Send(cluster.Events, "lobby", []byte("2"))
		network.SetFaults(clustertest.Faults{Double: 1})
		a.Send(cluster.Events, "lobby", []byte("3"))
		wait(0)
		want(t, "missed at once", b.missed, "e lobby")
		wait(10 * time.Second)
		want(t, "missed at the end", b.missed, "e lobby")
		want(t, "got", b.got, "e lobby 1", "e lobby 3")
	})
}

func TestTooLongMessageIsMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		b.Listen(cluster.Events, "lobby")
		long := strings.Repeat("x", cluster.MaxPayload)
		a.Send(cluster.Events, "lobby", []byte(long))
		a.Send(cluster.Events, "lobby", []byte(long+"x"))
		wait(10 * time.Second)
		want(t, "got", b.got, "e lobby "+long)
		want(t, "missed", b.missed, "e lobby")
	})
}

func TestPeersJoinAndLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b, c := startNode(t, network, "a"), startNode(t, network, "b"), startNode(t, network, "c")
		wait(2 * time.Second)
		if got := a.Peers(); len(got) != 2 {
			t.Fatalf("a has the peers %v", got)
		}
		a.Listen(cluster.Events, "lobby")
		b.stop()
		synctest.Wait()
		if !slices.Equal(a.left, []cluster.NodeID{b.ID()}) {
			t.Errorf("after b stopped, a was told that %v left", a.left)
		}
		want(t, "missed after a goodbye", a.missed)
		c.bus.SetCut(true) // as if it were killed
		wait(4 * time.Second)
		if len(a.left) != 1 {
			t.Errorf("a says after 4 s that %v left", a.left)
		}
		wait(2 * time.Second)
		if !slices.Equal(a.left, []cluster.NodeID{b.ID(), c.ID()}) || len(a.Peers()) != 0 {
			t.Errorf("after c was silent, a was told that %v left and has the peers %v", a.left, a.Peers())
		}
		slices.Sort(a.missed)
		want(t, "missed after silence", a.missed, "e lobby", "n ")
	})
}

func TestCutOffNodePollsAndReadsTheStoreWhenItHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		a.others, b.others = 1, 1
		b.Listen(cluster.Events, "lobby")
		wait(3 * time.Second)
		if slices.Contains(b.wasCutOff, true) {
			t.Errorf("cut off by second at the start: %v", b.wasCutOff)
		}
		b.bus.SetCut(true)
		wait(1100 * time.Millisecond)
		if !b.IsCutOff() || a.IsCutOff() {
			t.Errorf("after a second: b cut off %v, a cut off %v", b.IsCutOff(), a.IsCutOff())
		}
		wait(8 * time.Second)
		if !a.IsCutOff() {
			t.Error("a does not notice that the store knows of a node that it does not hear")
		}
		a.Send(cluster.Events, "lobby", []byte("lost"))
		wait(20 * time.Second)
		b.missed = nil
		b.bus.SetCut(false)
		wait(2100 * time.Millisecond)
		if a.IsCutOff() || b.IsCutOff() {
			t.Errorf("after healing: a cut off %v, b cut off %v", a.IsCutOff(), b.IsCutOff())
		}
		if !slices.Contains(b.missed, "e lobby") || !slices.Contains(b.missed, "n ") {
			t.Errorf("after healing b was told that it missed %q", b.missed)
		}
	})
}

func TestOneWayWallCutsOffWhoDoesNotHear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		a.others, b.others = 1, 1
		wait(3 * time.Second)
		network.Wall(a.bus, b.bus)
		wait(9 * time.Second)
		if a.IsCutOff() || !b.IsCutOff() {
			t.Errorf("a cut off %v, b cut off %v", a.IsCutOff(), b.IsCutOff())
		}
		network.RemoveWalls()
		wait(2 * time.Second)
		if b.IsCutOff() {
			t.Error("b is still cut off")
		}
	})
}

func TestIgnoredKeyIsNotReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		b.Listen(cluster.Events, "lobby")
		b.Listen(cluster.Events, "lobby")
		b.Ignore(cluster.Events, "lobby")
		a.Send(cluster.Events, "lobby", []byte("1"))
		wait(0)
		b.Ignore(cluster.Events, "lobby")
		b.Ignore(cluster.Events, "lobby")
		a.Send(cluster.Events, "lobby", []byte("2"))
		wait(3 * time.Second)
		b.Listen(cluster.Events, "lobby")
		wait(3 * time.Second)
		want(t, "got", b.got, "e lobby 1")
		want(t, "missed", b.missed, "e lobby") // it may have been sent after Listen
	})
}

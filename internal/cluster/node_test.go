package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/cluster"
	"parley/internal/cluster/clustertest"
)

// A listener is a node that records what its handlers are told.
type listener struct {
	*cluster.Node
	bus    *clustertest.Bus
	others atomic.Int64 // what the store says
	stop   func()

	mu sync.Mutex
	record
}

// A record is what a node's handlers were told.
type record struct {
	got, missed  []string
	joined, left []cluster.NodeID
	polls        []bool // by second
}

// told returns what the handlers were told since the last call.
func (l *listener) told() record {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.record
	l.record = record{}
	return r
}

// startNode starts a node that handles all topics, until the test ends. The handlers of more are for members of a room.
func startNode(
	t *testing.T, network *clustertest.Network, name string, more ...cluster.Handler,
) *listener {
	t.Helper()
	bus := network.Bus()
	l := &listener{bus: bus}
	l.Node = cluster.New(bus, cluster.Config{
		Name: name, Others: func(context.Context) (int, error) { return int(l.others.Load()), nil },
	})
	note := func(do func()) {
		l.mu.Lock()
		defer l.mu.Unlock()
		do()
	}
	for _, topic := range []cluster.Topic{cluster.Events, cluster.Person, cluster.Everybody} {
		l.Handle(topic, cluster.Handler{
			Receive: func(_ cluster.NodeID, key string, payload []byte) {
				note(func() { l.got = append(l.got, fmt.Sprintf("%c %s %s", topic, key, payload)) })
			},
			Missed: func(_ cluster.NodeID, key string) {
				note(func() { l.missed = append(l.missed, fmt.Sprintf("%c %s", topic, key)) })
			},
		})
	}
	l.Handle(cluster.Members, cluster.Handler{
		EachSecond: func(poll bool) { note(func() { l.polls = append(l.polls, poll) }) },
		PeerJoined: func(id cluster.NodeID) { note(func() { l.joined = append(l.joined, id) }) },
		PeerLeft:   func(id cluster.NodeID) { note(func() { l.left = append(l.left, id) }) },
	})
	for _, h := range more {
		l.Handle(cluster.Members, h)
		l.Listen(cluster.Members, "lobby")
	}
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
		gotA, gotB, gotC := a.told(), b.told(), c.told()
		want(t, "b got", gotB.got, "e zażółć gęślą.* 1", "e > 1", "e a b 1", "n  all")
		want(t, "c got", gotC.got, "n  all")
		want(t, "a got", gotA.got)
		want(t, "missed", slices.Concat(gotA.missed, gotB.missed, gotC.missed))
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
		want(t, "missed within a second", b.told().missed, "e lobby")
		wait(20 * time.Second)
		want(t, "missed later", b.told().missed)
		a.Send(cluster.Events, "lobby", []byte("3"))
		wait(10 * time.Second)
		told := b.told()
		want(t, "got", told.got, "e lobby 3")
		want(t, "missed after one more", told.missed)
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
		told := b.told()
		want(t, "missed at once", told.missed, "e lobby")
		want(t, "got", told.got, "e lobby 1", "e lobby 3")
		wait(10 * time.Second)
		want(t, "missed later", b.told().missed)
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
		told := b.told()
		want(t, "got", told.got, "e lobby "+long)
		want(t, "missed", told.missed, "e lobby")
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
		told := a.told()
		if !slices.Equal(told.left, []cluster.NodeID{b.ID()}) || len(told.joined) != 2 {
			t.Errorf("after b stopped, a was told that %v joined and %v left", told.joined, told.left)
		}
		want(t, "missed after a goodbye", told.missed)
		c.bus.SetCut(true) // as if it were killed
		wait(4 * time.Second)
		if left := a.told().left; len(left) != 0 {
			t.Errorf("a says after 4 s that %v left", left)
		}
		wait(2 * time.Second)
		told = a.told()
		if !slices.Equal(told.left, []cluster.NodeID{c.ID()}) || len(a.Peers()) != 0 {
			t.Errorf("after c was silent, a was told that %v left and has the peers %v", told.left, a.Peers())
		}
		slices.Sort(told.missed)
		want(t, "missed after silence", told.missed, "e lobby", "n ")
	})
}

// Without the memory of its goodbye such a node would look like a new one, of which everything counts as missed when it
// stays silent.
func TestLateMessageOfANodeThatHasEndedIsReceivedAndNothingMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		a.Listen(cluster.Events, "lobby")
		b.Send(cluster.Events, "lobby", []byte("before"))
		wait(2 * time.Second)
		b.stop()
		b.Send(cluster.Events, "lobby", []byte("after"))
		b.Send(cluster.Events, "quiet", []byte("nobody listens"))
		wait(20 * time.Second)
		told := a.told()
		want(t, "got", told.got, "e lobby before", "e lobby after")
		want(t, "missed", told.missed)
		if len(told.joined) != 1 || len(told.left) != 1 {
			t.Errorf("told that %v joined and %v left", told.joined, told.left)
		}
	})
}

// The last beat of a node may come after its goodbye.
func TestLateBeatDoesNotBringANodeBack(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			network := clustertest.New(seed)
			a, b := startNode(t, network, "a"), startNode(t, network, "b")
			wait(1500 * time.Millisecond)
			a.told()
			network.SetFaults(clustertest.Faults{Delay: time.Second})
			wait(5 * time.Second)
			b.stop()
			network.SetFaults(clustertest.Faults{})
			wait(20 * time.Second)
			told := a.told()
			want(t, "missed", told.missed)
			if len(told.joined) > 0 || len(told.left) != 1 {
				t.Errorf("told that %v joined and %v left", told.joined, told.left)
			}
		})
	}
}

func TestCutOffNodePollsAndReadsTheStoreWhenItHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		a.others.Store(1)
		b.others.Store(1)
		b.Listen(cluster.Events, "lobby")
		wait(4 * time.Second)
		// The first beat of a may have come before b listened, and the second one with the first tick of b. Then b
		// polls once more when it hears a.
		if polls := b.told().polls; len(polls) < 4 || slices.Contains(polls[2:], true) {
			t.Errorf("polls by second at the start: %v", polls)
		}
		b.bus.SetCut(true)
		wait(1100 * time.Millisecond)
		if !b.IsCutOff() || a.IsCutOff() {
			t.Errorf("after a second: b cut off %v, a cut off %v", b.IsCutOff(), a.IsCutOff())
		}
		wait(3 * time.Second)
		if polls := a.told().polls; polls[len(polls)-1] != true {
			t.Errorf("when beats are late, a polls by second: %v", polls)
		}
		wait(8 * time.Second)
		if !a.IsCutOff() {
			t.Error("a does not notice that the store knows of a node that it does not hear")
		}
		a.Send(cluster.Events, "lobby", []byte("lost"))
		wait(20 * time.Second)
		if polls := b.told().polls; slices.Contains(polls, false) {
			t.Errorf("polls by second while cut off: %v", polls)
		}
		b.bus.SetCut(false)
		wait(2100 * time.Millisecond)
		if a.IsCutOff() || b.IsCutOff() {
			t.Errorf("after healing: a cut off %v, b cut off %v", a.IsCutOff(), b.IsCutOff())
		}
		if missed := b.told().missed; !slices.Contains(missed, "e lobby") || !slices.Contains(missed, "n ") {
			t.Errorf("after healing b was told that it missed %q", missed)
		}
	})
}

// What happens just after a beat must be found within two seconds, even if nothing comes any more.
func TestLateBeatsMakeANodePollInLessThanTwoSeconds(t *testing.T) {
	for after := time.Millisecond; after < time.Second; after += 100 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			network := clustertest.New(1)
			a, b := startNode(t, network, "a"), startNode(t, network, "b")
			a.others.Store(1)
			b.others.Store(1)
			wait(5*time.Second + after)
			a.told()
			network.SetFaults(clustertest.Faults{Drop: 1})
			wait(1900 * time.Millisecond)
			told := a.told()
			if !slices.Contains(told.polls, true) || len(told.polls) > 3 {
				t.Errorf("silence %v after a beat, then polls: %v", after, told.polls)
			}
		})
	}
}

// A node that has lost the database may have stored something that it cannot tell.
func TestNodeOfWhichOnlyTheBusKnowsMakesOthersPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		a.others.Store(1)
		b.others.Store(1)
		wait(5 * time.Second)
		a.told()
		wait(5 * time.Second)
		if polls := a.told().polls; slices.Contains(polls, true) {
			t.Errorf("polls by second while the store knows of all: %v", polls)
		}
		a.others.Store(0)
		wait(10 * time.Second)
		told := a.told()
		if !slices.Equal(told.polls[2:], slices.Repeat([]bool{true}, 8)) || a.IsCutOff() {
			t.Errorf("polls by second: %v, cut off %v", told.polls, a.IsCutOff())
		}
		a.others.Store(1)
		wait(5 * time.Second)
		if polls := a.told().polls; slices.Contains(polls[2:], true) {
			t.Errorf("polls by second afterwards: %v", polls)
		}
	})
}

// Everybody's list and every room would be read from the store if everything counted as missed.
func TestNodesThatComeAndGoMakeOthersMissOnlyWhatCanBeLost(t *testing.T) {
	const keys = 1000
	tests := map[string]struct {
		do   func(t *testing.T, network *clustertest.Network, setOthers func(int64))
		want uint64 // calls of Missed
	}{
		"joins after the store knows of it": {
			do: func(t *testing.T, network *clustertest.Network, setOthers func(int64)) {
				setOthers(2)
				wait(1500 * time.Millisecond)
				startNode(t, network, "c").others.Store(2)
			},
		},
		"says goodbye before the store forgets it": {
			do: func(t *testing.T, network *clustertest.Network, setOthers func(int64)) {
				setOthers(2)
				c := startNode(t, network, "c")
				c.others.Store(2)
				wait(5 * time.Second)
				c.stop()
				wait(2 * time.Second)
				setOthers(1)
			},
		},
		"is killed": {
			do: func(t *testing.T, network *clustertest.Network, setOthers func(int64)) {
				setOthers(2)
				c := startNode(t, network, "c")
				c.others.Store(2)
				wait(5 * time.Second)
				c.bus.SetCut(true)
				wait(6500 * time.Millisecond)
				setOthers(1)
			},
			want: keys + 1,
		},
		"was never heard": {
			do: func(_ *testing.T, _ *clustertest.Network, setOthers func(int64)) {
				setOthers(2)
				wait(3 * time.Second)
				setOthers(1)
			},
			want: keys + 1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := clustertest.New(1)
				a, b := startNode(t, network, "a"), startNode(t, network, "b")
				setOthers := func(n int64) {
					a.others.Store(n)
					b.others.Store(n)
				}
				setOthers(1)
				for i := range keys {
					a.Listen(cluster.Person, strconv.Itoa(i))
				}
				wait(20 * time.Second)
				before := a.Counts().Missed
				tt.do(t, network, setOthers)
				wait(20 * time.Second)
				if got := a.Counts().Missed - before; got != tt.want {
					t.Errorf("%d calls of Missed, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestOneWayWallCutsOffWhoDoesNotHear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		a.others.Store(1)
		b.others.Store(1)
		wait(3 * time.Second)
		network.Wall(a.bus, b.bus)
		wait(11 * time.Second)
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

func TestKilledNodeThatTheStoreStillKnowsCutsNobodyOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		a.others.Store(1)
		wait(3 * time.Second)
		b.bus.SetCut(true)
		for second := range 20 {
			wait(time.Second)
			if second == 5 {
				a.others.Store(0)
			}
			if a.IsCutOff() {
				t.Fatalf("cut off after %d s", second)
			}
		}
		polls := a.told().polls
		if !slices.Contains(polls, true) || polls[len(polls)-1] {
			t.Errorf("polls by second: %v", polls)
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
		told := b.told()
		want(t, "got", told.got, "e lobby 1")
		want(t, "missed", told.missed, "e lobby") // it may have been sent after Listen
	})
}

func TestFrozenNodeDoesNotTakeItsOwnPauseForTheSilenceOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a := startNode(t, network, "a")
		startNode(t, network, "b")
		var frozen atomic.Bool
		c := startNode(t, network, "c", cluster.Handler{Receive: func(cluster.NodeID, string, []byte) {
			time.Sleep(20 * time.Second)
			frozen.Store(true)
		}})
		wait(2 * time.Second)
		a.Send(cluster.Members, "lobby", nil)
		wait(30 * time.Second)
		if left := c.told().left; !frozen.Load() || len(left) > 0 || len(c.Peers()) != 2 {
			t.Errorf("frozen %v, then told that %v left, peers %v", frozen.Load(), left, c.Peers())
		}
	})
}

func TestManyKeysAreListedInPartsAndTooManyAreAllMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		a, b := startNode(t, network, "a"), startNode(t, network, "b")
		b.Listen(cluster.Person, "9999")
		b.Listen(cluster.Events, "lobby")
		wait(2 * time.Second)
		network.SetFaults(clustertest.Faults{Drop: 1, Only: clustertest.NoBeat})
		for i := range 10_000 {
			a.Send(cluster.Person, strconv.Itoa(i), nil)
		}
		wait(time.Second)
		want(t, "missed of 10,000 keys", b.told().missed, "p 9999")
		for i := range 120_000 {
			a.Send(cluster.Person, strconv.Itoa(10_000+i), nil)
		}
		wait(time.Second)
		missed := b.told().missed
		slices.Sort(missed)
		want(t, "missed of too many keys", missed, "e lobby", "n ", "p 9999")
		wait(10 * time.Second)
		if told := b.told(); len(told.missed) != 0 || len(told.left) != 0 {
			t.Errorf("later b was told that it missed %q and that %v left", told.missed, told.left)
		}
	})
}

func TestWhatIsNoFrameIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		b := startNode(t, network, "b")
		b.Listen(cluster.Events, "lobby")
		stranger := network.Bus()
		for _, payload := range []string{
			"", "x", "\x01m", "\x01m\xff\xff\xff\xff\x0fa", "\x02m\x01a\x01\x00later version",
			"\x01m\x00\x01\x00nobody",
			"\x01b\x01a\x01\x00\x00\x01\x7fcut", "\x01?\x01a\x01\x00",
		} {
			for _, subject := range []string{"b", "e.bG9iYnk", "n"} {
				stranger.Publish(subject, []byte(payload))
			}
		}
		wait(20 * time.Second)
		want(t, "got", b.told().got)
		if len(b.Peers()) != 0 {
			t.Errorf("peers: %v", b.Peers())
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x01b\x01a\x01\x00\x00\x01\x07e.bG9iYnk\x05"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		synctest.Test(t, func(t *testing.T) {
			network := clustertest.New(1)
			b := startNode(t, network, "b")
			wait(0)
			stranger := network.Bus()
			for _, subject := range []string{"b", "n"} {
				stranger.Publish(subject, payload)
			}
			wait(6 * time.Second)
			if len(b.Peers()) != 0 {
				t.Errorf("a peer that sent one beat is still there: %v", b.Peers())
			}
		})
	})
}

func TestShortCutOffIsHealedByReadingEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.New(1)
		startNode(t, network, "a")
		b := startNode(t, network, "b")
		b.Listen(cluster.Events, "lobby")
		wait(2500 * time.Millisecond)
		b.told()
		b.bus.SetCut(true)
		wait(time.Second)
		want(t, "missed while cut off", b.told().missed)
		b.bus.SetCut(false)
		wait(time.Second)
		told := b.told()
		slices.Sort(told.missed)
		want(t, "missed after healing", told.missed, "e lobby", "n ")
		if len(told.left) > 0 {
			t.Errorf("left: %v", told.left)
		}
	})
}

package room

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// presenceOf describes what a sink was told of presence, one word per change.
func presenceOf(s *slate) string {
	var told []string
	for _, l := range s.ephemerals() {
		switch c := l.Change; {
		case l.Kind != chat.Presence:
		case c.Joined != nil:
			told = append(told, fmt.Sprintf("+%s/%d", c.Joined.Name, c.Count))
		case c.Left != nil:
			told = append(told, fmt.Sprintf("-%s/%d", c.Left.Name, c.Count))
		case c.Here != nil:
			told = append(told, fmt.Sprintf("list/%d", c.Count))
		default:
			told = append(told, fmt.Sprintf("count/%d", c.Count))
		}
	}
	return strings.Join(told, " ")
}

// grace is Hubs' LeaveGrace by default.
const leaveGrace = 3 * time.Second

// Two watchers, one on each node, are told the same: whatever Grace and others do on either node.
func TestMembersOfAllNodesAreOneList(t *testing.T) {
	hopper := chat.Person{ID: grace.ID, Name: "Hopper"}
	tests := map[string]struct {
		do   func(c *cluster)
		want string
	}{
		"joins and leaves": {
			do: func(c *cluster) {
				rd, _ := c.nodes[0].join(&grace, newSlate())
				settle(time.Minute)
				rd.Leave()
			},
			want: "+Grace/2 -Grace/1",
		},
		"leaves as the last reader of her node": {
			do: func(c *cluster) {
				rd, _ := c.nodes[2].join(&grace, newSlate())
				settle(time.Second)
				rd.Leave()
			},
			want: "+Grace/2 -Grace/1",
		},
		"reloads the only page of her node": {
			do: func(c *cluster) {
				rd, _ := c.nodes[2].join(&grace, newSlate())
				for range 5 {
					settle(time.Minute)
					rd.Leave()
					settle(leaveGrace / 2)
					rd, _ = c.nodes[2].join(&grace, newSlate())
				}
			},
			want: "+Grace/2",
		},
		"has a tab on two nodes and closes one": {
			do: func(c *cluster) {
				rd1, _ := c.nodes[0].join(&grace, newSlate())
				settle(time.Second)
				rd2, _ := c.nodes[1].join(&grace, newSlate())
				settle(time.Second)
				rd1.Leave()
				settle(time.Minute)
				rd2.Leave()
			},
			want: "+Grace/2 -Grace/1",
		},
		"moves to another node": {
			do: func(c *cluster) {
				rd, _ := c.nodes[0].join(&grace, newSlate())
				for i := range 6 {
					settle(time.Second)
					rd.Leave()
					settle(leaveGrace - time.Second)
					rd, _ = c.nodes[(i+1)%3].join(&grace, newSlate())
				}
			},
			want: "+Grace/2",
		},
		"goes away for longer than the grace": {
			do: func(c *cluster) {
				rd, _ := c.nodes[0].join(&grace, newSlate())
				settle(time.Second)
				rd.Leave()
				settle(leaveGrace + time.Second)
				c.nodes[1].join(&grace, newSlate())
			},
			want: "+Grace/2 -Grace/1 +Grace/2",
		},
		"takes another name": {
			do: func(c *cluster) {
				c.nodes[2].join(&grace, newSlate())
				settle(time.Second)
				c.nodes[2].Rename(hopper)
				settle(time.Second)
			},
			want: "+Grace/2 +Hopper/2",
		},
		"takes another name with a tab on two nodes, which are told one after the other": {
			do: func(c *cluster) {
				c.nodes[2].join(&grace, newSlate())
				settle(time.Second)
				c.nodes[0].join(&grace, newSlate())
				settle(time.Second)
				c.nodes[2].Rename(hopper)
				settle(time.Second)
				c.nodes[0].Rename(hopper)
			},
			want: "+Grace/2 +Hopper/2",
		},
		"comes to another node, which does not know her new name yet": {
			do: func(c *cluster) {
				c.nodes[2].join(&hopper, newSlate())
				settle(time.Second)
				c.nodes[0].join(&grace, newSlate())
				settle(time.Second)
				c.nodes[0].Rename(hopper)
				settle(time.Minute)
			},
			want: "+Hopper/2 +Grace/2 +Hopper/2",
		},
		"comes with a new name to another node, before the first one knows it": {
			do: func(c *cluster) {
				c.nodes[2].join(&grace, newSlate())
				settle(time.Second)
				c.nodes[0].Rename(hopper)
				c.nodes[0].join(&hopper, newSlate())
				settle(time.Second)
				c.nodes[2].Rename(hopper)
				settle(time.Minute)
			},
			want: "+Grace/2 +Hopper/2",
		},
		"leaves the node that has her old name": {
			do: func(c *cluster) {
				rd, _ := c.nodes[2].join(&grace, newSlate())
				settle(time.Second)
				c.nodes[0].join(&hopper, newSlate())
				rd.Leave()
				settle(time.Minute)
			},
			want: "+Grace/2 +Hopper/2",
		},
		"is on a node that dies": {
			do: func(c *cluster) {
				c.nodes[2].join(&grace, newSlate())
				settle(time.Second)
				c.nodes[2].cutOff(true)
				for _, n := range c.nodes[:2] {
					n.NodeLeft(c.nodes[2].id)
					n.NodeLeft(c.nodes[2].id)
				}
			},
			want: "+Grace/2 -Grace/1",
		},
		"comes from a node that dies to another": {
			do: func(c *cluster) {
				c.nodes[2].join(&grace, newSlate())
				settle(time.Second)
				c.nodes[2].cutOff(true)
				for _, n := range c.nodes[:2] {
					n.NodeLeft(c.nodes[2].id)
				}
				settle(leaveGrace / 2)
				c.nodes[1].join(&grace, newSlate())
			},
			want: "+Grace/2",
		},
		"is on a node that was silent for a moment": {
			do: func(c *cluster) {
				c.nodes[2].join(&grace, newSlate())
				settle(time.Second)
				for _, n := range c.nodes[:2] {
					n.NodeLeft(c.nodes[2].id)
				}
				settle(leaveGrace / 2)
				for _, n := range c.nodes[:2] {
					n.NodeBack(c.nodes[2].id)
				}
			},
			want: "+Grace/2",
		},
		"is on a node that was cut off": {
			do: func(c *cluster) {
				c.nodes[2].join(&grace, newSlate())
				settle(time.Second)
				c.nodes[2].cutOff(true)
				for _, n := range c.nodes[:2] {
					n.NodeLeft(c.nodes[2].id)
				}
				settle(time.Minute)
				c.nodes[2].Rename(hopper)
				settle(time.Minute)
				c.nodes[2].cutOff(false)
				for _, n := range c.nodes[:2] {
					n.SetMembers("lobby", c.nodes[2].id, c.nodes[2].OwnMembers("lobby")) // when asked again
				}
			},
			want: "+Grace/2 -Grace/1 +Hopper/2",
		},
		"what is told of her is lost": {
			do: func(c *cluster) {
				c.setFate(lose)
				c.nodes[0].join(&grace, newSlate())
				c.nodes[1].join(&grace, newSlate())
			},
			want: "+Grace/2",
		},
		"what is told of her comes late and twice": {
			do: func(c *cluster) {
				delay := 3
				c.setFate(func() fate {
					delay = delay * 7 % 11 // the later may come first
					return fate{copies: 2, delay: time.Duration(delay) * 100 * time.Millisecond}
				})
				rd, _ := c.nodes[2].join(&grace, newSlate())
				settle(10 * time.Second)
				c.nodes[2].Rename(hopper)
				settle(200 * time.Millisecond)
				c.nodes[2].Rename(grace)
				settle(200 * time.Millisecond)
				c.nodes[2].Rename(hopper)
				settle(10 * time.Second)
				rd.Leave()
			},
		},
		"joins a room of which nobody here knows": {
			do: func(c *cluster) {
				var found JoinResult
				j := JoinRequest{Member: true, Sink: newSlate(), Encoder: lines{}}
				_, err := c.nodes[2].Join(c.t.Context(), by(&grace), "lobby", j, func(r JoinResult) { found = r })
				if err != nil || found.Count != 2 || !slices.Contains(found.Here, ada) {
					c.t.Errorf("%+v, %v", found, err)
				}
			},
			want: "+Grace/2",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 3, Config{LeaveGrace: leaveGrace}, func(t *testing.T, c *cluster) {
				var watchers []*slate
				for _, n := range c.nodes[:2] {
					s := newSlate()
					n.join(&ada, s)
					watchers = append(watchers, s)
				}
				settle(time.Second)
				tt.do(c)
				settle(time.Minute)
				for i, s := range watchers {
					got := presenceOf(s)
					if tt.want != "" && got != tt.want {
						t.Errorf("node %d was told %s, want %s", i, got, tt.want)
					}
					if tt.want == "" && (!strings.HasPrefix(got, "+") || !strings.HasSuffix(got, "/1") ||
						strings.Count(got, "-") != 1 || strings.Contains(got, "/3")) {
						t.Errorf("node %d was told %s", i, got)
					}
				}
				if len(c.nodes[0].nodes.gone) != 0 {
					t.Errorf("nodes are still awaited: %v", c.nodes[0].nodes.gone)
				}
			})
		})
	}
}

// A person leaves a node within the last moment of the grace, and comes back to another: that node is the first to say
// so, and says it at once.
func TestMoveInTheLastMomentIsNoDeparture(t *testing.T) {
	inCluster(t, 2, Config{LeaveGrace: leaveGrace}, func(t *testing.T, c *cluster) {
		s := newSlate()
		c.nodes[0].join(&ada, s)
		rd, _ := c.nodes[0].join(&grace, newSlate())
		settle(time.Second)
		rd.Leave()
		settle(leaveGrace - time.Millisecond)
		c.nodes[1].join(&grace, newSlate())
		settle(time.Minute)
		if got := presenceOf(s); got != "+Grace/2" {
			t.Errorf("told %s", got)
		}
	})
}

func TestLargeRoomsOfSeveralNodesAreCounted(t *testing.T) {
	inCluster(t, 2, Config{LeaveGrace: leaveGrace}, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		watchers := []*slate{newSlate(), newSlate()}
		a.join(&ada, watchers[0])
		b.join(&grace, watchers[1])
		var readers []*Reader
		join := func(n *testNode, from, to int) {
			for i := from; i < to; i++ {
				p := guest(i)
				rd, _ := n.join(&p, newSlate())
				readers = append(readers, rd)
			}
			settle(5 * time.Second)
		}
		last := func() *chat.PresenceChange {
			var all []*chat.PresenceChange
			for _, s := range watchers {
				got := s.ephemerals()
				all = append(all, got[len(got)-1].Change)
			}
			if all[0].Count != all[1].Count {
				t.Errorf("the nodes were told %+v and %+v", all[0], all[1])
			}
			return all[0]
		}
		join(a, 0, 49)
		join(b, 49, 98)
		if c := last(); c.Count != 100 || c.Joined == nil {
			t.Errorf("100 members: %+v", c)
		}
		join(b, 98, 99)
		if c := last(); c.Count != 101 || c.Joined != nil {
			t.Errorf("101 members: %+v", c)
		}
		join(a, 99, 300) // more than one node lists
		if c := last(); c.Count != 302 {
			t.Errorf("302 members: %+v", c)
		}
		_, _, here, err := b.State(t.Context(), nobody, "lobby")
		if err != nil || here != 302 {
			t.Errorf("here are %d, %v", here, err)
		}
		if m := a.OwnMembers("lobby"); m.People != nil || m.Count != 251 {
			t.Errorf("own members: %+v", m)
		}
		if got := a.Stats().Members + b.Stats().Members; got != 302 {
			t.Errorf("the nodes count %d members of their own", got)
		}
		for _, rd := range readers[49:] {
			rd.Leave()
		}
		settle(10 * time.Second)
		if c := last(); c.Count != 51 {
			t.Errorf("51 members: %+v", c)
		}
		for i, s := range watchers {
			if lists := strings.Count(presenceOf(s), "list/"); lists != 1 {
				t.Errorf("node %d: %d lists as the room shrank", i, lists)
			}
		}
		rd, found := b.join(&ada, newSlate())
		if found.Count != 51 || len(found.Here) != 51 {
			t.Errorf("joined = %+v", found)
		}
		rd.Leave()
	})
}

func TestTypingIsShownOnAllNodesAndNotTooOften(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		s := newSlate()
		c.nodes[0].join(&ada, s)
		rd, _ := c.nodes[1].join(&grace, newSlate())
		for range 30 {
			rd.Typing()
			settle(100 * time.Millisecond)
		}
		typed := 0
		for _, l := range s.ephemerals() {
			if l.Kind == chat.Typing && l.From == grace.Name {
				typed++
			}
		}
		if typed != 2 {
			t.Errorf("told %d times in three seconds, want 2", typed)
		}
	})
}

func TestHereMentionsTheMembersOfAllNodes(t *testing.T) {
	inCluster(t, 3, Config{}, func(t *testing.T, c *cluster) {
		c.nodes[0].join(&ada, newSlate())
		c.nodes[1].join(&grace, newSlate())
		c.nodes[1].join(&ada, newSlate())
		settle(time.Second)
		for i, n := range c.nodes { // the third one has nobody in the room
			last := &lastDraft{Log: n.Hub.log}
			n.Hub.log = last
			asked := n.asked
			n.say(ada, "no mention")
			if n.asked != asked {
				t.Errorf("node %d asks for nothing", i)
			}
			n.say(ada, "@here lunch")
			synctest.Wait()
			x := last.draft.Attrs
			if x == nil || !x.Here || len(x.Present) != 2 ||
				!slices.Contains(x.Present, ada.ID) || !slices.Contains(x.Present, grace.ID) {
				t.Errorf("node %d: %+v", i, x)
			}
			if _, _, here, err := n.State(t.Context(), nobody, "lobby"); err != nil || here != 2 {
				t.Errorf("node %d: %d are here, %v", i, here, err)
			}
			if _, _, here, err := n.State(t.Context(), nobody, "empty"); err != nil || here != 0 {
				t.Errorf("node %d: %d are in an empty room, %v", i, here, err)
			}
		}
	})
}

// A lastDraft is a log that knows the draft it got last.
type lastDraft struct {
	Log
	draft chat.Draft
}

func (l *lastDraft) Append(d chat.Draft, done func(chat.Commit)) {
	l.draft = d
	l.Log.Append(d, done)
}

// A room of a cluster leaves memory after its last member, and not before.
func TestRoomLeavesMemoryWithItsLastMember(t *testing.T) {
	inCluster(t, 2, Config{LeaveGrace: leaveGrace}, func(t *testing.T, c *cluster) {
		n := c.nodes[0]
		rd1, _ := n.join(&ada, newSlate())
		rd2, _ := n.join(nil, newSlate())
		rd2.BecomeMember(grace)
		rd2.BecomeMember(ada)
		rd1.Leave()
		rd2.Leave()
		settle(leaveGrace / 2)
		rd3, _ := n.join(&ada, newSlate())
		rd3.Leave()
		settle(leaveGrace - time.Second)
		if s := n.Stats(); s.Rooms != 1 || s.Members != 1 || s.Readers != 0 {
			t.Errorf("in the grace: %+v", s)
		}
		settle(2 * time.Second)
		if s := n.Stats(); s.Rooms != 0 || s.Members != 0 || n.listens("lobby") {
			t.Errorf("after the grace: %+v", s)
		}
		if m := n.OwnMembers("lobby"); m.Count != 0 || m.Version == 0 {
			t.Errorf("%+v", m)
		}
		// A join that panics on its way leaves nothing behind.
		j := JoinRequest{Member: true, Sink: newSlate(), Encoder: lines{}}
		func() {
			defer func() { recover() }()
			n.Join(context.Background(), by(&ada), "lobby", j, func(JoinResult) { panic("a mistake") })
		}()
		settle(time.Minute)
		if s := n.Stats(); s.Rooms != 0 || s.Members != 0 || s.Readers != 0 {
			t.Errorf("after a panic: %+v", s)
		}
	})
}

// What a node has left undone that is no more, another one does.
func TestCopiesThatAnotherNodeHasNotDeletedAreDeletedWithinAMinute(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		settle(time.Second)
		post := func(d chat.Draft) {
			t.Helper()
			d.From = ada
			done := make(chan error, 1)
			c.log.Append(d, func(c chat.Commit) { done <- c.Err }) // by a node that dies before it does more
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		post(chat.Draft{Room: "lobby", Text: "secret"})
		copied, err := c.nodes[0].Forward(t.Context(), by(&ada), chat.Draft{Room: "garden", From: ada}, "lobby", 1)
		if err != nil {
			t.Fatal(err)
		}
		post(copied)
		post(chat.Draft{Room: "lobby", Kind: chat.Delete, Target: 1})
		settle(time.Second)
		if e := c.log.Events("garden"); len(e) != 1 {
			t.Errorf("%+v", e)
		}
		settle(copiesLook)
		if e := c.log.Events("garden"); len(e) < 2 || e[0].Text != "" {
			t.Errorf("%+v", e)
		}
	})
}

// Alone, a hub waits for nobody, and its rooms leave memory with their last reader.
func TestHubWithoutOthersAsksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := storetest.NewMemory(store.Config{})
		h := New(log, log, "epoch", Config{})
		b := &bench{h, t, nil}
		rd, _ := b.join(&ada, newSlate())
		if _, _, here, err := h.State(t.Context(), nobody, "lobby"); here != 1 || err != nil {
			t.Errorf("%d are here, %v", here, err)
		}
		rd.Leave()
		if s := h.Stats(); s.Rooms != 0 || s.Members != 0 {
			t.Errorf("%+v", s)
		}
	})
}

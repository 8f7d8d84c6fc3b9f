package room

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/internal/chat"
)

// The main promise, with several nodes: whatever they post and whatever becomes of what they tell each other, each
// reader gets all events from its first one on, once and in order, and each sender is answered first.
func TestAnyInterleavingOfNodesGivesEveryReaderARun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fates := rapid.SliceOfN(rapid.Custom(drawFate), 1, 20).Draw(rt, "fates")
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 40).Draw(rt, "steps")
		late := rapid.SliceOfN(rapid.IntRange(0, 40), 3, 3).Draw(rt, "late")
		var failures []string
		inCluster(t, 3, Config{StallTimeout: time.Hour}, func(t *testing.T, c *cluster) {
			next := 0
			c.setFate(func() fate {
				next++
				return fates[next%len(fates)]
			})
			for i, n := range c.nodes {
				n.lateBy = time.Duration(late[i]) * time.Millisecond
			}
			m := &clusterModel{c: c}
			for _, n := range c.nodes[1:] { // the room opens and closes on the first
				m.join(n, ada, 0)
			}
			m.first = m.readers
			for _, s := range steps {
				m.do(s)
			}
			m.check()
			failures = m.failures
		})
		if len(failures) > 0 {
			rt.Fatal(strings.Join(failures, "\n"))
		}
	})
}

func drawFate(t *rapid.T) fate {
	return fate{
		copies: rapid.IntRange(0, 2).Draw(t, "copies"),
		delay:  time.Duration(rapid.SampledFrom([]int{0, 0, 1, 5, 19, 21, 300}).Draw(t, "delay")) * time.Millisecond,
	}
}

type clusterModel struct {
	c       *cluster
	posted  chat.Seq
	readers []*modelReader
	first   []*modelReader // those who were there before anything was posted

	mu       sync.Mutex
	failures []string
}

func (m *clusterModel) fail(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failures = append(m.failures, fmt.Sprintf(format, args...))
}

func (m *clusterModel) do(s step) {
	n := m.c.nodes[s.who%len(m.c.nodes)]
	switch s.what {
	case 0, 1:
		head, _, _ := m.c.log.Head(m.c.t.Context(), "lobby")
		m.join(n, guest(s.who), max(0, head-chat.Seq(s.n)))
	case 2:
		if len(m.readers) > 0 {
			r := m.readers[s.n%len(m.readers)]
			if !r.left {
				r.Leave()
				r.left = true
			}
		}
	case 3:
		if len(m.readers) > 0 {
			m.readers[s.n%len(m.readers)].s.take(s.n)
		}
	case 4:
		n.cutOff(s.n%2 == 0)
	case 5:
		n.Poll()
	case 6:
		settle(time.Duration(s.n) * time.Millisecond)
	default:
		for i := range s.n%20 + 1 {
			m.post(n, fmt.Sprint(i), guest(s.who))
		}
	}
}

func (m *clusterModel) join(n *testNode, p chat.Person, after chat.Seq) {
	r := &modelReader{s: newSlate(), first: after + 1}
	r.Reader, _ = n.join(&p, r.s, after)
	m.readers = append(m.readers, r)
}

// post sends a text, and checks that nobody on that node has its event before the sender is answered.
func (m *clusterModel) post(n *testNode, text string, from chat.Person) {
	m.posted++
	err := n.Post(chat.Draft{Room: "lobby", From: from, Text: text}, func(c chat.Commit) {
		for _, r := range m.first {
			if r.hub != n.Hub {
				continue
			}
			if got := r.s.messages(); len(got) > 0 && got[len(got)-1].Seq >= c.Event.Seq {
				m.fail("a reader has %d before its sender is answered", c.Event.Seq)
			}
		}
	})
	if err != nil {
		m.c.t.Fatal(err)
	}
}

func (m *clusterModel) check() {
	for _, n := range m.c.nodes {
		n.cutOff(false)
	}
	for _, r := range m.readers {
		if !r.left {
			r.s.take(-1)
		}
	}
	settle(time.Minute)
	for _, n := range m.c.nodes {
		n.Poll() // for what was told while a node was cut off
	}
	settle(time.Second)
	for i, r := range m.readers {
		next := r.first
		for _, l := range r.s.messages() {
			if l.Seq != next {
				m.fail("reader %d got %d, want %d", i, l.Seq, next)
			}
			next++
		}
		if !r.left && next != m.posted+1 {
			m.fail("reader %d ended before %d, want before %d", i, next, m.posted+1)
		}
		if !r.left {
			r.Leave()
		}
	}
	settle(time.Minute)
	for _, n := range m.c.nodes {
		if got := n.Stats(); got.Rooms != 0 || got.Readers != 0 || got.NotLive != 0 || got.Bytes != 0 ||
			got.Members != 0 {
			m.fail("after all have left: %+v", got)
		}
	}
}

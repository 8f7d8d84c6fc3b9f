package room

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

func TestEventsOfAnotherNodeReachReadersLikeOwnOnes(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		here, there := newSlate(), newSlate()
		rd1, _ := a.join(&ada, here)
		rd2, _ := b.join(&grace, there)
		for i := range 300 {
			a.say(ada, fmt.Sprint(i))
		}
		synctest.Wait()
		for _, s := range []*slate{here, there} {
			s.wantRun(t, 1, 300)
		}
		there.take(0)
		for i := range 1000 {
			c.nodes[i%2].say(ada, fmt.Sprint(i))
		}
		settle(time.Second)
		there.take(-1)
		settle(time.Second)
		for _, s := range []*slate{here, there} {
			s.wantRun(t, 1, 1300)
		}
		if a.readCount() != 0 {
			t.Errorf("%d reads of the store for nothing", a.readCount())
		}
		rd1.Leave()
		rd2.Leave()
	})
}

// One read of the store serves all readers of a room, whether the lost events are the last or others follow.
func TestLostEventsAreReadOncePerRoom(t *testing.T) {
	tests := map[string]struct {
		lost, after int           // events that are lost, and that come after these
		readers     int           // in the room
		most        time.Duration // until all readers have all
	}{
		"one before others":  {lost: 1, after: 1, readers: 5000, most: gapWait},
		"many before others": {lost: 50, after: 7, readers: 100, most: gapWait},
		"the last":           {lost: 1, readers: 5000, most: missedAfter},
		"more than a fill":   {lost: 3*gapEvents + 1, after: 1, readers: 100, most: gapWait},
		"more than are kept": {lost: 1, after: maxEarly + 100, readers: 2, most: gapWait},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
				a, b := c.nodes[0], c.nodes[1]
				var slates []*slate
				var leaving []*Reader
				for range tt.readers {
					s := newSlate()
					rd, _ := b.join(nil, s)
					slates, leaving = append(slates, s), append(leaving, rd)
				}
				c.setFate(lose)
				for i := range tt.lost {
					a.say(ada, fmt.Sprint("lost ", i))
				}
				synctest.Wait()
				c.setFate(nil)
				for i := range tt.after {
					a.say(ada, fmt.Sprint("after ", i))
				}
				settle(tt.most)
				for _, s := range slates {
					s.wantRun(t, 1, chat.Seq(tt.lost+tt.after))
				}
				want := (tt.lost+tt.after)/gapEvents + 1
				if got := b.readCount(); got > want || got < 1 {
					t.Errorf("%d reads of the store for %d readers, want 1 to %d", got, tt.readers, want)
				}
				for _, rd := range leaving {
					rd.Leave()
				}
			})
		})
	}
}

// Who sends a message again to another node, because the first one has died, is answered with the event that the first
// one stored. The readers of that node must not lack it.
func TestRepeatedMessageOfANodeThatDiedIsShown(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		there := newSlate()
		rd, _ := b.join(&grace, there)
		defer rd.Leave()
		c.setFate(lose)
		post := func(n *testNode) {
			answered := make(chan chat.Commit, 1)
			d := chat.Draft{Room: "lobby", From: ada, Text: "hello", Nonce: "n1"}
			if err := n.Post(d, func(c chat.Commit) { answered <- c }); err != nil {
				t.Fatal(err)
			}
			if c := <-answered; c.Err != nil || c.Repeated != (n == b) {
				t.Errorf("on %s: %+v", n.id, c)
			}
		}
		post(a)
		a.cutOff(true)
		post(b)
		settle(gapWait)
		there.wantRun(t, 1, 1)
	})
}

// What a page shows must be in the room, too: a page that has found lost events has them read.
func TestPageWaitsForEventsThatWereLost(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		s := newSlate()
		rd, _ := b.join(&grace, s)
		c.setFate(lose)
		a.say(ada, "lost")
		synctest.Wait()
		began := time.Now()
		q, err := b.NewQuery(by(&grace))
		if err != nil {
			t.Fatal(err)
		}
		page, err := q.History(t.Context(), "lobby", chat.PageQuery{})
		if took := time.Since(began); err != nil || page.Head != 1 || took > gapWait {
			t.Errorf("head %d, %v, after %v", page.Head, err, took)
		}
		synctest.Wait()
		s.wantRun(t, 1, 1)
		rd.Leave()
	})
}

// A client that has seen an event on one node goes to another that has lost it.
func TestReaderThatIsAheadOfItsNodeMissesNothing(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		stays, goes := newSlate(), newSlate()
		rd, _ := b.join(&grace, stays)
		c.setFate(lose)
		a.say(ada, "one")
		a.say(ada, "two")
		synctest.Wait()
		moved, found := b.join(&ada, goes, 2)
		if found.Head != 2 || found.From != 2 || found.Behind || found.Reset {
			t.Errorf("joined = %+v", found)
		}
		settle(gapWait)
		stays.wantRun(t, 1, 2)
		b.say(ada, "three")
		synctest.Wait()
		goes.wantRun(t, 3, 3)
		stays.wantRun(t, 1, 3)
		rd.Leave()
		moved.Leave()
	})
}

// An event that a node finds in the store may be its own, whose sender has no answer yet.
func TestAnswerComesBeforeTheEventThatTheStoreHasShown(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		a := c.nodes[0]
		s := newSlate()
		rd, _ := a.join(&ada, s)
		a.lateBy = time.Second
		answered := false
		seen := -1
		err := a.Post(chat.Draft{Room: "lobby", From: ada, Text: "mine"}, func(chat.Commit) {
			answered, seen = true, len(s.messages())
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		a.Hub.Hint("lobby", 1) // as a poll does
		settle(time.Second / 2)
		if answered || len(s.messages()) != 0 || a.readCount() != 1 {
			t.Errorf("answered %v, %d events, %d reads", answered, len(s.messages()), a.readCount())
		}
		settle(time.Second)
		if !answered || seen != 0 {
			t.Errorf("answered %v, after %d events", answered, seen)
		}
		s.wantRun(t, 1, 1)
		rd.Leave()
	})
}

func TestNodeThatIsCutOffPollsTheStore(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		s := newSlate()
		rd, _ := b.join(&grace, s)
		b.cutOff(true)
		a.say(ada, "one")
		settle(time.Minute)
		s.wantRun(t, 1, 0)
		b.Poll()
		settle(gapWait)
		s.wantRun(t, 1, 1)
		b.Poll()
		settle(gapWait)
		if b.readCount() != 1 {
			t.Errorf("%d reads, want 1", b.readCount())
		}
		rd.Leave()
	})
}

// While the store cannot be read, a gap stays; it is closed soon after the store is back.
func TestGapIsClosedWhenTheStoreCanBeReadAgain(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		var isBroken atomic.Bool
		c.log.Fault = func(method string, _ chat.RoomName) error {
			if method == "After" && isBroken.Load() {
				return errors.New("no connection")
			}
			return nil
		}
		a, b := c.nodes[0], c.nodes[1]
		s := newSlate()
		rd, _ := b.join(&grace, s)
		isBroken.Store(true)
		c.setFate(lose)
		a.say(ada, "one")
		settle(time.Minute)
		if s.wantRun(t, 1, 0); b.readCount() > 70 {
			t.Errorf("%d reads in a minute", b.readCount())
		}
		isBroken.Store(false)
		settle(longGapWait)
		s.wantRun(t, 1, 1)
		rd.Leave()
	})
}

// Events that somebody has removed by hand, and that this node has never got, do not stop a room.
func TestGapInTheStoreDoesNotStopARoom(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		b.Hub.log = &robbedLog{Log: b.Hub.log, first: 1, head: 2}
		s := newSlate()
		rd, _ := b.join(&grace, s)
		c.setFate(lose)
		for i := range 4 {
			a.say(ada, fmt.Sprint(i))
		}
		settle(2 * missedAfter)
		if s := b.rooms.find("lobby"); s.published() != 4 {
			t.Errorf("the room is at %d, want 4", s.published())
		}
		rd.Leave()

		s = newSlate()
		rd, _ = b.join(&grace, s)
		b.Hub.Hint("lobby", 9) // nobody has stored that
		settle(time.Minute)
		reads := b.readCount()
		settle(time.Minute)
		if b.readCount() != reads {
			t.Errorf("%d more reads", b.readCount()-reads)
		}
		c.setFate(nil)
		a.say(ada, "five")
		settle(gapWait)
		s.wantRun(t, 5, 5)
		rd.Leave()
	})
}

// Whatever order a deletion and its message arrive in, the text is nowhere in memory afterwards, and readers who are
// behind do not get it.
func TestDeletedTextIsNowhereInMemory(t *testing.T) {
	const secret = "the secret"
	for name, lost := range map[string][]int{ // which of the messages are lost
		"all come":              {},
		"the message is lost":   {0},
		"the edit is lost":      {1},
		"the quote is lost":     {2},
		"the deletion is lost":  {3},
		"one before all":        {-1},
		"all are lost":          {0, 1, 2, 3},
		"message and quote are": {0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
				a, b := c.nodes[0], c.nodes[1]
				s := newSlate()
				s.take(0)
				rd, _ := b.join(&grace, s)
				post := func(i int, d chat.Draft) {
					c.setFate(nil)
					for _, l := range lost {
						if l == i {
							c.setFate(lose)
						}
					}
					d.Room, d.From = "lobby", ada
					if err := a.Post(d, func(c chat.Commit) {
						if c.Err != nil {
							t.Error(c.Err)
						}
					}); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
				}
				ctx, end := context.WithCancel(t.Context())
				gate := make(chan struct{})
				var followed []string
				go func() {
					for e, err := range b.Follow(ctx, nobody, "lobby", 0) {
						if err != nil {
							t.Error(err)
						}
						<-gate
						followed = append(followed, e.Text)
					}
				}()
				synctest.Wait()
				post(-1, chat.Draft{Text: "hello"})
				post(0, chat.Draft{Text: secret})
				post(1, chat.Draft{Kind: chat.Edit, Target: 2, Text: secret + " again"})
				post(2, chat.Draft{Text: "answer", Attrs: &chat.Attrs{ReplyTo: 2}})
				post(3, chat.Draft{Kind: chat.Delete, Target: 2})
				c.setFate(nil)
				settle(2 * missedAfter)
				r := b.rooms.find("lobby")
				if r.published() != 5 || len(r.early) != 0 || r.earlyBytes != 0 {
					t.Errorf("at %d, %d early events, %d bytes", r.published(), len(r.early), r.earlyBytes)
				}
				for _, l := range r.logs {
					if strings.Contains(string(l.buf), secret) {
						t.Errorf("a byte log has %s", l.buf)
					}
				}
				close(gate)
				s.take(-1)
				settle(time.Second)
				end()
				synctest.Wait()
				for _, l := range s.lines() {
					if strings.Contains(l.Text, secret) {
						t.Errorf("the reader got %+v", l)
					}
				}
				if text := strings.Join(followed[1:], " "); strings.Contains(text, secret) || len(followed) != 5 {
					t.Errorf("the follower got %d: %s", len(followed), text)
				}
				s.wantRun(t, 1, 5)
				rd.Leave()
			})
		})
	}
}

// A deletion that comes early takes the text out of what waits with it.
func TestEarlyDeletionTakesTextsOutOfWhatWaits(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		b := c.nodes[1]
		rd, _ := b.join(&grace, newSlate())
		c.log.Fault = func(string, chat.RoomName) error { return errors.New("no connection") }
		event := func(seq chat.Seq, kind chat.Kind, target chat.Seq, text string) chat.Event {
			return chat.Event{Room: "lobby", Seq: seq, Kind: kind, From: ada, Target: target, Text: text, HTML: text}
		}
		b.Receive([]chat.Event{
			event(3, chat.Message, 0, "secret"), event(4, chat.Edit, 3, "secret"), event(5, chat.Delete, 3, ""),
			event(6, chat.Message, 0, "hello"),
		})
		r := b.rooms.find("lobby")
		r.mu.Lock()
		for seq, e := range r.early {
			if strings.Contains(e.Text+e.HTML, "secret") || seq == 6 && e.Text == "" {
				t.Errorf("%d has %q, %q", seq, e.Text, e.HTML)
			}
		}
		if len(r.early) != 4 || r.earlyBytes != 2*len("hello") {
			t.Errorf("%d early events of %d bytes", len(r.early), r.earlyBytes)
		}
		r.mu.Unlock()
		rd.Leave()
	})
}

// An event may be stored although its node was told that it may not be. Then no node has anything to tell of it, but
// all look for it.
func TestEventWhoseCommitIsUnknownIsShownOnAllNodes(t *testing.T) {
	for name, isSentAgain := range map[string]bool{"it is not sent again": false, "it is sent again": true} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 3, Config{}, func(t *testing.T, c *cluster) {
				var slates []*slate
				for _, n := range c.nodes {
					s := newSlate()
					n.join(&grace, s)
					slates = append(slates, s)
				}
				if isSentAgain {
					c.setFate(lose)
				}
				for i, n := range c.nodes[:2] {
					n.loseAnswers.Store(i == 0)
					d := chat.Draft{Room: "lobby", From: ada, Text: "hello", Nonce: "n"}
					if err := n.Post(d, func(chat.Commit) {}); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
					if !isSentAgain {
						break
					}
					c.setFate(nil)
				}
				settle(gapWait)
				for _, s := range slates {
					s.wantRun(t, 1, 1)
				}
			})
		})
	}
}

// While other nodes are faster than the store, something is nearly always missing when a fill ends. That is no reason
// to wait longer, and none to believe that the store lacks what is missing.
func TestRoomThatIsAlwaysBehindALittleFillsSoonAndLosesNothing(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		const rounds = 3 * vainFills
		round := 0
		tell := func(seq int) { b.Receive(c.log.Events("lobby")[seq-1 : seq]) }
		store := func() { // two events, of which the second one comes
			a.say(ada, "late")
			a.say(ada, "early")
			settle(0)
			tell(2*round + 2)
		}
		log := &slowLog{Log: b.Hub.log}
		log.afterRead = func() {
			if round < rounds { // the first one comes too, but others are missing then
				tell(2*round + 1)
				round++
				store()
			}
		}
		b.Hub.log = log
		s := newSlate()
		b.join(&grace, s)
		c.setFate(lose)
		store()
		settle((rounds + 2) * gapWait)
		s.wantRun(t, 1, 2*rounds+2)
	})
}

// A message may be deleted while its text is on its way from the store.
func TestTextDeletedWhileAGapIsReadIsNotShown(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		log := &slowLog{Log: b.Hub.log}
		b.Hub.log = log
		log.afterRead = func() {
			log.afterRead = func() { settle(time.Millisecond) } // readers get what the first fill has found
			c.setFate(nil)
			if err := a.Post(chat.Draft{Room: "lobby", From: ada, Kind: chat.Delete, Target: 1}, nil); err != nil {
				t.Error(err)
			}
			settle(time.Millisecond)
		}
		s := newSlate()
		b.join(&grace, s)
		c.setFate(lose)
		a.say(ada, "secret")
		for range gapEvents { // more than a fill finds, so that the deletion is not appended with the text
			a.say(ada, "hello")
		}
		settle(2 * missedAfter)
		got := s.messages()
		s.wantRun(t, 1, gapEvents+2)
		if got[0].Text != "" || got[1].Text != "hello" || got[gapEvents+1].Kind != chat.Delete {
			t.Errorf("%+v", got)
		}
	})
}

// The head that a room reads when it opens may be older than a hint that comes meanwhile.
func TestHintWhileARoomOpensIsNotLost(t *testing.T) {
	inCluster(t, 2, Config{}, func(t *testing.T, c *cluster) {
		a, b := c.nodes[0], c.nodes[1]
		c.setFate(lose)
		log := &lateHead{Log: b.Hub.log, afterRead: func() {
			a.say(ada, "hello")
			synctest.Wait()
			b.Hub.Hint("lobby", 0)
		}}
		b.Hub.log = log
		s := newSlate()
		b.join(&grace, s)
		synctest.Wait()
		s.wantRun(t, 1, 1)
	})
}

// A lateHead calls afterRead after it has read a head and before it returns.
type lateHead struct {
	Log
	afterRead func()
}

func (l *lateHead) Head(ctx context.Context, name chat.RoomName) (chat.Seq, time.Time, error) {
	head, at, err := l.Log.Head(ctx, name)
	l.afterRead()
	return head, at, err
}

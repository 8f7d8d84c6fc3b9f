package room

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/internal/chat"
)

// A puller takes the events of a Follow one by one. next waits for an event.
type puller struct {
	t    testing.TB
	next func() (chat.Event, error, bool)
	stop func()
}

func (b *bench) follow(ctx context.Context, h *Hub, after chat.Seq) *puller {
	next, stop := iter.Pull2(h.Follow(ctx, nobody, "lobby", after))
	return &puller{b.t, next, stop}
}

// wantRun takes the events first to last.
func (p *puller) wantRun(first, last chat.Seq) {
	p.t.Helper()
	for seq := first; seq <= last; seq++ {
		e, err, ok := p.next()
		if err != nil || !ok {
			p.t.Fatalf("event %d: %v, %v", seq, ok, err)
		}
		if e.Seq != seq {
			p.t.Fatalf("got event %d, want %d", e.Seq, seq)
		}
	}
}

// wantEnd takes the end of the sequence, which has no error.
func (p *puller) wantEnd() {
	p.t.Helper()
	if e, err, ok := p.next(); ok {
		p.t.Errorf("after the end: %+v, %v", e, err)
	}
}

// A follow of the model. Its events are taken only when there are some, so that taking does not wait.
type modelFollow struct {
	*puller
	last chat.Seq
	done bool
}

// TestAnyInterleavingIsFollowedAsItIsStored takes events at any time, and compares each with what the store has of it
// at that time: so none is missing, none comes twice, and none has a text that was deleted.
func TestAnyInterleavingIsFollowedAsItIsStored(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 40, 100).Draw(rt, "steps")
		cfg := Config{Format: func(string, *Budget) string { return "<p>" }}
		inBubble(t, cfg, func(t *testing.T, b *bench) {
			m := &followModel{b: b, rt: rt}
			for _, s := range steps {
				m.do(s)
			}
			for _, f := range m.follows {
				m.take(f, 1<<20)
				f.stop()
			}
			if got := b.Stats(); got.Rooms != 0 || got.Readers != 0 {
				rt.Errorf("after all have left: %+v", got)
			}
		})
	})
}

type followModel struct {
	b       *bench
	rt      *rapid.T
	head    chat.Seq
	follows []*modelFollow
}

func (m *followModel) do(s step) {
	about := max(m.head-chat.Seq(s.n%50), 1) // most of these are in the memory of a live follow
	switch s.what {
	case 0:
		after := max(m.head-chat.Seq(s.n), 0)
		m.follows = append(m.follows, &modelFollow{puller: m.b.follow(m.b.t.Context(), m.b.Hub, after), last: after})
	case 1, 2, 3:
		if len(m.follows) > 0 {
			m.take(m.follows[s.who%len(m.follows)], s.n%100)
		}
	case 4:
		m.post(chat.Draft{Kind: chat.Delete, Target: about})
	case 5:
		m.post(chat.Draft{Kind: chat.Edit, Target: about, Text: fmt.Sprint("edited ", s.n)})
	case 6:
		m.post(chat.Draft{Text: "an answer", Attrs: &chat.Attrs{ReplyTo: about}})
	case 7:
		if len(m.follows) > 0 {
			f := m.follows[s.who%len(m.follows)]
			f.stop()
			f.done = true
		}
	default:
		for i := range s.n%50 + 1 {
			m.post(chat.Draft{Text: fmt.Sprint(i, strings.Repeat("x", s.n*10))})
		}
	}
}

// post posts a draft, and counts it if it is stored: what it is about may be deleted or no message.
func (m *followModel) post(d chat.Draft) {
	d.Room, d.From = "lobby", ada
	err := m.b.Post(d, func(c chat.Commit) {
		if c.Err == nil && !c.Repeated {
			m.head++
		}
	})
	if err != nil {
		m.rt.Fatal(err)
	}
	synctest.Wait()
}

func (m *followModel) take(f *modelFollow, n int) {
	for ; n > 0 && !f.done && f.last < m.head; n-- {
		e, err, ok := f.next()
		if err != nil || !ok {
			m.rt.Fatalf("after %d of %d: %v, %v", f.last, m.head, ok, err)
		}
		stored, err := m.b.log.After(m.b.t.Context(), "lobby", f.last, 1)
		if err != nil || len(stored) != 1 {
			m.rt.Fatal(len(stored), err)
		}
		if e.Attrs != nil && e.Attrs.Quote != nil && stored[0].Attrs != nil && stored[0].Attrs.Quote != nil {
			stored[0].Attrs.Quote = e.Attrs.Quote // as of when it was read: before or after an edit
		}
		if diff := cmp.Diff(stored[0], e); diff != "" {
			m.rt.Fatalf("event %d (-stored +followed):\n%s", f.last+1, diff)
		}
		f.last++
	}
}

func TestFollowWaitsForEventsAndEndsWithItsContext(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		ctx, end := context.WithCancel(t.Context())
		got := make(chan chat.Seq)
		go func() {
			defer close(got)
			for e, err := range b.Follow(ctx, nobody, "lobby", 0) {
				if err != nil {
					t.Error(err)
				}
				got <- e.Seq
			}
		}()
		for want := range chat.Seq(5) {
			synctest.Wait() // it waits for an event
			b.say(ada, "hello")
			if seq := <-got; seq != want+1 {
				t.Errorf("event %d, want %d", seq, want+1)
			}
		}
		synctest.Wait()
		end()
		if seq, more := <-got; more {
			t.Errorf("event %d after the end", seq)
		}
		if s := b.Stats(); s.Rooms != 0 || s.Readers != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestFollowOfAnEndedContextYieldsNothing(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		b.sayMany(3)
		ctx, end := context.WithCancel(t.Context())
		p := b.follow(ctx, b.Hub, 0)
		p.wantRun(1, 1)
		end()
		p.wantEnd()
		b.follow(ctx, b.Hub, 0).wantEnd()
	})
}

func TestSlowConsumerOfFollowHoldsLittle(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		p := b.follow(t.Context(), b.Hub, 0)
		b.sayMany(1)
		p.wantRun(1, 1)
		b.sayMany(1000)
		b.say(ada, strings.Repeat("x", 4000))
		synctest.Wait()
		r := b.rooms.find("lobby")
		if n := len(r.tails[0].ahead); n != tailEvents {
			t.Errorf("%d events in memory", n)
		}
		p.wantRun(2, 1002)
		for range 50 { // texts of two hundred thousand bytes
			b.say(ada, strings.Repeat("x", 4000))
		}
		synctest.Wait()
		if n := r.tails[0].bytes; n < tailBytes || n > tailBytes+4000 {
			t.Errorf("%d bytes in memory", n)
		}
		p.wantRun(1003, 1052)
		if n := r.tails[0].bytes; n != 0 {
			t.Errorf("%d bytes in memory after all was taken", n)
		}
		b.sayMany(2) // it is in memory again, not in the store alone
		if n := len(r.tails[0].ahead); n != 2 {
			t.Errorf("%d new events in memory", n)
		}
		p.wantRun(1053, 1054)
		p.stop()
	})
}

// A message may be deleted while its text is on its way from the store.
func TestTextDeletedDuringAReadIsNotFollowed(t *testing.T) {
	log := &slowLog{}
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		log.Log, b.Hub.log = b.Hub.log, log
		b.sayMany(3)
		log.afterRead = func() {
			log.afterRead = nil
			for _, d := range []chat.Draft{{Kind: chat.Delete, Target: 2}, {Text: "more"}} {
				d.Room, d.From = "lobby", ada
				if err := b.Post(d, func(chat.Commit) {}); err != nil {
					t.Error(err)
				}
			}
			synctest.Wait()
		}
		p := b.follow(t.Context(), b.Hub, 0)
		var got []string
		for range 5 {
			e, err, _ := p.next()
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(e.Seq, e.Kind, e.Text))
		}
		want := []string{"1messagemessage 0", "2message", "3messagemessage 2", "4delete", "5messagemore"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		p.stop()
	})
}

// A slowLog calls afterRead after it has read and before it returns.
type slowLog struct {
	Log
	afterRead func()
	err       error
}

func (l *slowLog) After(ctx context.Context, name chat.RoomName, after chat.Seq, limit int) ([]chat.Event, error) {
	events, err := l.Log.After(ctx, name, after, limit)
	if l.afterRead != nil {
		l.afterRead()
	}
	return events, errors.Join(err, l.err)
}

func TestFollowEndsWithTheErrorOfTheStore(t *testing.T) {
	broken := errors.New("the disk is broken")
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		b.Hub.log = &slowLog{Log: b.Hub.log, err: broken}
		b.sayMany(1)
		p := b.follow(t.Context(), b.Hub, 0)
		if _, err, ok := p.next(); !ok || !errors.Is(err, broken) {
			t.Errorf("%v, %v", ok, err)
		}
		p.wantEnd()
		if s := b.Stats(); s.Rooms != 0 || s.Readers != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// At the read limit Follow is slower and loses nothing. Events that arrive while it is live cost nothing.
func TestFollowCostsWhatOtherReadsCost(t *testing.T) {
	inBubble(t, Config{ReadRate: 1}, func(t *testing.T, b *bench) {
		b.sayMany(tailEvents * 25) // twenty reads at once are allowed
		begin := time.Now()
		p := b.follow(t.Context(), b.Hub, 0)
		p.wantRun(1, tailEvents*25)
		if took := time.Since(begin); took < 4*time.Second || took > 10*time.Second {
			t.Errorf("25 reads took %v", took)
		}
		if err := b.mayRead(nobody.Network); chat.CodeOf(err) != chat.RateLimited {
			t.Errorf("another read: %v", err)
		}
		begin = time.Now()
		for seq := range chat.Seq(500) {
			b.sayMany(1)
			p.wantRun(tailEvents*25+seq+1, tailEvents*25+seq+1)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("live events took %v", took)
		}
		p.stop()
	})
}

func TestFollowSeesEventsOfAnotherProcess(t *testing.T) {
	var other *Hub
	cfg := Config{Followers: []Follower{func(c chat.Commit) { other.Arrive(c, nil) }}}
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		other = New(b.log, b.log, "epoch", Config{})
		here, there := b.follow(t.Context(), b.Hub, 0), b.follow(t.Context(), other, 0)
		for _, n := range []chat.Seq{1, 200, 1, 3} {
			head, _, _ := b.log.Head(t.Context(), "lobby")
			b.sayMany(int(n))
			here.wantRun(head+1, head+n)
			there.wantRun(head+1, head+n)
		}
		here.stop()
		there.stop()
		if s := other.Stats(); s.Rooms != 0 || s.Readers != 0 || s.Posted != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// An event that is stored is followed only after its sender was answered.
func TestFollowDoesNotOvertakeTheAnswer(t *testing.T) {
	var release chan struct{}
	cfg := Config{Followers: []Follower{func(c chat.Commit) {
		if c.Event.Seq == 2 {
			<-release
		}
	}}}
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		release = make(chan struct{})
		b.sayMany(1)
		first := b.follow(t.Context(), b.Hub, 0)
		first.wantRun(1, 1) // the room is in memory, and its newest event is 1
		b.sayMany(1)
		second := b.follow(t.Context(), b.Hub, 0)
		second.wantRun(1, 1)
		took := make(chan chat.Seq, 1)
		go func() {
			e, _, _ := second.next()
			took <- e.Seq
		}()
		synctest.Wait()
		if len(took) > 0 {
			t.Errorf("event %d came before the answer to its sender", <-took)
		}
		close(release)
		if seq := <-took; seq != 2 {
			t.Errorf("event %d", seq)
		}
		first.stop()
		second.stop()
	})
}

package room

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"parley/internal/chat"
)

// TestAnyInterleavingGivesEveryReaderARun tests the main promise: whatever readers and writers do, each reader gets
// consecutive events, once and in order, up to the newest one once it takes all.
func TestAnyInterleavingGivesEveryReaderARun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 60).Draw(rt, "steps")
		inBubble(t, Config{StallTimeout: time.Hour}, func(t *testing.T, b *bench) {
			m := &model{b: b}
			for _, s := range steps {
				m.do(s)
			}
			m.check(rt)
		})
	})
}

// A step is one action: what selects it, who its reader.
type step struct{ what, who, n int }

func drawStep(t *rapid.T) step {
	return step{
		what: rapid.IntRange(0, 9).Draw(t, "what"),
		who:  rapid.IntRange(0, 7).Draw(t, "who"),
		n:    rapid.IntRange(0, 400).Draw(t, "n"),
	}
}

type model struct {
	b       *bench
	posted  chat.Seq
	readers []*modelReader
}

type modelReader struct {
	*Reader
	s     *slate
	first chat.Seq
	left  bool
}

func (m *model) do(s step) {
	switch s.what {
	case 0, 1:
		m.join(s)
	case 2:
		if r := m.pick(s); r != nil {
			r.Leave()
			r.left = true
		}
	case 3:
		if r := m.pick(s); r != nil {
			r.s.take(0)
		}
	case 4:
		if r := m.pick(s); r != nil {
			r.s.take(s.n)
		}
	case 5:
		if r := m.pick(s); r != nil {
			r.s.take(-1)
		}
	case 6:
		m.b.forgetAll()
	case 7:
		synctest.Wait()
	case 8:
		if r := m.pick(s); r != nil {
			r.Typing()
		}
		if s.n%2 == 0 {
			m.b.log.Hold()
		} else {
			m.b.log.Release()
		}
	default:
		text := strings.Repeat("x", s.n*10)
		for i := range s.n%50 + 1 {
			m.b.say(ada, fmt.Sprint(i, text))
			m.posted++
		}
	}
}

// join adds a reader that asks for the last events, perhaps for more than exist.
func (m *model) join(s step) {
	p := guest(s.who)
	slate := newSlate()
	r := &modelReader{s: slate}
	head, _, _ := m.b.log.Head(m.b.t.Context(), "lobby")
	after := head - chat.Seq(s.n)
	j := JoinRequest{Member: true, Sink: slate, Encoder: lines{}, After: &after}
	rd, err := m.b.Join(m.b.t.Context(), by(&p), "lobby", j, func(found JoinResult) {
		r.first = after + 1
		if found.Behind {
			r.first = found.Head + 1
		}
	})
	if err != nil {
		m.b.t.Fatal(err)
	}
	r.Reader = rd
	m.readers = append(m.readers, r)
}

func (m *model) pick(s step) *modelReader {
	var present []*modelReader
	for _, r := range m.readers {
		if !r.left {
			present = append(present, r)
		}
	}
	if len(present) == 0 {
		return nil
	}
	return present[s.who%len(present)]
}

func (m *model) check(t *rapid.T) {
	m.b.log.Release()
	for _, r := range m.readers {
		if !r.left {
			r.s.take(-1)
		}
	}
	synctest.Wait()
	for i, r := range m.readers {
		next := r.first
		for _, l := range r.s.messages() {
			if l.Seq != next {
				t.Fatalf("reader %d got %d, want %d", i, l.Seq, next)
			}
			next++
		}
		if !r.left && next != m.posted+1 {
			t.Fatalf("reader %d ended before %d, want before %d", i, next, m.posted+1)
		}
		if !r.left {
			r.Leave()
		}
	}
	if got := m.b.Stats(); got.Rooms != 0 || got.Readers != 0 || got.NotLive != 0 || got.Bytes != 0 ||
		got.Members != 0 {
		t.Fatalf("after all have left: %+v", got)
	}
}

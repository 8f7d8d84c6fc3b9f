package room

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

var (
	ada   = chat.Person{ID: "ada", Name: "Ada"}
	grace = chat.Person{ID: "grace", Name: "Grace"}
)

// nobody is a client that has not said who it is.
var nobody chat.Who

// by returns p as who asks; nobody if p is nil.
func by(p *chat.Person) chat.Who {
	if p == nil {
		return nobody
	}
	return chat.Who{Person: *p}
}

// A bench is a Hub on a log in memory, within a synctest bubble.
type bench struct {
	*Hub
	t   testing.TB
	log *recorder
}

// A recorder is a log in memory that knows the draft it got last.
type recorder struct {
	*storetest.Memory
	last chat.Draft
}

func (r *recorder) Append(d chat.Draft, done func(chat.Commit)) {
	r.last = d
	r.Memory.Append(d, done)
}

// inBubble runs f with a hub, and stops the hub when f returns.
func inBubble(t *testing.T, cfg Config, f func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		log := &recorder{Memory: storetest.NewMemory(store.Config{})}
		h := New(log, log, "epoch", cfg)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go log.Run(context.WithoutCancel(ctx))
		go func() { ended <- h.Run(ctx) }()
		f(t, &bench{h, t, log})
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		log.Close()
	})
}

func (b *bench) join(p *chat.Person, s *slate, after ...chat.Seq) (*Reader, JoinResult) {
	b.t.Helper()
	j := JoinRequest{Member: p != nil, Sink: s, Encoder: lines{}}
	if len(after) > 0 {
		j.After = &after[0]
	}
	var found JoinResult
	rd, err := b.Join(context.Background(), by(p), "lobby", j, func(j JoinResult) { found = j })
	if err != nil {
		b.t.Fatal(err)
	}
	return rd, found
}

// reading begins a Query, which must not be refused.
func (b *bench) reading(network netip.Addr) *Query {
	b.t.Helper()
	r, err := b.NewQuery(chat.Who{Network: network})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) say(from chat.Person, texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if err := b.Post(chat.Draft{Room: "lobby", From: from, Text: text}, func(chat.Commit) {}); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) sayMany(n int) {
	b.t.Helper()
	for i := range n {
		b.say(ada, fmt.Sprint("message ", i))
	}
	synctest.Wait()
}

func TestEveryReaderGetsEveryEventInOrder(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		early, late := newSlate(), newSlate()
		rd1, _ := b.join(&ada, early)
		b.sayMany(300)
		rd2, found := b.join(&grace, late)
		b.sayMany(300)
		early.wantRun(t, 1, 600)
		late.wantRun(t, 301, 600)
		if found.Head != 300 || found.Behind || found.Count != 2 {
			t.Errorf("joined = %+v", found)
		}
		rd1.Leave()
		rd2.Leave()
	})
}

func TestResumeDeliversMissedEventsOnce(t *testing.T) {
	for name, after := range map[string]chat.Seq{
		"from memory": 590, "from the store": 3, "from the very first": 0, "nothing": 600,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{}, func(t *testing.T, b *bench) {
				watcher, s := newSlate(), newSlate()
				rd, _ := b.join(&ada, watcher)
				b.sayMany(600)
				if after < 500 {
					b.forgetAll()
				}
				back, found := b.join(&grace, s, after)
				b.sayMany(50)
				if found.Behind {
					t.Error("behind")
				}
				s.wantRun(t, after+1, 650)
				rd.Leave()
				back.Leave()
			})
		})
	}
}

func (b *bench) forgetAll() {
	for _, r := range b.rooms.all() {
		r.dropBytes()
	}
}

func TestJoinThatCannotBeServedIsBehind(t *testing.T) {
	tests := map[string]struct {
		after chat.Seq
		epoch string
		want  bool
	}{
		"the last that is served":  {after: 500},
		"one further":              {after: 499, want: true},
		"of another epoch":         {after: 1499, epoch: "other", want: true},
		"of this epoch":            {after: 1499, epoch: "epoch"},
		"beyond the newest":        {after: 1501, want: true},
		"the newest":               {after: 1500},
		"beyond anything possible": {after: 1 << 62, want: true},
		"before the first":         {after: -1, want: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{}, func(t *testing.T, b *bench) {
				b.sayMany(1500)
				s := newSlate()
				var found JoinResult
				request := JoinRequest{Sink: s, Encoder: lines{}, After: &tt.after, Epoch: tt.epoch}
				rd, err := b.Join(t.Context(), nobody, "lobby", request,
					func(j JoinResult) { found = j })
				if err != nil {
					t.Fatal(err)
				}
				b.sayMany(1)
				if found.Behind != tt.want || found.Head != 1500 {
					t.Errorf("joined = %+v, want behind %v", found, tt.want)
				}
				if tt.want {
					s.wantRun(t, 1501, 1501)
				} else {
					s.wantRun(t, tt.after+1, 1501)
				}
				rd.Leave()
			})
		})
	}
}

func TestSlowReaderIsBlockedAndNobodyElseWaits(t *testing.T) {
	inBubble(t, Config{StallTimeout: time.Hour}, func(t *testing.T, b *bench) {
		slow, quick := newSlate(), newSlate()
		rd1, _ := b.join(&ada, slow)
		rd2, _ := b.join(&grace, quick)
		synctest.Wait()
		slow.take(1000)
		b.sayMany(3000)
		quick.wantRun(t, 1, 3000)
		if got := b.Stats().NotLive; got != 1 {
			t.Errorf("%d lag, want 1", got)
		}
		slow.take(-1)
		synctest.Wait()
		slow.wantRun(t, 1, 3000)
		if got := b.Stats().NotLive; got != 0 {
			t.Errorf("%d lag, want none", got)
		}
		rd1.Leave()
		rd2.Leave()
	})
}

func TestStalledReaderIsClosedAfterItsTimeout(t *testing.T) {
	inBubble(t, Config{StallTimeout: 30 * time.Second}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd, _ := b.join(&ada, s)
		synctest.Wait()
		s.take(0)
		start := time.Now()
		b.sayMany(1)
		time.Sleep(29 * time.Second)
		synctest.Wait()
		if code, _ := s.closedWith(); code != "" {
			t.Errorf("closed with %s after 29 s", code)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if code, at := s.closedWith(); code != chat.Stalled || at.Sub(start) != 30*time.Second {
			t.Errorf("closed with %q after %v", code, at.Sub(start))
		}
		rd.Leave()
	})
}

func TestReaderThatTakesALittleIsNotStalled(t *testing.T) {
	inBubble(t, Config{StallTimeout: 30 * time.Second}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd, _ := b.join(&ada, s)
		synctest.Wait()
		s.take(0)
		b.sayMany(20)
		for range 20 {
			time.Sleep(29 * time.Second)
			s.take(1)
			synctest.Wait()
		}
		if code, _ := s.closedWith(); code != "" {
			t.Errorf("closed with %s", code)
		}
		rd.Leave()
	})
}

func TestRoomWithoutReadersKeepsNothing(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		rd1, _ := b.join(&ada, newSlate())
		rd2, _ := b.join(&grace, newSlate())
		b.sayMany(100)
		rd1.Leave()
		rd2.Leave()
		b.sayMany(100)
		synctest.Wait()
		got := b.Stats()
		if got.Rooms != 0 || got.Readers != 0 || got.Members != 0 || got.Bytes != 0 || got.NotLive != 0 {
			t.Errorf("stats = %+v", got)
		}
		s := newSlate()
		rd, found := b.join(&ada, s, 150)
		synctest.Wait()
		s.wantRun(t, 151, 200)
		if found.Head != 200 {
			t.Errorf("head = %d", found.Head)
		}
		rd.Leave()
	})
}

func TestBytesInMemoryHaveOneBudget(t *testing.T) {
	inBubble(t, Config{Memory: 1 << 20}, func(t *testing.T, b *bench) {
		long := strings.Repeat("x", 1000)
		var readers []*Reader
		slates := map[chat.RoomName]*slate{}
		for i := range 30 {
			name := chat.RoomName(fmt.Sprint("room-", i))
			slates[name] = newSlate()
			j := JoinRequest{Sink: slates[name], Encoder: lines{}}
			rd, err := b.Join(t.Context(), nobody, name, j, func(JoinResult) {})
			if err != nil {
				t.Fatal(err)
			}
			readers = append(readers, rd)
			for range 100 {
				if err := b.Post(chat.Draft{Room: name, From: ada, Text: long}, func(chat.Commit) {}); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
		}
		if got := b.Stats().Bytes; got < 2<<20 {
			t.Fatalf("only %d bytes: the test does not reach the budget", got)
		}
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if got := b.Stats().Bytes; got > 1<<20 {
			t.Errorf("%d bytes in memory, want at most %d", got, 1<<20)
		}
		for _, s := range slates {
			s.wantRun(t, 1, 100)
		}
		for _, rd := range readers {
			rd.Leave()
		}
	})
}

func TestAnswerComesBeforeTheEvent(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd, _ := b.join(&ada, s)
		synctest.Wait()
		given := -1
		err := b.Post(chat.Draft{Room: "lobby", From: ada, Text: "hi"},
			func(c chat.Commit) { given = len(s.messages()) })
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if given != 0 {
			t.Errorf("the reader had %d events when the answer came, want 0", given)
		}
		s.wantRun(t, 1, 1)
		rd.Leave()
	})
}

func TestNobodySeesAnEventThatWasNotStored(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd, _ := b.join(&ada, s)
		b.log.Fail(&chat.Error{Code: chat.Unavailable})
		var got error
		err := b.Post(chat.Draft{Room: "lobby", From: ada, Text: "hi"}, func(c chat.Commit) { got = c.Err })
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if chat.CodeOf(got) != chat.Unavailable {
			t.Errorf("answered with %v", got)
		}
		s.wantRun(t, 1, 0)
		rd.Leave()
	})
}

func TestEventsCommittedWhileARoomLoadsAreNotLost(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		b.log.Hold()
		b.say(ada, "one", "two")
		s := newSlate()
		rd, _ := b.join(&grace, s, 0)
		b.log.Release()
		synctest.Wait()
		s.wantRun(t, 1, 2)
		rd.Leave()
	})
}

func TestDeadSinkIsLeftAlone(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		dead, s := newSlate(), newSlate()
		dead.err = errors.New("gone")
		rd1, _ := b.join(&ada, dead)
		rd2, _ := b.join(&grace, s)
		b.sayMany(10)
		s.wantRun(t, 1, 10)
		rd1.Leave()
		rd2.Leave()
	})
}

func TestPostRefusesInvalidDrafts(t *testing.T) {
	inBubble(t, Config{MessageRate: 2, MessageBurst: 3, MessageLength: 10}, func(t *testing.T, b *bench) {
		post := func(text, nonce string) error {
			return b.Post(chat.Draft{Room: "lobby", From: ada, Text: text, Nonce: nonce}, func(chat.Commit) {})
		}
		for text, want := range map[string]chat.Code{
			"": chat.BadText, " \n\t": chat.BadText, "\xff": chat.BadText, "0123456789é": chat.TooLong,
		} {
			if got := chat.CodeOf(post(text, "")); got != want {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		}
		if got := chat.CodeOf(post("hi", strings.Repeat("n", chat.MaxNonce+1))); got != chat.BadNonce {
			t.Errorf("long nonce: %q", got)
		}
		for i := range 3 {
			if err := post("hi", ""); err != nil {
				t.Errorf("message %d of the burst: %v", i, err)
			}
		}
		err := post("hi", "")
		e, ok := errors.AsType[*chat.Error](err)
		if !ok || e.Code != chat.RateLimited || e.RetryAfter != 500*time.Millisecond {
			t.Fatalf("beyond the burst: %#v", err)
		}
		if err := b.Post(chat.Draft{Room: "lobby", From: grace, Text: "hi"}, func(chat.Commit) {}); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		time.Sleep(e.RetryAfter)
		if err := post("hi", ""); err != nil {
			t.Errorf("after waiting as told: %v", err)
		}
	})
}

func TestHistoryPages(t *testing.T) {
	tests := map[string]struct {
		page        chat.PageQuery
		first, last chat.Seq
	}{
		"newest":                  {chat.PageQuery{}, 451, 500},
		"newest two":              {chat.PageQuery{Limit: 2}, 499, 500},
		"at most a page":          {chat.PageQuery{Limit: 1000}, 301, 500},
		"before":                  {chat.PageQuery{Before: 11, Limit: 5}, 6, 10},
		"before the second":       {chat.PageQuery{Before: 2}, 1, 1},
		"before the first":        {chat.PageQuery{Before: 1}, 1, 0},
		"before what is to come":  {chat.PageQuery{Before: 9999, Limit: 1}, 500, 500},
		"after":                   {chat.PageQuery{After: 10, Oldest: true, Limit: 5}, 11, 15},
		"after nothing":           {chat.PageQuery{After: 0, Oldest: true, Limit: 1}, 1, 1},
		"after the newest":        {chat.PageQuery{After: 500, Oldest: true}, 1, 0},
		"between":                 {chat.PageQuery{After: 10, Oldest: true, Before: 13}, 11, 12},
		"around":                  {chat.PageQuery{Around: 100, Limit: 5}, 98, 102},
		"around the first":        {chat.PageQuery{Around: 1, Limit: 4}, 1, 3},
		"around one":              {chat.PageQuery{Around: 100, Limit: 1}, 100, 100},
		"after a negative number": {chat.PageQuery{After: -5, Oldest: true, Limit: 1}, 1, 1},
	}
	inBubble(t, Config{Format: func(s string, _ *Budget) string { return "<p>" + s }}, func(t *testing.T, b *bench) {
		b.sayMany(500)
		for name, tt := range tests {
			page, err := b.reading(netip.Addr{}).History(t.Context(), "lobby", tt.page)
			if err != nil || page.Head != 500 {
				t.Errorf("%s: head %d, %v", name, page.Head, err)
			}
			if len(page.Messages) != int(tt.last-tt.first+1) {
				t.Errorf("%s: %d messages", name, len(page.Messages))
			}
			for i, e := range page.Messages {
				if e.Seq != tt.first+chat.Seq(i) || e.HTML != "<p>"+e.Text {
					t.Errorf("%s: event %d is %+v", name, i, e)
				}
			}
		}
	})
}

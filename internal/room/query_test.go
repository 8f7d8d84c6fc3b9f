package room

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

var (
	office = netip.MustParseAddr("192.0.2.1")
	home   = netip.MustParseAddr("2001:db8::")
)

// slow returns a Formatter that takes this long for each message.
func slow(each time.Duration) Formatter {
	return func(text string, left *Budget) string {
		if left.All <= 0 {
			return ""
		}
		left.All -= each
		return "<p>" + text
	}
}

func seqsOf(found []chat.MessageState) (seqs []chat.Seq) {
	for _, m := range found {
		seqs = append(seqs, m.Seq)
	}
	return seqs
}

func TestPageIsAsLargeAsItMayBeAndCanBeReadOn(t *testing.T) {
	html := func(size int) Formatter {
		return func(string, *Budget) string { return strings.Repeat("x", size) }
	}
	const each = 300 // bytes of a message without its text
	for name, tt := range map[string]struct {
		text   string
		format Formatter
		most   int // most messages of a page
	}{
		"small":                {"hi", html(20), chat.MaxPage},
		"long texts":           {strings.Repeat("a", 4000), html(0), pageBytes/(4000+each) + 1},
		"much formatting":      {"**a**", html(64 << 10), pageBytes/(64<<10+each) + 1},
		"what JSON makes long": {strings.Repeat("\x01", 3999) + "a", html(0), pageBytes/(6*3999+1+each) + 1},
		"quoted":               {strings.Repeat(`"`, 4000), html(0), pageBytes/(2*4000+each) + 1},
		"larger than a page":   {"**a**", html(2 * pageBytes), 1},
		"slow to format":       {"**a**", slow(formatAll / 5), 5},
		"slower than a page":   {"**a**", slow(2 * formatAll), 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{Format: tt.format}, func(t *testing.T, b *bench) {
				const total = 150
				b.say(ada, slices.Repeat([]string{tt.text}, total)...)
				synctest.Wait()
				all := make([]chat.Seq, total)
				for i := range all {
					all[i] = chat.Seq(i + 1)
				}

				var got []chat.Seq
				for before, more := chat.Seq(total+1), true; more; {
					q := chat.PageQuery{Before: before, Limit: chat.MaxPage}
					page, err := b.reading(office).History(t.Context(), "lobby", q)
					if err != nil || len(page.Messages) == 0 || len(page.Messages) > tt.most ||
						page.More && len(page.Messages) < tt.most {
						t.Fatalf("before %d: %d messages, more %v, %v; want %d", before, len(page.Messages), page.More,
							err, tt.most)
					}
					got = append(seqsOf(page.Messages), got...)
					before, more = page.Messages[0].Seq, page.More
				}
				if !slices.Equal(got, all) {
					t.Errorf("read backwards: %v", got)
				}

				got = nil
				for after, more := chat.Seq(0), true; more; {
					q := chat.PageQuery{After: after, Oldest: true, Limit: chat.MaxPage}
					page, err := b.reading(office).History(t.Context(), "lobby", q)
					if err != nil || len(page.Messages) == 0 || len(page.Messages) > tt.most {
						t.Fatalf("after %d: %d messages, %v", after, len(page.Messages), err)
					}
					got = append(got, seqsOf(page.Messages)...)
					after, more = page.Messages[len(page.Messages)-1].Seq, page.More
				}
				if !slices.Equal(got, all) {
					t.Errorf("read forwards: %v", got)
				}

				for after := chat.Seq(0); after < total; {
					events, head, _, err := b.reading(office).Events(t.Context(), "lobby", after, chat.MaxPage)
					if err != nil || head != total || len(events) == 0 || len(events) > tt.most ||
						events[0].Seq != after+1 {
						t.Fatalf("log after %d: %d events, head %d, %v", after, len(events), head, err)
					}
					after = events[len(events)-1].Seq
				}

				around := chat.Seq(50)
				q := chat.PageQuery{Around: around, Limit: chat.MaxPage}
				page, err := b.reading(office).History(t.Context(), "lobby", q)
				seqs := seqsOf(page.Messages)
				older, newer := slices.Contains(seqs, 1), slices.Contains(seqs, total)
				if err != nil || !slices.Contains(seqs, around) || len(seqs) > tt.most || page.More == older ||
					page.Newer == newer {
					t.Errorf("around: %v, more %v and %v, %v", seqs, page.More, page.Newer, err)
				}
				for i, seq := range seqs {
					if seq != seqs[0]+chat.Seq(i) {
						t.Errorf("around: a hole in %v", seqs)
						break
					}
				}
			})
		})
	}
}

func TestMessagesThatWereChosenAllComeButNotAllFormatted(t *testing.T) {
	large := func(string, *Budget) string { return strings.Repeat("x", 64<<10) }
	inBubble(t, Config{Format: large}, func(t *testing.T, b *bench) {
		b.say(ada, slices.Repeat([]string{"**a**"}, 20)...)
		synctest.Wait()
		var seqs []chat.Seq
		for seq := range chat.Seq(20) {
			seqs = append(seqs, seq+1)
		}
		page, err := b.reading(office).Messages(t.Context(), "lobby", seqs...)
		formatted := 0
		for _, m := range page.Messages {
			formatted += len(m.HTML)
		}
		if err != nil || len(page.Messages) != 20 || formatted == 0 || formatted > pageBytes+64<<10 {
			t.Errorf("%d messages with %d bytes of formatting, %v", len(page.Messages), formatted, err)
		}
	})
}

// A network that reads on and on is refused in the end, and the pages before that stay unformatted; other networks do
// not notice.
func TestReadingIsBoundedPerAddress(t *testing.T) {
	inBubble(t, Config{ReadRate: 10, Format: slow(formatAll / 4)}, func(t *testing.T, b *bench) {
		b.say(ada, slices.Repeat([]string{"**a**"}, 1000)...)
		time.Sleep(time.Minute) // formatting them has used up some of the limit
		synctest.Wait()
		pages, formatted := 0, 0
		for {
			r, err := b.NewQuery(chat.Who{Network: office})
			if err != nil {
				if chat.CodeOf(err) != chat.RateLimited || chat.UserError(err).RetryAfter != 100*time.Millisecond {
					t.Fatalf("%#v", err)
				}
				break
			}
			page, err := r.History(t.Context(), "lobby", chat.PageQuery{Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Messages {
				if m.HTML != "" {
					formatted++
				}
			}
			r.Close(readUnit) // counts as two requests
			pages++
		}
		if pages != readBurst*10/2 {
			t.Errorf("%d pages at once, want %d", pages, readBurst*10/2)
		}
		took := time.Duration(formatted) * formatAll / 4
		if most := workBurst * workUnit; took < most/2 || took > most+formatAll {
			t.Errorf("they took %v of formatting, at most %v are for one address", took, most)
		}
		page, err := b.reading(home).History(t.Context(), "lobby", chat.PageQuery{Limit: 3})
		if err != nil || page.Messages[0].HTML == "" {
			t.Errorf("at another address: %+v, %v", page, err)
		}
		time.Sleep(100 * time.Millisecond)
		b.reading(office).Close(0)
	})
}

func TestResumeIsGivenAllButFormatsOnlySoMuch(t *testing.T) {
	var spent time.Duration
	resuming := true // a resume gets no time for colours
	each := catchUpAll / 10
	format := func(text string, left *Budget) string {
		if left.All <= 0 {
			return ""
		}
		resuming = resuming && left.Colour <= 0
		left.All -= each
		spent += each
		return "<p>" + text
	}
	inBubble(t, Config{Format: format}, func(t *testing.T, b *bench) {
		b.sayMany(500)
		spent, resuming = 0, true
		s := newSlate()
		rd, _ := b.join(&ada, s, 0)
		defer rd.Leave()
		synctest.Wait()
		if lines := len(s.lines()); lines != 500 {
			t.Errorf("%d lines, want 500", lines)
		}
		if !resuming {
			t.Error("there was time for colours")
		}
		if spent == 0 || spent > catchUpAll+each {
			t.Errorf("formatting took %v, at most %v are for a resume", spent, catchUpAll)
		}
	})
}

func TestResumeIsRefusedWhereTooMuchHasBeenRead(t *testing.T) {
	inBubble(t, Config{ReadRate: 1}, func(t *testing.T, b *bench) {
		b.sayMany(10)
		join := func(network netip.Addr, after *chat.Seq) error {
			j := JoinRequest{Sink: newSlate(), Encoder: lines{}, After: after}
			rd, err := b.Join(t.Context(), chat.Who{Network: network}, "lobby", j, func(JoinResult) {})
			if err == nil {
				rd.Leave()
			}
			return err
		}
		begin, end := chat.Seq(0), chat.Seq(10)
		for i := range readBurst {
			if err := join(office, &begin); err != nil {
				t.Fatalf("resume %d: %v", i, err)
			}
			if err := join(office, &end); err != nil { // nothing to read
				t.Fatalf("resume %d from the end: %v", i, err)
			}
		}
		if err := join(office, &begin); chat.CodeOf(err) != chat.RateLimited {
			t.Errorf("one more: %v", err)
		}
		for what, err := range map[string]error{
			"without after": join(office, nil), "from the end": join(office, &end),
			"from elsewhere": join(home, &begin),
		} {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if n := b.Stats().Rooms; n != 0 {
			t.Errorf("%d rooms are kept", n)
		}
	})
}

func TestPeopleOfOneAddressShareALimit(t *testing.T) {
	inBubble(t, Config{MessageRate: 5, MessageBurst: 20, PeoplePerAddress: 10}, func(t *testing.T, b *bench) {
		post := func(guest, i int, network netip.Addr) error {
			p := chat.Person{ID: chat.PersonID(fmt.Sprint("guest ", guest)), Name: "Guest"}
			kinds := []chat.Draft{
				{Text: "hi"},
				{Kind: chat.Reply, Target: 1, Text: "hi"},
				{Kind: chat.React, Target: 1, Text: "👍"},
				{Kind: chat.Topic, Text: "x"},
			}
			d := kinds[i%len(kinds)]
			d.Room, d.From, d.Network = "lobby", p, network
			return b.Post(d, func(chat.Commit) {})
		}
		accepted := 0
		for i := range 12 {
			for guest := range 50 {
				err := post(guest, i, office)
				if err == nil {
					accepted++
				} else if e := chat.UserError(err); e.Code != chat.RateLimited || e.RetryAfter != 20*time.Millisecond {
					t.Fatalf("%#v", err)
				}
			}
		}
		if accepted != 200 {
			t.Errorf("50 guests of one address posted %d of 600 at once, want 200", accepted)
		}
		if err := post(51, 0, home); err != nil {
			t.Errorf("somebody elsewhere: %v", err)
		}
		time.Sleep(time.Second)
		accepted = 0
		for guest := range 100 {
			if post(guest, 0, office) == nil {
				accepted++
			}
		}
		if accepted != 50 {
			t.Errorf("a second later %d were accepted, want 50", accepted)
		}
	})
}

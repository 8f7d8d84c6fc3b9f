package storetest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/internal/chat"
)

// More pages are read at once than a database has connections, and no statement has been used before.
func testManyFirstPagesAtOnceAreAnswered(t *testing.T, open Open) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "one", ""), DraftOf(Grace, chat.Reply, 1, "two"), Answering(Grace, 1, "three"),
		DraftOf(Ada, chat.React, 3, "👍"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			q := []chat.PageQuery{
				{Limit: 10},
				{Limit: 10, Thread: 1},
				{Seqs: []chat.Seq{1, 3}},
				{Limit: 10, Pinned: true},
				{Limit: 10, Oldest: true},
			}[n%5]
			if _, err := s.Page(ctx, "lobby", q); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func testReadEndsWithItsContext(t *testing.T, open Open) {
	s := open(t)
	if _, ok := s.Store.(*Memory); ok {
		t.Skip("a Memory waits for nothing")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.After(ctx, "lobby", 0, 10); err == nil {
		t.Error("After with a cancelled context has no error")
	}
	if _, _, err := s.Head(ctx, "lobby"); err == nil {
		t.Error("Head with a cancelled context has no error")
	}
	if _, err := s.Page(ctx, "lobby", chat.PageQuery{Limit: 10}); err == nil {
		t.Error("Page with a cancelled context has no error")
	}
}

// A store may number events across rooms: SQLite puts the room's key above bit 36. A seq that is too large for a room
// must not be another room's event.
func testSeqBeyondARoomFindsNothingElsewhere(t *testing.T, open Open) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "ours", ""))
	Post(t, s, Draft("secret", Grace, "theirs", ""), Draft("secret", Grace, "pinned", ""),
		chat.Draft{Room: "secret", From: Grace, Kind: chat.Pin, Target: 2},
		chat.Draft{Room: "secret", From: Grace, Kind: chat.Reply, Target: 1, Text: "in a thread"})
	for room := range chat.Seq(5) {
		for seq := range chat.Seq(5) {
			n := room<<36 | seq
			if n == 1 {
				continue
			}
			for name, q := range map[string]chat.PageQuery{
				"that one":   {Seqs: []chat.Seq{n}},
				"after":      {After: n, Oldest: true, Limit: 9},
				"thread":     {Thread: n, Limit: 9},
				"pins after": {After: n, Pinned: true, Limit: 9},
				"around":     {Around: max(n, 1), Limit: 9},
				"before":     {Before: n, Limit: 9},
			} {
				page := PageOf(t, s, q)
				if page.Root != nil {
					page.Messages = append(page.Messages, *page.Root)
				}
				for _, m := range page.Messages {
					if m.Text != "ours" {
						t.Errorf("%s %d: %+v", name, n, m)
					}
				}
			}
			if events, err := s.Versions(t.Context(), "lobby", n); chat.CodeOf(err) != chat.NotFound {
				t.Errorf("versions of %d: %v, %v", n, events, err)
			}
			if events := Events(t, s.After, "lobby", n, 9); len(events) > 0 && n > 0 {
				t.Errorf("events after %d: %v", n, events)
			}
		}
	}
	if got := States(t, s, -1, 0, 1, 1, 1<<62); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	if got := PageOf(t, s, chat.PageQuery{Seqs: []chat.Seq{}}).Messages; len(got) != 0 {
		t.Errorf("none: %+v", got)
	}
}

func testPagesAreOfWhatWasSaid(t *testing.T, open Open) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "1", ""))
	for n := range chat.Seq(10) { // messages have the odd seqs
		Do(t, s, DraftOf(Ada, chat.React, 1+2*n, "👍"), Draft("lobby", Ada, fmt.Sprint(3+2*n), ""))
	}
	tests := map[string]struct {
		q           chat.PageQuery
		want        []chat.Seq
		more, newer bool
	}{
		"newest":            {chat.PageQuery{Limit: 2}, []chat.Seq{19, 21}, true, false},
		"before a message":  {chat.PageQuery{Limit: 2, Before: 5}, []chat.Seq{1, 3}, false, false},
		"before a change":   {chat.PageQuery{Limit: 2, Before: 6}, []chat.Seq{3, 5}, true, false},
		"after a change":    {chat.PageQuery{Limit: 2, After: 6, Oldest: true}, []chat.Seq{7, 9}, true, false},
		"after, to the end": {chat.PageQuery{Limit: 2, After: 18, Oldest: true}, []chat.Seq{19, 21}, false, false},
		"between":           {chat.PageQuery{Limit: 9, After: 4, Before: 8}, []chat.Seq{5, 7}, false, false},
		"around a message":  {chat.PageQuery{Limit: 4, Around: 9}, []chat.Seq{7, 9, 11, 13}, true, true},
		"around a change":   {chat.PageQuery{Limit: 4, Around: 10}, []chat.Seq{7, 9, 11, 13}, true, true},
		"around the first":  {chat.PageQuery{Limit: 4, Around: 1}, []chat.Seq{1, 3, 5}, false, true},
		"around the newest": {chat.PageQuery{Limit: 4, Around: 21}, []chat.Seq{19, 21}, true, false},
		"around a later seq": {
			chat.PageQuery{Limit: 4, Around: 1 << 50}, []chat.Seq{19, 21}, true, false,
		},
		"around, one alone":           {chat.PageQuery{Limit: 1, Around: 9}, []chat.Seq{9}, true, true},
		"around, one alone, the last": {chat.PageQuery{Limit: 1, Around: 21}, []chat.Seq{21}, true, false},
		"no limit":                    {chat.PageQuery{}, nil, false, false},
		"a negative limit":            {chat.PageQuery{Limit: -1, Around: 3}, nil, false, false},
	}
	for name, tt := range tests {
		page := PageOf(t, s, tt.q)
		WantSeqs(t, name, SeqsOf(page.Messages), tt.want...)
		if page.More != tt.more || page.Newer != tt.newer || page.Head != 21 {
			t.Errorf("%s: more %v, newer %v, head %d", name, page.More, page.Newer, page.Head)
		}
	}
}

// The page begins with the first message that was not stored before the time. Here this message is found by a look at
// each one.
func testPageSinceATime(t *testing.T, open Open) {
	s := open(t)
	since := func(at time.Time, limit int) chat.Page {
		return PageOf(t, s, chat.PageQuery{Limit: limit, Oldest: true, Since: at})
	}
	if page := since(time.UnixMilli(1), 9); len(page.Messages) != 0 || page.More {
		t.Errorf("of a room that nobody wrote to: %+v", page)
	}
	Do(t, s, Draft("attic", Ada, "in a room with the id before", ""))
	Do(t, s, Draft("lobby", Ada, "one", ""))
	emoji := []string{"👍", "👎", "🎉", "😄", "😮", "🚀", "👀"}
	for n := range emoji {
		afterThisMillisecond()
		Post(t, s, Drafts("lobby", n%3+1)...) // at the same time
		afterThisMillisecond()
		Do(t, s, DraftOf(Ada, chat.React, 1, emoji[n]))
	}
	afterThisMillisecond()
	Do(t, s, Draft("secret", Grace, "in a room with the id after", ""))
	Do(t, s, DraftOf(Ada, chat.Delete, 4, ""))
	check := func() {
		t.Helper()
		all := PageOf(t, s, chat.PageQuery{Limit: 99}).Messages
		times := []time.Time{time.UnixMilli(-5), time.UnixMilli(0), time.Now().Add(time.Hour)}
		for _, e := range Events(t, s.After, "lobby", 0, 99) {
			for _, d := range []time.Duration{-time.Millisecond, -1, 0, 1, time.Millisecond} {
				times = append(times, e.At.Add(d))
			}
		}
		for _, at := range times {
			first := slices.IndexFunc(all, func(m chat.MessageState) bool { return !m.At.Before(at) })
			want := SeqsOf(all[len(all):])
			if first >= 0 {
				want = SeqsOf(all[first:])
			}
			page, name := since(at, 2), fmt.Sprint("since ", at.UnixNano())
			WantSeqs(t, name, SeqsOf(page.Messages), want[:min(2, len(want))]...)
			if more := len(want) > 2; page.More != more || page.Newer {
				t.Errorf("%s: more %v and %v, want %v", name, page.More, page.Newer, more)
			}
			WantSeqs(t, "all "+name, SeqsOf(since(at, 99).Messages), want...)
		}
	}
	check()
	s.restart()
	check()
}

// afterThisMillisecond waits for the clock, so that what is stored next has a later time.
func afterThisMillisecond() {
	for now := time.Now().UnixMilli(); time.Now().UnixMilli() <= now; {
		runtime.Gosched()
	}
}

// A refused change makes no room.
func testAChangeInARoomThatNobodyWroteToMakesNone(t *testing.T, open Open) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "one", ""))
	for _, kind := range []chat.Kind{chat.Edit, chat.Delete, chat.React, chat.Pin, chat.Reply} {
		d := Draft("garden", Ada, "👍", "")
		d.Kind, d.Target = kind, 1
		if c := Post(t, s, d)[0]; chat.CodeOf(c.Err) != chat.NotFound {
			t.Errorf("%s: %+v", kind, c)
		}
	}
	if heads, err := s.Heads(t.Context()); err != nil || len(heads) != 1 {
		t.Errorf("the rooms are %v, %v", heads, err)
	}
}

// Seqs have no gap, so a missing event is lost. Whoever answers or changes it is told that it is not there, everybody
// else goes on, and nobody is given a log with a gap.
func testALostEventIsNotPassedOver(t *testing.T, open OpenDatabase) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "one", ""), Answering(Grace, 1, "two"))
	s.Lose(chat.MessageRef{Room: "lobby", Seq: 1})
	for _, d := range []chat.Draft{
		DraftOf(Ada, chat.Edit, 1, "x"), DraftOf(Ada, chat.React, 1, "👍"), Answering(Ada, 1, "x"),
	} {
		got := Post(t, s, d, Draft("lobby", Grace, "beside it", ""))
		if chat.CodeOf(got[0].Err) != chat.NotFound || got[1].Err != nil {
			t.Errorf("%+v", got)
		}
	}
	if got, err := s.After(t.Context(), "lobby", 0, 9); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("%+v, %v", got, err)
	}
	if got := Events(t, s.After, "lobby", 1, 9); len(got) != 4 || got[0].Attrs.Quote != nil {
		t.Errorf("%+v", got)
	}
	if got := PageOf(t, s, chat.PageQuery{Limit: 9}).Messages; len(got) != 4 {
		t.Errorf("%+v", got)
	}
	s.Lose(chat.MessageRef{Room: "lobby", Seq: 4})
	if got, err := s.After(t.Context(), "lobby", 1, 9); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("a gap in the middle: %+v, %v", got, err)
	}
	WantSeqs(t, "before the gap", Seqs(Events(t, s.After, "lobby", 1, 2)), 2, 3)
}

// The seq of the newest event is not given again, but nobody knows any more when it was stored.
func testAHeadStaysWhenItsEventIsRemoved(t *testing.T, open OpenDatabase) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "one", ""), Draft("lobby", Ada, "two", ""), Draft("lobby", Ada, "three", ""))
	s.Lose(chat.MessageRef{Room: "lobby", Seq: 3})
	for range 2 {
		if head, at, err := s.Head(t.Context(), "lobby"); head != 3 || !at.IsZero() || err != nil {
			t.Errorf("newest: %d at %v, %v", head, at, err)
		}
		if at, err := s.At(t.Context(), "lobby", 3); !at.IsZero() || err != nil {
			t.Errorf("the event that was removed: %v, %v", at, err)
		}
		page := PageOf(t, s, chat.PageQuery{Limit: 9})
		if page.Head != 3 || !page.At.IsZero() || len(page.Messages) != 2 {
			t.Errorf("%+v", page)
		}
		WantSeqs(t, "the log", Seqs(Events(t, s.After, "lobby", 0, 9)), 1, 2)
		if got := Events(t, s.After, "lobby", 2, 9); len(got) > 0 {
			t.Errorf("after the last one: %+v", got)
		}
		s.Database = s.Restart()
	}
	WantSeqs(t, "what follows", Do(t, s, Draft("lobby", Ada, "four", "")), 4)
}

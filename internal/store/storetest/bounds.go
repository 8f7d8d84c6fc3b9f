package storetest

import (
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
)

// A page is limited in bytes as well as in messages. It says that there is more, and the
// next page begins there.
func testPageEndsWhereItsTextsAreEnough(t *testing.T, open Open) {
	s := open(t)
	for n := range 10 {
		Do(t, s, Draft("lobby", Ada, strings.Repeat(string(rune('a'+n)), 1000), "")) // 1 to 10
	}
	for n := range 4 { // 11 to 14
		Do(t, s, chat.Draft{Room: "lobby", From: Ada, Kind: chat.Reply, Target: 5, Text: strings.Repeat("r", 1000+n)})
	}
	for _, seq := range []chat.Seq{9, 2, 6, 4} { // 15 to 18
		Do(t, s, DraftOf(Ada, chat.Pin, seq, ""))
	}
	for name, tt := range map[string]struct {
		sel         chat.PageQuery
		want        []chat.Seq
		more, newer bool
	}{
		"any number":      {sel: chat.PageQuery{Limit: 20}, want: []chat.Seq{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		"the newest":      {sel: chat.PageQuery{Limit: 20, Bytes: 2500}, want: []chat.Seq{8, 9, 10}, more: true},
		"exactly as many": {sel: chat.PageQuery{Limit: 20, Bytes: 3000}, want: []chat.Seq{8, 9, 10}, more: true},
		"one at least":    {sel: chat.PageQuery{Limit: 20, Bytes: 1}, want: []chat.Seq{10}, more: true},
		"before": {
			sel: chat.PageQuery{Limit: 20, Before: 5, Bytes: 1500}, want: []chat.Seq{3, 4}, more: true,
		},
		"all before": {sel: chat.PageQuery{Limit: 20, Before: 3, Bytes: 2000}, want: []chat.Seq{1, 2}},
		"the oldest": {
			sel: chat.PageQuery{Limit: 20, Oldest: true, Bytes: 1500}, want: []chat.Seq{1, 2}, more: true,
		},
		"after": {
			sel: chat.PageQuery{Limit: 20, Oldest: true, After: 8, Bytes: 5000}, want: []chat.Seq{9, 10},
		},
		"around": {
			sel: chat.PageQuery{Limit: 20, Around: 5, Bytes: 3000}, want: []chat.Seq{4, 5, 6, 7}, more: true,
			newer: true,
		},
		"a thread": {
			sel: chat.PageQuery{Limit: 20, Thread: 5, Bytes: 1500}, want: []chat.Seq{13, 14}, more: true,
		},
		"a thread from one": {
			sel: chat.PageQuery{Limit: 20, Thread: 5, Oldest: true, After: 11, Bytes: 1500}, want: []chat.Seq{12, 13},
			more: true,
		},
		"pins": {sel: chat.PageQuery{Limit: 20, Pinned: true}, want: []chat.Seq{9, 2, 6, 4}},
		"the newest pins": {
			sel: chat.PageQuery{Limit: 20, Pinned: true, Bytes: 1500}, want: []chat.Seq{6, 4}, more: true,
		},
		"so many pins": {sel: chat.PageQuery{Limit: 3, Pinned: true}, want: []chat.Seq{2, 6, 4}, more: true},
		"pins before": {
			sel: chat.PageQuery{Limit: 20, Pinned: true, Before: 17, Bytes: 1500}, want: []chat.Seq{9, 2},
		},
		"pins before all":    {sel: chat.PageQuery{Limit: 20, Pinned: true, Before: 15, Bytes: 1500}},
		"these and no other": {sel: chat.PageQuery{Seqs: []chat.Seq{1, 2, 3}, Bytes: 1}, want: []chat.Seq{1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			page := PageOf(t, s, tt.sel)
			if got := SeqsOf(page.Messages); !slices.Equal(got, tt.want) || page.More != tt.more ||
				page.Newer != tt.newer {
				t.Errorf("%v, more %v, newer %v; want %v, %v, %v", got, page.More, page.Newer, tt.want, tt.more,
					tt.newer)
			}
			for _, m := range page.Messages {
				if want := map[chat.Seq]chat.Seq{9: 15, 2: 16, 6: 17, 4: 18}[m.Seq]; m.Pin != want ||
					m.Pinned != (want > 0) {
					t.Errorf("%d is pinned by %d (%v), want %d", m.Seq, m.Pin, m.Pinned, want)
				}
			}
		})
	}
}

func testDeletionTellsWhatTheMessageSaid(t *testing.T, open Open) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "first", ""), Draft("lobby", Ada, "another's", ""),
		DraftOf(Ada, chat.Edit, 1, "second \"quoted\"\n"), DraftOf(Ada, chat.Edit, 2, "x"),
		DraftOf(Ada, chat.Edit, 1, "third ☃"))
	c := Post(t, s, DraftOf(Ada, chat.Delete, 1, ""))[0]
	slices.Sort(c.DeletedTexts)
	if want := []string{"first", "second \"quoted\"\n", "third ☃"}; c.Err != nil ||
		!slices.Equal(c.DeletedTexts, want) {
		t.Errorf("%q, %v, want %q", c.DeletedTexts, c.Err, want)
	}
	for _, again := range []chat.Draft{DraftOf(Ada, chat.Delete, 1, ""), DraftOf(Grace, chat.Delete, 2, "")} {
		if c := Post(t, s, again)[0]; len(c.DeletedTexts) != 0 {
			t.Errorf("%+v: %q", again, c.DeletedTexts)
		}
	}
}

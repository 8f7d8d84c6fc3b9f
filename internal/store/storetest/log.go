package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

func testMessageIsReadAsItWasCommitted(t *testing.T, open Open) {
	s := open(t)
	d := Draft("größe", Ada, "line one\nline two\x01 \U0001f600 '; DROP TABLE message; --", "n-1")
	d.HTML = "<p>formatted</p>"
	before := time.Now().Truncate(time.Millisecond)
	got := Post(t, s, d)[0]
	want := chat.Event{
		Room: "größe", Seq: 1, At: got.Event.At, Kind: chat.Message, From: Ada, Text: d.Text, HTML: d.HTML,
	}
	if diff := cmp.Diff(chat.Commit{Event: want}, got); diff != "" {
		t.Errorf("commit (-want +got):\n%s", diff)
	}
	if at := got.Event.At; at.Before(before) || at.After(time.Now()) || at.Location() != time.UTC ||
		at.Nanosecond()%1e6 != 0 {
		t.Errorf("at = %v: not now in UTC to the millisecond", at)
	}
	want.HTML = "" // never stored
	for _, events := range [][]chat.Event{Events(t, s.After, "größe", 0, 10), Events(t, Before(s), "größe", 2, 10)} {
		if diff := cmp.Diff([]chat.Event{want}, events); diff != "" {
			t.Errorf("page (-want +got):\n%s", diff)
		}
	}
	s.restart()
	if diff := cmp.Diff([]chat.Event{want}, Events(t, s.After, "größe", 0, 10)); diff != "" {
		t.Errorf("page after reopening (-want +got):\n%s", diff)
	}
}

func testRoomsAreNumberedWithoutHolesWhileManyTalk(t *testing.T, open Open) {
	const talkers, each = 16, 300
	s := open(t)
	var mu sync.Mutex
	committed := map[chat.RoomName][]chat.Seq{}
	var wg, answered sync.WaitGroup
	answered.Add(talkers * each)
	for n := range talkers {
		wg.Go(func() {
			from := chat.Person{ID: chat.PersonID(fmt.Sprint("p", n)), Name: fmt.Sprint("Person ", n)}
			for i := range each {
				room := chat.RoomName(fmt.Sprint("room-", i%3))
				s.Append(Draft(room, from, fmt.Sprint(i), fmt.Sprint(i)), func(c chat.Commit) {
					mu.Lock()
					defer mu.Unlock()
					if c.Err != nil || c.Repeated {
						t.Errorf("commit %+v", c)
					}
					committed[room] = append(committed[room], c.Event.Seq)
					answered.Done()
				})
			}
		})
	}
	wg.Wait()
	answered.Wait()
	for room, got := range committed {
		want := make([]chat.Seq, talkers*each/3)
		for i := range want {
			want[i] = chat.Seq(i + 1)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: done saw seqs %v", room, got)
		}
		if stored := Seqs(Events(t, s.After, room, 0, len(want)+1)); !slices.Equal(stored, want) {
			t.Errorf("%s: stored seqs %v", room, stored)
		}
		WantHead(t, s, room, chat.Seq(len(want)))
	}
}

func testEverySendersMessagesKeepTheirOrder(t *testing.T, open Open) {
	s := open(t)
	Post(t, s, Drafts("lobby", 1000)...)
	for i, e := range Events(t, s.After, "lobby", 0, 1000) {
		if want := fmt.Sprint("message ", i+1); e.Text != want {
			t.Fatalf("seq %d is %q, want %q", e.Seq, e.Text, want)
		}
	}
}

func testRepeatedNonceGetsTheFirstAnswer(t *testing.T, open Open) {
	s := open(t)
	first := Post(t, s, Draft("lobby", Ada, "once", "n"))[0]
	again := func(when string) {
		t.Helper()
		renamed := chat.Person{ID: Ada.ID, Name: "Countess"}
		got := Post(t, s, Draft("lobby", renamed, "twice", "n"))[0]
		want := chat.Commit{Event: first.Event, Repeated: true}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	again("at once")
	again("a third time")
	s.restart()
	again("after a restart")

	others := Post(t, s,
		Draft("lobby", Grace, "another author", "n"),
		Draft("garden", Ada, "another room", "n"),
		Draft("lobby", Ada, "another nonce", "m"),
		Draft("lobby", Ada, "no nonce", ""),
		Draft("lobby", Ada, "no nonce", ""))
	for i, want := range []chat.Seq{2, 1, 3, 4, 5} {
		if c := others[i]; c.Err != nil || c.Repeated || c.Event.Seq != want {
			t.Errorf("%q: %+v, want a new message with seq %d", others[i].Event.Text, c, want)
		}
	}
	WantHead(t, s, "lobby", 5)
}

func testPageEdges(t *testing.T, open Open) {
	s := open(t)
	Post(t, s, Drafts("lobby", 10)...)
	Post(t, s, Drafts("lobbz", 3)...)
	const most = math.MaxInt64
	tests := map[string]struct {
		read  func(context.Context, chat.RoomName, chat.Seq, int) ([]chat.Event, error)
		room  chat.RoomName
		seq   chat.Seq
		limit int
		want  []chat.Seq
	}{
		"after the start":            {s.After, "lobby", 0, 3, []chat.Seq{1, 2, 3}},
		"after the middle":           {s.After, "lobby", 5, 3, []chat.Seq{6, 7, 8}},
		"after, fewer than limit":    {s.After, "lobby", 8, 3, []chat.Seq{9, 10}},
		"after the newest":           {s.After, "lobby", 10, 3, nil},
		"after what is not there":    {s.After, "lobby", most, 3, nil},
		"after less than nothing":    {s.After, "lobby", -5, 2, []chat.Seq{1, 2}},
		"after, no limit":            {s.After, "lobby", 0, 0, nil},
		"after, negative limit":      {s.After, "lobby", 0, -1, nil},
		"after, unknown room":        {s.After, "garden", 0, 3, nil},
		"before the end":             {Before(s), "lobby", most, 3, []chat.Seq{8, 9, 10}},
		"before the middle":          {Before(s), "lobby", 5, 3, []chat.Seq{2, 3, 4}},
		"before, fewer than limit":   {Before(s), "lobby", 3, 3, []chat.Seq{1, 2}},
		"before the first":           {Before(s), "lobby", 1, 3, nil},
		"before, negative limit":     {Before(s), "lobby", 5, -1, nil},
		"before, unknown room":       {Before(s), "garden", 5, 3, nil},
		"a room with a like name":    {s.After, "lobbz", 0, 9, []chat.Seq{1, 2, 3}},
		"names are compared exactly": {s.After, "Lobby", 0, 9, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Seqs(Events(t, tt.read, tt.room, tt.seq, tt.limit)); !slices.Equal(got, tt.want) {
				t.Errorf("seqs = %v, want %v", got, tt.want)
			}
		})
	}
	WantHead(t, s, "lobby", 10)
	WantHead(t, s, "garden", 0)
}

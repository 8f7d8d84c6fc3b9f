package sqlite

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
	"parley/internal/store"
)

func TestMessageIsReadAsItWasCommitted(t *testing.T) {
	s, stop := start(t, t.TempDir())
	d := draft("größe", ada, "line one\nline two\x00 \U0001f600 '; DROP TABLE message; --", "n-1")
	d.HTML = "<p>formatted</p>"
	before := time.Now().Truncate(time.Millisecond)
	got := post(t, s, d)[0]
	want := chat.Event{Room: "größe", Seq: 1, At: got.Event.At, Kind: chat.Message, From: ada, Text: d.Text, HTML: d.HTML}
	if diff := cmp.Diff(chat.Commit{Event: want}, got); diff != "" {
		t.Errorf("commit (-want +got):\n%s", diff)
	}
	if at := got.Event.At; at.Before(before) || at.After(time.Now()) || at.Location() != time.UTC || at.Nanosecond()%1e6 != 0 {
		t.Errorf("at = %v: not now in UTC to the millisecond", at)
	}
	want.HTML = "" // never stored
	for _, events := range [][]chat.Event{page(t, s.After, "größe", 0, 10), page(t, s.before, "größe", 2, 10)} {
		if diff := cmp.Diff([]chat.Event{want}, events); diff != "" {
			t.Errorf("page (-want +got):\n%s", diff)
		}
	}
	stop()
	s, _ = start(t, s.dir)
	if diff := cmp.Diff([]chat.Event{want}, page(t, s.After, "größe", 0, 10)); diff != "" {
		t.Errorf("page after reopening (-want +got):\n%s", diff)
	}
}

func TestRoomsAreNumberedWithoutHolesWhileManyTalk(t *testing.T) {
	const talkers, each = 16, 300
	s, _ := start(t, t.TempDir())
	var mu sync.Mutex
	committed := map[chat.RoomName][]chat.Seq{}
	var wg, answered sync.WaitGroup
	answered.Add(talkers * each)
	for n := range talkers {
		wg.Go(func() {
			from := chat.Person{ID: chat.PersonID(fmt.Sprint("p", n)), Name: fmt.Sprint("Person ", n)}
			for i := range each {
				room := chat.RoomName(fmt.Sprint("room-", i%3))
				s.Append(draft(room, from, fmt.Sprint(i), fmt.Sprint(i)), func(c chat.Commit) {
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
		if stored := seqs(page(t, s.After, room, 0, len(want)+1)); !slices.Equal(stored, want) {
			t.Errorf("%s: stored seqs %v", room, stored)
		}
		wantHead(t, s, room, chat.Seq(len(want)))
	}
}

func TestEverySendersMessagesKeepTheirOrder(t *testing.T) {
	s, _ := start(t, t.TempDir())
	post(t, s, drafts("lobby", 1000)...)
	for i, e := range page(t, s.After, "lobby", 0, 1000) {
		if want := fmt.Sprint("message ", i+1); e.Text != want {
			t.Fatalf("seq %d is %q, want %q", e.Seq, e.Text, want)
		}
	}
}

func TestAllButTheLastCommitOfATransactionSayMore(t *testing.T) {
	s, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var more []bool
	for _, d := range drafts("lobby", 5) {
		s.Append(d, func(c chat.Commit) { more = append(more, c.More) })
	}
	s.start(func(context.Context, *committer) error { return nil }) // not a draft: nobody's last
	s.loop.Stop()
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []bool{true, true, true, true, false}; !slices.Equal(more, want) {
		t.Errorf("more = %v, want %v", more, want)
	}
}

func TestRepeatedNonceGetsTheFirstAnswer(t *testing.T) {
	s, stop := start(t, t.TempDir())
	first := post(t, s, draft("lobby", ada, "once", "n"))[0]
	again := func(when string) {
		t.Helper()
		renamed := chat.Person{ID: ada.ID, Name: "Countess"}
		got := post(t, s, draft("lobby", renamed, "twice", "n"))[0]
		want := chat.Commit{Event: first.Event, Repeated: true}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	again("at once")
	again("a third time")
	stop()
	s, _ = start(t, s.dir)
	again("after a restart")

	others := post(t, s,
		draft("lobby", grace, "another author", "n"),
		draft("garden", ada, "another room", "n"),
		draft("lobby", ada, "another nonce", "m"),
		draft("lobby", ada, "no nonce", ""),
		draft("lobby", ada, "no nonce", ""))
	for i, want := range []chat.Seq{2, 1, 3, 4, 5} {
		if c := others[i]; c.Err != nil || c.Repeated || c.Event.Seq != want {
			t.Errorf("%q: %+v, want a new message with seq %d", others[i].Event.Text, c, want)
		}
	}
	wantHead(t, s, "lobby", 5)
}

// The repeats stand at the edges and in the middle of the statements that
// insert 64, 8 and 1 rows, next to each other, and after rows of other rooms.
func TestRepeatsWithinOneTransactionTakeNoSeq(t *testing.T) {
	s, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	type word struct {
		room   chat.RoomName
		seq    chat.Seq
		repeat bool
	}
	var got, want []word
	heads := map[chat.RoomName]chat.Seq{}
	send := func(room chat.RoomName, nonce string, repeatOf chat.Seq) {
		s.Append(draft(room, ada, nonce, nonce), func(c chat.Commit) {
			if c.Err != nil {
				t.Error(c.Err)
			}
			got = append(got, word{c.Event.Room, c.Event.Seq, c.Repeated})
		})
		if repeatOf == 0 {
			heads[room]++
			want = append(want, word{room, heads[room], false})
			return
		}
		want = append(want, word{room, repeatOf, true})
	}
	for i := range 300 {
		room := chat.RoomName(fmt.Sprint("room-", i%2))
		send(room, fmt.Sprint("n", i), 0)
		if i%7 == 0 || i == 62 || i == 63 || i == 299 {
			send(room, fmt.Sprint("n", i), heads[room])
			send("room-0", "n0", 1)
		}
	}
	s.loop.Stop()
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(word{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for room, head := range heads {
		wantHead(t, s, room, head)
	}
}

func TestPageEdges(t *testing.T) {
	s, _ := start(t, t.TempDir())
	post(t, s, drafts("lobby", 10)...)
	post(t, s, drafts("lobbz", 3)...)
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
		"before the end":             {s.before, "lobby", most, 3, []chat.Seq{8, 9, 10}},
		"before the middle":          {s.before, "lobby", 5, 3, []chat.Seq{2, 3, 4}},
		"before, fewer than limit":   {s.before, "lobby", 3, 3, []chat.Seq{1, 2}},
		"before the first":           {s.before, "lobby", 1, 3, nil},
		"before, negative limit":     {s.before, "lobby", 5, -1, nil},
		"before, unknown room":       {s.before, "garden", 5, 3, nil},
		"a room with a like name":    {s.After, "lobbz", 0, 9, []chat.Seq{1, 2, 3}},
		"names are compared exactly": {s.After, "Lobby", 0, 9, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := seqs(page(t, tt.read, tt.room, tt.seq, tt.limit)); !slices.Equal(got, tt.want) {
				t.Errorf("seqs = %v, want %v", got, tt.want)
			}
		})
	}
	wantHead(t, s, "lobby", 10)
	wantHead(t, s, "garden", 0)
}

func TestReadEndsWithItsContext(t *testing.T) {
	s, _ := start(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.After(ctx, "lobby", 0, 10); err == nil {
		t.Error("After with a cancelled context has no error")
	}
	if _, _, err := s.Head(ctx, "lobby"); err == nil {
		t.Error("Head with a cancelled context has no error")
	}
}

// More rooms and people than the committer remembers, twice.
func TestForgottenRoomsGoOnWhereTheyWere(t *testing.T) {
	s, _ := start(t, t.TempDir())
	must(t, <-s.start(func(_ context.Context, c *committer) error {
		c.rooms, c.people = newCache[chat.RoomName, *store.Room](4), newCache[chat.PersonID, *author](4)
		return nil
	}))
	for round := range chat.Seq(3) {
		for n := range 20 {
			name := fmt.Sprint(n)
			c := post(t, s, draft(chat.RoomName(name), chat.Person{ID: chat.PersonID(name), Name: name}, "hi", ""))[0]
			if c.Err != nil || c.Event.Seq != round+1 {
				t.Errorf("%s in round %d: %+v", name, round, c)
			}
		}
		must(t, <-s.start(func(_ context.Context, c *committer) error {
			if n := len(c.rooms.young) + len(c.rooms.old); n > 8 {
				t.Errorf("%d rooms remembered, want at most 8", n)
			}
			return nil
		}))
	}
}

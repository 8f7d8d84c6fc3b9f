package sqlite

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
	"parley/internal/store"
)

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
	s.start(func(context.Context, *writer) error { return nil }) // not a draft: nobody's last
	s.committer.Stop()
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []bool{true, true, true, true, false}; !slices.Equal(more, want) {
		t.Errorf("more = %v, want %v", more, want)
	}
}

// More rooms and people than the writer remembers, twice.
func TestForgottenRoomsGoOnWhereTheyWere(t *testing.T) {
	s, _ := start(t, t.TempDir())
	must(t, <-s.start(func(_ context.Context, c *writer) error {
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
		must(t, <-s.start(func(_ context.Context, c *writer) error {
			if n := len(c.rooms.young) + len(c.rooms.old); n > 8 {
				t.Errorf("%d rooms remembered, want at most 8", n)
			}
			return nil
		}))
	}
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
	s.committer.Stop()
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

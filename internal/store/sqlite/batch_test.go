package sqlite

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// Plain messages, changes, repeats and what is refused share one transaction, as
// they come, and the room's numbers have neither a hole nor a double.
func TestChangesAmongMessagesKeepTheOrder(t *testing.T) {
	s, err := Open(t.Context(), Config{Dir: t.TempDir()})
	must(t, err)
	defer s.Close()
	type word struct {
		Seq    chat.Seq
		Kind   chat.Kind
		Code   chat.Code
		Repeat bool
	}
	var got, want []word
	head := chat.Seq(0)
	send := func(d chat.Draft, w word) {
		if w.Code == "" && !w.Repeat {
			head++
			w.Seq = head
		}
		if w.Code == "" {
			w.Kind = d.Is()
		}
		want = append(want, w)
		s.Append(d, func(c chat.Commit) {
			got = append(got, word{c.Event.Seq, c.Event.Kind, chat.CodeOf(c.Err), c.Repeated})
		})
	}
	plain := func(n int) {
		for range n {
			send(draft("lobby", ada, "plain", fmt.Sprint("n", head+1)), word{})
		}
	}
	plain(1)
	for _, n := range []int{0, 1, 7, 8, 9, 63, 64, 65, 130} {
		plain(n)
		send(draftOf(ada, chat.Edit, 1, fmt.Sprint("edit ", n)), word{})
		send(draftOf(grace, chat.Edit, 1, "not hers"), word{Code: chat.NotYours})
		send(draft("lobby", ada, "again", "n1"), word{Seq: 1, Repeat: true})
		send(draftOf(grace, chat.React, 1, fmt.Sprint("e", n)), word{})
		send(draftOf(grace, chat.React, head+100, "x"), word{Code: chat.NotFound})
		plain(n)
		send(draft("lobby", grace, "@Ada", ""), word{})
		send(draftOf(grace, chat.Delete, head, ""), word{})
		send(draftOf(grace, chat.Pin, head-1, ""), word{Code: chat.Gone})
	}
	s.committer.Stop()
	must(t, s.Run(t.Context()))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, e := range page(t, s.After, "lobby", 0, 10_000) {
		if e.Seq != chat.Seq(i+1) {
			t.Fatalf("place %d holds seq %d", i+1, e.Seq)
		}
	}
	wantHead(t, s, "lobby", head)
}

// contents returns all that a store's file holds of the log, as text.
func contents(t *testing.T, s *Store) (all []string) {
	t.Helper()
	for _, text := range []string{
		`SELECT 'event', id, coalesce(kind, ''), coalesce(target, 0), text, coalesce(extra, ''), coalesce(current, ` +
			`0) FROM event ORDER BY id`,
		`SELECT 'reaction', target, emoji, person, event FROM reaction ORDER BY 2, 3, 4`,
		`SELECT 'pin', target, event FROM pin ORDER BY 2`,
		`SELECT 'mention', person, event FROM mention ORDER BY 2, 3`,
		`SELECT 'follow', target, person FROM follow ORDER BY 2, 3`,
		`SELECT 'member', person, room FROM member ORDER BY 2, 3`,
		`SELECT 'room', id, name, topic FROM room ORDER BY 2`,
		`SELECT 'person', id, public, name FROM person ORDER BY 2`,
	} {
		rows, err := s.readers.QueryContext(t.Context(), text)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			row := make([]any, len(columns))
			to := make([]any, len(columns))
			for i := range row {
				to[i] = &row[i]
			}
			must(t, rows.Scan(to...))
			all = append(all, fmt.Sprint(row...))
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	return all
}

// A transaction that fails leaves nothing of any kind of change, and nothing that
// the committer remembers of it: the same drafts do the same afterwards.
func TestFailedTransactionLeavesNothingOfAChange(t *testing.T) {
	eve := chat.Person{ID: "eve", Name: "Eve"}
	ds := []chat.Draft{
		draft("lobby", eve, "a newcomer, @Ada", ""),
		draftOf(ada, chat.Edit, 1, "edited, @Eve @Grace"),
		draftOf(eve, chat.React, 1, "👍"),
		draftOf(grace, chat.Pin, 1, ""),
		draftOf(eve, chat.Reply, 1, "in a thread"),
		draftOf(eve, chat.Topic, 0, "ships"),
		draftOf(ada, chat.Delete, 2, ""),
		draft("new room", eve, "hi @Eve", ""),
	}
	prepare := func(t *testing.T, s *Store) {
		do(t, s, draft("lobby", ada, "one", ""), draft("lobby", ada, "two", ""), draft("lobby", grace, "@Ada", ""))
	}
	reference, _ := start(t, t.TempDir())
	prepare(t, reference)
	do(t, reference, ds...)
	want := contents(t, reference)

	for name, fail := range map[string]func(t *testing.T, s *Store, d *disk){
		"the disk is full": func(t *testing.T, s *Store, d *disk) {
			d.writeCode.Store(sqlite3.SQLITE_FULL)
			for range 3 {
				wantRefused(t, post(t, s, ds...), chat.Unavailable)
			}
			d.writeCode.Store(0)
		},
		"what comes last fails": func(t *testing.T, s *Store, _ *disk) {
			for n := range len(ds) {
				// A kind that no rule lets through, in a room that is written last.
				bad := chat.Draft{Room: "zzz", From: eve, Kind: chat.Typing}
				wantRefused(t, storetest.Together(t, s, append(slices.Clone(ds[:n+1]), bad)...), chat.Unavailable)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t)
			s, _ := startOn(t, Config{Dir: t.TempDir()}, d.name)
			prepare(t, s)
			before := contents(t, s)
			fail(t, s, d)
			if diff := cmp.Diff(before, contents(t, s)); diff != "" {
				t.Errorf("after the failure (-before +after):\n%s", diff)
			}
			do(t, s, ds...)
			if diff := cmp.Diff(want, contents(t, s)); diff != "" {
				t.Errorf("in the end (-without a failure +with one):\n%s", diff)
			}
		})
	}
}

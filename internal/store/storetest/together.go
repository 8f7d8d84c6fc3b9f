package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
	"parley/internal/store"
)

// Together is Post, but all drafts are stored in one transaction.
func Together(t testing.TB, s Log, drafts ...chat.Draft) []chat.Commit {
	t.Helper()
	release := holdCommitter(s)
	commits := make([]chat.Commit, len(drafts))
	var answered sync.WaitGroup
	answered.Add(len(drafts))
	for i, d := range drafts {
		s.Append(d, func(c chat.Commit) {
			commits[i] = c
			answered.Done()
		})
	}
	release()
	answered.Wait()
	return commits
}

// holdCommitter keeps the committer busy until release is called: it answers a draft that is refused, so nothing is
// stored. What it is given meanwhile comes into one transaction.
func holdCommitter(s Log) (release func()) {
	begun, released := make(chan struct{}), make(chan struct{})
	s.Append(chat.Draft{Room: "gate", From: Ada, Kind: chat.Edit, Target: 1, Text: "?"}, func(chat.Commit) {
		close(begun)
		<-released
	})
	<-begun
	return func() { close(released) }
}

// Random drafts are given to two stores: to one of them one by one, to the other in one transaction. Answers and
// contents must be equal, also after retries, and equal to those of a Memory. The rooms are near the limits of edits,
// emoji and pins.
func testABatchIsStoredLikeItsDraftsOneByOne(t *testing.T, open Open) {
	single, batched, model := open(t), open(t), &Subject{Store: startMemory(t)}
	for round := range 4 {
		seed := rand.Uint64()
		heads := map[chat.RoomName]chat.Seq{}
		for _, name := range []string{"aa", "bb"} {
			room := chat.RoomName(fmt.Sprint(name, round))
			drafts := NearLimits(room)
			for _, s := range []*Subject{single, batched, model} {
				for i, c := range Post(t, s, drafts...) {
					if c.Err != nil {
						t.Fatal(i, c.Err)
					}
				}
			}
			heads[room] = chat.Seq(len(drafts))
		}
		drafts := RandomDrafts(rand.New(rand.NewPCG(seed, 0)), round, heads)
		t.Logf("round %d, seed %d: %+v", round, seed, drafts)
		together := Together(t, batched, drafts...)
		for i, d := range drafts {
			alone := Post(t, single, d)[0]
			wantEqual(t, fmt.Sprint("draft ", i), Describe(alone), Describe(together[i]))
			wantEqual(t, fmt.Sprint("draft ", i, " in memory"), Describe(alone), Describe(Post(t, model, d)[0]))
		}
		for i, d := range drafts {
			if d.Nonce != "" {
				want := Describe(Post(t, single, d)[0])
				wantEqual(t, fmt.Sprint("a retry of draft ", i), want, Describe(Post(t, batched, d)[0]))
				wantEqual(t, fmt.Sprint("a retry of draft ", i, " in memory"), want, Describe(Post(t, model, d)[0]))
			}
		}
		for room := range heads {
			want := contents(t, single, room)
			wantEqual(t, "contents", append(want, personalContents(t, single, room)...),
				append(contents(t, batched, room), personalContents(t, batched, room)...))
			wantEqual(t, "contents in memory", want, contents(t, model, room))
		}
	}
}

func startMemory(t testing.TB) *Memory {
	m := NewMemory(store.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	go m.Run(ctx)
	t.Cleanup(func() {
		cancel()
		m.Close()
	})
	return m
}

// wantEqual ends the test if want and got are not equal.
func wantEqual(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// contents returns all that a store has of a room, but for times, as text.
func contents(t testing.TB, s *Subject, room chat.RoomName) (all []string) {
	t.Helper()
	var seqs []chat.Seq
	for _, e := range Events(t, s.After, room, 0, 10_000) {
		all = append(all, describeEvent(e))
		seqs = append(seqs, e.Seq)
	}
	page, err := s.Page(t.Context(), room, chat.PageQuery{Seqs: seqs})
	Must(t, err)
	for _, m := range page.Messages {
		text := fmt.Sprint(describeEvent(m.Event), " edited ", m.Edited, m.Reactions, " pinned by ", m.Pin)
		if r := m.Replies; r != nil {
			text += fmt.Sprint(" replies ", r.Count, r.Last, r.From)
		}
		all = append(all, text)
	}
	for seq := range chat.Seq(early) {
		versions, err := s.Versions(t.Context(), room, seq+1)
		Must(t, err)
		for _, e := range versions {
			all = append(all, describeEvent(e))
		}
	}
	due, err := s.Copies(t.Context(), 10_000)
	Must(t, err)
	var copies []string
	for _, d := range due {
		if d.Room == room {
			copies = append(copies, fmt.Sprint("due ", d.Target, d.From))
		}
	}
	slices.Sort(copies)
	return append(all, copies...)
}

// personalContents returns the list entries and personal data of the three people for a room, if the store is a
// Database.
func personalContents(t testing.TB, subject *Subject, room chat.RoomName) (all []string) {
	t.Helper()
	s, ok := subject.Store.(Database)
	if !ok {
		return nil
	}
	for _, p := range Three {
		e, err := s.ListEntry(t.Context(), p.ID, room)
		if chat.CodeOf(err) != chat.NotFound {
			Must(t, err)
		}
		last := chat.Quote{}
		if e.Last != nil {
			last = *e.Last
		}
		all = append(all, fmt.Sprint(p.Name, e.Topic, e.Head, last, e.Read, e.Unread, e.Mentions))
		for seq := range chat.Seq(early) {
			is, err := s.IsSubscribed(t.Context(), p.ID, chat.MessageRef{Room: room, Seq: seq + 1})
			Must(t, err)
			all = append(all, fmt.Sprint(p.Name, " subscribed to ", seq+1, is))
		}
	}
	return all
}

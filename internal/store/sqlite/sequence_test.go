package sqlite

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// TestABatchIsStoredLikeItsDraftsOneByOne gives random drafts to two copies of a store: to
// one of them one by one, to the other in one transaction. Answers and tables must be
// equal. The test of all stores of that name looks at what the methods return. The copies are near
// the limits of edits, emoji and pins.
func TestABatchIsStoredLikeItsDraftsOneByOne(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	base := t.TempDir()
	s, stop := startOn(t, Config{Dir: base, Logger: quiet}, "")
	for _, room := range []chat.RoomName{"aa", "bb"} {
		for i, c := range post(t, s, storetest.NearLimits(room)...) {
			if c.Err != nil {
				t.Fatal(i, c.Err)
			}
		}
	}
	stop()
	for round := range 24 {
		random := rand.New(rand.NewPCG(rand.Uint64(), 0))
		a, b := t.TempDir(), t.TempDir()
		copyFolder(t, base, a)
		copyFolder(t, base, b)
		single, stopSingle := startOn(t, Config{Dir: a, Logger: quiet}, "")
		batched, stopBatched := startOn(t, Config{Dir: b, Logger: quiet}, "")
		heads := map[chat.RoomName]chat.Seq{}
		for _, room := range []chat.RoomName{"aa", "bb"} {
			head, _, err := single.Head(t.Context(), room)
			must(t, err)
			heads[room] = head
		}
		drafts := storetest.RandomDrafts(random, round, heads)
		var want []string
		for _, d := range drafts {
			want = append(want, storetest.Describe(post(t, single, d)[0]))
		}
		for i, c := range storetest.Together(t, batched, drafts...) {
			if got := storetest.Describe(c); got != want[i] {
				t.Fatalf("round %d, draft %d %+v:\nalone    %s\ntogether %s\nall: %+v",
					round, i, drafts[i], want[i], got, drafts[:i])
			}
		}
		if x, y := tables(t, single), tables(t, batched); !slices.Equal(x, y) {
			t.Fatalf("round %d: the tables differ:\nalone    %v\ntogether %v\nall: %+v", round, x, y, drafts)
		}
		stopSingle()
		stopBatched()
	}
}

// tables returns the rows of all tables that drafts change, but for times.
func tables(t *testing.T, s *Store) (all []string) {
	t.Helper()
	all = contents(t, s)
	for _, text := range []string{
		`SELECT 'head', id, head FROM room ORDER BY 2`,
		`SELECT 'answer', nonce, author, room, kind, target, emoji, seq FROM answer ORDER BY 2, 3, 4`,
		`SELECT 'nonce', id, coalesce(nonce, ''), author, name FROM event ORDER BY 2`,
		`SELECT 'forward', copy, source FROM forward ORDER BY 2`,
		`SELECT 'due', source FROM copies_due ORDER BY 2`,
	} {
		rows, err := s.readers.QueryContext(t.Context(), text)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			row, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			must(t, rows.Scan(into...))
			all = append(all, fmt.Sprint(row...))
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	return all
}

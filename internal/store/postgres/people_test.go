package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"parley/internal/store"
	"parley/internal/store/storetest"
)

// ask returns the one value that a statement finds.
func ask[T any](t *testing.T, s *Store, text string, args ...any) (found T) {
	t.Helper()
	storetest.Must(t, s.pool.QueryRow(t.Context(), text, args...).Scan(&found))
	return found
}

func TestSessionIsStoredAsAHash(t *testing.T) {
	s, _ := start(t, newDatabase(t))
	_, session, err := s.NewGuest(t.Context(), "Ada", "")
	storetest.Must(t, err)
	stored := ask[[]byte](t, s, `SELECT token_hash FROM session`)
	if string(stored) != string(store.TokenHash(session)) || len(session) != 43 {
		t.Errorf("stored %q for a session of %d characters", stored, len(session))
	}
}

func TestSessionIsMarkedAsSeenOnceADay(t *testing.T) {
	url := newDatabase(t)
	s, _ := start(t, url)
	_, session, err := s.NewGuest(t.Context(), "Ada", "")
	storetest.Must(t, err)
	seenAfter := func(at time.Time) int64 {
		t.Helper()
		mark := ownWrite{text: `UPDATE session SET seen_ms = $1`, args: []any{at.UnixMilli()}}
		storetest.Must(t, s.write(t.Context(), mark))
		_, err := s.Person(t.Context(), session)
		storetest.Must(t, err)
		storetest.Must(t, s.write(t.Context(), ownWrite{})) // behind what Person began
		return ask[int64](t, s, `SELECT seen_ms FROM session`)
	}
	recent := time.Now().Add(-23 * time.Hour)
	if got := seenAfter(recent); got != recent.UnixMilli() {
		t.Error("seen 23 hours ago: written again")
	}
	if got := seenAfter(time.Now().Add(-25 * time.Hour)); got < recent.UnixMilli() {
		t.Error("seen 25 hours ago: not written")
	}
}

func TestWaitingForACommitEndsWithTheContext(t *testing.T) {
	s, err := Open(t.Context(), Config{URL: newDatabase(t)}) // nobody commits
	storetest.Must(t, err)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.NewGuest(ctx, "Ada", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("NewGuest: %v", err)
	}
	if err := s.Healthy(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Healthy: %v", err)
	}
}

func TestHealthCheckWrites(t *testing.T) {
	s, _ := start(t, newDatabase(t))
	const position = `SELECT pg_current_wal_insert_lsn()::text`
	before := ask[string](t, s, position)
	storetest.Must(t, s.Healthy(t.Context()))
	if after := ask[string](t, s, position); after == before {
		t.Error("nothing was written")
	}
}

package postgres

import (
	"testing"

	"parley/internal/store"
	"parley/internal/store/storetest"
)

// ask returns the one value that a statement finds.
func ask[T any](t testing.TB, s *Store, text string, args ...any) (found T) {
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

func TestHealthCheckWrites(t *testing.T) {
	s, _ := start(t, newDatabase(t))
	const position = `SELECT pg_current_wal_insert_lsn()::text`
	before := ask[string](t, s, position)
	storetest.Must(t, s.Healthy(t.Context()))
	if after := ask[string](t, s, position); after == before {
		t.Error("nothing was written")
	}
}

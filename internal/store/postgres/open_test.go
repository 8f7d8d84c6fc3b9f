package postgres

import "testing"

func TestOpenMakesTheTablesOnce(t *testing.T) {
	url := newDatabase(t)
	for range 2 {
		s, stop := start(t, url)
		var n int
		if err := s.pool.QueryRow(t.Context(), `SELECT count(*) FROM event`).Scan(&n); err != nil || n != 0 {
			t.Error(n, err)
		}
		stop()
	}
}

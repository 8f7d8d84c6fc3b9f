package sqlite

import (
	"testing"

	"parley/internal/store/storetest"
)

func TestSQLiteIsAStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) *storetest.Subject {
		s, stop := start(t, t.TempDir())
		restart := func() storetest.Store {
			stop()
			s, stop = start(t, s.dir)
			return s
		}
		return &storetest.Subject{Store: s, Restart: restart}
	})
}

package sqlite

import (
	"context"
	"testing"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

func TestSQLiteIsAStore(t *testing.T) {
	storetest.RunDatabase(t, func(t testing.TB) *storetest.DatabaseSubject {
		s, stop := start(t, t.TempDir())
		restart := func() storetest.Database {
			stop()
			s, stop = start(t, s.dir)
			return s
		}
		lose := func(at chat.MessageRef) {
			must(t, <-s.start(func(ctx context.Context, w *writer) error {
				return w.exec(ctx, `DELETE FROM event WHERE id = `+namedSQL("$2"), string(at.Room), int64(at.Seq))
			}))
		}
		return &storetest.DatabaseSubject{Database: s, Restart: restart, Lose: lose}
	})
}

package sqlite

import (
	"context"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// emptyFolder returns a data folder with a database that nobody has used.
var emptyFolder = storetest.Folders(func(dir string) error {
	s, err := Open(context.Background(), Config{Dir: dir})
	if err != nil {
		return err
	}
	return s.Close()
})

func TestSQLiteIsAStore(t *testing.T) {
	storetest.RunDatabase(t, func(t testing.TB) *storetest.DatabaseSubject {
		s, stop := start(t, emptyFolder(t))
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
		setSeen := func(at time.Time) {
			must(t, <-s.start(func(ctx context.Context, w *writer) error {
				return w.exec(ctx, `UPDATE session SET seen_ms = $1`, at.UnixMilli())
			}))
		}
		seen := func() time.Time {
			var ms int64
			must(t, s.readers.QueryRowContext(t.Context(), `SELECT seen_ms FROM session`).Scan(&ms))
			return time.UnixMilli(ms)
		}
		return &storetest.DatabaseSubject{Database: s, Restart: restart, Lose: lose, SetSeen: setSeen, Seen: seen}
	})
}

package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

func TestPostgreSQLIsAStore(t *testing.T) {
	storetest.RunDatabase(t, func(t testing.TB) *storetest.DatabaseSubject {
		url := newDatabase(t)
		s, stop := start(t, url)
		restart := func() storetest.Database {
			stop()
			s, stop = start(t, url)
			return s
		}
		lose := func(at chat.MessageRef) {
			storetest.Must(t, run(t.Context(), url, `
				DELETE FROM event WHERE room = (SELECT id FROM room WHERE name = $1) AND seq = $2`, string(at.Room),
				int64(at.Seq)))
		}
		setSeen := func(at time.Time) {
			storetest.Must(t, run(t.Context(), url, `UPDATE session SET seen_ms = $1`, at.UnixMilli()))
		}
		seen := func() time.Time { return time.UnixMilli(ask[int64](t, s, `SELECT seen_ms FROM session`)) }
		return &storetest.DatabaseSubject{Database: s, Restart: restart, Lose: lose, SetSeen: setSeen, Seen: seen}
	})
}

// run runs a statement beside the store.
func run(ctx context.Context, url, text string, args ...any) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, text, args...)
	return err
}

package move_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"parley/internal/chat"
	"parley/internal/move"
	"parley/internal/store/postgres"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/sqlite"
	"parley/internal/store/storetest"
)

var benchMessages = flag.Int("messages", 20_000, "how many messages BenchmarkMove moves")

// BenchmarkMove moves messages of 100 rooms from a data folder to a PostgreSQL and back, and reports the messages
// per second of each way.
func BenchmarkMove(b *testing.B) {
	first := filepath.Join(b.TempDir(), "data")
	talk(b, first, *benchMessages)
	url, back := pgtest.Empty(b), filepath.Join(b.TempDir(), "back")
	for b.Loop() {
		folder, err := sqlite.Open(b.Context(), sqlite.Config{Dir: first})
		storetest.Must(b, err)
		out := timed(b, "messages/s-out", folder, intoDatabase(url))
		database, err := postgres.OpenToMove(b.Context(), postgres.Config{URL: url})
		storetest.Must(b, err)
		if home := timed(b, "messages/s-back", database, intoFolder(back)); home != out {
			b.Fatalf("moved %+v out and %+v back", out, home)
		}
		url, first, back = pgtest.Empty(b), back, filepath.Join(b.TempDir(), "back")
	}
}

func timed(b *testing.B, unit string, from source, to fill) (report move.Report) {
	b.Helper()
	before := b.Elapsed()
	storetest.Must(b, to(b.Context(), from.Epoch(), func(ctx context.Context, target move.Target) (err error) {
		report, err = move.Copy(ctx, from, target, nil)
		return err
	}))
	storetest.Must(b, from.Close())
	b.ReportMetric(float64(report.Events)/(b.Elapsed()-before).Seconds(), unit)
	return report
}

// talk writes messages of a hundred people to a hundred rooms of a new data folder.
func talk(b testing.TB, dir string, messages int) {
	b.Helper()
	s, err := sqlite.Open(b.Context(), sqlite.Config{Dir: dir})
	storetest.Must(b, err)
	use(b, s, err, func(s storetest.Database) {
		const atOnce = 1000
		stored := make(chan error, atOnce)
		for n := range messages {
			if n >= atOnce {
				storetest.Must(b, <-stored)
			}
			nonce, err := uuid.NewV7()
			storetest.Must(b, err)
			who := chat.Person{ID: chat.PersonID(fmt.Sprint("person", n%97)), Name: fmt.Sprint("Person ", n%97)}
			d := storetest.Draft(chat.RoomName(fmt.Sprint("room", n%100)), who,
				fmt.Sprintf("message %d: some forty more letters of a usual text", n), nonce.String())
			s.Append(d, func(c chat.Commit) { stored <- c.Err })
		}
		for range min(messages, atOnce) {
			storetest.Must(b, <-stored)
		}
	})
}

package postgres

import (
	"fmt"
	"log/slog"
	"testing"

	"parley/internal/chat"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/storetest"
)

// BenchmarkCommit stores messages in a database that survives power cuts, while so many wait for their
// answer at any time. SQLite has the same benchmark.
func BenchmarkCommit(b *testing.B) {
	for _, flying := range []int{1, 64, 1024, 16384} {
		b.Run(fmt.Sprint("flying=", flying), func(b *testing.B) {
			url := pgtest.Start(b, "fsync=on", "full_page_writes=on", "max_wal_size=1GB").URL("postgres")
			s, _ := startWith(b, Config{URL: url, Logger: slog.New(slog.DiscardHandler)})
			const text = "A message of a usual length: two lines on a phone, perhaps with a link in it."
			free := make(chan struct{}, flying)
			done := func(c chat.Commit) {
				if c.Err != nil {
					b.Error(c.Err)
				}
				<-free
			}
			storetest.Do(b, s, storetest.Draft("lobby", storetest.Ada, text, ""))
			b.ResetTimer()
			for i := range b.N {
				free <- struct{}{}
				from := chat.Person{ID: chat.PersonID(fmt.Sprint("p", i%64)), Name: "Ada Lovelace"}
				s.Append(storetest.Draft("lobby", from, text, fmt.Sprintf("0198c1d2-7a3b-7c4d-8e5f-%012x", i)), done)
			}
			for range flying {
				free <- struct{}{}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
		})
	}
}

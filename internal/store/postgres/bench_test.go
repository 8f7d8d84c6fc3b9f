package postgres

import (
	"fmt"
	"log/slog"
	"testing"

	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/storetest"
)

// BenchmarkCommit stores messages in a database that survives power cuts, while so many wait for their
// answer at any time. SQLite has the same benchmark.
func BenchmarkCommit(b *testing.B) {
	for _, waiting := range []int{1, 64, 1024, 16384} {
		b.Run(fmt.Sprint("waiting=", waiting), func(b *testing.B) {
			server := pgtest.Start(b, "fsync=on", "full_page_writes=on", "max_wal_size=1GB")
			cfg := Config{URL: server.URL("postgres"), Alone: true, Logger: slog.New(slog.DiscardHandler)}
			s, _ := startWith(b, cfg)
			storetest.BenchmarkCommits(b, s, waiting, server.CPU)
		})
	}
}

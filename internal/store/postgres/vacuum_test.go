package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/storetest"
)

// deletes stores a message and deletes it.
func deletes(t *testing.T, s *Store) {
	t.Helper()
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "secret", ""),
		storetest.DraftOf(storetest.Ada, chat.Edit, 1, "secret too"),
		storetest.DraftOf(storetest.Ada, chat.Delete, 1, ""))
}

// due returns how many deletions wait for VACUUM, and who has the work.
func due(t *testing.T, url string) (deletions int, holder string) {
	t.Helper()
	return one[int](t, url, `SELECT count(*) FROM vacuum_due`),
		one[string](t, url, `SELECT coalesce((SELECT holder FROM lease WHERE name = 'vacuum'), '')`)
}

// Deleted texts leave the database's files soon, by one node that lives.
func TestDeletedTextsAreVacuumedByOneNode(t *testing.T) {
	url := newDatabase(t)
	s, _ := start(t, url)
	other, stop := start(t, url)
	deletes(t, s)
	storetest.Must(t, run(t.Context(), url, `
		INSERT INTO lease VALUES ('vacuum', $1, now() + interval '1 hour')`, other.NodeID()))
	_, err := s.vacuum(t.Context())
	storetest.Must(t, err)
	if n, _ := due(t, url); n != 1 || one[int](t, url, `
		SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'event'`) != 0 {
		t.Error("two nodes vacuum")
	}
	stop()
	left, err := s.vacuum(t.Context())
	storetest.Must(t, err)
	if n, holder := due(t, url); left || n != 0 || holder != "" {
		t.Errorf("%d are still due, and %q has the work", n, holder)
	}
	until(t, url, `SELECT vacuum_count = 1 FROM pg_stat_user_tables WHERE relname = 'event'`)
}

// VACUUM leaves a text that an older transaction may still read, so it is due until that ends.
func TestVacuumIsRepeatedAfterAnOldTransaction(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).URL("postgres") // VACUUM also waits for transactions in other databases, if they are old
	s, _ := start(t, url)
	old, err := pgx.Connect(t.Context(), url)
	storetest.Must(t, err)
	defer old.Close(t.Context())
	tx, err := old.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	storetest.Must(t, err)
	_, err = tx.Exec(t.Context(), `SELECT count(*) FROM event`) // takes the snapshot
	storetest.Must(t, err)
	deletes(t, s)
	left, err := s.vacuum(t.Context())
	storetest.Must(t, err)
	if n, holder := due(t, url); !left || n != 1 || holder != s.NodeID() {
		t.Errorf("%d are due, and %q has the work", n, holder)
	}
	storetest.Must(t, tx.Commit(t.Context()))
	left, err = s.vacuum(t.Context())
	storetest.Must(t, err)
	if n, holder := due(t, url); left || n != 0 || holder != "" {
		t.Errorf("%d are still due, and %q has the work", n, holder)
	}
}

// What PostgreSQL says of a VACUUM differs between its releases.
func TestReportOfVacuumIsUnderstood(t *testing.T) {
	for name, tt := range map[string]struct {
		told   []string
		cutoff string
		missed bool
	}{
		"of 14": {
			told: []string{"\"event\": found 0 removable, 5 nonremovable row versions in 1 out of 1 pages\n" +
				"2 dead row versions cannot be removed yet, oldest xmin: 739\nSkipped 0 pages due to buffer pins"},
			cutoff: "739",
		},
		"of 15, with long texts": {
			told: []string{
				"vacuuming \"parley.public.event\"\n",
				"finished vacuuming \"parley.public.event\": index scans: 0\nremovable cutoff: 740, which was 0",
				"finished vacuuming \"parley.pg_toast.pg_toast_1\": index scans: 0\nremovable cutoff: 745, which was 0",
			},
			cutoff: "740",
		},
		"a page that was in use": {
			told: []string{"tuples missed: 1 dead from 1 pages not removed due to cleanup lock contention\n" +
				"removable cutoff: 740, which was 0 XIDs old"},
			cutoff: "740", missed: true,
		},
		"in other words": {told: []string{"Löschgrenze: 740"}, cutoff: "before"},
	} {
		t.Run(name, func(t *testing.T) {
			r := vacuumReport{cutoff: "before"}
			for _, text := range tt.told {
				r.read(text)
			}
			if r.cutoff != tt.cutoff || r.missed != tt.missed {
				t.Errorf("%+v", r)
			}
		})
	}
}

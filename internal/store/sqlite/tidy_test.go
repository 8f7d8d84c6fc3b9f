package sqlite

import (
	"testing"

	"modernc.org/sqlite"
)

func TestNudgedCommitterFirstTakesWhatWaits(t *testing.T) {
	var q queue
	q.changed.L = &q.mu
	q.push(item{draft: draft("lobby", ada, "hi", "")})
	q.nudge()
	for _, want := range []int{1, 0} {
		if batch, more := q.take(nil); len(batch) != want || !more {
			t.Errorf("took %d, more %v, want %d and more", len(batch), more, want)
		}
	}
	q.stop()
	if batch, more := q.take(nil); len(batch) != 0 || more {
		t.Errorf("took %d, more %v from a stopped queue", len(batch), more)
	}
}

func TestTidyingGivesBackPages(t *testing.T) {
	s, stop := start(t, t.TempDir())
	post(t, s, drafts("lobby", 5000)...)
	stop()
	s, err := Open(t.Context(), Config{Dir: s.dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	used := func() (n int) {
		err := s.committer.conn.Raw(func(c any) (err error) {
			n, _, err = c.(sqlite.DBStatus).Status(sqlite.DBStatusCacheUsed, false)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var n int
	if err := s.committer.scan(t.Context(), []any{&n}, `SELECT sum(length(text)) FROM event`); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	before := used()
	s.committer.tidy(t.Context())
	if after := used(); after > before/4 {
		t.Errorf("%d bytes of pages in memory, of %d before", after, before)
	}
}

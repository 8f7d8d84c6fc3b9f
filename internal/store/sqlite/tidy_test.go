package sqlite

import (
	"testing"

	"modernc.org/sqlite"
)

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
		err := s.writer.conn.Raw(func(c any) (err error) {
			n, _, err = c.(sqlite.DBStatus).Status(sqlite.DBStatusCacheUsed, false)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var n int
	if err := s.writer.scan(t.Context(), []any{&n}, `SELECT sum(length(text)) FROM event`); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	before := used()
	s.writer.tidy(t.Context())
	if after := used(); after > before/4 {
		t.Errorf("%d bytes of pages in memory, of %d before", after, before)
	}
}

package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/internal/store/storetest"
)

// Every statement that a request or a draft can have carried out finds what it
// wants by an index, however long the log is.
func TestNoStatementScansATable(t *testing.T) {
	s, _ := start(t, t.TempDir())
	storetest.UseEverything(t, s)
	for _, fill := range []string{
		`INSERT INTO event (id, at_ms, author, name, text, kind, target)
			WITH RECURSIVE n(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM n LIMIT 30000)
			SELECT 1 << 36 | n, n, 1, 'Ada', 'x', iif(n % 10, 'react', NULL),
				iif(n % 10, 1 << 36 | (n - n % 10), NULL) FROM n`,
		`INSERT INTO reaction SELECT target, 'x', id, id FROM event WHERE kind = 'react' AND id & 0xfffffffff >= 100`,
		`INSERT INTO person (id, public, name, folded, created_ms) SELECT id, id, 'x', 'x', 0 FROM event WHERE id & ` +
			`0xfffffffff >= 100`,
	} {
		must(t, <-s.start(func(ctx context.Context, w *writer) error {
			_, err := w.conn.ExecContext(ctx, fill)
			return err
		}))
	}
	var texts []string
	s.writerIdle(func(w *writer) {
		for text := range w.stmts {
			texts = append(texts, text)
		}
	})
	for text := range s.reads.byText {
		texts = append(texts, text)
	}
	if len(texts) < 40 {
		t.Errorf("only %d statements are known", len(texts))
	}
	for _, text := range texts {
		if first, _, _ := strings.Cut(strings.TrimSpace(text),
			" "); !slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}, first) {
			continue // BEGIN, PRAGMA
		}
		if strings.HasSuffix(text, `SELECT name, head FROM room`) {
			continue // all rooms are wanted
		}
		for _, step := range planOf(t, s, text) {
			if what, scans := strings.CutPrefix(step, "SCAN "); scans && !isSmall(what) {
				t.Errorf("%s\nin %s", step, text)
			}
		}
	}
}

// A page of a thread takes from the two kinds of what is in it what comes next, and
// does not sort all of it.
func TestAPageOfALongThreadIsNotSorted(t *testing.T) {
	s, _ := start(t, t.TempDir())
	for _, text := range []string{newestReply, oldestReply} {
		if steps := planOf(t, s, text); !slices.Contains(steps, "MERGE (UNION ALL)") {
			t.Errorf("%q", steps)
		}
	}
	for _, text := range []string{newestSaid, oldestSaid, sinceSaid, afterText} {
		for _, step := range planOf(t, s, text) {
			if strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s in %s", step, text)
			}
		}
	}
}

// isSmall reports whether what a step of a plan goes through is no table, but the
// statement's own: a list, or what one of its parts has found. The table of what is due is small, too.
func isSmall(what string) bool {
	name, _, _ := strings.Cut(what, " ")
	return strings.HasPrefix(name, "(subquery") ||
		slices.Contains([]string{"json_each", "CONSTANT", "earlier", "p", "t", "w", "d", "other"}, name)
}

func planOf(t *testing.T, s *Store, text string) (steps []string) {
	t.Helper()
	args := make([]any, 0, 400)
	for n := 1; strings.Contains(text, fmt.Sprint("$", n)); n++ {
		args = append(args, "1")
	}
	for range strings.Count(text, "?") {
		args = append(args, "1")
	}
	rows, err := s.readers.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+text, args...)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var step string
		must(t, rows.Scan(new(int), new(int), new(int), &step))
		steps = append(steps, step)
	}
	must(t, rows.Err())
	return steps
}

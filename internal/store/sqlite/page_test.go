package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
)

// Every statement that a request or a draft can have carried out finds what it
// wants by an index, however long the log is.
// own does all that can be done with what is a person's own.
func own(t *testing.T, s *Store, who chat.PersonID, at chat.MessageRef) {
	t.Helper()
	for _, as := range []chat.PersonalRefKind{chat.Bookmark, chat.Subscription} {
		for _, keep := range []bool{true, false} {
			must(t, s.SetPersonal(t.Context(), who, as, at, keep, ""))
		}
		_, err := s.PersonalRefs(t.Context(), who, as, time.Time{}, 10)
		must(t, err)
	}
	must(t, s.SetListEntry(t.Context(), who, at.Room, chat.ListEntryChange{Muted: new(true)}))
	done := make(chan error, 1)
	s.MarkRead(who, at, false, "", func(_ chat.ListEntry, err error) { done <- err })
	must(t, <-done)
	_, err := s.RoomList(t.Context(), who)
	must(t, err)
	_, err = s.ListEntry(t.Context(), who, at.Room)
	must(t, err)
	_, err = s.IsSubscribed(t.Context(), who, at)
	must(t, err)
	_, err = s.Texts(t.Context(), []chat.MessageRef{at})
	must(t, err)
	_, err = s.Deletions(t.Context(), at.Room, 0, 10)
	must(t, err)
	must(t, s.SetListEntry(t.Context(), who, at.Room, chat.ListEntryChange{Listed: new(false)}))
}

func TestNoStatementScansATable(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s,
		draft("lobby", ada, "one @Grace", "n1"),
		draft("lobby", grace, "two", "n2"),
		chat.Draft{
			Room: "lobby", From: ada, Text: "@here @Grace",
			Extra: &chat.Attrs{ReplyTo: 1, Here: true, Present: []chat.PersonID{"eve", grace.ID}},
		},
		deed(ada, chat.Reply, 1, "three"),
		deed(ada, chat.Edit, 1, "one"),
		draft("lobby", grace, "two", "n2"),
		deed(ada, chat.React, 1, "👍"), deed(ada, chat.Unreact, 1, "👍"),
		deed(ada, chat.Pin, 1, ""), deed(ada, chat.Unpin, 1, ""),
		deed(ada, chat.Topic, 0, "ships"),
		deed(ada, chat.Delete, 1, ""))
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
	for _, sel := range []chat.PageQuery{
		{Limit: 9},
		{Limit: 9, Oldest: true, After: 15_000},
		{Limit: 9, Thread: 1},
		{Limit: 9, Thread: 1, Oldest: true},
		{Limit: 9, Pinned: true},
		{Seqs: []chat.Seq{1, 3}},
	} {
		pageOf(t, s, sel)
	}
	page(t, s.After, "lobby", 0, 10)
	versionsOf(t, s, 2)
	own(t, s, grace.ID, chat.MessageRef{Room: "lobby", Seq: 2})
	if _, err := s.Person(t.Context(), "nobody"); chat.CodeOf(err) != chat.BadSession {
		t.Error(err)
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
	for _, text := range []string{newestSaid, oldestSaid, afterText} {
		for _, step := range planOf(t, s, text) {
			if strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s in %s", step, text)
			}
		}
	}
}

// isSmall reports whether what a step of a plan goes through is no table, but the
// statement's own: a list, or what one of its parts has found.
func isSmall(what string) bool {
	name, _, _ := strings.Cut(what, " ")
	return strings.HasPrefix(name, "(subquery") ||
		slices.Contains([]string{"json_each", "CONSTANT", "p", "t", "w", "other"}, name)
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

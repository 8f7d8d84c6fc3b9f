package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/chat"
)

// More pages are asked for at once than there are connections, and of no statement
// is it known yet how it is carried out.
func TestFirstPagesDoNotWaitForEachOther(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s, draft("lobby", ada, "one", ""), deed(grace, chat.Reply, 1, "two"), answering(grace, 1, "three"),
		deed(ada, chat.React, 3, "👍"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	for n := range 8 * readerConns {
		wg.Go(func() {
			sel := []chat.PageQuery{
				{Limit: 10},
				{Limit: 10, Thread: 1},
				{Seqs: []chat.Seq{1, 3}},
				{Limit: 10, Pinned: true},
				{Limit: 10, Oldest: true},
			}[n%5]
			if _, err := s.Page(ctx, "lobby", sel); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A message's id holds its room: a seq that is too large for one is not another
// room's message.
func TestSeqBeyondARoomFindsNothingElsewhere(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s, draft("lobby", ada, "ours", ""))
	post(t, s, draft("secret", grace, "theirs", ""), draft("secret", grace, "pinned", ""),
		chat.Draft{Room: "secret", From: grace, Kind: chat.Pin, Target: 2},
		chat.Draft{Room: "secret", From: grace, Kind: chat.Reply, Target: 1, Text: "in a thread"})
	for room := range int64(5) {
		for seq := range chat.Seq(5) {
			if room == 0 && seq == 1 {
				continue
			}
			n := chat.Seq(eventID(room, seq))
			for name, sel := range map[string]chat.PageQuery{
				"that one": {Seqs: []chat.Seq{n}}, "after": {After: n, Oldest: true, Limit: 9},
				"thread":     {Thread: n, Limit: 9},
				"pins after": {After: n, Pinned: true, Limit: 9}, "around": {Around: max(n, 1), Limit: 9},
				"before": {Before: n, Limit: 9},
			} {
				page := pageOf(t, s, sel)
				if page.Root != nil {
					page.Messages = append(page.Messages, *page.Root)
				}
				for _, m := range page.Messages {
					if m.Text != "ours" {
						t.Errorf("%s %d: %+v", name, n, m)
					}
				}
			}
			if events, err := s.Versions(t.Context(), "lobby", n); chat.CodeOf(err) != chat.NotFound {
				t.Errorf("versions of %d: %v, %v", n, events, err)
			}
			if events := page(t, s.After, "lobby", n, 9); len(events) > 0 && n > 0 {
				t.Errorf("events after %d: %v", n, events)
			}
		}
	}
	if got := pageOf(t, s, chat.PageQuery{Seqs: []chat.Seq{-1, 0, 1, 1, 1 << 62}}).Messages; len(got) != 1 {
		t.Errorf("%+v", got)
	}
	if got := pageOf(t, s, chat.PageQuery{Seqs: []chat.Seq{}}).Messages; len(got) != 0 {
		t.Errorf("none: %+v", got)
	}
}

func TestPagesAreOfWhatWasSaid(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s, draft("lobby", ada, "1", ""))
	for n := range chat.Seq(10) { // messages have the odd numbers
		do(t, s, deed(ada, chat.React, 1+2*n, "👍"), draft("lobby", ada, fmt.Sprint(3+2*n), ""))
	}
	tests := map[string]struct {
		sel         chat.PageQuery
		want        []chat.Seq
		more, newer bool
	}{
		"newest":           {chat.PageQuery{Limit: 2}, []chat.Seq{19, 21}, true, false},
		"before a message": {chat.PageQuery{Limit: 2, Before: 5}, []chat.Seq{1, 3}, false, false},
		"before a change":  {chat.PageQuery{Limit: 2, Before: 6}, []chat.Seq{3, 5}, true, false},
		"after a change":   {chat.PageQuery{Limit: 2, After: 6, Oldest: true}, []chat.Seq{7, 9}, true, false},
		"after, to the end": {
			chat.PageQuery{Limit: 2, After: 18, Oldest: true}, []chat.Seq{19, 21}, false, false,
		},
		"between":                    {chat.PageQuery{Limit: 9, After: 4, Before: 8}, []chat.Seq{5, 7}, false, false},
		"around a message":           {chat.PageQuery{Limit: 4, Around: 9}, []chat.Seq{7, 9, 11, 13}, true, true},
		"around a change":            {chat.PageQuery{Limit: 4, Around: 10}, []chat.Seq{7, 9, 11, 13}, true, true},
		"around the first":           {chat.PageQuery{Limit: 4, Around: 1}, []chat.Seq{1, 3, 5}, false, true},
		"around the newest":          {chat.PageQuery{Limit: 4, Around: 21}, []chat.Seq{19, 21}, true, false},
		"around what is to come":     {chat.PageQuery{Limit: 4, Around: 1 << 50}, []chat.Seq{19, 21}, true, false},
		"around, that one":           {chat.PageQuery{Limit: 1, Around: 9}, []chat.Seq{9}, true, true},
		"around, that one, the last": {chat.PageQuery{Limit: 1, Around: 21}, []chat.Seq{21}, true, false},
		"no limit":                   {chat.PageQuery{}, nil, false, false},
		"less than no limit":         {chat.PageQuery{Limit: -1, Around: 3}, nil, false, false},
	}
	for name, tt := range tests {
		page := pageOf(t, s, tt.sel)
		wantSeqs(t, name, seqsOf(page.Messages), tt.want...)
		if page.More != tt.more || page.Newer != tt.newer || page.Head != 21 {
			t.Errorf("%s: more %v, newer %v, head %d", name, page.More, page.Newer, page.Head)
		}
	}
}

// An odd hand has taken a message out of the file. Who answers it or changes it is
// told so, everybody else goes on, and nobody is given a log with a hole in it.
func TestMessageTakenOutByHandIsNotPassedOver(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s, draft("lobby", ada, "one", ""), answering(grace, 1, "two"))
	must(t, <-s.start(func(ctx context.Context, w *writer) error {
		return w.exec(ctx, `DELETE FROM event WHERE id & 0xfffffffff = 1`)
	}))
	for _, d := range []chat.Draft{
		deed(ada, chat.Edit, 1, "x"), deed(ada, chat.React, 1, "👍"), answering(ada, 1, "x"),
	} {
		got := post(t, s, d, draft("lobby", grace, "beside it", ""))
		if chat.CodeOf(got[0].Err) != chat.NotFound || got[1].Err != nil {
			t.Errorf("%+v", got)
		}
	}
	if got, err := s.After(t.Context(), "lobby", 0, 9); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("%+v, %v", got, err)
	}
	if got := page(t, s.After, "lobby", 1, 9); len(got) != 4 || got[0].Extra.Quote != nil {
		t.Errorf("%+v", got)
	}
	if got := pageOf(t, s, chat.PageQuery{Limit: 9}).Messages; len(got) != 4 {
		t.Errorf("%+v", got)
	}
}

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

package sqlite

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"

	"parley/internal/chat"
)

// TestABatchIsStoredLikeItsDraftsOneByOne gives random drafts to two copies of a store: to
// one of them one by one, to the other in one transaction. Answers and tables must be
// equal. The copies are near the limits of edits, emoji and pins.
func TestABatchIsStoredLikeItsDraftsOneByOne(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	base := t.TempDir()
	s, stop := startOn(t, Config{Dir: base, Logger: quiet}, "")
	for _, room := range []chat.RoomName{"aa", "bb"} {
		for i, c := range post(t, s, nearLimits(room)...) {
			if c.Err != nil {
				t.Fatal(i, c.Err)
			}
		}
	}
	stop()
	for round := range 24 {
		random := rand.New(rand.NewPCG(rand.Uint64(), 0))
		a, b := t.TempDir(), t.TempDir()
		copyFolder(t, base, a)
		copyFolder(t, base, b)
		single, stopSingle := startOn(t, Config{Dir: a, Logger: quiet}, "")
		batched, stopBatched := startOn(t, Config{Dir: b, Logger: quiet}, "")
		heads := map[chat.RoomName]chat.Seq{}
		for _, room := range []chat.RoomName{"aa", "bb"} {
			head, _, err := single.Head(t.Context(), room)
			must(t, err)
			heads[room] = head
		}
		var drafts []chat.Draft
		for range 2 + random.IntN(50) {
			if d := anyDraft(random, heads); round%4 == 0 || random.IntN(4) == 0 {
				drafts = append(drafts, d)
			} else {
				drafts = append(drafts, draftAtLimit(random, round%4, d.Nonce))
			}
		}
		var want []string
		for _, d := range drafts {
			want = append(want, describe(post(t, single, d)[0]))
		}
		for i, c := range together(t, batched, drafts...) {
			if got := describe(c); got != want[i] {
				t.Fatalf("round %d, draft %d %+v:\nalone    %s\ntogether %s\nall: %+v",
					round, i, drafts[i], want[i], got, drafts[:i])
			}
		}
		if x, y := tables(t, single), tables(t, batched); !slices.Equal(x, y) {
			t.Fatalf("round %d: the tables differ:\nalone    %v\ntogether %v\nall: %+v", round, x, y, drafts)
		}
		stopSingle()
		stopBatched()
	}
}

var (
	eve = chat.Person{ID: "eve", Name: "Eve"}

	threePeople = []chat.Person{ada, grace, eve}
)

// The first messages of nearLimits: early ones, then the first one that is pinned.
const (
	early       = 6
	firstPinned = early + chat.MaxEmoji + 2 + chat.MaxEdits - 2 + 1
)

// nearLimits returns drafts after which message 1 of a room can take two more emoji and two more edits, and the room
// two more pins.
func nearLimits(room chat.RoomName) (drafts []chat.Draft) {
	for i := range early {
		drafts = append(drafts, draft(room, threePeople[i%3], fmt.Sprint("early ", i), fmt.Sprint("p", i)))
	}
	react := func(who chat.Person, i int) {
		d := chat.Draft{Room: room, From: who, Kind: chat.React, Target: 1, Text: fmt.Sprint("x", i)}
		drafts = append(drafts, d)
	}
	for i := range chat.MaxEmoji - 2 {
		react(ada, i)
	}
	for i := 14; i < 18; i++ {
		react(grace, i)
	}
	for i := range chat.MaxEdits - 2 {
		edit := chat.Draft{Room: room, From: ada, Kind: chat.Edit, Target: 1, Text: fmt.Sprint("edit", i)}
		drafts = append(drafts, edit)
	}
	for i := range chat.MaxPins - 2 {
		drafts = append(drafts, draft(room, eve, "pinned", ""),
			chat.Draft{Room: room, From: ada, Kind: chat.Pin, Target: chat.Seq(firstPinned + 2*i)})
	}
	return drafts
}

// anyDraft returns a draft of any kind about an early message, or one that is about to be sent.
func anyDraft(random *rand.Rand, heads map[chat.RoomName]chat.Seq) chat.Draft {
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	room := chat.RoomName(one("aa", "aa", "bb"))
	target := chat.Seq(1 + random.IntN(4))
	if random.IntN(2) == 0 {
		target = heads[room] + chat.Seq(random.IntN(12)) - 1
	}
	d := chat.Draft{Room: room, From: threePeople[random.IntN(3)], Target: target}
	if random.IntN(2) == 0 {
		d.Nonce = fmt.Sprint(one("n", "p"), random.IntN(6))
	}
	d.Text = one("plain", "@Ada hi", "@Eve and @Grace", "a@b", "other")
	d.Kind = chat.Kind(one("", "", "", "reply", "copy", "quote", "edit", "delete", "react", "react", "unreact", "pin",
		"unpin", "topic"))
	switch d.Kind {
	case "":
		d.Target = 0
	case chat.Delete, chat.Pin, chat.Unpin:
		d.Text = ""
	case chat.React, chat.Unreact:
		d.Text = fmt.Sprint("x", random.IntN(2)+17*random.IntN(2)+random.IntN(3))
	case chat.Topic:
		d.Target, d.Text = 0, one("", "ships", "tea")
	case "quote":
		d.Kind, d.Target, d.Extra = "", 0, &chat.Attrs{ReplyTo: target, Action: random.IntN(2) == 0}
	case "copy":
		d.Kind, d.Target, d.Text = "", 0, "copy"
		d.Source, d.Extra = chat.MessageRef{Room: room, Seq: target}, &chat.Attrs{Forward: &chat.Forward{From: ada}}
	}
	return d
}

// draftAtLimit returns a draft that counts towards one of the limits: of emoji, pins or edits.
func draftAtLimit(random *rand.Rand, limit int, nonce string) chat.Draft {
	d := chat.Draft{Room: "aa", From: threePeople[random.IntN(3)], Nonce: nonce, Target: 1}
	switch limit {
	case 1:
		d.Kind, d.Text = []chat.Kind{chat.React, chat.Unreact}[random.IntN(2)], fmt.Sprint("x", 14+random.IntN(8))
	case 2:
		d.Kind = []chat.Kind{chat.Pin, chat.Pin, chat.Unpin, chat.Delete}[random.IntN(4)]
		if d.Target = chat.Seq(2 + random.IntN(5)); random.IntN(3) == 0 {
			d.Target, d.From = chat.Seq(firstPinned+2*random.IntN(3)), eve
		}
	case 3:
		d.Kind, d.From, d.Text = chat.Edit, ada, []string{"one", "two", "@Eve"}[random.IntN(3)]
	}
	return d
}

// describe returns what an answer says, but for times. The answer to a retry has no text that counts.
func describe(c chat.Commit) string {
	if c.Err != nil {
		return fmt.Sprintf("refused: %s %v", chat.CodeOf(c.Err), c.Err)
	}
	e, extra := c.Event, chat.Attrs{}
	if c.Repeated {
		e.Text, e.Extra = "", nil
	}
	quote, forward := chat.Quote{}, false
	if e.Extra != nil {
		extra = *e.Extra
		if extra.Quote != nil {
			quote = *extra.Quote
		}
		forward = extra.Forward != nil
		extra.Quote, extra.Forward = nil, nil
	}
	return fmt.Sprintf("%s %d %s of %d by %s %q %+v %+v forward %t, repeated %t, deleted %q",
		e.Room, e.Seq, e.Kind, e.Target, e.From.Name, e.Text, extra, quote, forward, c.Repeated,
		slices.Sorted(slices.Values(c.DeletedTexts)))
}

// tables returns the rows of all tables that drafts change, but for times.
func tables(t *testing.T, s *Store) (all []string) {
	t.Helper()
	all = contents(t, s)
	for _, text := range []string{
		`SELECT 'head', id, head FROM room ORDER BY 2`,
		`SELECT 'answer', nonce, author, room, kind, target, emoji, seq FROM answer ORDER BY 2, 3, 4`,
		`SELECT 'nonce', id, coalesce(nonce, ''), author, name FROM event ORDER BY 2`,
		`SELECT 'forward', copy, source FROM forward ORDER BY 2`,
		`SELECT 'due', source FROM copies_due ORDER BY 2`,
	} {
		rows, err := s.readers.QueryContext(t.Context(), text)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			row, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			must(t, rows.Scan(into...))
			all = append(all, fmt.Sprint(row...))
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	return all
}

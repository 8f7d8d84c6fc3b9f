package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/internal/chat"
)

// patience is how long a test waits for what must come before it fails.
const patience = time.Minute

// Two people of the tests.
var (
	Ada   = chat.Person{ID: "ada", Name: "Ada"}
	Grace = chat.Person{ID: "grace", Name: "Grace"}
)

// Draft returns a message.
func Draft(room chat.RoomName, from chat.Person, text, nonce string) chat.Draft {
	return chat.Draft{Room: room, From: from, Text: text, Nonce: nonce}
}

// Drafts returns n messages of Ada's.
func Drafts(room chat.RoomName, n int) []chat.Draft {
	ds := make([]chat.Draft, n)
	for i := range ds {
		ds[i] = Draft(room, Ada, fmt.Sprint("message ", i+1), "")
	}
	return ds
}

// DraftOf returns a draft of any kind to the lobby.
func DraftOf(from chat.Person, kind chat.Kind, target chat.Seq, text string) chat.Draft {
	return chat.Draft{Room: "lobby", From: from, Kind: kind, Target: target, Text: text}
}

// Answering returns a message to the lobby that quotes another one.
func Answering(from chat.Person, seq chat.Seq, text string) chat.Draft {
	return chat.Draft{Room: "lobby", From: from, Text: text, Attrs: &chat.Attrs{ReplyTo: seq}}
}

// Copying returns a draft that forwards a message of Ada's, as package room makes it.
func Copying(from chat.Person, to chat.RoomName, source chat.MessageRef, text string) chat.Draft {
	return chat.Draft{
		Room: to, From: from, Text: text, Source: source, Attrs: &chat.Attrs{Forward: &chat.Forward{From: Ada}},
	}
}

// Post appends drafts at once and returns their results, in order.
func Post(t testing.TB, s Log, drafts ...chat.Draft) []chat.Commit {
	t.Helper()
	got := make(chan chat.Commit, len(drafts))
	for _, d := range drafts {
		s.Append(d, func(c chat.Commit) { got <- c })
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	commits := make([]chat.Commit, len(drafts))
	for i := range commits {
		select {
		case commits[i] = <-got:
		case <-ctx.Done():
			t.Fatalf("no result of draft %d", i)
		}
	}
	return commits
}

// Do posts drafts one after the other and fails if one is refused. It returns the seqs
// of their events.
func Do(t testing.TB, s Log, drafts ...chat.Draft) []chat.Seq {
	t.Helper()
	got := make([]chat.Seq, len(drafts))
	for i, d := range drafts {
		c := Post(t, s, d)[0]
		if c.Err != nil {
			t.Fatalf("%s %d %q: %v", d.Is(), d.Target, d.Text, c.Err)
		}
		got[i] = c.Event.Seq
	}
	return got
}

// DeleteCopies makes the deletions of copies that are due, until there are none.
func DeleteCopies(t testing.TB, s interface {
	Log
	Archive
},
) (made []chat.Event) {
	t.Helper()
	for {
		due, err := s.Copies(t.Context(), 2)
		Must(t, err)
		if len(due) == 0 {
			return made
		}
		for _, c := range Post(t, s, due...) {
			Must(t, c.Err)
			made = append(made, c.Event)
		}
	}
}

// States returns the lobby's messages that have one of seqs, as they are now.
func States(t testing.TB, s Archive, seqs ...chat.Seq) []chat.MessageState {
	t.Helper()
	return PageOf(t, s, chat.PageQuery{Seqs: seqs}).Messages
}

// PageOf returns a page of the lobby.
func PageOf(t testing.TB, s Archive, q chat.PageQuery) chat.Page {
	t.Helper()
	page, err := s.Page(t.Context(), "lobby", q)
	Must(t, err)
	return page
}

// Read is a method that returns events.
type Read func(context.Context, chat.RoomName, chat.Seq, int) ([]chat.Event, error)

// Events returns the events that read reads, and fails if that fails.
func Events(t testing.TB, read Read, room chat.RoomName, seq chat.Seq, limit int) []chat.Event {
	t.Helper()
	events, err := read(t.Context(), room, seq, limit)
	Must(t, err)
	return events
}

// Before returns the messages of a page before a seq as events.
func Before(s Archive) Read {
	return func(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) (events []chat.Event, err error) {
		page, err := s.Page(ctx, room, chat.PageQuery{Before: seq, Limit: limit})
		for _, m := range page.Messages {
			events = append(events, m.Event)
		}
		return events, err
	}
}

// VersionsOf returns the versions of a message of the lobby, each as its seq and text.
func VersionsOf(t testing.TB, s Archive, seq chat.Seq) (texts []string) {
	t.Helper()
	events, err := s.Versions(t.Context(), "lobby", seq)
	Must(t, err)
	for _, e := range events {
		texts = append(texts, fmt.Sprint(e.Seq, " ", e.Text))
	}
	return texts
}

// Seqs returns the seqs of events.
func Seqs(events []chat.Event) (got []chat.Seq) {
	for _, e := range events {
		got = append(got, e.Seq)
	}
	return got
}

// SeqsOf returns the seqs of messages.
func SeqsOf(found []chat.MessageState) (got []chat.Seq) {
	for _, m := range found {
		got = append(got, m.Seq)
	}
	return got
}

// WantSeqs fails if got are other seqs than want.
func WantSeqs(t testing.TB, what string, got []chat.Seq, want ...chat.Seq) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: seqs %v, want %v", what, got, want)
	}
}

// WantHead fails if a room's newest event has another seq than want.
func WantHead(t testing.TB, s Log, room chat.RoomName, want chat.Seq) {
	t.Helper()
	got, _, err := s.Head(t.Context(), room)
	Must(t, err)
	if got != want {
		t.Errorf("head of %s = %d, want %d", room, got, want)
	}
}

// AddToList calls the method and returns its result.
func AddToList(s RoomLists, who chat.PersonID, room chat.RoomName, enters bool) error {
	done := make(chan error, 1)
	s.AddToList(who, room, enters, func(_ []chat.RoomName, err error) { done <- err })
	return <-done
}

// Must ends the test if there is an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

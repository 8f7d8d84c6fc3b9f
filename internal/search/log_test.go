package search

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/internal/chat"
)

// A memLog is a Source in memory.
type memLog struct {
	mu     sync.Mutex
	rooms  map[chat.RoomName][]chat.Event
	now    time.Time
	failed error                   // of every read
	torn   map[chat.RoomName]error // of reading on in a room
	read   func()                  // called after each time a room was read; may be nil
}

func newMemLog() *memLog {
	return &memLog{
		rooms: make(map[chat.RoomName][]chat.Event), torn: make(map[chat.RoomName]error),
		now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC),
	}
}

func (l *memLog) append(room chat.RoomName, e chat.Event) chat.Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(time.Second)
	e.Room, e.Seq, e.At = room, chat.Seq(len(l.rooms[room])+1), l.now
	l.rooms[room] = append(l.rooms[room], e)
	return e.Seq
}

func (l *memLog) say(room chat.RoomName, from, text string) chat.Seq {
	return l.append(room,
		chat.Event{Kind: chat.Message, From: chat.Person{ID: chat.PersonID(from), Name: from}, Text: text})
}

func (l *memLog) edit(room chat.RoomName, target chat.Seq, text string) chat.Seq {
	return l.append(room, chat.Event{Kind: chat.Edit, Text: text, Target: target})
}

// erase deletes a message: its text and those of its edits become empty.
func (l *memLog) erase(room chat.RoomName, target chat.Seq) chat.Seq {
	l.mu.Lock()
	for i := range l.rooms[room] {
		if e := &l.rooms[room][i]; e.Seq == target || e.Kind == chat.Edit && e.Target == target {
			e.Text = ""
		}
	}
	l.mu.Unlock()
	return l.append(room, chat.Event{Kind: chat.Delete, Target: target})
}

func (l *memLog) Heads(context.Context) (map[chat.RoomName]chat.Seq, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	heads := make(map[chat.RoomName]chat.Seq)
	for room, events := range l.rooms {
		heads[room] = chat.Seq(len(events))
	}
	return heads, l.failed
}

func (l *memLog) After(_ context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	if l.read != nil {
		defer l.read()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.rooms[room]
	from := min(int(seq), len(events))
	return slices.Clone(events[from:min(from+limit, len(events))]), cmp.Or(l.failed, l.torn[room])
}

func (l *memLog) Texts(_ context.Context, places []chat.MessageRef) ([]chat.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := make([]chat.Event, len(places))
	for i, p := range places {
		if p.Seq <= chat.Seq(len(l.rooms[p.Room])) {
			events[i] = l.current(p)
		}
	}
	return events, l.failed
}

// current returns a message with its newest text.
func (l *memLog) current(p chat.MessageRef) chat.Event {
	e := l.rooms[p.Room][p.Seq-1]
	for _, later := range l.rooms[p.Room][p.Seq:] {
		if later.Kind == chat.Edit && later.Target == p.Seq && e.Text != "" {
			e.Text = later.Text
		}
	}
	return e
}

func (l *memLog) Deletions(
	_ context.Context, room chat.RoomName, seq chat.Seq, limit int,
) (deletions []chat.Event, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.rooms[room] {
		if e.Kind == chat.Delete && e.Seq > seq && len(deletions) < limit {
			deletions = append(deletions, e)
		}
	}
	return deletions, l.failed
}

// names returns all rooms.
func (l *memLog) names() (names []chat.RoomName) {
	for room := range l.rooms {
		names = append(names, room)
	}
	return names
}

var errLog = errors.New("the log cannot be read")

// newIndex returns an index of l in dir. The test calls catchUp instead of Run.
func newIndex(t testing.TB, l *memLog, dir string) *Index {
	t.Helper()
	x := New(l, Config{Dir: dir, Epoch: "first", Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	t.Cleanup(x.close)
	return x
}

// follow indexes the whole log.
func follow(t testing.TB, x *Index, l *memLog) {
	t.Helper()
	for _, room := range l.names() {
		touch(x, room)
	}
	must(t, x.catchUp(t.Context()))
	must(t, x.readErr)
}

// touch tells the index of a new event in a room.
func touch(x *Index, room chat.RoomName) { touchAt(x, room, chat.Message, time.Now()) }

// touchAt tells the index of a new event of a kind, stored at a given time.
func touchAt(x *Index, room chat.RoomName, kind chat.Kind, at time.Time) {
	x.EventStored(chat.Commit{Event: chat.Event{Room: room, Kind: kind, At: at}})
}

// found returns all hits of a query, page by page.
func found(t testing.TB, x *Index, q Query, rooms ...chat.RoomName) (places []chat.MessageRef) {
	t.Helper()
	for range 1000 {
		r, err := x.Search(t.Context(), q, rooms)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range r.Hits {
			places = append(places, chat.MessageRef{Room: h.Room, Seq: h.Seq})
		}
		if q.Cursor = r.Next; q.Cursor == "" {
			return places
		}
	}
	t.Fatal("the pages do not end")
	return nil
}

func wantFound(t testing.TB, x *Index, query string, want ...chat.MessageRef) {
	t.Helper()
	for _, order := range []Order{Newest, Relevance} {
		q := ParseQuery(query)
		q.Order = order
		got := found(t, x, q, x.source.(faults).source.(*memLog).names()...)
		sortPlaces(got)
		sortPlaces(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s, by %s: %v, want %v", query, order, got, want)
		}
	}
}

func sortPlaces(places []chat.MessageRef) {
	slices.SortFunc(places, func(a, b chat.MessageRef) int {
		if a.Room != b.Room {
			if a.Room < b.Room {
				return -1
			}
			return 1
		}
		return int(a.Seq - b.Seq)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func indexFile(dir string) string { return filepath.Join(dir, fileName) }

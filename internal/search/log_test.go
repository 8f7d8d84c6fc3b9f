package search

import (
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

// A memLog is a log in memory, with what of it was deleted and is not forgotten.
type memLog struct {
	mu     sync.Mutex
	rooms  map[chat.RoomName][]chat.Event
	erased map[chat.Place]map[chat.Seq]string
	now    time.Time
	failed error
}

func newMemLog() *memLog {
	return &memLog{
		rooms: make(map[chat.RoomName][]chat.Event), erased: make(map[chat.Place]map[chat.Seq]string),
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
	return l.append(room, chat.Event{Kind: chat.Message, From: chat.Person{ID: chat.PersonID(from), Name: from}, Text: text})
}

func (l *memLog) edit(room chat.RoomName, target chat.Seq, text string) chat.Seq {
	return l.append(room, chat.Event{Kind: chat.Edit, Text: text, Target: target})
}

// erase deletes a message: its texts and its edits' are empty from now on, and kept
// apart until they are forgotten.
func (l *memLog) erase(room chat.RoomName, target chat.Seq) chat.Seq {
	l.mu.Lock()
	said := make(map[chat.Seq]string)
	for i := range l.rooms[room] {
		if e := &l.rooms[room][i]; e.Seq == target || e.Kind == chat.Edit && e.Target == target {
			said[e.Seq], e.Text = e.Text, ""
		}
	}
	l.erased[chat.Place{Room: room, Seq: target}] = said
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
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.rooms[room]
	from := min(int(seq), len(events))
	return slices.Clone(events[from:min(from+limit, len(events))]), l.failed
}

func (l *memLog) Texts(_ context.Context, places []chat.Place) ([]chat.Event, error) {
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

// current returns a message as it is now.
func (l *memLog) current(p chat.Place) chat.Event {
	e := l.rooms[p.Room][p.Seq-1]
	for _, later := range l.rooms[p.Room][p.Seq:] {
		if later.Kind == chat.Edit && later.Target == p.Seq && e.Text != "" {
			e.Text = later.Text
		}
	}
	return e
}

func (l *memLog) Erased(_ context.Context, message chat.Place) (map[chat.Seq]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.erased[message], l.failed
}

func (l *memLog) DropErased(_ context.Context, message chat.Place) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.erased, message)
	return l.failed
}

// names returns all rooms.
func (l *memLog) names() (names []chat.RoomName) {
	for room := range l.rooms {
		names = append(names, room)
	}
	return names
}

var errLog = errors.New("the log cannot be read")

// newIndex returns an index of l in dir that follows when it is told to.
func newIndex(t testing.TB, l *memLog, dir string) *Index {
	t.Helper()
	x := New(l, l, Config{Dir: dir, Epoch: "first", Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	t.Cleanup(x.close)
	return x
}

// follow brings the index up to the log's end.
func follow(t testing.TB, x *Index, l *memLog) {
	t.Helper()
	for _, room := range l.names() {
		x.Touched(room)
	}
	if err := x.catchUp(t.Context(), make(map[chat.RoomName]bool)); err != nil {
		t.Fatal(err)
	}
}

// found returns the places of all hits for a query, page by page.
func found(t testing.TB, x *Index, q Query, rooms ...chat.RoomName) (places []chat.Place) {
	t.Helper()
	for range 1000 {
		r, err := x.Search(t.Context(), q, rooms)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range r.Hits {
			places = append(places, chat.Place{Room: h.Room, Seq: h.Seq})
		}
		if q.Cursor = r.Next; q.Cursor == "" {
			return places
		}
	}
	t.Fatal("the pages do not end")
	return nil
}

func wantFound(t testing.TB, x *Index, query string, want ...chat.Place) {
	t.Helper()
	for _, order := range []Order{Newest, Relevance} {
		q := ParseQuery(query)
		q.Order = order
		got := found(t, x, q, x.source.(*memLog).names()...)
		sortPlaces(got)
		sortPlaces(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s, by %s: %v, want %v", query, order, got, want)
		}
	}
}

func sortPlaces(places []chat.Place) {
	slices.SortFunc(places, func(a, b chat.Place) int {
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

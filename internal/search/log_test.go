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
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// A memLog is a log in memory with a clock and faults of the test's choice.
type memLog struct {
	*storetest.Memory

	mu     sync.Mutex
	now    time.Time
	failed error                   // of every read
	torn   map[chat.RoomName]error // of reading on in a room
	read   func()                  // called after each time a room was read; may be nil
}

func newMemLog() *memLog {
	l := &memLog{
		Memory: storetest.NewMemory(store.Config{}), torn: make(map[chat.RoomName]error),
		now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC),
	}
	l.Fault = l.fault
	return l
}

// fault is Memory.Fault.
func (l *memLog) fault(method string, room chat.RoomName) error {
	if method == "After" && l.read != nil {
		defer l.read()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if method == "After" {
		return cmp.Or(l.failed, l.torn[room])
	}
	return l.failed
}

func (l *memLog) append(room chat.RoomName, e chat.Event) chat.Seq {
	l.mu.Lock()
	l.now = l.now.Add(time.Second)
	e.Room, e.At = room, l.now
	l.mu.Unlock()
	return l.Put(e)
}

func (l *memLog) say(room chat.RoomName, from, text string) chat.Seq {
	return l.append(room,
		chat.Event{Kind: chat.Message, From: chat.Person{ID: chat.PersonID(from), Name: from}, Text: text})
}

func (l *memLog) edit(room chat.RoomName, target chat.Seq, text string) chat.Seq {
	return l.append(room, chat.Event{Kind: chat.Edit, Text: text, Target: target})
}

func (l *memLog) erase(room chat.RoomName, target chat.Seq) chat.Seq {
	return l.append(room, chat.Event{Kind: chat.Delete, Target: target})
}

// current returns a message with its newest text, the zero Event if it is deleted.
func (l *memLog) current(p chat.MessageRef) chat.Event {
	events, _ := l.Texts(context.Background(), []chat.MessageRef{p}) // a fault is not of the events
	return events[0]
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
	for _, room := range l.Rooms() {
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
		got := found(t, x, q, x.source.(faults).source.(*memLog).Rooms()...)
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

package search

import (
	"context"
	"fmt"
	"time"

	"parley/internal/chat"
)

// A feed holds the events of a room that are read and not indexed yet.
type feed struct {
	room   chat.RoomName
	after  chat.Seq
	events []chat.Event
	more   bool      // there may be more in the log
	failed bool      // reading the room failed
	last   time.Time // when the event was stored that was taken last
}

func (f *feed) read(ctx context.Context, source Source, page int) error {
	events, err := source.After(ctx, f.room, f.after, page)
	if err != nil {
		return err
	}
	f.events, f.more = events, len(events) == page
	for i := range events {
		events[i].Room = f.room
		if events[i].Seq <= f.after {
			return fmt.Errorf("events of %s after %d: %d comes next", f.room, f.after, events[i].Seq)
		}
		f.after = events[i].Seq
	}
	return nil
}

// feeds is a heap of feeds: the one with the oldest next event comes first.
type feeds []*feed

func (f feeds) Len() int      { return len(f) }
func (f feeds) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *feeds) Push(any)     { panic("feeds only become fewer") }

func (f feeds) Less(i, j int) bool {
	a, b := f[i].events[0], f[j].events[0]
	if !a.At.Equal(b.At) {
		return a.At.Before(b.At)
	}
	return f[i].room < f[j].room
}

func (f *feeds) Pop() any {
	last := len(*f) - 1
	popped := (*f)[last]
	*f = (*f)[:last]
	return popped
}

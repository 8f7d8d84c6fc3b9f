package storetest

import (
	"math"
	"testing"

	"parley/internal/chat"
)

// The time at which an event was stored never changes, whatever its kind is and however it is changed.
func testAtIsWhenAnEventWasStored(t *testing.T, open Open) {
	s := open(t)
	var events []chat.Event
	for _, d := range []chat.Draft{
		Draft("r", Ada, "one", ""),
		DraftOf(Ada, chat.Edit, 1, "one, edited"),
		DraftOf(Grace, chat.React, 1, "👍"),
		DraftOf(Ada, chat.Delete, 1, ""),
		Draft("r", Ada, "two", ""),
	} {
		d.Room = "r"
		events = append(events, Post(t, s, d)[0].Event)
	}
	Post(t, s, Draft("later", Ada, "in a room with the next id", ""))
	check := func(s *Subject) {
		t.Helper()
		for _, e := range events {
			if at, err := s.At(t.Context(), "r", e.Seq); err != nil || !at.Equal(e.At) {
				t.Errorf("event %d: %v, %v, want %v", e.Seq, at, err, e.At)
			}
		}
		if head, at, err := s.Head(t.Context(), "r"); err != nil || head != 5 || !at.Equal(events[4].At) {
			t.Errorf("newest: %d at %v, %v", head, at, err)
		}
		if page, err := s.Page(t.Context(), "r", chat.PageQuery{Limit: 1}); err != nil || page.Head != 5 ||
			!page.At.Equal(events[4].At) {
			t.Errorf("a page as of %d at %v, %v", page.Head, page.At, err)
		}
		for _, seq := range []chat.Seq{0, -1, 6, 1<<36 - 1, 1 << 36, 1<<36 + 1, math.MaxInt64} {
			if at, err := s.At(t.Context(), "r", seq); err != nil || !at.IsZero() {
				t.Errorf("event %d: %v, %v", seq, at, err)
			}
		}
		if head, at, err := s.Head(t.Context(), "nowhere"); err != nil || head != 0 || !at.IsZero() {
			t.Errorf("newest of a room that nobody wrote to: %d at %v, %v", head, at, err)
		}
		if at, err := s.At(t.Context(), "nowhere", 1); err != nil || !at.IsZero() {
			t.Errorf("in a room that nobody wrote to: %v, %v", at, err)
		}
	}
	check(s)
	s.restart()
	check(s)
}

package sqlite

import (
	"fmt"
	"testing"

	"parley/internal/chat"
)

// BenchmarkRooms reads a list of 200 rooms with 50 unread messages each.
func BenchmarkRooms(b *testing.B) {
	s, _ := startOn(b, Config{Dir: b.TempDir()}, "")
	var drafts []chat.Draft
	for n := range 200 * 60 {
		from := grace
		if n/200 == 9 {
			from = ada
		}
		drafts = append(drafts,
			draft(chat.RoomName(fmt.Sprint("room-", n%200)), from, "A message of a usual length.", ""))
	}
	post(b, s, drafts...)
	for b.Loop() {
		if rooms, err := s.RoomList(b.Context(), ada.ID); err != nil || len(rooms) != 200 {
			b.Fatal(len(rooms), err)
		}
	}
}

package sqlite

import (
	"fmt"
	"testing"

	"parley/internal/chat"
)

// BenchmarkRooms reads a list of 1,000 rooms with two unread messages each.
func BenchmarkRooms(b *testing.B) {
	s, _ := startOn(b, Config{Dir: b.TempDir()}, "")
	var drafts []chat.Draft
	for n := range 1000 * 12 {
		from := grace
		if n/1000 == 9 {
			from = ada
		}
		const text = "A **message** of `usual` length, with [a link](https://example.org) and a ||spoiler||."
		drafts = append(drafts, draft(chat.RoomName(fmt.Sprint("room-", n%1000)), from, text, ""))
	}
	post(b, s, drafts...)
	for b.Loop() {
		if rooms, err := s.RoomList(b.Context(), ada.ID); err != nil || len(rooms) != 1000 {
			b.Fatal(len(rooms), err)
		}
	}
}

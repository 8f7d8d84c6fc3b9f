package postgres

import (
	"testing"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// A node of an older release makes rooms and knows no awaited ones. Nobody has such a room twice in the list, and the
// next message by this release brings it to those who await it.
func TestRoomMadeByAnOlderReleaseIsListedOnce(t *testing.T) {
	url := newDatabase(t)
	s, _ := start(t, url)
	storetest.Post(t, s, storetest.Draft("lobby", storetest.Grace, "the store knows me", ""))
	storetest.Must(t, storetest.AddToList(s, storetest.Grace.ID, "garden", true))
	storetest.Must(t, run(t.Context(), url, `INSERT INTO room (name, created_ms) VALUES ('garden', 1)`))

	check := func(when string, unread int) {
		t.Helper()
		list, err := s.RoomList(t.Context(), storetest.Grace.ID)
		storetest.Must(t, err)
		var found []chat.ListEntry
		for _, e := range list {
			if e.Room == "garden" {
				found = append(found, e)
			}
		}
		if len(found) != 1 || found[0].Unread != unread {
			t.Errorf("%s the list has %+v", when, found)
		}
	}
	check("after the room was made", 0)
	storetest.Must(t, s.SetListEntry(t.Context(), storetest.Grace.ID, "garden", chat.ListEntryChange{Muted: new(true)}))
	check("after the person has set it", 0)
	storetest.Post(t, s, storetest.Draft("garden", storetest.Ada, "hi", ""))
	check("after a message", 1)
	if n := ask[int](t, s, `SELECT count(*)::int FROM awaited`); n != 0 {
		t.Errorf("%d rooms are still awaited", n)
	}
}

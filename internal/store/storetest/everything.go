package storetest

import (
	"testing"
	"time"

	"parley/internal/chat"
)

// UseEverything calls every method of a new database, so that a test can look at the statements that it has used
// then. Each kind of draft is among the writes.
func UseEverything(t testing.TB, s Database) {
	t.Helper()
	Do(t, s,
		Draft("lobby", Ada, "one @Grace", "n1"),
		Draft("lobby", Grace, "two", "n2"),
		chat.Draft{
			Room: "lobby", From: Ada, Text: "@here @Grace",
			Attrs: &chat.Attrs{ReplyTo: 1, Here: true, Present: []chat.PersonID{"eve", Grace.ID}},
		},
		DraftOf(Ada, chat.Reply, 1, "three"),
		DraftOf(Ada, chat.Edit, 1, "one"),
		Draft("lobby", Grace, "two", "n2"),
		DraftOf(Ada, chat.React, 1, "👍"), DraftOf(Ada, chat.Unreact, 1, "👍"),
		DraftOf(Ada, chat.Pin, 1, ""), DraftOf(Ada, chat.Unpin, 1, ""),
		DraftOf(Ada, chat.Topic, 0, "ships"),
		DraftOf(Ada, chat.Delete, 1, ""),
		Copying(Ada, "lobby", inLobby(2), "two"))
	for _, q := range []chat.PageQuery{
		{Limit: 9},
		{Limit: 9, Oldest: true, After: 15_000},
		{Limit: 9, Oldest: true, Since: time.UnixMilli(1)},
		{Limit: 9, Around: 2},
		{Limit: 9, Thread: 1},
		{Limit: 9, Thread: 1, Oldest: true},
		{Limit: 9, Pinned: true},
		{Seqs: []chat.Seq{1, 3}},
	} {
		PageOf(t, s, q)
	}
	Events(t, s.After, "lobby", 0, 10)
	VersionsOf(t, s, 2)
	_, err := s.At(t.Context(), "lobby", 2)
	Must(t, err)
	WantHead(t, s, "lobby", 12)
	_, err = s.Heads(t.Context())
	Must(t, err)
	_, err = s.Texts(t.Context(), []chat.MessageRef{inLobby(2)})
	Must(t, err)
	_, err = s.Deletions(t.Context(), "lobby", 0, 10)
	Must(t, err)
	_, err = s.Copies(t.Context(), 10)
	Must(t, err)
	useSessions(t, s)
	usePersonal(t, s, inLobby(2))
}

func useSessions(t testing.TB, s Database) {
	t.Helper()
	p, session, err := s.NewGuest(t.Context(), "Eve", "")
	Must(t, err)
	_, err = s.Person(t.Context(), session)
	Must(t, err)
	_, err = s.Rename(t.Context(), p.ID, "Eva", "n3")
	Must(t, err)
	_, err = s.PersonStates(t.Context(), []chat.PersonID{p.ID, "nobody"})
	Must(t, err)
	Must(t, s.Forget(t.Context(), session))
}

func usePersonal(t testing.TB, s Database, at chat.MessageRef) {
	t.Helper()
	who := Grace.ID
	Must(t, AddToList(s, who, at.Room, true))
	Must(t, AddToList(s, who, "not-made-yet", true))
	Must(t, s.SetListEntry(t.Context(), who, "not-made-yet", chat.ListEntryChange{Muted: new(true)}))
	Must(t, s.SetListEntry(t.Context(), who, "not-made-yet", chat.ListEntryChange{Listed: new(false)}))
	for _, as := range []chat.PersonalRefKind{chat.Bookmark, chat.Subscription} {
		for _, on := range []bool{true, false} {
			Must(t, s.SetPersonal(t.Context(), who, as, at, on, ""))
		}
		_, err := s.PersonalRefs(t.Context(), who, as, time.Time{}, 10)
		Must(t, err)
	}
	_, err := s.IsSubscribed(t.Context(), who, at)
	Must(t, err)
	Must(t, s.SetListEntry(t.Context(), who, at.Room, chat.ListEntryChange{Muted: new(true), Nonce: "n4"}))
	_, err = MarkRead(t, s, who, at, false, "n5")
	Must(t, err)
	_, err = s.RoomList(t.Context(), who)
	Must(t, err)
	_, err = s.ListEntry(t.Context(), who, at.Room)
	Must(t, err)
	Must(t, s.SetListEntry(t.Context(), who, at.Room, chat.ListEntryChange{Listed: new(false)}))
}

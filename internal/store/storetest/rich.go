package storetest

import (
	"strings"
	"testing"

	"parley/internal/chat"
)

// FillAllTables writes to a new database what leaves rows in all of its tables, with values that are
// easily lost on the way to another one: the longest and the shortest, every kind of nonce, other
// scripts, deleted messages and what hangs on them.
func FillAllTables(t testing.TB, s Database) {
	t.Helper()
	long := strings.Repeat("𓀀", chat.MaxText)
	const uuid = "0197f1a2-7f6e-7b1a-8f0e-3f9a5b6c7d8e"
	hostile := chat.Person{ID: "rtl", Name: "שָׁלוֹם\u200ex"}
	Do(t, s,
		Draft("lobby", Ada, "one @Grace", uuid),
		Draft("lobby", Grace, long, strings.Repeat("x", 15)),
		Draft("lobby", hostile, "\t\\N \\. \u202e\n\"'; DROP TABLE event; --", strings.Repeat("y", 16)),
		Draft("lobby", Ada, "e\u0301 é 🏳️‍🌈 \U0010ffff \ufffd", strings.ToUpper(uuid)),
		Draft("lobby", Ada, "no nonce", ""),
		chat.Draft{
			Room: "lobby", From: Ada, Text: "@here @Grace", Nonce: strings.Repeat("z", 17),
			Attrs: &chat.Attrs{ReplyTo: 1, Here: true, Action: true, Present: []chat.PersonID{"eve", Grace.ID}},
		},
		DraftOf(Grace, chat.Reply, 1, "three"),
		DraftOf(Ada, chat.Edit, 1, "one, edited @Grace"), DraftOf(Ada, chat.Edit, 1, "one, again @Grace"),
		DraftOf(Ada, chat.React, 1, "👍"), DraftOf(Grace, chat.React, 1, "👍"), DraftOf(Grace, chat.React, 1, "🏳️‍🌈"),
		DraftOf(Ada, chat.React, 2, "🙂"), DraftOf(Ada, chat.Unreact, 2, "🙂"),
		DraftOf(Ada, chat.Pin, 1, ""), DraftOf(Ada, chat.Pin, 2, ""), DraftOf(Ada, chat.Unpin, 2, ""),
		DraftOf(Ada, chat.Topic, 0, strings.Repeat("ж", chat.MaxTopic)), DraftOf(Ada, chat.Topic, 0, "ships"),
		Draft("lobby", Ada, "a secret", strings.Repeat("n", chat.MaxNonce)),
		DraftOf(Ada, chat.Edit, 20, "another secret"), DraftOf(Ada, chat.Delete, 20, ""),
		Draft("lobby", Ada, "copied", ""),
		Copying(Grace, "garden", inLobby(23), "copied"), Copying(Ada, "lobby", inLobby(23), "copied"),
		Draft(chat.RoomName(strings.Repeat("ß", chat.MaxRoomName)), Grace, "x", "1"),
		DraftOf(Ada, chat.Delete, 23, "")) // its copies are due from here on
	again := DraftOf(Ada, chat.React, 1, "👍")
	again.Nonce = "nothing-to-do"
	Post(t, s, again)
	fillPersonal(t, s, uuid)
}

func fillPersonal(t testing.TB, s Database, uuid string) {
	t.Helper()
	alone, session, err := s.NewGuest(t.Context(), strings.Repeat("𝔘", chat.MaxName), "")
	Must(t, err)
	_, err = s.Rename(t.Context(), alone.ID, "nobody's friend", strings.Repeat("r", 15))
	Must(t, err)
	_, left, err := s.NewGuest(t.Context(), "Left", "")
	Must(t, err)
	Must(t, s.Forget(t.Context(), left))
	_, err = s.Person(t.Context(), session)
	Must(t, err)
	for _, as := range []chat.PersonalRefKind{chat.Bookmark, chat.Subscription} {
		Must(t, s.SetPersonal(t.Context(), Grace.ID, as, inLobby(1), true, "set-"+string(as)))
		Must(t, s.SetPersonal(t.Context(), Ada.ID, as, inLobby(2), true, ""))
		Must(t, s.SetPersonal(t.Context(), Ada.ID, as, inLobby(2), false, ""))
	}
	Must(t, AddToList(s, alone.ID, "garden", true))
	Must(t, AddToList(s, alone.ID, "nobody-wrote-here", true))
	Must(t, AddToList(s, Grace.ID, chat.RoomName(strings.Repeat("é", chat.MaxRoomName)), true))
	Must(t, s.SetListEntry(t.Context(), alone.ID, "nobody-wrote-here",
		chat.ListEntryChange{Notify: new(chat.NotifyNone), Favourite: new(true)}))
	muted := chat.ListEntryChange{Muted: new(true), Nonce: strings.ToUpper(uuid)}
	Must(t, s.SetListEntry(t.Context(), Grace.ID, "lobby", muted))
	Must(t, s.SetListEntry(t.Context(), Ada.ID, "lobby", chat.ListEntryChange{Favourite: new(true)}))
	_, err = MarkRead(t, s, Grace.ID, inLobby(3), true, "read")
	Must(t, err)
}

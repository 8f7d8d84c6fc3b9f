package postgres

import (
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// talk stores what a check looks at: events of many kinds, and what is people's own.
func talk(t *testing.T, s storetest.Database) {
	t.Helper()
	_, _, err := s.NewGuest(t.Context(), "Eve", "")
	storetest.Must(t, err)
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "one", "n1"),
		storetest.Answering(storetest.Grace, 1, "two"),
		storetest.DraftOf(storetest.Ada, chat.Edit, 1, "One"), storetest.DraftOf(storetest.Grace, chat.React, 1, "👍"),
		storetest.DraftOf(storetest.Grace, chat.Pin, 1, ""),
		storetest.Draft("lobby", storetest.Grace, "@Ada three", ""),
		storetest.DraftOf(storetest.Grace, chat.Edit, 2, "Two"), storetest.DraftOf(storetest.Grace, chat.Delete, 2, ""),
		storetest.Draft("garden", storetest.Ada, "four", ""))
	lobby := chat.MessageRef{Room: "lobby", Seq: 1}
	for _, as := range []chat.PersonalRefKind{chat.Bookmark, chat.Subscription} {
		storetest.Must(t, s.SetPersonal(t.Context(), storetest.Ada.ID, as, lobby, true, "set-"+string(as)))
	}
	storetest.Do(t, s, storetest.Copying(storetest.Grace, "garden", lobby, "One"))
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	const lobby = `(SELECT id FROM room WHERE name = 'lobby')`
	const garden = `(SELECT id FROM room WHERE name = 'garden')`
	tests := map[string]struct {
		damage string // statements
		found  string // "": nothing
	}{
		"nothing": {`SELECT 1`, ""},
		"an event in the middle": {
			`DELETE FROM event WHERE room = ` + lobby + ` AND seq = 4`,
			"room lobby has 7 events, but its newest is number 8: number 4 is missing",
		},
		"the first event": {
			`DELETE FROM event WHERE room = ` + garden + ` AND seq = 1`,
			"room garden has 1 events, but its newest is number 2: number 1 is missing",
		},
		"an event before the first": {
			`UPDATE event SET seq = 0 WHERE room = ` + garden + ` AND seq = 2`,
			"room garden has 2 events, but its newest is number 1: number 1 is missing",
		},
		"a head before the newest event": {
			`UPDATE room SET head = 7 WHERE name = 'lobby'`,
			"room lobby ends at number 7, but its newest event is number 8",
		},
		"a room": {`DELETE FROM room WHERE name = 'garden'`, "rows of event refer in room to a missing room: 2"},
		"a room without a name": {
			`DELETE FROM room WHERE name = 'garden'; DELETE FROM event WHERE seq = 1 AND room <> ` + lobby,
			"room with the id ",
		},
		"an author": {
			`DELETE FROM person WHERE name = 'Grace'`, "rows of event refer in author to a missing person",
		},
		"whose session it is": {
			`DELETE FROM person WHERE name = 'Eve'`, "rows of session refer in person to a missing person: 1 of them",
		},
		"what is reacted to": {
			`UPDATE reaction SET target = 99`, "rows of reaction refer in target to a missing event: 1 of them",
		},
		"what is pinned":    {`UPDATE pin SET target = 99`, "rows of pin refer in target to a missing event"},
		"what is saved":     {`UPDATE bookmark SET seq = 99`, "rows of bookmark refer in seq to a missing event"},
		"what is followed":  {`UPDATE subscription SET target = 99`, "rows of subscription refer in target"},
		"what is forwarded": {`UPDATE forward SET source_seq = 99`, "rows of forward refer in source_seq"},
		"where somebody is mentioned": {
			`UPDATE mention SET seq = 99`, "rows of mention refer in seq to a missing event",
		},
		"what was answered": {
			`UPDATE answer SET target = 99`, "rows of answer refer in target to a missing event: 2 of them",
		},
		"the newest version": {
			`UPDATE event SET current = 99 WHERE current IS NOT NULL`,
			"rows of event refer in current to a missing event",
		},
		"a part that is no JSON": {
			`UPDATE event SET extra = '{' WHERE seq = 1`, "events have a part that is no JSON: 2 of them",
		},
		"read beyond the end": {
			`UPDATE member SET read = 99 WHERE room = ` + garden, "members have read more than there is",
		},
		"a deleted message": {
			`UPDATE event SET text = 'two' WHERE room = ` + lobby + ` AND seq = 2`,
			"messages and edits of deleted messages still have their text: 1 of them",
		},
		"an edit of a deleted message": {
			`UPDATE event SET text = 'Two' WHERE room = ` + lobby + ` AND seq = 7`,
			"messages and edits of deleted messages still have their text: 1 of them",
		},
		"a number that no seq has": {
			`UPDATE reaction SET seq = -1`, "rows of reaction hold what they must not: 1 of them, the first is",
		},
		"a nonce that is there twice": {
			`DROP INDEX event_nonce;
			UPDATE event SET nonce = '\x016e31', author = 1 WHERE room = ` + lobby + ` AND seq IN (1, 3)`,
			"rows of event have the same nonce, author, room as another one: 1 of them",
		},
		"an event that is there twice": {
			`ALTER TABLE event DROP CONSTRAINT event_pkey; DROP INDEX event_nonce;
			INSERT INTO event SELECT * FROM event WHERE room = ` + lobby + ` AND seq = 4`,
			"rows of event have the same room, seq as another one: 1 of them",
		},
		"a name that is there twice": {
			`ALTER TABLE room DROP CONSTRAINT room_name_key; UPDATE room SET name = 'lobby'`,
			"rows of room have the same name as another one: 1 of them, the first is lobby",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := newDatabase(t)
			s, stop := start(t, url)
			talk(t, s)
			stop()
			storetest.Must(t, run(t.Context(), url, `DELETE FROM vacuum_due`))
			storetest.Must(t, execute(t, url, tt.damage))
			checked, err := Check(t.Context(), Config{URL: url})
			storetest.Must(t, err)
			has := slices.ContainsFunc(checked.Found,
				func(said string) bool { return strings.Contains(said, tt.found) })
			if tt.found == "" && len(checked.Found)+len(checked.Notes) > 0 || tt.found != "" && !has {
				t.Errorf("found %q, want %q; notes %q", checked.Found, tt.found, checked.Notes)
			}
			if tt.found == "" && (checked.Rooms != 2 || checked.People != 3 ||
				checked.Events != 10 || checked.Schema < 1) {
				t.Errorf("%+v", checked)
			}
		})
	}
}

// execute runs several statements.
func execute(t *testing.T, url, text string) error {
	t.Helper()
	conn, err := connectOnce(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	defer conn.Close(t.Context())
	return apply(t.Context(), conn, text)
}

func TestCheckNotesWhatIsNoFault(t *testing.T) {
	url := newDatabase(t)
	s, stop := start(t, url)
	talk(t, s)
	storetest.Must(t, run(t.Context(), url, `DELETE FROM event WHERE text = 'One' AND kind IS NULL AND seq = 2`))
	storetest.Must(t, run(t.Context(), url, `DELETE FROM forward`))
	checked, err := Check(t.Context(), Config{URL: url}) // while a server is at it
	storetest.Must(t, err)
	stop()
	if len(checked.Found) > 0 || len(checked.Notes) != 2 ||
		!strings.HasPrefix(checked.Notes[0], "texts of 1 deletions are still in the database's files") ||
		checked.Notes[1] != "room garden has given numbers up to 2, and its newest event is number 1: later ones "+
			"were removed" {
		t.Errorf("found %q, noted %q", checked.Found, checked.Notes)
	}
	moved, err := OpenToMove(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	storetest.Must(t, moved.SetMoved(t.Context(), "another place"))
	storetest.Must(t, moved.Close())
	checked, err = Check(t.Context(), Config{URL: url})
	if err != nil || len(checked.Notes) != 3 || !strings.Contains(checked.Notes[0], "moved to another place") {
		t.Errorf("%+v, %v", checked, err)
	}
}

// Every column that says which row of which table it is about is looked at.
func TestCheckLooksAtAllReferences(t *testing.T) {
	names := []string{"person", "author", "room", "seq", "target", "current", "source_room", "source_seq"}
	own := []string{"event.seq", "answer.seq"} // the event itself; a number that may be of a removed event
	for table, columns := range columnsOfDatabase(t, newDatabase(t)) {
		for _, column := range columns {
			listed := slices.ContainsFunc(references, func(r reference) bool {
				return r.table == table && r.column == column
			})
			if slices.Contains(names, column) && !listed && !slices.Contains(own, table+"."+column) {
				t.Errorf("no check looks at %s of %s: add it to references", column, table)
			}
		}
	}
}

package sqlite

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
)

// talked makes a folder in which everything has happened once.
func talked(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, stop := start(t, dir)
	if _, _, err := s.NewGuest(t.Context(), "Eve", ""); err != nil {
		t.Fatal(err)
	}
	do(t, s, draft("lobby", ada, "one", ""), answering(grace, 1, "two"), draftOf(ada, chat.Edit, 1, "One"),
		draftOf(grace, chat.React, 1, "👍"),
		draftOf(grace, chat.Pin, 1, ""), draft("lobby", grace, "@Ada three", ""), draftOf(grace, chat.Delete, 2, ""),
		draft("garden", ada, "four", ""))
	must(t, s.SetPersonal(t.Context(), ada.ID, chat.Bookmark, chat.MessageRef{Room: "lobby", Seq: 1}, true, ""))
	must(t, s.SetPersonal(t.Context(), grace.ID, chat.Subscription, chat.MessageRef{Room: "lobby", Seq: 1}, true, ""))
	stop()
	return dir
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		damage string // statements
		found  string // "": nothing
	}{
		"nothing": {`SELECT 1`, ""},
		"an event in the middle": {
			`DELETE FROM event WHERE id = 1 << 36 | 4`,
			"lobby has 6 events, but its newest is number 7: number 4 is missing",
		},
		"the first event": {
			`DELETE FROM event WHERE id = 2 << 36 | 1; INSERT INTO event (id, at_ms, author, name, text) VALUES (2 ` +
				`<< 36 | 2, 1, 1, 'Ada', 'x')`,
			"garden has 1 events, but its newest is number 2: number 1 is missing",
		},
		"a head before the newest event": {
			`UPDATE room SET head = 6 WHERE name = 'lobby'`,
			"room lobby ends at number 6, but its newest event is number 7",
		},
		"a room": {
			`DELETE FROM room WHERE name = 'garden'`, "rows of event refer in room to a missing room",
		},
		"an author": {
			`DELETE FROM person WHERE name = 'Grace'`, "rows of event refer in author to a missing person",
		},
		"whose session it is": {
			`PRAGMA foreign_keys = 0; DELETE FROM person WHERE name = 'Eve'`,
			"rows of session refer in person to a missing person",
		},
		"what is reacted to": {
			`UPDATE reaction SET target = 1 << 36 | 99`, "rows of reaction refer in target to a missing event",
		},
		"what is pinned": {
			`UPDATE pin SET target = 1 << 36 | 99`, "rows of pin refer in target to a missing event",
		},
		"what is saved": {
			`UPDATE saved SET event = 1 << 36 | 99`, "rows of saved refer in event to a missing event",
		},
		"what is followed": {
			`UPDATE follow SET target = 1 << 36 | 99`, "rows of follow refer in target to a missing event",
		},
		"where somebody is mentioned": {
			`UPDATE mention SET event = 1 << 36 | 99`, "rows of mention refer in event to a missing event",
		},
		"the newest version": {
			`UPDATE event SET current = 1 << 36 | 99 WHERE current IS NOT NULL`,
			"rows of event refer in current to a missing event",
		},
		"another room's event": {
			`UPDATE event SET target = 2 << 36 | 1 WHERE kind = 'edit'`, "events are about an event of another room",
		},
		"a part that is no JSON": {
			`UPDATE event SET extra = '{' WHERE id = 1 << 36 | 1`, "events have a part that is no JSON",
		},
		"a deleted message": {
			`UPDATE event SET text = 'two' WHERE id = 1 << 36 | 2`,
			"messages and edits of deleted messages still have their text: 1 of them",
		},
		"read beyond the end": {
			`UPDATE member SET read = 99 WHERE room = 2`, "members have read more than there is",
		},
		"an index": {`PRAGMA writable_schema = 1;
			UPDATE sqlite_schema SET sql = replace(sql, 'target, kind, id', 'target, id, kind') 
			WHERE name = 'event_by_target'`, "event_by_target"},
	}
	whole := talked(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyFolder(t, whole, dir)
			db := openSQLite(filepath.Join(dir, databaseName), "rw", "", nil)
			db.SetMaxOpenConns(1)
			_, err := db.ExecContext(t.Context(), tt.damage)
			must(t, err)
			must(t, db.Close())
			backup := filepath.Join(t.TempDir(), "copy.db")
			text, err := os.ReadFile(filepath.Join(dir, databaseName))
			must(t, err)
			must(t, os.WriteFile(backup, text, 0o400))
			for _, path := range []string{dir, backup} {
				checked, err := Check(t.Context(), path)
				must(t, err)
				has := slices.ContainsFunc(checked.Found,
					func(said string) bool { return strings.Contains(said, tt.found) })
				if tt.found == "" && len(checked.Found) > 0 || tt.found != "" && !has {
					t.Errorf("%s: found %q, want %q", path, checked.Found, tt.found)
				}
			}
			if names := folderNames(t, filepath.Dir(backup)); len(names) != 1 {
				t.Errorf("beside the back-up there is %q", names)
			}
		})
	}
}

// A head stays when somebody removes the newest events: the next event gets the number after it.
func TestNewestEventsCanBeRemovedByHand(t *testing.T) {
	dir := talked(t)
	db := openSQLite(filepath.Join(dir, databaseName), "rw", "", nil)
	_, err := db.ExecContext(t.Context(), `
		DELETE FROM event WHERE id = 2 << 36 | 1; UPDATE member SET read = 1 WHERE room = 2`)
	must(t, err)
	must(t, db.Close())
	checked, err := Check(t.Context(), dir)
	must(t, err)
	if len(checked.Found) > 0 || !slices.ContainsFunc(checked.Notes, func(said string) bool {
		return strings.HasPrefix(said, "room garden has given numbers up to 1, and its newest event is number 0")
	}) {
		t.Errorf("found %q, noted %q", checked.Found, checked.Notes)
	}
	s, _ := start(t, dir)
	if head, at, err := s.Head(t.Context(), "garden"); head != 1 || !at.IsZero() || err != nil {
		t.Errorf("the newest event is %d at %v, %v", head, at, err)
	}
	if c := post(t, s, draft("garden", ada, "five", ""))[0]; c.Err != nil || c.Event.Seq != 2 {
		t.Errorf("%+v", c)
	}
}

func TestCheckKnowsFoldersAndBackups(t *testing.T) {
	dir := talked(t)
	before, err := os.ReadFile(filepath.Join(dir, databaseName))
	must(t, err)
	checked, err := Check(t.Context(), dir)
	must(t, err)
	if checked.Events != 8 || checked.Rooms != 2 || checked.People != 3 || len(checked.Found)+len(checked.Notes) > 0 {
		t.Errorf("a folder that was closed: %+v", checked)
	}
	crashed := filepath.Join(t.TempDir(), "crashed")
	s, stop := start(t, dir)
	post(t, s, draft("lobby", ada, "five", ""))
	if _, err := Check(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "stop it first") {
		t.Errorf("a folder in use: %v", err)
	}
	copyFolder(t, dir, crashed)
	backup := filepath.Join(t.TempDir(), "copy.db")
	must(t, Backup(t.Context(), dir, backup))
	stop()
	for path, noted := range map[string]bool{crashed: true, backup: false} {
		checked, err := Check(t.Context(), path)
		must(t, err)
		if checked.Events != 9 || len(checked.Found) > 0 || len(checked.Notes) > 0 != noted {
			t.Errorf("%s: %+v", path, checked)
		}
	}
	if after, err := os.ReadFile(filepath.Join(dir, databaseName)); err != nil || slices.Equal(before, after) {
		t.Errorf("the server wrote nothing, or %v", err)
	}
	for _, path := range []string{t.TempDir(), filepath.Join(dir, "nothing")} {
		if _, err := Check(t.Context(), path); err == nil {
			t.Errorf("%s was checked", path)
		}
	}
	overwrite(t, backup, 1, func(page []byte) { clear(page) })
	if checked, err := Check(t.Context(), backup); err != nil || len(checked.Found) == 0 {
		t.Errorf("a damaged page: %+v, %v", checked, err)
	}
	must(t, os.WriteFile(backup, nil, 0o600))
	if checked, err := Check(t.Context(), backup); err != nil || len(checked.Found) != 1 {
		t.Errorf("an empty file: %+v, %v", checked, err)
	}
}

// Every column that says which row of which table it is about is looked at.
func TestCheckLooksAtAllReferences(t *testing.T) {
	dir := t.TempDir()
	epochOf(t, dir)
	db := openSQLite(filepath.Join(dir, databaseName), "ro", "", nil)
	defer db.Close()
	c := &checker{db: db}
	names := []string{"person", "author", "room", "event", "target", "current", "source", "copy", "message"}
	must(t, c.rows(context.Background(), `
		SELECT s.name, x.name FROM sqlite_schema s, pragma_table_xinfo(s.name) x 
		WHERE s.type = 'table'`, func(rows *sql.Rows) error {
		var table, column string
		err := rows.Scan(&table, &column)
		listed := slices.ContainsFunc(references,
			func(r reference) bool { return r.table == table && r.column == column })
		if slices.Contains(names, column) && !listed {
			t.Errorf("no check looks at %s of %s: add it to references", column, table)
		}
		return err
	}))
}

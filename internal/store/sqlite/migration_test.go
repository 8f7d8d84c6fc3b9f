package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"parley/internal/chat"
)

// oldFolder returns a data folder of the release that had no changes of messages yet. It
// has the contents of testdata/schema/0002.sql and, in a room called long, n messages by
// each person of names.
func oldFolder(t testing.TB, n int, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	dump, err := os.ReadFile("testdata/schema/0002.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := openSQLite(filepath.Join(dir, databaseName), "rwc", "", nil)
	defer db.Close()
	run := func(text string, args ...any) {
		if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(string(dump))
	run(`INSERT INTO room VALUES (2, 'long', 1700000000000), (3, 'empty', 1700000000000)`)
	for i, name := range names {
		run(`INSERT INTO person VALUES ($1, $2, $2, 1700000000000)`, i+3, name)
	}
	run(`WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT $1)
		INSERT INTO message (id, at_ms, author, name, text, nonce)
		SELECT 2 << 36 | n + 1, 1700000000000 + n, 3 + n % $2, 'then', 'message ' || (n + 1), 'old-' || n FROM n`,
		n*len(names), len(names))
	return dir
}

// Whatever can be done with a message can be done with one of before.
func TestMessagesOfThePreviousReleaseAreAsGoodAsNew(t *testing.T) {
	s, stop := start(t, oldFolder(t, 50, "Élodie", "Straße Müller", "Grace"))
	do(t, s,
		draftOf(ada, chat.Edit, 1, "Hello, @grace"),           // 3
		draftOf(grace, chat.React, 1, "👍"),                    // 4
		draftOf(grace, chat.Pin, 2, ""),                       // 5
		draftOf(ada, chat.Reply, 2, "in its thread"),          // 6
		answering(ada, 2, "hm"),                               // 7
		draftOf(chat.Person{ID: "grace"}, chat.Delete, 2, "")) // 8
	stop()
	s, _ = start(t, s.dir)
	m := pageOf(t, s, chat.PageQuery{Limit: 10}).Messages
	wantSeqs(t, "the lobby", seqsOf(m), 1, 2, 7)
	if m[0].Text != "Hello, @grace" || m[0].Edited != 3 || len(m[0].Reactions) != 1 || m[0].Attrs.Mentions[0] != grace {
		t.Errorf("%+v", m[0])
	}
	if !m[1].IsDeleted() || m[1].Pinned || m[1].Replies.Count != 1 || m[2].Attrs.Quote != nil {
		t.Errorf("%+v", m[1:])
	}

	list, err := s.RoomList(t.Context(), "Grace")
	must(t, err)
	if len(list) != 1 || list[0].Head != 150 || list[0].Unread != 0 || list[0].Last == nil {
		t.Errorf("a list of rooms: %+v", list)
	}

	// Whoever wrote then is found by their name, and has read what there was.
	c := post(t, s, draft("long", ada, "@élodie\n@STRASSE müller\n@Grace\n@Ada", ""))[0]
	var got []chat.PersonID
	for _, p := range c.Event.Attrs.Mentions {
		got = append(got, p.ID)
	}
	if want := []chat.PersonID{"Élodie", "Straße Müller", "Grace", "ada"}; !slices.Equal(got, want) ||
		c.Event.Seq != 151 {
		t.Errorf("message %d mentions %q, want %q", c.Event.Seq, got, want)
	}
	rows, err := s.readers.QueryContext(t.Context(),
		`SELECT p.public, r.name, read FROM member m JOIN person p ON p.id = m.person JOIN room r ON r.id = m.room `+
			`ORDER BY 2, 1`)
	must(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var person, room string
		var read int
		must(t, rows.Scan(&person, &room, &read))
		all = append(all, fmt.Sprint(room, " ", person, " ", read))
	}
	want := []string{
		"lobby ada 2", "lobby grace 2", "long Grace 150", "long Straße Müller 150", "long ada 0", "long Élodie 150",
	}
	if !slices.Equal(all, want) {
		t.Errorf("members %q, want %q", all, want)
	}
	if c := post(t, s, draft("long", chat.Person{ID: "Grace", Name: "Grace"}, "again", "old-2"))[0]; !c.Repeated ||
		c.Event.Seq != 3 {
		t.Errorf("a known nonce: %+v", c)
	}
}

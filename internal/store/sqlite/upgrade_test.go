package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/move"
	"parley/internal/store/schema"
)

// fromDump makes a data folder of a dump in testdata/schema.
func fromDump(t *testing.T, dump string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	text, err := os.ReadFile(dump)
	must(t, err)
	db := openSQLite(filepath.Join(dir, databaseName), "rwc", "", nil)
	_, err = db.ExecContext(t.Context(), string(text))
	must(t, err)
	must(t, db.Close())
	return dir
}

func copiesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	for _, name := range folderNames(t, dir) {
		if keptName.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

// schemaIn returns the schema of a folder's database, and its messages' texts by
// whatever table they are in.
func schemaIn(t *testing.T, dir string) (version int64, texts []string) {
	t.Helper()
	path := filepath.Join(dir, databaseName)
	db := openSQLite(path, "ro", "", nil)
	defer db.Close()
	version, err := schemaOfDatabase(t.Context(), db)
	must(t, err)
	table := "event"
	if version < 3 {
		table = "message"
	}
	rows, err := db.QueryContext(t.Context(), `SELECT text FROM `+table+` ORDER BY room, seq`)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var text string
		must(t, rows.Scan(&text))
		texts = append(texts, text)
	}
	must(t, rows.Err())
	return version, texts
}

// Each released schema is kept before it is brought up to date, and a folder goes
// back to it after having said what that loses.
func TestRollbackReturnsToWhatWasBeforeTheUpgrade(t *testing.T) {
	dumps, err := filepath.Glob("testdata/schema/*.sql")
	must(t, err)
	for _, dump := range dumps[:len(dumps)-1] {
		t.Run(filepath.Base(dump), func(t *testing.T) {
			dir := fromDump(t, dump)
			before, texts := schemaIn(t, dir)
			s, stop := startOn(t, Config{Dir: dir, Version: "v2.0 (dirty)"}, "")
			epoch := s.Epoch()
			kept := copiesIn(t, dir)
			if len(kept) != 1 ||
				!strings.HasPrefix(kept[0], "parley-kept-schema-"+string('0'+rune(before))+"-unknown-") {
				t.Fatalf("copies after the upgrade: %v", kept)
			}
			r, err := NewRollback(t.Context(), dir, "v2.0 (dirty)")
			if err == nil || !strings.Contains(err.Error(), "in use by another parley") {
				t.Fatalf("a rollback under a server: %+v, %v", r, err)
			}
			do(t, s, draft("lobby", grace, "new", ""), draftOf(ada, chat.Delete, 1, ""),
				draftOf(grace, chat.React, 2, "👍"),
				draft("garden", ada, "new", ""), draft("lobby", chat.Person{ID: "eve", Name: "Eve"}, "new", ""))
			stop()

			r, err = NewRollback(t.Context(), dir, "v2.0 (dirty)")
			must(t, err)
			if r.Program != "unknown" || r.Schema != before || r.Messages != 3 || r.Changes != 2 || r.Deletes != 1 ||
				r.Rooms != 2 || r.People != 1 || time.Since(r.Since) > time.Hour {
				t.Errorf("%+v", r)
			}
			undone, err := r.Do(t.Context())
			must(t, err)
			must(t, r.Close())
			if version, now := schemaIn(t, dir); version != before || !slices.Equal(now, texts) {
				t.Errorf("schema %d with %q, want %d with %q", version, now, before, texts)
			}
			if copies := copiesIn(t, dir); !slices.Equal(copies, []string{undone}) ||
				!strings.HasPrefix(undone, fmt.Sprintf("parley-undone-schema-%d-v2.0_dirty-", migrations.Newest())) {
				t.Errorf("copies after the rollback: %v, %s", copies, undone)
			}
			if _, err := NewRollback(t.Context(), dir, "v2.0"); err == nil ||
				!strings.Contains(err.Error(), "there is no way back") {
				t.Errorf("a second rollback: %v", err)
			}
			s, stop = start(t, dir) // as any program would that knows the schema
			if s.Epoch() == epoch {
				t.Error("the folder has the epoch that it had before the rollback")
			}
			if c := post(t, s, draft("lobby", ada, "again", "nonce-1"))[0]; !c.Repeated || c.Event.Seq != 1 {
				t.Errorf("a known nonce: %+v", c)
			}
			if copies := copiesIn(t, dir); len(copies) != 1 || strings.Contains(copies[0], "undone") {
				t.Errorf("copies after the next upgrade: %v", copies)
			}
			stop()
		})
	}
}

// To ask what would be lost changes nothing, after a kill either: the server takes the
// folder for its own.
func TestQuestionAboutARollbackChangesNothing(t *testing.T) {
	dir := fromDump(t, "testdata/schema/0003.sql")
	epoch := epochOf(t, dir)
	s, err := Open(t.Context(), Config{Dir: dir})
	must(t, err)
	ran := make(chan error, 1)
	go func() { ran <- s.Run(t.Context()) }()
	do(t, s, draft("lobby", ada, "new", ""))
	killed := filepath.Join(t.TempDir(), "killed")
	must(t, os.Rename(dir, killed)) // so that nothing more is written to it under its name
	must(t, os.Mkdir(dir, 0o700))
	if size(filepath.Join(killed, databaseName+walSuffix)) == 0 {
		t.Fatal("the write-ahead log is empty")
	}
	s.stopWriting(t.Context(), errPanicked)
	must(t, s.Close())
	must(t, <-ran)
	for range 2 {
		r, err := NewRollback(t.Context(), killed, "")
		must(t, err)
		if r.Messages != 1 {
			t.Errorf("%+v", r)
		}
		must(t, r.Close())
	}
	if again := epochOf(t, killed); again != epoch {
		t.Error("the folder has another epoch")
	}
}

func TestUntouchedFolderLosesNothingByARollback(t *testing.T) {
	dir := fromDump(t, "testdata/schema/0003.sql")
	epochOf(t, dir)
	r, err := NewRollback(t.Context(), dir, "")
	must(t, err)
	if r.Messages != 0 || r.Changes != 0 || r.Rooms != 0 || r.People != 0 || !r.Since.IsZero() {
		t.Errorf("%+v", r)
	}
	must(t, r.Close())
	if _, err := NewRollback(t.Context(), t.TempDir(), ""); err == nil {
		t.Error("an empty folder went back")
	}
}

func TestFolderThatWasMovedDoesNotGoBack(t *testing.T) {
	dir := fromDump(t, "testdata/schema/0003.sql")
	epochOf(t, dir)
	mark := func(to string) {
		t.Helper()
		s, err := Open(t.Context(), Config{Dir: dir, Moved: true})
		must(t, err)
		must(t, s.SetMoved(t.Context(), to))
		must(t, s.Close())
	}
	mark("the database parley on db.example.org")
	_, err := NewRollback(t.Context(), dir, "")
	if !errors.Is(err, move.ErrMoved) || !strings.Contains(err.Error(), "no way back: everything was moved to the "+
		"database parley on db.example.org: use that; only if that is not used") {
		t.Errorf("a folder that was moved: %v", err)
	}
	mark("")
	r, err := NewRollback(t.Context(), dir, "")
	must(t, err) // it is used again
	must(t, r.Close())
}

// The version that a copy is named for is that of the program which used the folder.
func TestCopyIsNamedForTheProgramThatUsedTheFolder(t *testing.T) {
	dir := fromDump(t, "testdata/schema/0003.sql")
	db := openSQLite(filepath.Join(dir, databaseName), "rw", "", nil)
	_, err := db.ExecContext(t.Context(), `INSERT INTO meta VALUES ('program', 'v1.9-rc/1')`)
	must(t, err)
	must(t, db.Close())
	s, stop := startOn(t, Config{Dir: dir, Version: "v2.0"}, "")
	if copies := copiesIn(t, dir); len(copies) != 1 ||
		!strings.HasPrefix(copies[0], "parley-kept-schema-3-v1.9_rc_1-") {
		t.Errorf("copies: %v", copies)
	}
	known, err := schema.Meta(t.Context(), s.writer.conn)
	stop()
	must(t, err)
	if known["program"] != "v2.0" || known["upgrading"] != "" {
		t.Errorf("the database knows %v", known)
	}
}

// An upgrade that was interrupted keeps the copy from before its first step.
func TestInterruptedUpgradeKeepsItsFirstCopy(t *testing.T) {
	dir := fromDump(t, "testdata/schema/0003.sql") // as it is after the first of two steps
	kept := "parley-kept-schema-2-unknown-" + time.Now().UTC().Format(time.DateOnly) + ".db"
	must(t, os.WriteFile(filepath.Join(dir, kept), []byte("a copy"), 0o600))
	db := openSQLite(filepath.Join(dir, databaseName), "rw", "", nil)
	_, err := db.ExecContext(t.Context(), `INSERT INTO meta VALUES ('upgrading', $1)`, kept)
	must(t, err)
	must(t, db.Close())
	epochOf(t, dir)
	if copies := copiesIn(t, dir); !slices.Equal(copies, []string{kept}) {
		t.Errorf("copies: %v, want %s", copies, kept)
	}
}

// As long as no step of an upgrade is done the older program can use the folder, so a
// copy from before that is not one of the database any more.
func TestUpgradeThatDidNothingMakesItsCopyAgain(t *testing.T) {
	dir := fromDump(t, "testdata/schema/0003.sql")
	kept := "parley-kept-schema-3-unknown-" + time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly) + ".db"
	must(t, os.WriteFile(filepath.Join(dir, kept), []byte("a copy"), 0o600))
	db := openSQLite(filepath.Join(dir, databaseName), "rw", "", nil)
	_, err := db.ExecContext(t.Context(), `INSERT INTO meta VALUES ('upgrading', $1)`, kept)
	must(t, err)
	must(t, db.Close())
	_, before := schemaIn(t, dir)
	epochOf(t, dir)
	if copies := copiesIn(t, dir); len(copies) != 1 || copies[0] == kept {
		t.Fatalf("copies: %v", copies)
	}
	r, err := NewRollback(t.Context(), dir, "")
	must(t, err)
	_, err = r.Do(t.Context())
	must(t, errors.Join(err, r.Close()))
	if version, texts := schemaIn(t, dir); version != 3 || !slices.Equal(texts, before) {
		t.Errorf("schema %d with %q, want %q", version, texts, before)
	}
}

// Half a copy, of an upgrade that was killed, takes room and holds texts.
func TestHalfACopyDoesNotStay(t *testing.T) {
	for _, dump := range []string{"testdata/schema/0003.sql", "testdata/schema/0005.sql"} {
		dir := fromDump(t, dump)
		half := "parley-kept-schema-3-v1-2026-01-02.db.partial"
		must(t, os.WriteFile(filepath.Join(dir, half), []byte("half a copy"), 0o600))
		must(t, os.WriteFile(filepath.Join(dir, half+"-journal"), nil, 0o600))
		epochOf(t, dir)
		if names := folderNames(t, dir); slices.ContainsFunc(names,
			func(n string) bool { return strings.HasPrefix(n, half) }) {
			t.Errorf("%s: it has %v", dump, names)
		}
	}
}

func TestNewFolderIsNotCopied(t *testing.T) {
	dir := t.TempDir()
	epochOf(t, dir)
	if copies := copiesIn(t, dir); len(copies) > 0 {
		t.Errorf("copies: %v", copies)
	}
}

func TestUpgradeWithoutACopyIsDoneWhenTold(t *testing.T) {
	dir := fromDump(t, "testdata/schema/0003.sql")
	_, stop := startOn(t, Config{Dir: dir, UpgradeWithoutCopy: true}, "")
	stop()
	if copies := copiesIn(t, dir); len(copies) > 0 {
		t.Errorf("copies: %v", copies)
	}
	if version, _ := schemaIn(t, dir); version != migrations.Newest() {
		t.Errorf("schema %d", version)
	}
}

// A copy that was made late in the day stays for two whole weeks.
func TestCopiesStayForTwoWeeks(t *testing.T) {
	dir := t.TempDir()
	s, stop := start(t, dir)
	stop()
	must(t, s.takeFolder())
	defer s.release()
	name := "parley-kept-schema-3-v1-2026-01-02.db"
	must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	made := time.Date(2026, 1, 2, 23, 59, 0, 0, time.UTC)
	for _, now := range []time.Time{made.Add(copiesKeptFor), made.Add(copiesKeptFor + 2*time.Hour)} {
		s.copiesLooked = time.Time{}
		s.dropOldCopies(t.Context(), now)
		if stays := len(copiesIn(t, dir)) == 1; stays != (now.Sub(made) <= copiesKeptFor) {
			t.Errorf("after %s it is there: %t", now.Sub(made), stays)
		}
	}
}

// Copies go two weeks after the day in their name; other files never do.
func TestOldCopiesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	s, stop := start(t, dir)
	do(t, s, draft("lobby", ada, "hi", ""))
	stop()
	now := time.Now().UTC()
	day := func(ago int) string { return now.AddDate(0, 0, -ago).Format(time.DateOnly) }
	stay := []string{
		"parley-kept-schema-3-v1-" + day(13) + ".db", "parley-undone-schema-4-v2-" + day(0) + ".2.db",
		"parley-kept-schema-3-v1-soon.db", "parley-kept-" + day(90) + ".db", "my-kept-schema-3-v1-" + day(90) + ".db",
	}
	leave := []string{
		"parley-kept-schema-3-v1-" + day(15) + ".db", "parley-undone-schema-4-a-b-" + day(400) + ".db",
		"parley-undone-schema-4-v2-" + day(16) + ".3.db",
	}
	for _, name := range append(slices.Clone(stay), leave...) {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	s, stop = start(t, dir)
	do(t, s, draft("lobby", ada, "hi", "")) // Run has begun
	stop()
	names := folderNames(t, dir)
	for _, name := range stay {
		if !slices.Contains(names, name) {
			t.Errorf("%s is gone", name)
		}
	}
	for _, name := range leave {
		if slices.Contains(names, name) {
			t.Errorf("%s is still there", name)
		}
	}
}

package sqlite

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/internal/chat"
	"parley/internal/store"
)

// epochOf opens dir, closes it again, and returns its epoch.
func epochOf(t *testing.T, dir string) string {
	t.Helper()
	s, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Epoch()
}

func TestEpochChangesWithTheLogOnly(t *testing.T) {
	tests := map[string]struct {
		do   func(t *testing.T, dir string)
		same bool
	}{
		"opened again": {func(t *testing.T, dir string) {}, true},
		"often":        {func(t *testing.T, dir string) { epochOf(t, dir); epochOf(t, dir) }, true},
		"killed":       {killed, true},
		"moved":        {moved, true},
		"copied":       {func(t *testing.T, dir string) { replaceFolder(t, dir, true) }, false},
		"copied over":  {func(t *testing.T, dir string) { replaceFolder(t, dir, false) }, false},
		"database alone copied": {func(t *testing.T, dir string) {
			b, err := os.ReadFile(filepath.Join(dir, databaseName))
			must(t, err)
			must(t, os.RemoveAll(dir))
			must(t, os.Mkdir(dir, 0o700))
			must(t, os.WriteFile(filepath.Join(dir, databaseName), b, 0o600))
		}, false},
		"back-up restored": {func(t *testing.T, dir string) {
			path := filepath.Join(t.TempDir(), "backup.db")
			must(t, Backup(t.Context(), dir, path))
			must(t, os.RemoveAll(dir))
			must(t, os.Mkdir(dir, 0o700))
			must(t, os.Rename(path, filepath.Join(dir, databaseName)))
		}, false},
		"back-up copied over": {func(t *testing.T, dir string) {
			path := filepath.Join(t.TempDir(), "backup.db")
			must(t, Backup(t.Context(), dir, path))
			b, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, databaseName), b, 0o600))
		}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			first := epochOf(t, dir)
			tt.do(t, dir)
			second := epochOf(t, dir)
			if same := first == second; same != tt.same {
				t.Errorf("the epoch stayed the same: %v, want %v", same, tt.same)
			}
			if third := epochOf(t, dir); third != second {
				t.Error("the epoch changed again")
			}
		})
	}
}

// killed leaves a folder as a process does that was killed.
func killed(t *testing.T, dir string) {
	s, err := Open(t.Context(), Config{Dir: dir})
	must(t, err)
	must(t, s.release())
}

// moved renames a folder.
func moved(t *testing.T, dir string) {
	must(t, os.Rename(dir, dir+"2"))
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.Remove(dir))
	must(t, os.Rename(dir+"2", dir))
}

// replaceFolder copies a folder, lets it live on, and puts the copy back: over
// the files that are there, or in their place.
func replaceFolder(t *testing.T, dir string, anew bool) {
	backup := filepath.Join(t.TempDir(), "backup")
	copyFolder(t, dir, backup)
	epochOf(t, dir)
	if anew {
		must(t, os.RemoveAll(dir))
	}
	copyFolder(t, backup, dir)
}

func TestBackupHoldsEverythingAndReplacesNothing(t *testing.T) {
	s, _ := start(t, t.TempDir())
	p, session, err := s.NewGuest(t.Context(), "Ada", "")
	must(t, err)
	post(t, s, numbered(1, 500)...)
	dir := filepath.Join(t.TempDir(), "odd #name? 100%")
	must(t, os.Mkdir(dir, 0o700))
	path := filepath.Join(dir, databaseName)
	must(t, Backup(t.Context(), s.dir, path)) // while the store is in use
	post(t, s, numbered(501, 501)...)
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	if names := folderNames(t, dir); !slices.Equal(names, []string{databaseName}) {
		t.Errorf("the back-up's folder holds %v", names)
	}
	before, err := os.ReadFile(path)
	must(t, err)
	if err := Backup(t.Context(), s.dir, path); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("backing up over a file: %v", err)
	}
	after, err := os.ReadFile(path)
	must(t, err)
	if !slices.Equal(before, after) {
		t.Error("a back-up was changed by another")
	}

	restored, _ := start(t, dir)
	wantNumbered(t, restored, 500)
	wantHead(t, restored, "lobby", 500)
	if got, err := restored.Person(t.Context(), session); err != nil || got != p {
		t.Errorf("person = %+v, %v", got, err)
	}
	if restored.Epoch() == s.Epoch() {
		t.Error("the back-up has the epoch of the original")
	}
	if c := post(t, restored, numbered(500, 500)...)[0]; !c.Repeated || c.Event.Seq != 500 {
		t.Errorf("a known nonce in the back-up: %+v", c)
	}
}

func TestFailedBackupLeavesNothing(t *testing.T) {
	s, _ := start(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := Backup(ctx, s.dir, filepath.Join(dir, "backup.db")); err == nil {
		t.Error("a cancelled back-up succeeded")
	}
	if err := Backup(t.Context(), dir, filepath.Join(dir, "backup.db")); err == nil {
		t.Error("backing up a folder that is none succeeded")
	}
	if names := folderNames(t, dir); len(names) > 0 {
		t.Errorf("left over: %v", names)
	}
}

func folderNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestFolderIsForItsOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "data")
	s, _ := start(t, dir)
	post(t, s, draft("lobby", ada, "hi", ""))
	info, err := os.Stat(dir)
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the folder = %v", info.Mode())
	}
	for _, name := range folderNames(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("mode of %s = %v", name, info.Mode())
		}
	}
}

func TestSecondStoreInAFolderIsRefused(t *testing.T) {
	s, stop := start(t, t.TempDir())
	if _, err := Open(t.Context(), Config{Dir: s.dir}); err == nil ||
		!strings.Contains(err.Error(), "in use by another parley") {
		t.Errorf("a second store: %v", err)
	}
	post(t, s, draft("lobby", ada, "unharmed", ""))
	stop()
	epochOf(t, s.dir) // free again
}

func TestNewerDatabaseIsRefusedAndNotTouched(t *testing.T) {
	dir := t.TempDir()
	epochOf(t, dir)
	path := filepath.Join(dir, databaseName)
	db := openSQLite(path, "rw", "", nil)
	_, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
	must(t, err)
	must(t, db.Close())
	before, err := os.ReadFile(path)
	must(t, err)
	_, err = Open(t.Context(), Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "written by a newer parley (schema 9999") {
		t.Errorf("error = %v", err)
	}
	after, err := os.ReadFile(path)
	must(t, err)
	if !slices.Equal(before, after) {
		t.Error("the file was changed")
	}
}

func TestFileThatIsNoDatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, databaseName), []byte(strings.Repeat("my novel ", 1000)), 0o600))
	if _, err := Open(t.Context(), Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("error = %v", err)
	}
}

// Every schema that was released becomes the same as a fresh one, with what was
// in it. testdata/schema holds a dump of each, made by its own program.
func TestReleasedSchemasAreBroughtUpToDate(t *testing.T) {
	fresh := t.TempDir()
	epochOf(t, fresh)
	dumps, err := filepath.Glob("testdata/schema/*.sql")
	must(t, err)
	if len(dumps) != int(migrations.Newest()) {
		t.Fatalf("%d dumps for %d schemas", len(dumps), migrations.Newest())
	}
	for _, dump := range dumps {
		t.Run(filepath.Base(dump), func(t *testing.T) {
			dir := t.TempDir()
			text, err := os.ReadFile(dump)
			must(t, err)
			db := openSQLite(filepath.Join(dir, databaseName), "rwc", "", nil)
			_, err = db.ExecContext(t.Context(), string(text))
			must(t, err)
			must(t, db.Close())

			s, stop := start(t, dir)
			want := []chat.Event{
				{Room: "lobby", Seq: 1, Kind: chat.Message, From: ada, Text: "Hello, **world**"},
				{Room: "lobby", Seq: 2, Kind: chat.Message, From: grace, Text: "Hi\nAda"},
			}
			got := page(t, s.After, "lobby", 0, 10)
			for i := range got {
				if at := got[i].At.UnixMilli(); at != 1700000000000+int64(i) {
					t.Errorf("seq %d was written at %d", got[i].Seq, at)
				}
				got[i].At = want[0].At
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if p, err := s.Person(t.Context(), "a-session"); err != nil || p != ada {
				t.Errorf("person = %+v, %v", p, err)
			}
			if c := post(t, s, draft("lobby", ada, "again", "nonce-1"))[0]; !c.Repeated || c.Event.Seq != 1 {
				t.Errorf("a known nonce: %+v", c)
			}
			stop()
			if diff := cmp.Diff(schemaOf(t, fresh), schemaOf(t, dir)); diff != "" {
				t.Errorf("schema (-fresh +brought up to date):\n%s", diff)
			}
		})
	}
}

// Nonces changed their form once. Whatever a client chose then is known now, and
// what differs by a letter is not.
func TestNoncesOfTheFirstSchemaAreKnown(t *testing.T) {
	nonces := []string{
		"0198c1d2-7a3b-7c4d-8e5f-60718293a4b5",
		"0198C1D2-7A3B-7C4D-8E5F-60718293A4B5",
		"0198c1d2-7a3b-7c4d-8e5f-60718293A4b5",
		"0198c1d27a3b7c4d8e5f60718293a4b5",
		"{0198c1d2-7a3b-7c4d-8e5f-60718293a4b5}",
		"0198c1d2-7a3b-7c4d-8e5f-60718293a4-5",
		"0198c1d2-7a3b-7c4d--8e5f-0718293a4b5",
		"------------------------------------",
		"0198c1d2-7a3b-7c4d-8e5f-60718293a4bg",
		"42", "1e3", "x'00'", "NULL", "[^-0-9a-f]*",
	}
	dir := t.TempDir()
	dump, err := os.ReadFile("testdata/schema/0001.sql")
	must(t, err)
	db := openSQLite(filepath.Join(dir, databaseName), "rwc", "", nil)
	_, err = db.ExecContext(t.Context(), string(dump)) // ends with seq 2
	must(t, err)
	for i, nonce := range nonces {
		_, err = db.ExecContext(t.Context(), `INSERT INTO message VALUES (1, $1, 1700000000002, 1, 'Ada', $2, $2)`, 3+i,
			nonce)
		must(t, err)
	}
	must(t, db.Close())

	s, _ := start(t, dir)
	for i, nonce := range nonces {
		seq := chat.Seq(3 + i)
		if c := post(t, s, draft("lobby", ada, "again", nonce))[0]; !c.Repeated || c.Event.Seq != seq ||
			c.Event.Text != nonce {
			t.Errorf("%q again: %+v, want a repeat of %d", nonce, c, seq)
		}
		for _, other := range []chat.Draft{draft("lobby", grace, "hi", nonce), draft("garden", ada, "hi", nonce)} {
			if c := post(t, s, other)[0]; c.Repeated || c.Err != nil {
				t.Errorf("%q of %s in %s: %+v, want a new message", nonce, other.From.Name, other.Room, c)
			}
		}
	}
}

func TestNoTwoNoncesAreKeptAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nonce := rapid.Custom(func(t *rapid.T) string {
			text := rapid.StringMatching(
				`[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|[!-~]{1,64}`).Draw(t,
				"nonce")
			return rapid.SampledFrom([]string{text, strings.ToUpper(text), strings.ToLower(text)}).Draw(t, "case")
		})
		a, b := nonce.Draw(t, "a"), nonce.Draw(t, "b")
		if same := reflect.DeepEqual(packNonce(a), packNonce(b)); same != (a == b) {
			t.Errorf("%q is kept as %v, %q as %v", a, packNonce(a), b, packNonce(b))
		}
		if swapped := strings.ToUpper(a); swapped != a && reflect.DeepEqual(packNonce(a), packNonce(swapped)) {
			t.Errorf("%q is kept as its capitals are", a)
		}
	})
}

// schemaOf returns the definition of everything in a folder's database.
func schemaOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	db := openSQLite(filepath.Join(dir, databaseName), "ro", "", nil)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT type || ' ' || name, sql FROM sqlite_schema`)
	must(t, err)
	defer rows.Close()
	schema := map[string]string{}
	for rows.Next() {
		var name string
		var text sql.NullString
		must(t, rows.Scan(&name, &text))
		schema[name] = text.String
	}
	must(t, rows.Err())
	return schema
}

func TestStoppedStoreAnswersStopping(t *testing.T) {
	s, stop := start(t, t.TempDir())
	post(t, s, draft("lobby", ada, "in time", ""))
	stop()
	wantRefused(t, post(t, s, draft("lobby", ada, "late", ""), draft("lobby", ada, "late", "")), chat.Stopping)
	if _, err := s.Rename(t.Context(), ada.ID, "Late", ""); chat.CodeOf(err) != chat.Stopping {
		t.Errorf("Rename: %v", err)
	}
}

func TestStoreThatNeverRanAnswersStopping(t *testing.T) {
	s, err := Open(t.Context(), Config{Dir: t.TempDir()})
	must(t, err)
	var got []chat.Commit
	s.Append(draft("lobby", ada, "never", ""), func(c chat.Commit) { got = append(got, c) })
	must(t, s.Close())
	if len(got) != 1 {
		t.Fatalf("%d answers", len(got))
	}
	wantRefused(t, got, chat.Stopping)
}

func TestStoppingCommitsWhatWasTaken(t *testing.T) {
	s, err := Open(t.Context(), Config{Dir: t.TempDir()})
	must(t, err)
	const n = 3 * store.MaxBatch / 2
	var stored int
	for _, d := range drafts("lobby", n) {
		s.Append(d, func(c chat.Commit) {
			if c.Err == nil {
				stored++
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, s.Run(ctx))
	if stored != n {
		t.Errorf("%d of %d were stored", stored, n)
	}
	wantHead(t, s, "lobby", n)
	must(t, s.Close())
}

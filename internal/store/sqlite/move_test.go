package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/move"
	"parley/internal/store/storetest"
)

// fullFolder makes a data folder with rows in all tables, and returns its epoch.
func fullFolder(t *testing.T) (dir, epoch string) {
	t.Helper()
	dir = t.TempDir()
	s, stop := start(t, dir)
	storetest.FillAllTables(t, s)
	stop()
	return dir, s.Epoch()
}

// closedFolder opens a folder without Run.
func closedFolder(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// dump returns all rows of a database as text, by table.
func dump(t *testing.T, dir string) map[string][]string {
	t.Helper()
	db := openSQLite(filepath.Join(dir, databaseName), "ro", "", nil)
	defer db.Close()
	c := &checker{db: db}
	rows := map[string][]string{}
	for _, f := range fileTables {
		columns := strings.ReplaceAll("quote("+f.names()+")", ", ", ") || ' ' || quote(")
		must(t, c.rows(t.Context(), `SELECT `+columns+` FROM `+f.name, func(r *sql.Rows) error {
			var row string
			err := r.Scan(&row)
			rows[f.name] = append(rows[f.name], row)
			return err
		}))
		slices.Sort(rows[f.name])
	}
	return rows
}

func TestAFilledFolderIsTheSameLog(t *testing.T) {
	dir, epoch := fullFolder(t)
	other := filepath.Join(t.TempDir(), "the other's")
	s := closedFolder(t, Config{Dir: dir})
	var report move.Report
	must(t, FillFolder(t.Context(), other, s.Epoch(), func(ctx context.Context, to move.Target) (err error) {
		report, err = move.Copy(ctx, s, to, nil)
		return err
	}))
	must(t, s.Close())
	want := dump(t, dir)
	for name, rows := range want {
		if len(rows) == 0 {
			t.Errorf("the table %s was empty", name)
		}
	}
	if diff := cmp.Diff(want, dump(t, other)); diff != "" {
		t.Errorf("the folder that was filled is another one (-was +is):\n%s", diff)
	}
	if diff := cmp.Diff(schemaOf(t, dir), schemaOf(t, other)); diff != "" {
		t.Errorf("the folder that was filled has another schema (-was +is):\n%s", diff)
	}
	if report.Rooms != 3 || report.Events != 27 || report.People != int64(len(want["person"])) {
		t.Errorf("%+v", report)
	}
	checked, err := Check(t.Context(), other)
	if err != nil || len(checked.Found)+len(checked.Notes) > 0 {
		t.Errorf("%+v, %v", checked, err)
	}
	if is := epochOf(t, other); is != epoch {
		t.Errorf("the epoch is %s, want %s", is, epoch)
	}
	again := closedFolder(t, Config{Dir: other})
	if is, err := move.Read(t.Context(), again); err != nil || is != report {
		t.Errorf("read again: %+v, %v, want %+v", is, err, report)
	}
}

// Every column of every table is moved, or is one that another column tells.
func TestEveryColumnIsMoved(t *testing.T) {
	dir := t.TempDir()
	epochOf(t, dir)
	db := openSQLite(filepath.Join(dir, databaseName), "ro", "", nil)
	defer db.Close()
	kept := []string{"meta", "goose_db_version", "sqlite_sequence"} // of the file itself
	moved := map[string][]string{}
	for _, table := range move.Tables {
		f, ok := fileTables[table.Name]
		if !ok {
			t.Fatalf("the table %s of package move is not among fileTables", table.Name)
		}
		for _, c := range f.columns {
			moved[f.name] = append(moved[f.name], c.name)
		}
		values := make([]bool, len(table.Columns))
		for _, c := range placed(&table, f) {
			values[c.seq] = true
			if c.room >= 0 {
				values[c.room] = true
			}
		}
		for i, c := range table.Columns {
			if !values[i] {
				t.Errorf("no column of %s has %s of the table %s", f.name, c.Name, table.Name)
			}
		}
	}
	c := &checker{db: db}
	must(t, c.rows(t.Context(), `
		SELECT s.name, x.name FROM sqlite_schema s, pragma_table_xinfo(s.name) x
		WHERE s.type = 'table' AND x.hidden = 0`, func(rows *sql.Rows) error {
		var table, column string
		err := rows.Scan(&table, &column)
		if !slices.Contains(kept, table) && !slices.Contains(moved[table], column) {
			t.Errorf("%s of %s is not moved: add it to fileTables, and to package move", column, table)
		}
		return err
	}))
}

func TestNoncesKeepTheirFormsOnAMove(t *testing.T) {
	seen := map[string]bool{}
	for _, nonce := range []any{
		[]byte("0123456789abcdef"), []byte("\x00123456789abcdef0"), "1", strings.Repeat("a", 14),
		strings.Repeat("a", 15), strings.Repeat("a", 16), strings.Repeat("a", 17), strings.Repeat("a", 64),
		"\x01", "\x02" + strings.Repeat("a", 15),
	} {
		moved := movedNonce(nonce).([]byte)
		if seen[string(moved)] {
			t.Errorf("%q has the form of another nonce", nonce)
		}
		seen[string(moved)] = true
		if diff := cmp.Diff(nonce, fileNonce(moved)); diff != "" {
			t.Errorf("a nonce became another one (-was +is):\n%s", diff)
		}
	}
}

func TestAFolderThatWasMovedIsRefused(t *testing.T) {
	dir, epoch := fullFolder(t)
	s := closedFolder(t, Config{Dir: dir})
	must(t, s.SetMoved(t.Context(), "chat at db:5432"))
	must(t, s.Close())
	if _, err := Open(t.Context(), Config{Dir: dir}); err == nil ||
		!strings.Contains(err.Error(), "everything was moved to chat at db:5432: use that") {
		t.Errorf("opened, or %v", err)
	}
	checked, err := Check(t.Context(), dir)
	if err != nil || len(checked.Found) > 0 || len(checked.Notes) != 1 ||
		!strings.Contains(checked.Notes[0], "moved to chat at db:5432") {
		t.Errorf("checked: %+v, %v", checked, err)
	}
	backup := filepath.Join(t.TempDir(), "copy.db")
	must(t, Backup(t.Context(), dir, backup))
	restored := filepath.Join(t.TempDir(), "restored")
	must(t, Restore(t.Context(), backup, restored))
	if epochOf(t, restored) == epoch {
		t.Error("a restored back-up has the epoch of the log that was moved")
	}
	s = closedFolder(t, Config{Dir: dir, Moved: true})
	must(t, s.SetMoved(t.Context(), ""))
	must(t, s.Close())
	is := epochOf(t, dir)
	if is == epoch {
		t.Error("a log that may have gone on elsewhere has kept its epoch")
	}
	if again := epochOf(t, dir); again != is {
		t.Error("the epoch changed again")
	}
}

func TestOnlyAnEmptyFolderIsFilled(t *testing.T) {
	full := t.TempDir()
	epochOf(t, full)
	withLog := t.TempDir()
	must(t, os.WriteFile(filepath.Join(withLog, databaseName+walSuffix), []byte("x"), 0o600))
	used := t.TempDir()
	start(t, used)
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	tests := map[string]struct{ dir, want string }{
		"a folder with a database":        {full, "has a parley.db, and nothing is replaced"},
		"a folder with a write-ahead log": {withLog, "has a parley.db-wal, and nothing is replaced"},
		"a folder that a server uses":     {used, "in use by another parley"},
		"a file":                          {file, "file"},
	}
	backup := filepath.Join(t.TempDir(), "copy.db")
	must(t, Backup(t.Context(), full, backup))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for what, err := range map[string]error{
				"filled": FillFolder(t.Context(), tt.dir, "",
					func(context.Context, move.Target) error { return nil }),
				"restored": Restore(t.Context(), backup, tt.dir),
			} {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s, or %v", what, err)
				}
			}
		})
	}
}

func TestAFolderWhoseFillingFailsStaysEmpty(t *testing.T) {
	dir, _ := fullFolder(t)
	s := closedFolder(t, Config{Dir: dir})
	disk := errors.New("no space")
	for _, table := range move.Tables {
		other := filepath.Join(t.TempDir(), "other")
		err := FillFolder(t.Context(), other, "epoch", func(ctx context.Context, to move.Target) error {
			_, err := move.Copy(ctx, s, failingTarget{to, table.Name, disk}, nil)
			return err
		})
		if !errors.Is(err, disk) {
			t.Errorf("%s: %v", table.Name, err)
		}
		if names := folderNames(t, other); slices.ContainsFunc(names, func(name string) bool {
			return strings.HasPrefix(name, databaseName)
		}) {
			t.Errorf("%s: the folder has %q", table.Name, names)
		}
		epochOf(t, other) // it can be used
	}
}

// failingTarget is a target that cannot store the rows of one table.
type failingTarget struct {
	move.Target
	table string
	err   error
}

func (f failingTarget) Fill(ctx context.Context, t *move.Table, rows func(func([]byte) error) error) error {
	if t.Name != f.table {
		return f.Target.Fill(ctx, t, rows)
	}
	return f.Target.Fill(ctx, t, func(func([]byte) error) error {
		return rows(func([]byte) error { return f.err })
	})
}

func TestWhatNoOtherStoreHoldsIsNotMoved(t *testing.T) {
	tests := map[string]struct{ damage, want string }{
		"a text with a null byte": {
			`UPDATE event SET text = 'a' || char(0) || 'b' WHERE id = 1 << 36 | 2`,
			"row of event with room 1, seq 2: text cannot be moved: it is not a text in UTF-8 without U+0000",
		},
		"a text that is not UTF-8": {
			`UPDATE room SET topic = CAST(x'ff' AS TEXT) WHERE id = 1`, "row of room with id 1: topic cannot be moved",
		},
		"bytes in place of a text": {
			`UPDATE person SET name = x'41' WHERE public = 'ada'`, "name cannot be moved: it is not a text",
		},
		"another room's event": {
			`UPDATE event SET target = 2 << 36 | 1 WHERE kind = 'edit'`, "an event of another room",
		},
		"neither yes nor no": {`UPDATE member SET muted = 2`, "muted cannot be moved: it is not yes or no"},
	}
	dir, _ := fullFolder(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			damaged := t.TempDir()
			copyFolder(t, dir, damaged)
			db := openSQLite(filepath.Join(damaged, databaseName), "rw", "", nil)
			_, err := db.ExecContext(t.Context(), tt.damage)
			must(t, errors.Join(err, db.Close()))
			s := closedFolder(t, Config{Dir: damaged})
			err = FillFile(t.Context(), filepath.Join(t.TempDir(), "copy.db"),
				func(ctx context.Context, to move.Target) error {
					_, err := move.Copy(ctx, s, to, nil)
					return err
				})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOnlyAWholeBackupIsRestored(t *testing.T) {
	dir, _ := fullFolder(t)
	backup := filepath.Join(t.TempDir(), "copy.db")
	must(t, Backup(t.Context(), dir, backup))
	b, err := OpenBackup(t.Context(), backup)
	must(t, err)
	want, err := move.Read(t.Context(), closedFolder(t, Config{Dir: dir}))
	must(t, err)
	is, err := move.Read(t.Context(), b)
	must(t, errors.Join(err, b.Close()))
	if is != want {
		t.Errorf("the back-up holds %+v, want %+v", is, want)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	must(t, Restore(t.Context(), backup, restored))
	if is, err := move.Read(t.Context(), closedFolder(t, Config{Dir: restored})); err != nil || is != want {
		t.Errorf("the restored folder holds %+v, %v, want %+v", is, err, want)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	text, err := os.ReadFile(backup)
	must(t, err)
	must(t, os.WriteFile(damaged, text, 0o600))
	overwrite(t, damaged, 1, func(page []byte) { clear(page) })
	for path, want := range map[string]string{
		damaged: "is damaged", dir: "is a folder", filepath.Join(dir, "nothing"): "no such file",
	} {
		_, opened := OpenBackup(t.Context(), path)
		for _, err := range []error{opened, Restore(t.Context(), path, filepath.Join(t.TempDir(), "other"))} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", path, err, want)
			}
		}
	}
}

// An older back-up is restored to a folder, and brought up to date there. Package move knows only the
// newest tables.
func TestAnOlderBackupIsRestoredToAFolderOnly(t *testing.T) {
	dump, err := os.ReadFile("testdata/schema/0005.sql")
	must(t, err)
	file := filepath.Join(t.TempDir(), "older.db")
	must(t, os.WriteFile(file, nil, 0o600))
	db := openSQLite(file, "rw", "", nil)
	_, err = db.ExecContext(t.Context(), string(dump))
	must(t, errors.Join(err, db.Close()))
	if _, err := OpenBackup(t.Context(), file); err == nil ||
		!strings.Contains(err.Error(), "is of an older parley (schema 5, this one has ") {
		t.Errorf("opened, or %v", err)
	}
	dir := filepath.Join(t.TempDir(), "restored")
	must(t, Restore(t.Context(), file, dir))
	r, err := move.Read(t.Context(), closedFolder(t, Config{Dir: dir}))
	if err != nil || r.Events != 2 || r.Rooms != 1 {
		t.Errorf("restored %+v, %v", r, err)
	}
}

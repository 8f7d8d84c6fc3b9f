package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/move"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/storetest"
)

// columnsOfDatabase returns the columns of all tables, in their order.
func columnsOfDatabase(t *testing.T, url string) map[string][]string {
	t.Helper()
	conn, err := connectOnce(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `
		SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = current_schema()
		ORDER BY table_name, ordinal_position`)
	storetest.Must(t, err)
	columns := map[string][]string{}
	var table, column string
	_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		columns[table] = append(columns[table], column)
		return nil
	})
	storetest.Must(t, err)
	return columns
}

// Every column of every table is moved, or the table is of one database alone.
func TestEveryColumnIsMoved(t *testing.T) {
	own := []string{"meta", "goose_db_version", "lease", "node", "vacuum_due", "certificate"}
	schema := columnsOfDatabase(t, newDatabase(t))
	moved := map[string][]string{}
	for _, table := range move.Tables {
		for _, c := range table.Columns {
			moved[table.Name] = append(moved[table.Name], c.Name)
		}
	}
	for table, columns := range schema {
		if slices.Contains(own, table) {
			continue
		}
		slices.Sort(columns)
		slices.Sort(moved[table])
		if !slices.Equal(columns, moved[table]) {
			t.Errorf("%s has the columns %q, and package move knows %q", table, columns, moved[table])
		}
	}
}

// fullDatabase returns a database with rows in all tables.
func fullDatabase(t *testing.T) (url, epoch string) {
	t.Helper()
	url = newDatabase(t)
	s, stop := start(t, url)
	storetest.FillAllTables(t, s)
	epoch = s.Epoch()
	stop()
	return url, epoch
}

func TestADatabaseThatIsUsedIsNotMovedOrFilled(t *testing.T) {
	url, _ := fullDatabase(t)
	s, stop := start(t, url)
	_, err := OpenToMove(t.Context(), Config{URL: url})
	filled := Fill(t.Context(), Config{URL: url}, "", nothing)
	for what, err := range map[string]error{"moved": err, "filled": filled} {
		if err == nil || !strings.Contains(err.Error(), "in use by parley since ") {
			t.Errorf("%s, or %v", what, err)
		}
	}
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "still here", ""))
	stop()
	other, err := connectOnce(t.Context(), Config{URL: url}) // one that is not seen
	storetest.Must(t, err)
	defer other.Close(t.Context())
	storetest.Must(t, apply(t.Context(), other, `BEGIN; SELECT FROM room FOR UPDATE`))
	if _, err := OpenToMove(t.Context(), Config{URL: url}); err == nil ||
		!strings.Contains(err.Error(), "another program uses the database") {
		t.Errorf("moved under a writer, or %v", err)
	}
}

func nothing(context.Context, move.Target) error { return nil }

// While everything is moved nobody writes, and afterwards nobody does.
func TestNobodyWritesToADatabaseThatIsMoved(t *testing.T) {
	url, epoch := fullDatabase(t)
	away, err := connectOnce(t.Context(), Config{URL: url}) // of a server that was away meanwhile
	storetest.Must(t, err)
	defer away.Close(t.Context())
	storetest.Must(t, apply(t.Context(), away, `SET lock_timeout = '1ms'`))
	writes := []string{
		`UPDATE room SET head = head + 1`, `INSERT INTO session VALUES ('\x00', 1, 1, 1)`,
		`INSERT INTO event SELECT room, 999, at_ms, author, NULL, NULL, name, NULL, text, NULL, NULL FROM event
			LIMIT 1`,
		`UPDATE member SET read = 1`, `INSERT INTO person (public, name, folded, created_ms) VALUES ('x', 'x', 'x', 1)`,
	}
	refused := func(code string) {
		t.Helper()
		for _, text := range writes {
			if err := apply(t.Context(), away, text); codeOf(err) != code {
				t.Errorf("%s: %v, want %s", text, err, code)
			}
		}
	}
	s, err := OpenToMove(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	if s.Epoch() != epoch {
		t.Errorf("the epoch is %q, want %q", s.Epoch(), epoch)
	}
	refused(codeLocked)
	storetest.Must(t, s.SetMoved(t.Context(), "another place"))
	refused("23514")
	storetest.Must(t, s.Close())
	_, opened := Open(t.Context(), Config{URL: url})
	_, again := OpenToMove(t.Context(), Config{URL: url})
	for what, err := range map[string]error{
		"opened": opened, "moved again": again, "filled": Fill(t.Context(), Config{URL: url}, "", nothing),
	} {
		if err == nil || !strings.Contains(err.Error(), "everything was moved to another place: use that") {
			t.Errorf("%s, or %v", what, err)
		}
	}
	s, err = OpenToMove(t.Context(), Config{URL: url, Moved: true})
	storetest.Must(t, err)
	storetest.Must(t, s.SetMoved(t.Context(), ""))
	storetest.Must(t, s.Close())
	used, _ := start(t, url)
	storetest.Do(t, used, storetest.Draft("lobby", storetest.Ada, "again", ""))
	if used.Epoch() == epoch {
		t.Error("a log that may have gone on elsewhere has kept its epoch")
	}
}

// If the target fails at its end the source is let go again, also on a new connection.
func TestAMarkIsTakenBackOnANewConnection(t *testing.T) {
	url, _ := fullDatabase(t)
	s, err := OpenToMove(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	storetest.Must(t, s.SetMoved(t.Context(), "another place"))
	storetest.Must(t, s.Close())
	storetest.Must(t, s.SetMoved(t.Context(), ""))
	storetest.Must(t, s.Close())
	start(t, url)
}

func TestOnlyAnEmptyDatabaseIsFilled(t *testing.T) {
	full, _ := fullDatabase(t)
	foreign := pgtest.Empty(t)
	storetest.Must(t, run(t.Context(), foreign, `CREATE TABLE novel (page text)`))
	newer := newDatabase(t)
	storetest.Must(t, run(t.Context(), newer, `UPDATE meta SET value = '99' WHERE key = 'min_version'`))
	tests := map[string]struct{ url, want string }{
		"with rows":         {full, "is not empty (the table room has rows), and nothing is replaced"},
		"another program's": {foreign, "has tables of another program"},
		"a newer program's": {newer, "a newer parley"},
		"missing":           {full + "&dbname=nowhere", "does not exist"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := Fill(t.Context(), Config{URL: tt.url}, "", nothing)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("filled, or %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOnlyADatabaseOfThisSchemaIsRead(t *testing.T) {
	foreign := pgtest.Empty(t)
	storetest.Must(t, run(t.Context(), foreign, `CREATE TABLE novel (page text)`))
	disguised := newDatabase(t)
	storetest.Must(t, run(t.Context(), disguised, `UPDATE meta SET value = 'novel' WHERE key = 'program'`))
	newer := newDatabase(t)
	storetest.Must(t, run(t.Context(), newer, `
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`))
	older := newDatabase(t)
	storetest.Must(t, run(t.Context(), older, `UPDATE goose_db_version SET version_id = 0`))
	for url, want := range map[string]string{
		pgtest.Empty(t): "no tables of parley", foreign: "no tables of parley", disguised: "tables of another program",
		newer: "a newer parley () has upgraded the database to schema 99", older: "schema of an older parley (0,",
	} {
		_, moved := OpenToMove(t.Context(), Config{URL: url})
		_, read := OpenSnapshot(t.Context(), Config{URL: url})
		_, checked := Check(t.Context(), Config{URL: url})
		for what, err := range map[string]error{"moved": moved, "read": read, "checked": checked} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, or %v, want %q", what, err, want)
			}
		}
	}
}

// failingTarget is a target that fails at a row of one table.
type failingTarget struct {
	move.Target
	table string
	after int // rows
	err   error
}

func (f failingTarget) Fill(ctx context.Context, t *move.Table, rows func(func([]byte) error) error) error {
	if t.Name != f.table {
		return f.Target.Fill(ctx, t, rows)
	}
	return f.Target.Fill(ctx, t, func(write func([]byte) error) error {
		n := 0
		return rows(func(row []byte) error {
			if n++; n > f.after {
				return f.err
			}
			return write(row)
		})
	})
}

func TestADatabaseWhoseFillingFailsStaysEmpty(t *testing.T) {
	url, _ := fullDatabase(t)
	other := pgtest.Empty(t)
	lost := errors.New("no more comes")
	after := map[string]int{move.Events: 13, "member": 1} // rows
	for _, table := range append([]move.Table{{Name: "at the end"}}, move.Tables...) {
		s, err := OpenSnapshot(t.Context(), Config{URL: url})
		storetest.Must(t, err)
		err = Fill(t.Context(), Config{URL: other}, "epoch", func(ctx context.Context, to move.Target) error {
			_, err := move.Copy(ctx, s, failingTarget{to, table.Name, after[table.Name], lost}, nil)
			if err == nil && table.Columns == nil {
				err = lost
			}
			return err
		})
		if !errors.Is(err, lost) {
			t.Errorf("%s: %v", table.Name, err)
		}
		storetest.Must(t, s.Close())
		wantEmpty(t, other, table.Name)
	}
	start(t, other) // it can be used
}

func wantEmpty(t *testing.T, url, when string) {
	t.Helper()
	r := readAll(t, url)
	if r.Rooms+r.People+r.Events != 0 {
		t.Errorf("%s: the database has %+v", when, r)
	}
}

func readAll(t *testing.T, url string) move.Report {
	t.Helper()
	s, err := OpenSnapshot(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	defer s.Close()
	r, err := move.Read(t.Context(), s)
	storetest.Must(t, err)
	return r
}

// A row that the database changes, as a trigger could, is noticed.
func TestAChangedRowIsNoticed(t *testing.T) {
	url, _ := fullDatabase(t)
	other := newDatabase(t)
	storetest.Must(t, execute(t, other, `
		CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN IF NEW.seq = 3 THEN NEW.text = upper(NEW.text) || '!'; END IF; RETURN NEW; END $$;
		CREATE TRIGGER shout BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION shout()`))
	s, err := OpenSnapshot(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	defer s.Close()
	err = Fill(t.Context(), Config{URL: other}, "", func(ctx context.Context, to move.Target) error {
		_, err := move.Copy(ctx, s, to, nil)
		return err
	})
	if d, ok := errors.AsType[*move.Difference](err); !ok || d.Table != move.Events || d.From != d.To || d.Room == 0 {
		t.Errorf("error %v", err)
	}
	wantEmpty(t, other, "afterwards")
}

// A snapshot holds what was there when it was taken, whatever is written meanwhile.
func TestASnapshotIsOfOneMoment(t *testing.T) {
	url := newDatabase(t)
	s, _ := start(t, url)
	storetest.Do(t, s, storetest.Drafts("lobby", 20)...)
	snapshot, err := OpenSnapshot(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	defer snapshot.Close()
	first, err := move.Read(t.Context(), snapshot)
	storetest.Must(t, err)
	storetest.Do(t, s, storetest.Drafts("lobby", 20)...)
	storetest.Do(t, s, storetest.Draft("garden", storetest.Grace, "x", ""),
		storetest.DraftOf(storetest.Ada, chat.Delete, 1, ""))
	second, err := move.Read(t.Context(), snapshot)
	if err != nil || second != first || first.Events != 20 || first.Rooms != 1 {
		t.Errorf("%+v, %v, and before that %+v", second, err, first)
	}
	if now := readAll(t, url); now.Events != 42 || now.Hash == first.Hash {
		t.Errorf("now: %+v", now)
	}
}

// A restored database has no epoch to keep: its next start makes one.
func TestTheEpochOfARestoredDatabaseIsNotKept(t *testing.T) {
	url, epoch := fullDatabase(t)
	storetest.Must(t, run(t.Context(), url, `UPDATE meta SET value = 'another/00000001' WHERE key = 'identity'`))
	s, err := OpenToMove(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	defer s.Close()
	if s.Epoch() != "" || epoch == "" {
		t.Errorf("the epoch is %q", s.Epoch())
	}
}

// Statistics are made while filling, so that plans are not those of empty tables.
func TestAFilledDatabaseIsAnalysed(t *testing.T) {
	url := newDatabase(t)
	s, stop := start(t, url)
	storetest.Do(t, s, storetest.Drafts("lobby", 30)...)
	stop()
	other := pgtest.Empty(t)
	from, err := OpenToMove(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	defer from.Close()
	storetest.Must(t, Fill(t.Context(), Config{URL: other}, "", func(ctx context.Context, to move.Target) error {
		_, err := move.Copy(ctx, from, to, nil)
		return err
	}))
	conn, err := connectOnce(t.Context(), Config{URL: other})
	storetest.Must(t, err)
	defer conn.Close(t.Context())
	var rows int
	storetest.Must(t, conn.QueryRow(t.Context(), `SELECT reltuples FROM pg_class WHERE relname = 'event'`).Scan(&rows))
	if rows != 30 {
		t.Errorf("the planner takes event for %d rows", rows)
	}
}

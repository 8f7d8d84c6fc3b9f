package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"parley/internal/move"
	"parley/internal/store/postgres"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/sqlite"
	"parley/internal/store/storetest"
)

// A watchedSource calls functions before and after it is marked, and for each row of the events.
type watchedSource struct {
	movedSource
	row, before, after func() error
}

func (s watchedSource) Rows(ctx context.Context, t *move.Table, visit func(row []byte) error) error {
	return s.movedSource.Rows(ctx, t, func(row []byte) error {
		if s.row != nil && t.Name == move.Events {
			if err := s.row(); err != nil {
				return err
			}
		}
		return visit(row)
	})
}

func (s watchedSource) SetMoved(ctx context.Context, to string) error {
	if s.before != nil && to != "" {
		if err := s.before(); err != nil {
			return err
		}
	}
	err := s.movedSource.SetMoved(ctx, to)
	if err == nil && s.after != nil && to != "" {
		err = s.after()
	}
	return err
}

// killedMove is a program: parley move that is killed at a stage. Its arguments are the stage and the two places.
func killedMove() {
	stage := os.Args[1]
	die := func() error {
		_ = kill(os.Getpid())
		select {}
	}
	err := func() error {
		from, err := readPlace("--from", os.Args[2], "")
		if err != nil {
			return err
		}
		to, err := readPlace("--to", os.Args[3], "")
		if err != nil {
			return err
		}
		ctx := context.Background()
		source, err := from.open(ctx, false, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		w := watchedSource{movedSource: source}
		switch stage {
		case "copying":
			w.row = die
		case "copied":
			w.before = die
		case "marked":
			w.after = die
		}
		_, err = moveAll(ctx, w, to, newProgress(io.Discard))
		return err
	}()
	os.Stderr.WriteString("it was not killed: " + err.Error() + "\n")
	os.Exit(3)
}

// kill ends a process at once.
func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// talked makes a data folder with rows in all tables.
func talked(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	storetest.Must(t, err)
	ran := make(chan error, 1)
	go func() { ran <- s.Run(context.Background()) }()
	storetest.FillAllTables(t, s)
	storetest.Must(t, s.Close())
	storetest.Must(t, <-ran)
	return dir
}

func placeOf(t *testing.T, text string) place {
	t.Helper()
	p, err := readPlace("--to", text, "")
	storetest.Must(t, err)
	return p
}

// open opens a place to move it. The caller closes the result.
func openPlace(t *testing.T, p place) movedSource {
	t.Helper()
	s, err := p.open(t.Context(), false, slog.New(slog.DiscardHandler))
	storetest.Must(t, err)
	return s
}

// wantUsable fails if the place cannot be moved.
func wantUsable(t *testing.T, p place) {
	t.Helper()
	storetest.Must(t, openPlace(t, p).Close())
}

var errBroken = errors.New("something broke")

func TestAFailedMoveLeavesTheSourceUsable(t *testing.T) {
	fail := func() error { return errBroken }
	tests := map[string]watchedSource{
		"while rows are read":    {row: fail},
		"before the mark":        {before: fail},
		"while the mark is made": {after: fail},
	}
	dir := talked(t)
	for name, w := range tests {
		t.Run(name, func(t *testing.T) {
			for _, to := range []string{filepath.Join(t.TempDir(), "other"), pgtest.Empty(t)} {
				w.movedSource = openPlace(t, placeOf(t, dir))
				_, err := moveAll(t.Context(), w, placeOf(t, to), newProgress(io.Discard))
				if !errors.Is(err, errBroken) {
					t.Errorf("error %v", err)
				}
				storetest.Must(t, w.Close())
				wantUsable(t, placeOf(t, dir))
				if _, err := sqlite.Check(t.Context(), to); err == nil {
					t.Error("the target has a database")
				}
			}
		})
	}
}

// A target that fails at its very end, after the source was marked, leaves the source usable.
func TestATargetThatFailsLastLeavesTheSourceUsable(t *testing.T) {
	dir, other := talked(t), t.TempDir()
	s := openPlace(t, placeOf(t, dir))
	w := watchedSource{movedSource: s, after: func() error { // the name that the target wants is taken
		return os.WriteFile(filepath.Join(other, "parley.db"), []byte("x"), 0o600)
	}}
	_, err := moveAll(t.Context(), w, placeOf(t, other), newProgress(io.Discard))
	if err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("error %v", err)
	}
	storetest.Must(t, s.Close())
	wantUsable(t, placeOf(t, dir))
}

// endSnapshots ends the connections of moves to a database, but for those of another program.
func endSnapshots(t *testing.T, url string) error {
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'parley snapshot'`)
	return err
}

// If nobody knows whether the target is complete, the source stays marked, and the operator is told what to do.
func TestAMoveOfUnknownOutcomeLeavesTheSourceMarked(t *testing.T) {
	dir, url := talked(t), pgtest.Empty(t)
	prepared, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	storetest.Must(t, err)
	storetest.Must(t, prepared.Close())
	conn, err := pgx.Connect(t.Context(), url)
	storetest.Must(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), `
		CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
		CREATE CONSTRAINT TRIGGER die AFTER INSERT ON room DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION die()`) // during COMMIT
	storetest.Must(t, err)
	for _, want := range []string{
		"at the very end, so it is not known whether it was done.* look with “parley check” whether the database .* " +
			"has everything: then use that; if it is empty, let the data folder .* be used again with “parley move " +
			"--unmark”",
		"everything was moved to the database",
	} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), []string{"move", "--from", dir, "--to", url}, &stdout, &stderr)
		if status != 1 || !regexp.MustCompile(want).MatchString(stderr.String()) {
			t.Errorf("status %d, %q, want %q", status, &stderr, want)
		}
	}
}

// A source whose connection is lost while it is marked is not marked, and nothing is in the target.
func TestADatabaseThatIsLostWhileItIsMarkedStaysUsable(t *testing.T) {
	dir, url := talked(t), pgtest.Empty(t)
	s := openPlace(t, placeOf(t, dir))
	_, err := moveAll(t.Context(), s, placeOf(t, url), newProgress(io.Discard))
	storetest.Must(t, errors.Join(err, s.Close()))
	back := filepath.Join(t.TempDir(), "back")
	s = openPlace(t, placeOf(t, url))
	w := watchedSource{movedSource: s, before: func() error { return endSnapshots(t, url) }}
	if _, err := moveAll(t.Context(), w, placeOf(t, back), newProgress(io.Discard)); err == nil {
		t.Error("it was moved")
	}
	storetest.Must(t, s.Close())
	wantUsable(t, placeOf(t, url))
	if sqlite.HasDatabase(back) {
		t.Error("the target has a database")
	}
	checked, err := postgres.Check(t.Context(), postgres.Config{URL: url})
	if err != nil || len(checked.Found)+len(checked.Notes) > 0 {
		t.Errorf("%+v, %v", checked, err)
	}
}

func TestProgressIsToldNowAndThen(t *testing.T) {
	var told bytes.Buffer
	p := newProgress(&told)
	p.tell("event", 4096, 1_000_000, false)
	p.told = p.told.Add(-tellEvery)
	p.tell("event", 8192, 1_000_000, false)
	p.tell("event", 12288, 1_000_000, false)
	p.told = p.told.Add(-tellEvery)
	p.tell("person", 4096, 0, true)
	if want := "event: 8192 of 1000000 rows copied\nperson: 4096 rows read back\n"; told.String() != want {
		t.Errorf("told %q, want %q", told.String(), want)
	}
}

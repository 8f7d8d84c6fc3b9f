package move_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/internal/chat"
	"parley/internal/move"
	"parley/internal/pgserver"
	"parley/internal/store/postgres"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/sqlite"
	"parley/internal/store/storetest"
)

// A runner is a store of either kind.
type runner interface {
	storetest.Database
	Epoch() string
	Run(ctx context.Context) error
	Close() error
}

// use runs a store, calls do, and closes it. It returns the epoch.
func use(t testing.TB, s runner, err error, do func(storetest.Database)) (epoch string) {
	t.Helper()
	storetest.Must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	defer func() {
		stop()
		storetest.Must(t, errors.Join(<-ran, s.Close()))
	}()
	do(s)
	return s.Epoch()
}

func useFolder(t *testing.T, dir string, do func(storetest.Database)) (epoch string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	return use(t, s, err, do)
}

func useDatabase(t *testing.T, url string, do func(storetest.Database)) (epoch string) {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	return use(t, s, err, do)
}

// A source is a store that is moved.
type source interface {
	move.Source
	Epoch() string
	SetMoved(ctx context.Context, to string) error
	Close() error
}

// A fill fills a store.
type fill = func(ctx context.Context, epoch string, fill func(context.Context, move.Target) error) error

func intoFolder(dir string) fill {
	return func(ctx context.Context, epoch string, fill func(context.Context, move.Target) error) error {
		return sqlite.FillFolder(ctx, dir, epoch, fill)
	}
}

func intoDatabase(url string) fill {
	return func(ctx context.Context, epoch string, fill func(context.Context, move.Target) error) error {
		return postgres.Fill(ctx, postgres.Config{URL: url}, epoch, fill)
	}
}

func openFolder(t *testing.T, dir string) source {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	storetest.Must(t, err)
	return s
}

func openDatabase(t *testing.T, url string) source {
	t.Helper()
	s, err := postgres.OpenToMove(t.Context(), postgres.Config{URL: url})
	storetest.Must(t, err)
	return s
}

// moveAll moves everything, and closes the source.
func moveAll(t *testing.T, from source, to fill) (report move.Report) {
	t.Helper()
	storetest.Must(t, to(t.Context(), from.Epoch(), func(ctx context.Context, target move.Target) (err error) {
		report, err = move.Copy(ctx, from, target, nil)
		return err
	}))
	storetest.Must(t, from.Close())
	return report
}

// addresses of drafts' senders are of no store.
var addresses = cmpopts.EquateComparable(netip.Addr{})

// said is all that a store tells of its rooms and of some people.
type said struct {
	Heads  map[chat.RoomName]chat.Seq
	Events map[chat.RoomName][]chat.Event
	Pages  map[chat.RoomName]chat.Page
	Lists  map[chat.PersonID][]chat.ListEntry
	Kept   map[string][]chat.PersonalRef
	Due    []chat.Draft
}

func ask(t *testing.T, s storetest.Database) (is said) {
	t.Helper()
	is = said{
		Events: map[chat.RoomName][]chat.Event{}, Pages: map[chat.RoomName]chat.Page{},
		Lists: map[chat.PersonID][]chat.ListEntry{}, Kept: map[string][]chat.PersonalRef{},
	}
	var err error
	is.Heads, err = s.Heads(t.Context())
	storetest.Must(t, err)
	for room := range is.Heads {
		is.Events[room] = storetest.Events(t, s.After, room, 0, 1000)
		is.Pages[room], err = s.Page(t.Context(), room, chat.PageQuery{Limit: 200})
		storetest.Must(t, err)
	}
	for _, who := range []chat.PersonID{storetest.Ada.ID, storetest.Grace.ID} {
		is.Lists[who], err = s.RoomList(t.Context(), who)
		storetest.Must(t, err)
		for _, as := range []chat.PersonalRefKind{chat.Bookmark, chat.Subscription} {
			is.Kept[string(who)+" "+string(as)], err = s.PersonalRefs(t.Context(), who, as, time.Time{}, 100)
			storetest.Must(t, err)
		}
	}
	is.Due, err = s.Copies(t.Context(), 100)
	storetest.Must(t, err)
	slices.SortFunc(is.Due, func(a, b chat.Draft) int { return strings.Compare(string(a.Room), string(b.Room)) })
	return is
}

// What is in a store is the same after a move to another kind of store, and after one back.
func TestEverythingIsMovedBothWays(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	back := filepath.Join(t.TempDir(), "back")
	var first, there, here said
	epoch := useFolder(t, folder, func(s storetest.Database) {
		storetest.FillAllTables(t, s)
		first = ask(t, s)
	})
	url := pgtest.Empty(t)
	out := moveAll(t, openFolder(t, folder), intoDatabase(url))
	if is := useDatabase(t, url, func(s storetest.Database) { there = ask(t, s) }); is != epoch {
		t.Errorf("the epoch is %q there, want %q", is, epoch)
	}
	home := moveAll(t, openDatabase(t, url), intoFolder(back))
	if home != out {
		t.Errorf("moved %+v out and %+v back", out, home)
	}
	if is := useFolder(t, back, func(s storetest.Database) { here = ask(t, s) }); is != epoch {
		t.Errorf("the epoch is %q after the way back, want %q", is, epoch)
	}
	if diff := cmp.Diff(first, there, addresses); diff != "" {
		t.Errorf("another log in the database (-was +is):\n%s", diff)
	}
	if diff := cmp.Diff(first, here, addresses); diff != "" {
		t.Errorf("another log after the way back (-was +is):\n%s", diff)
	}
	checked, err := sqlite.Check(t.Context(), back)
	if err != nil || len(checked.Found)+len(checked.Notes) > 0 {
		t.Errorf("after the way back: %+v, %v", checked, err)
	}
}

// What was written to a PostgreSQL is the same in a SQLite file, and again in a PostgreSQL.
func TestADatabaseIsMovedToAFolderAndBack(t *testing.T) {
	url, other := pgtest.Empty(t), pgtest.Empty(t)
	folder := filepath.Join(t.TempDir(), "data")
	var first, there, here said
	epoch := useDatabase(t, url, func(s storetest.Database) {
		storetest.FillAllTables(t, s)
		first = ask(t, s)
	})
	out := moveAll(t, openDatabase(t, url), intoFolder(folder))
	is := useFolder(t, folder, func(s storetest.Database) { there = ask(t, s) })
	home := moveAll(t, openFolder(t, folder), intoDatabase(other))
	again := useDatabase(t, other, func(s storetest.Database) { here = ask(t, s) })
	if is != epoch || again != epoch || home != out {
		t.Errorf("epochs %q, %q and %q, moved %+v and %+v", epoch, is, again, out, home)
	}
	if diff := cmp.Diff(first, there, addresses); diff != "" {
		t.Errorf("another log in the folder (-was +is):\n%s", diff)
	}
	if diff := cmp.Diff(first, here, addresses); diff != "" {
		t.Errorf("another log after the way back (-was +is):\n%s", diff)
	}
}

// After a move new rooms, people and events follow the old ones, and a retry gets the first answer.
func TestAMovedLogGoesOn(t *testing.T) {
	folder, url := filepath.Join(t.TempDir(), "data"), pgtest.Empty(t)
	useFolder(t, folder, func(s storetest.Database) {
		storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "one", "n1"),
			storetest.Draft("garden", storetest.Grace, "two", "n1"))
		for i := range 30 { // more than a transaction would be tried with ids that are taken
			guest := chat.Person{ID: chat.PersonID(fmt.Sprint("guest", i)), Name: fmt.Sprint("Guest ", i)}
			storetest.Do(t, s, storetest.Draft(chat.RoomName(fmt.Sprint("room", i)), guest, "x", ""))
		}
	})
	moveAll(t, openFolder(t, folder), intoDatabase(url))
	useDatabase(t, url, func(s storetest.Database) {
		eve := chat.Person{ID: "eve", Name: "Eve"}
		got := storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "one", "n1"),
			storetest.Draft("lobby", eve, "three", "n1"), storetest.Draft("attic", eve, "four", ""))
		if !slices.Equal(got, []chat.Seq{1, 2, 1}) {
			t.Errorf("seqs %v", got)
		}
	})
	back := filepath.Join(t.TempDir(), "back")
	moveAll(t, openDatabase(t, url), intoFolder(back))
	useFolder(t, back, func(s storetest.Database) {
		got := storetest.Do(t, s, storetest.Draft("garden", storetest.Grace, "two", "n1"),
			storetest.Draft("lobby", storetest.Grace, "four", ""))
		if !slices.Equal(got, []chat.Seq{1, 3}) {
			t.Errorf("seqs %v", got)
		}
	})
}

// A back-up that is made while people write is whole: each room's events are there up to some number.
func TestABackupWhilePeopleWriteIsWhole(t *testing.T) {
	url := pgtest.Empty(t)
	useDatabase(t, url, func(s storetest.Database) {
		storetest.FillAllTables(t, s)
		stop, stopped, wrote := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case wrote <- struct{}{}:
				default:
				}
				room := chat.RoomName([]string{"lobby", "garden", "attic"}[n%3])
				storetest.Post(t, s, storetest.Draft(room, storetest.Ada, "first @Grace", ""),
					storetest.Draft(room, storetest.Grace, "second", ""),
					chat.Draft{Room: room, From: storetest.Grace, Kind: chat.React, Target: 1, Text: "👍"})
			}
		}()
		var reports []move.Report
		for range 3 {
			<-wrote
			file := filepath.Join(t.TempDir(), "copy.db")
			snapshot, err := postgres.OpenSnapshot(t.Context(), postgres.Config{URL: url})
			storetest.Must(t, err)
			storetest.Must(t, sqlite.FillFile(t.Context(), file, func(ctx context.Context, to move.Target) error {
				report, err := move.Copy(ctx, snapshot, to, nil)
				reports = append(reports, report)
				return err
			}))
			storetest.Must(t, snapshot.Close())
			checked, err := sqlite.Check(t.Context(), file)
			if err != nil || len(checked.Found)+len(checked.Notes) > 0 ||
				checked.Events != reports[len(reports)-1].Events {
				t.Errorf("%+v, %v", checked, err)
			}
		}
		close(stop)
		<-stopped
		if reports[2].Events <= reports[0].Events {
			t.Errorf("the back-ups have %+v", reports)
		}
	})
}

// A standby can be backed up and checked, which takes no work from the primary. It cannot be moved.
func TestAStandbyIsReadAndNotMoved(t *testing.T) {
	primary := pgtest.Start(t)
	name, err := primary.NewDatabase(t.Context())
	storetest.Must(t, err)
	useDatabase(t, primary.URL(name), func(s storetest.Database) { storetest.FillAllTables(t, s) })
	standby, err := primary.NewStandby(t.Context())
	storetest.Must(t, err)
	defer func() { storetest.Must(t, standby.Stop()) }()
	var reports []move.Report
	for _, s := range []*pgserver.Server{primary, standby} {
		snapshot, err := postgres.OpenSnapshot(t.Context(), postgres.Config{URL: s.URL(name)})
		storetest.Must(t, err)
		report, err := move.Read(t.Context(), snapshot)
		storetest.Must(t, errors.Join(err, snapshot.Close()))
		reports = append(reports, report)
		checked, err := postgres.Check(t.Context(), postgres.Config{URL: s.URL(name)})
		if err != nil || len(checked.Found) > 0 {
			t.Errorf("%+v, %v", checked, err)
		}
	}
	if reports[0] != reports[1] || reports[0].Events != 27 {
		t.Errorf("the primary has %+v, the standby %+v", reports[0], reports[1])
	}
	_, err = postgres.OpenToMove(t.Context(), postgres.Config{URL: standby.URL(name)})
	if err == nil || !strings.Contains(err.Error(), "25006") {
		t.Errorf("moved, or %v", err)
	}
}

// A data folder of an early version is brought up to date before it is moved.
func TestAnOldFolderIsMoved(t *testing.T) {
	dumps, err := filepath.Glob("../store/sqlite/testdata/schema/*.sql")
	storetest.Must(t, err)
	if len(dumps) < 6 {
		t.Fatalf("only %d schemas", len(dumps))
	}
	for _, dump := range dumps {
		t.Run(filepath.Base(dump), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(dump)
			storetest.Must(t, err)
			dir := t.TempDir()
			db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(dir, "parley.db")))
			storetest.Must(t, err)
			_, err = db.ExecContext(t.Context(), string(text))
			storetest.Must(t, errors.Join(err, db.Close()))
			url := pgtest.Empty(t)
			report := moveAll(t, openFolder(t, dir), intoDatabase(url))
			useDatabase(t, url, func(s storetest.Database) {
				events := storetest.Events(t, s.After, "lobby", 0, 10)
				if report.Events != 2 || len(events) != 2 || events[0].Text != "Hello, **world**" {
					t.Errorf("moved %+v, and the lobby has %+v", report, events)
				}
			})
			checked, err := postgres.Check(t.Context(), postgres.Config{URL: url})
			if err != nil || len(checked.Found)+len(checked.Notes) > 0 {
				t.Errorf("%+v, %v", checked, err)
			}
		})
	}
}

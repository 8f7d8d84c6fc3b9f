package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// What goes wrong in stores on PostgreSQL, and what tests that it does not here:
//
//   - COMMIT of a failed transaction answers ROLLBACK without an error: TestRollbackIsNoCommit,
//     TestNothingOfAFailedTransactionIsLeftOpen.
//   - U+0000 fails a whole batch: TestDraftThatTheDatabaseRefusesStopsNobodyElse.
//   - A reader's cursor passes an event that is committed later: TestNoReaderMissesEventsWhileSeveralNodesWrite.
//   - A frozen server keeps a room locked: TestFrozenProcessDoesNotKeepARoomLocked.
//   - A cancelled wait for the standby is taken for a commit, and a commit whose answer is lost for a failure:
//     TestWarningAtCommitIsNoAcknowledgement, TestReconnectingWithoutTheStandbyEnds,
//     TestStartWithoutTheStandbyFails, TestLostCommit….
//   - A failover loses what was acknowledged, and nobody notices: TestFailoverToASynchronousStandby,
//     TestFailoverThatLosesEvents, TestEveryNodeIsAWitness, TestEpoch, TestDurabilityIsToldAtTheStart.
//   - A plan was made for empty tables: TestNoStatementScansATable.
//   - Servers lock the same rows in different orders: TestNodesDoNotDeadlock.
//   - Changes are read row by row while a room is locked: TestFewRoundTrips.
//   - Deleted texts stay in the files: TestDeletedTextsAreVacuumedByOneNode, TestVacuumIsRepeatedAfterAnOldTransaction.
//   - Two servers that do not hear each other use a database: TestServerThatIsAloneIsTheOnlyOne.
//   - A pooler swaps connections between transactions: TestPoolerThatWorksByTransactionIsRefused.

// one returns the value that a statement returns.
func one[T any](t testing.TB, url, text string, args ...any) (v T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	storetest.Must(t, err)
	defer conn.Close(context.Background())
	storetest.Must(t, conn.QueryRow(t.Context(), text, args...).Scan(&v))
	return v
}

// until waits until a statement returns true.
func until(t testing.TB, url, text string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	storetest.Must(t, err)
	defer conn.Close(context.Background())
	for ok := false; !ok; {
		if err := conn.QueryRow(ctx, text, args...).Scan(&ok); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// allEvents returns the events of a room and fails if their seqs have a gap.
func allEvents(t testing.TB, s *Store, room chat.RoomName) []chat.Event {
	t.Helper()
	events := storetest.Events(t, s.After, room, 0, 100_000)
	for i, e := range events {
		if e.Seq != chat.Seq(i+1) {
			t.Fatalf("event %d of %s has seq %d", i+1, room, e.Seq)
		}
	}
	return events
}

// PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, which is no error.
func TestRollbackIsNoCommit(t *testing.T) {
	s, err := Open(t.Context(), Config{URL: newDatabase(t)})
	storetest.Must(t, err)
	defer s.Close()
	attempts := 0
	err = s.writer.Transact(t.Context(), func(ctx context.Context) error {
		if attempts++; attempts > 1 {
			return nil
		}
		storetest.Must(t, s.writer.send(ctx))
		if _, err := s.writer.conn.Exec(ctx, `SELECT 1/0`); err == nil {
			t.Error("divided by zero")
		}
		return nil // as a committer that overlooks the error
	})
	if err != nil || attempts != 2 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
}

// After an error in a pipeline the transaction stays open, and COMMIT was not read.
func TestNothingOfAFailedTransactionIsLeftOpen(t *testing.T) {
	s, err := Open(t.Context(), Config{URL: newDatabase(t)})
	storetest.Must(t, err)
	defer s.Close()
	err = s.writer.Transact(t.Context(), func(context.Context) error {
		s.writer.queue(`INSERT INTO meta (key, value) VALUES ('test', 'left')`)
		s.writer.queue(`SELECT 1/0`)
		return nil
	})
	if codeOf(err) != "22012" {
		t.Error(err)
	}
	if status := s.writer.conn.PgConn().TxStatus(); status != 'I' {
		t.Errorf("the connection's status is %c", status)
	}
	storetest.Must(t, s.writer.Transact(t.Context(), func(context.Context) error { return nil }))
	if n := one[int](t, s.cfg.URL, `SELECT count(*) FROM meta WHERE key = 'test'`); n != 0 {
		t.Error("a part of it is stored")
	}
}

// The rules refuse U+0000 already; whatever else the database refuses must not stop everybody.
func TestDraftThatTheDatabaseRefusesStopsNobodyElse(t *testing.T) {
	s, _ := start(t, newDatabase(t))
	drafts := storetest.Drafts("lobby", 100)
	drafts[37].Text = "a\x00b"
	drafts[70].Text = "\xff"
	for i, c := range storetest.Post(t, s, drafts...) {
		refused := i == 37 || i == 70
		if refused != (chat.CodeOf(c.Err) == chat.BadText) || !refused && c.Err != nil {
			t.Errorf("draft %d: %v", i, c.Err)
		}
	}
	if n := len(allEvents(t, s, "lobby")); n != 98 {
		t.Errorf("%d events", n)
	}
}

// A reader's cursor must never pass an event that is committed later than its neighbours.
func TestNoReaderMissesEventsWhileSeveralNodesWrite(t *testing.T) {
	const nodes, each = 3, 300
	url := newDatabase(t)
	var writing sync.WaitGroup
	var reader *Store
	for n := range nodes {
		s, _ := start(t, url)
		reader = s
		writing.Go(func() {
			for i := range each {
				d := storetest.Draft("lobby", storetest.Ada, fmt.Sprint(n, " ", i), fmt.Sprint(n, " ", i))
				writing.Add(1)
				s.Append(d, func(c chat.Commit) {
					if c.Err != nil {
						t.Error(c.Err)
					}
					writing.Done()
				})
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	seen := map[string]bool{}
	for after, last := chat.Seq(0), false; ; {
		events := storetest.Events(t, reader.After, "lobby", after, 50)
		for _, e := range events {
			if after++; e.Seq != after {
				t.Fatalf("event %d after %d", e.Seq, after-1)
			}
			seen[e.Text] = true
		}
		if last && len(events) == 0 {
			break
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
	if len(seen) != nodes*each {
		t.Errorf("the reader has seen %d of %d", len(seen), nodes*each)
	}
}

// A node that is frozen while it has a room locked stops that room for a second at most.
func TestFrozenNodeDoesNotKeepARoomLocked(t *testing.T) {
	url := newDatabase(t)
	frozen, err := Open(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	defer frozen.Close()
	other, _ := start(t, url)
	storetest.Do(t, other, storetest.Draft("lobby", storetest.Ada, "before", ""))

	attempts := 0
	err = frozen.writer.Transact(t.Context(), func(ctx context.Context) error {
		if attempts++; attempts > 1 {
			return nil
		}
		frozen.writer.tx.room("lobby")
		storetest.Must(t, frozen.writer.Load(ctx, nil))
		c := storetest.Post(t, other, storetest.Draft("lobby", storetest.Grace, "meanwhile", ""))[0]
		if c.Err != nil || c.Event.Seq != 2 {
			t.Errorf("%+v", c)
		}
		return nil
	})
	if err != nil || attempts != 2 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
}

// Nodes that write to the same rooms and for the same people lock both in the same order.
func TestNodesDoNotDeadlock(t *testing.T) {
	const rounds, rooms = 30, 12
	url := newDatabase(t)
	var writing sync.WaitGroup
	var stops []func()
	for n := range 2 {
		s, stop := start(t, url)
		stops = append(stops, stop)
		writing.Go(func() {
			for i := range rounds {
				var all sync.WaitGroup
				for r := range rooms {
					if n == 1 {
						r = rooms - 1 - r
					}
					room := chat.RoomName(fmt.Sprint("room-", r, "-", i/10))
					who := chat.Person{ID: chat.PersonID(fmt.Sprint("p", r)), Name: "P"}
					all.Add(2)
					s.Append(storetest.Draft(room, who, "hi @P", ""), func(c chat.Commit) {
						if c.Err != nil {
							t.Error(c.Err)
						}
						all.Done()
					})
					s.MarkRead("p5", chat.MessageRef{Room: room, Seq: 1}, false, "", func(_ chat.ListEntry, err error) {
						if err != nil {
							t.Error(err)
						}
						all.Done()
					})
				}
				all.Wait()
			}
		})
	}
	writing.Wait()
	for _, stop := range stops { // a connection counts its deadlocks at its end, if not before
		stop()
	}
	if n := one[int](t, url, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}

// A transaction that the database wants again is made again as a whole, once.
func TestConflictIsTriedAgain(t *testing.T) {
	url := newDatabase(t)
	s, _ := start(t, url)
	for _, code := range []string{codeSerialization, codeDeadlock, codeUnique} {
		t.Run(code, func(t *testing.T) {
			name := "n" + strings.ToLower(code)
			storetest.Must(t, run(t.Context(), url, `CREATE SEQUENCE `+name))
			storetest.Must(t, run(t.Context(), url, `CREATE FUNCTION `+name+`() RETURNS void LANGUAGE plpgsql AS $$
				BEGIN IF nextval('`+name+`') = 1 THEN RAISE 'again' USING ERRCODE = '`+code+`'; END IF; END $$`))
			var both sync.WaitGroup
			both.Add(2)
			s.Append(storetest.Draft(chat.RoomName(name), storetest.Ada, "hi", ""), func(c chat.Commit) {
				if c.Err != nil || c.Event.Seq != 1 || c.Repeated {
					t.Errorf("%+v", c)
				}
				both.Done()
			})
			s.do(ownWrite{text: `SELECT ` + name + `()`}, func(err error) {
				if err != nil {
					t.Error(err)
				}
				both.Done()
			})
			both.Wait()
			if n := len(allEvents(t, s, chat.RoomName(name))); n != 1 {
				t.Errorf("%d events", n)
			}
		})
	}
}

// A mix of all that can be written takes two round trips, and what is people's own alone takes one.
func TestFewRoundTrips(t *testing.T) {
	s, err := Open(t.Context(), Config{URL: newDatabase(t)})
	storetest.Must(t, err)
	defer s.Close()
	var all sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	var ran sync.WaitGroup
	ran.Go(func() { s.committer.Run(ctx) })
	defer ran.Wait()
	defer stop()
	batch := func(drafts ...chat.Draft) (trips int64) {
		t.Helper()
		before := s.writer.trips.Load()
		all.Add(1)
		s.committer.Do(func(context.Context) error { // the others gather meanwhile
			for _, d := range drafts {
				all.Add(1)
				s.Append(d, func(c chat.Commit) {
					if c.Err != nil {
						t.Error(c.Err)
					}
					all.Done()
				})
			}
			all.Add(1)
			read := chat.MessageRef{Room: "lobby", Seq: 1}
			s.MarkRead("ada", read, false, "", func(chat.ListEntry, error) { all.Done() })
			return nil
		}, func(error) { all.Done() })
		all.Wait()
		return s.writer.trips.Load() - before - 1 // that of the Do
	}
	eve := chat.Person{ID: "eve", Name: "Eve"}
	var long []string // names of many words
	for i := range 40 {
		long = append(long, fmt.Sprintf("N%d a b c d e f g h i", i))
		who := chat.Person{ID: chat.PersonID(fmt.Sprint("long", i)), Name: long[i]}
		batch(storetest.Draft("names", who, "hi", ""))
	}
	tests := []struct {
		name   string
		drafts []chat.Draft
		want   int64
	}{
		{"nothing but a read mark", nil, 1},
		{"plain messages in new rooms", append(storetest.Drafts("lobby", 50), storetest.Drafts("attic", 50)...), 2},
		{"plain messages", append(storetest.Drafts("lobby", 50), storetest.Drafts("attic", 50)...), 1},
		{"a message and its repetition", []chat.Draft{
			storetest.Draft("lobby", storetest.Ada, "once", "again"),
			storetest.Draft("lobby", storetest.Ada, "once", "again"),
		}, 1},
		{"all kinds", []chat.Draft{
			storetest.Draft("lobby", eve, "new here, @Ada @Grace", "n1"),
			storetest.Draft("cellar", eve, "a new room", ""),
			storetest.DraftOf(storetest.Ada, chat.Edit, 1, "edited @Eve"),
			storetest.DraftOf(storetest.Ada, chat.Reply, 2, "reply"),
			storetest.DraftOf(storetest.Grace, chat.React, 3, "👍"),
			storetest.DraftOf(storetest.Ada, chat.Delete, 4, ""),
			storetest.DraftOf(storetest.Ada, chat.Pin, 5, ""),
			storetest.DraftOf(storetest.Ada, chat.Topic, 0, "ships"),
			storetest.Answering(eve, 6, "an answer"),
			storetest.Copying(eve, "attic", chat.MessageRef{Room: "lobby", Seq: 7}, "message 7"),
			storetest.Draft("lobby", eve, "new here, @Ada @Grace", "n1"),
		}, 2},
		{"names that make room for others", []chat.Draft{
			storetest.Draft("names", eve, "@"+strings.Join(long, " @"), ""),
		}, 3},
	}
	for _, tt := range tests {
		if got := batch(tt.drafts...); got != tt.want {
			t.Errorf("%s: %d round trips, want %d", tt.name, got, tt.want)
		}
	}
}

func TestErrorsOfTheCommitterGoToSenders(t *testing.T) {
	s, _ := start(t, newDatabase(t))
	failed := errors.New("no")
	done := make(chan error, 1)
	s.committer.Do(func(context.Context) error { panic(failed) }, func(err error) { done <- err })
	if err := <-done; err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Error(err)
	}
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "after it", ""))
}

// What a node remembers of people's lists may be changed by another: who writes has the room in their
// list, and who repeats a message has not.
func TestListsAreAsTheOtherNodeLeftThem(t *testing.T) {
	url := newDatabase(t)
	here, _ := start(t, url)
	there, _ := start(t, url)
	listed := func() bool {
		t.Helper()
		entries, err := here.RoomList(t.Context(), storetest.Ada.ID)
		storetest.Must(t, err)
		return len(entries) == 1
	}
	storetest.Do(t, here, storetest.Draft("lobby", storetest.Ada, "one", "n1"))
	for _, tt := range []struct {
		nonce string
		want  bool
	}{{"n2", true}, {"n1", false}, {"", true}, {"n3", true}} {
		storetest.Must(t, there.SetListEntry(t.Context(), storetest.Ada.ID, "lobby",
			chat.ListEntryChange{Listed: new(false)}))
		if listed() {
			t.Fatal("the room is still in the list")
		}
		storetest.Do(t, here, storetest.Draft("lobby", storetest.Ada, "again", tt.nonce))
		if listed() != tt.want {
			t.Errorf("after a message with nonce %q the room is listed: %v", tt.nonce, !tt.want)
		}
	}
}

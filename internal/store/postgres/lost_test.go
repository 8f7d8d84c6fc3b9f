package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/storetest"
)

// A wire is a network between a store and its database, which a test can cut.
type wire struct {
	t        testing.TB
	database string // its address
	listener net.Listener

	cut       atomic.Bool  // no connection gets through that comes now
	cutCommit atomic.Int32 // so many answers to COMMIT are lost, and their connections
	silent    atomic.Int32 // the connection that makes this 0 gets no answer
	mu        sync.Mutex
	conns     []net.Conn
}

// newWire returns a wire to a database, and the database's URL through it.
func newWire(t testing.TB, database string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(database)
	storetest.Must(t, err)
	w := &wire{t: t, database: u.Host}
	w.listener, err = net.Listen("tcp", "127.0.0.1:0")
	storetest.Must(t, err)
	var accepting sync.WaitGroup
	accepting.Go(w.accept)
	t.Cleanup(func() {
		w.listener.Close()
		w.break_()
		accepting.Wait()
	})
	u.Host = w.listener.Addr().String()
	return w, u.String()
}

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.database)
		if err != nil || w.cut.Load() {
			client.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, client, server)
		w.mu.Unlock()
		if w.silent.Add(-1) == 0 {
			continue
		}
		go func() { io.Copy(server, client); server.Close(); client.Close() }()
		go w.answer(client, server)
	}
}

// answer passes on what the database answers.
func (w *wire) answer(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		if bytes.Contains(buffer[:n], []byte("COMMIT\x00")) && w.cutCommit.Add(-1) >= 0 {
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// break_ cuts all connections.
func (w *wire) break_() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

// The connection is lost after COMMIT was sent, and the database has carried it out. Everything was
// stored once, and is told as new, because nobody has seen it.
func TestLostCommitIsFoundOut(t *testing.T) {
	database := newDatabase(t)
	w, through := newWire(t, database)
	s, _ := start(t, through)
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "before", ""))
	for name, again := range map[string]int32{"once": 1, "and again": 2} {
		t.Run(name, func(t *testing.T) {
			before := len(allEvents(t, s, "lobby"))
			w.cutCommit.Store(again)
			got := storetest.Post(t, s,
				storetest.Draft("lobby", storetest.Ada, "a", ""),
				storetest.Draft("lobby", storetest.Ada, "b", name),
				storetest.DraftOf(storetest.Ada, chat.Reply, 1, "c @Ada"),
				storetest.DraftOf(storetest.Grace, chat.React, 1, "👍"),
				storetest.DraftOf(storetest.Grace, chat.Unreact, 1, "👍"))
			for i, c := range got {
				if c.Err != nil || c.Repeated || c.Event.Seq != chat.Seq(before+i+1) {
					t.Errorf("%d: %+v", i, c)
				}
			}
			if events := allEvents(t, s, "lobby"); len(events) != before+len(got) {
				t.Errorf("%d events, want %d more than %d", len(events), len(got), before)
			}
		})
	}
}

// An outcome that is not known is found out, for however long the database is away: readers would
// not be told of events that are stored.
func TestLostCommitIsFoundOutWhenTheDatabaseIsBack(t *testing.T) {
	w, through := newWire(t, newDatabase(t))
	s, _ := start(t, through)
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "before", ""))
	s.writer.patience = 300 * time.Millisecond
	w.cutCommit.Store(1)
	w.cut.Store(true)
	answered := make(chan chat.Commit, 1)
	s.Append(storetest.Draft("lobby", storetest.Ada, "a", ""), func(c chat.Commit) { answered <- c })
	impatient, cancel := context.WithTimeout(t.Context(), 3*s.writer.patience)
	defer cancel()
	select {
	case c := <-answered:
		t.Fatalf("answered while nobody can know: %+v", c)
	case <-impatient.Done():
	}
	w.cut.Store(false)
	if c := <-answered; c.Err != nil || c.Repeated || c.Event.Seq != 2 {
		t.Errorf("%+v", c)
	}
	if n := len(allEvents(t, s, "lobby")); n != 2 {
		t.Errorf("%d events", n)
	}
}

// Until it is known what became of a lost COMMIT, no failure of a later attempt is an answer: here
// somebody cancels the wait for a lock.
func TestLostCommitIsFoundOutAfterAnotherFailure(t *testing.T) {
	database := newDatabase(t)
	w, through := newWire(t, database)
	s, _ := start(t, through)
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "before", ""))
	w.cutCommit.Store(1)
	w.cut.Store(true)
	answered := make(chan chat.Commit, 1)
	s.Append(storetest.Draft("lobby", storetest.Ada, "a", ""), func(c chat.Commit) { answered <- c })
	until(t, database, `SELECT count(*) = 2 FROM event`)
	conn, err := pgx.Connect(t.Context(), database)
	storetest.Must(t, err)
	defer conn.Close(context.Background())
	tx, err := conn.Begin(t.Context())
	storetest.Must(t, err)
	_, err = tx.Exec(t.Context(), `SELECT FROM room FOR UPDATE`)
	storetest.Must(t, err)
	w.cut.Store(false)
	for range 2 {
		until(t, database, `SELECT EXISTS (SELECT pg_cancel_backend(pid) FROM pg_locks
			WHERE NOT granted AND locktype = 'transactionid')`)
	}
	select {
	case c := <-answered:
		t.Errorf("answered while nobody can know: %+v", c)
	default:
	}
	storetest.Must(t, tx.Rollback(t.Context()))
	if c := <-answered; c.Err != nil || c.Repeated || c.Event.Seq != 2 {
		t.Errorf("%+v", c)
	}
	if n := len(allEvents(t, s, "lobby")); n != 2 {
		t.Errorf("%d events", n)
	}
}

// A draft that the database refuses is refused as well if a COMMIT was lost before: it was not stored.
func TestRefusalAfterALostCommitIsFinal(t *testing.T) {
	s, err := Open(t.Context(), Config{URL: newDatabase(t)})
	storetest.Must(t, err)
	defer s.Close()
	attempts := 0
	err = s.writer.Transact(t.Context(), func(context.Context) error {
		if attempts++; attempts == 1 {
			s.writer.queue(`SELECT pg_terminate_backend(pg_backend_pid())`)
		} else {
			s.writer.queue(`SELECT convert_from('\xff', 'UTF8')`)
		}
		return nil
	})
	if attempts != 2 || !errors.Is(err, store.ErrRefused) || errors.Is(err, store.ErrUnknown) {
		t.Errorf("%d attempts, %v", attempts, err)
	}
}

// A write that waits for a standby that is missing ends with its time, also when it is the one with
// which a new connection records the epoch.
func TestReconnectingWithoutTheStandbyEnds(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	database, err := server.NewDatabase(t.Context())
	storetest.Must(t, err)
	url := server.URL(database)
	s, _ := start(t, url)
	s.writer.patience = 300 * time.Millisecond
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "before", ""))
	const rewind = `UPDATE meta SET value = '1/00000001' WHERE key = 'identity'` // as before a failover
	storetest.Must(t, run(t.Context(), url, rewind))
	done := make(chan error, 1)
	s.committer.Do(func(context.Context) error { // on the writer's goroutine
		s.writer.identity = "1/00000001"
		return nil
	}, func(err error) { done <- err })
	storetest.Must(t, <-done)
	stand(t, url, "missing")
	other, name := admin(t, url)
	disconnect(t, other, name)
	if c := storetest.Post(t, s, storetest.Draft("lobby", storetest.Ada, "hi", ""))[0]; c.Err == nil {
		t.Errorf("%+v", c)
	}
	stand(t, url, "")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if c := storetest.Post(t, s, storetest.Draft("lobby", storetest.Ada, "after", "n"))[0]; c.Err == nil {
			return
		}
	}
	t.Error("it does not heal")
}

// A start that has to record an epoch without the standby fails with a sentence, instead of waiting for ever.
func TestStartWithoutTheStandbyFails(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).URL("postgres")
	s := open(t, Config{URL: url})
	storetest.Must(t, run(t.Context(), url, `DELETE FROM meta WHERE key = 'epoch'`))
	s.writer.disconnect()
	s.writer.identity = ""
	stand(t, url, "missing")
	err := s.openWriter(t.Context(), 300*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "see whether its synchronous standby runs") {
		t.Error(err)
	}
	stand(t, url, "")
	storetest.Must(t, s.openWriter(t.Context(), confirmTimeout))
}

// stand names the server's synchronous standby.
func stand(t *testing.T, url, name string) {
	t.Helper()
	storetest.Must(t, run(t.Context(), url, `ALTER SYSTEM SET synchronous_standby_names = '`+name+`'`))
	storetest.Must(t, run(t.Context(), url, `SELECT pg_reload_conf()`))
	until(t, url, `SELECT current_setting('synchronous_standby_names') = $1`, name)
	// The process that tells the others to wait reads its settings before it makes a checkpoint.
	storetest.Must(t, run(t.Context(), url, `CHECKPOINT`))
}

// While the database is away senders are told to try again, and it heals by itself.
func TestDatabaseThatIsAwayComesBack(t *testing.T) {
	w, through := newWire(t, newDatabase(t))
	s, _ := start(t, through)
	s.writer.patience = 200 * time.Millisecond // Run waits for what is queued
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "before", ""))
	w.cut.Store(true)
	w.break_()
	for range 3 {
		c := storetest.Post(t, s, storetest.Draft("lobby", storetest.Ada, "lost", ""))[0]
		if chat.CodeOf(c.Err) != chat.Unavailable || chat.UserError(c.Err).RetryAfter == 0 {
			t.Errorf("%+v", c)
		}
	}
	w.cut.Store(false)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if c := storetest.Post(t, s, storetest.Draft("lobby", storetest.Ada, "after", "n"))[0]; c.Err == nil {
			break
		}
	}
	if events := allEvents(t, s, "lobby"); len(events) != 2 || events[1].Text != "after" {
		t.Errorf("%+v", events)
	}
}

// A connection that is lost before COMMIT costs nobody anything.
func TestLostConnectionIsNotNoticed(t *testing.T) {
	w, through := newWire(t, newDatabase(t))
	s, _ := start(t, through)
	for i := range 5 {
		if c := storetest.Post(t, s, storetest.Draft("lobby", storetest.Ada, "hi", ""))[0]; c.Err != nil || c.Repeated {
			t.Errorf("%+v", c)
		}
		w.break_()
		if n := len(allEvents(t, s, "lobby")); n != i+1 {
			t.Errorf("%d events", n)
		}
	}
}

// With a synchronous standby a wait that is cancelled makes COMMIT succeed with a warning, before the
// standby has it. Nothing is acknowledged then, and also not by the repetition, which waits again.
func TestWarningAtCommitIsNoAcknowledgement(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).URL("postgres")
	s, _ := start(t, url)
	s.writer.patience = time.Minute
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "before", ""))
	stand(t, url, "missing")
	answered := make(chan chat.Commit, 1)
	s.Append(storetest.Draft("lobby", storetest.Ada, "hi", "n1"), func(c chat.Commit) { answered <- c })
	const waiting = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
	for range 2 { // the first try, and the repetition
		until(t, url, `SELECT EXISTS (`+waiting+`)`)
		pid := one[int](t, url, waiting)
		storetest.Must(t, run(t.Context(), url, `SELECT pg_cancel_backend($1)`, pid))
		until(t, url, `SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'
			AND state_change < now() - interval '1 second')`, pid)
	}
	until(t, url, `SELECT EXISTS (`+waiting+`)`)
	select {
	case c := <-answered:
		t.Errorf("acknowledged: %+v", c)
	default:
	}
	stand(t, url, "")
	if c := <-answered; c.Err != nil || c.Repeated || c.Event.Seq != 2 {
		t.Errorf("%+v", c)
	}
	if n := len(allEvents(t, s, "lobby")); n != 2 {
		t.Errorf("%d events", n)
	}
}

// Another history of the database has another epoch, unless a node that ran meanwhile sees that
// nothing is lost.
func TestEpoch(t *testing.T) {
	url := newDatabase(t)
	epoch := func() string {
		s, err := Open(t.Context(), Config{URL: url})
		storetest.Must(t, err)
		defer s.Close()
		return s.Epoch()
	}
	first := epoch()
	if again := epoch(); again != first || first == "" {
		t.Errorf("%q, then %q", first, again)
	}
	const rewind = `UPDATE meta SET value = '1/00000001' WHERE key = 'identity'`
	storetest.Must(t, run(t.Context(), url, rewind))
	second := epoch()
	if second == first {
		t.Error("another history has the same epoch")
	}

	s, stop := start(t, url)
	storetest.Do(t, s, storetest.Drafts("lobby", 2)...)
	stop()
	reconnect := func(s *Store) string {
		t.Helper()
		storetest.Must(t, run(t.Context(), url, rewind))
		s.writer.identity = "1/00000001"
		conn, err := pgx.Connect(t.Context(), url)
		storetest.Must(t, err)
		defer conn.Close(t.Context())
		storetest.Must(t, s.writer.settleEpoch(t.Context(), conn))
		return s.Epoch()
	}
	witness, err := Open(t.Context(), Config{URL: url})
	storetest.Must(t, err)
	defer witness.Close()
	witness.shown.events = s.shown.events
	if got := reconnect(witness); got != second {
		t.Error("a failover that has lost nothing makes a new epoch")
	}
	storetest.Must(t, run(t.Context(), url, `DELETE FROM event WHERE seq = 2`))
	third := reconnect(witness)
	if third == second {
		t.Error("a failover that has lost an event makes no new epoch")
	}
	if got := epoch(); got != third {
		t.Errorf("a start finds the epoch %q, not %q", got, third)
	}
}

// The first node that finds another history may have shown less than the others. Each of them is a witness, and
// they all learn of a new epoch.
func TestEveryNodeIsAWitness(t *testing.T) {
	url := newDatabase(t)
	writes, _ := start(t, url)
	first, second, third := open(t, Config{URL: url}), open(t, Config{URL: url}), open(t, Config{URL: url})
	storetest.Do(t, writes, storetest.Drafts("lobby", 2)...)
	_, err := second.After(t.Context(), "lobby", 1, 9)
	storetest.Must(t, err)
	third.Shown(&chat.Event{Room: "lobby", Seq: 2, At: time.UnixMilli(1)}) // as another node has told of it
	epoch := first.Epoch()
	settle := func(s *Store) {
		t.Helper()
		s.writer.identity = "1/00000001"
		conn, err := pgx.Connect(t.Context(), url)
		storetest.Must(t, err)
		defer conn.Close(t.Context())
		storetest.Must(t, s.writer.settleEpoch(t.Context(), conn))
	}
	storetest.Must(t, run(t.Context(), url, `UPDATE meta SET value = '1/00000001' WHERE key = 'identity'`))
	storetest.Must(t, run(t.Context(), url, `DELETE FROM event WHERE seq = 2`))
	settle(first)
	if first.Epoch() != epoch {
		t.Error("a node that has seen nothing lost makes a new epoch")
	}
	settle(second)
	if second.Epoch() == epoch {
		t.Error("what was read from the store is lost, and the epoch is the same")
	}
	settle(third)
	if third.Epoch() != second.Epoch() {
		t.Error("two nodes make an epoch each")
	}
	storetest.Must(t, first.renewOnce(t.Context()))
	if first.Epoch() != second.Epoch() {
		t.Error("a node does not learn of the new epoch")
	}

	storetest.Must(t, run(t.Context(), url, `UPDATE meta SET value = $1 WHERE key = 'epoch'`, epoch))
	third.epoch.Store(&epoch)
	settle(third)
	if third.Epoch() == epoch {
		t.Error("what another node has told of is lost, and the epoch is the same")
	}
}

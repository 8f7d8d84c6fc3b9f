package postgres

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// admin returns a connection to another database of the server, and the name of url's.
func admin(t *testing.T, url string) (conn *pgx.Conn, name string) {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	storetest.Must(t, err)
	name, cfg.Database = cfg.Database, "postgres"
	conn, err = pgx.ConnectConfig(t.Context(), cfg)
	storetest.Must(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn, name
}

// disconnect ends all connections to a database.
func disconnect(t *testing.T, other *pgx.Conn, name string) {
	t.Helper()
	const text = `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1`
	_, err := other.Exec(t.Context(), text, name)
	storetest.Must(t, err)
}

// reads are all methods that read.
func reads(s *Store) map[string]func(context.Context) error {
	at := chat.MessageRef{Room: "lobby", Seq: 1}
	return map[string]func(context.Context) error{
		"Head":     func(ctx context.Context) error { _, _, err := s.Head(ctx, "lobby"); return err },
		"At":       func(ctx context.Context) error { _, err := s.At(ctx, "lobby", 1); return err },
		"After":    func(ctx context.Context) error { _, err := s.After(ctx, "lobby", 0, 9); return err },
		"Versions": func(ctx context.Context) error { _, err := s.Versions(ctx, "lobby", 1); return err },
		"Page": func(ctx context.Context) error {
			_, err := s.Page(ctx, "lobby", chat.PageQuery{Limit: 9})
			return err
		},
		"Copies": func(ctx context.Context) error { _, err := s.Copies(ctx, 9); return err },
		"HeadsOf": func(ctx context.Context) error {
			_, err := s.HeadsOf(ctx, []chat.RoomName{"lobby"})
			return err
		},
		"Heads":     func(ctx context.Context) error { _, err := s.Heads(ctx); return err },
		"Texts":     func(ctx context.Context) error { _, err := s.Texts(ctx, []chat.MessageRef{at}); return err },
		"Deletions": func(ctx context.Context) error { _, err := s.Deletions(ctx, "lobby", 0, 9); return err },
		"RoomList":  func(ctx context.Context) error { _, err := s.RoomList(ctx, "ada"); return err },
		"ListEntry": func(ctx context.Context) error { _, err := s.ListEntry(ctx, "ada", "lobby"); return err },
		"PersonalRefs": func(ctx context.Context) error {
			_, err := s.PersonalRefs(ctx, "ada", chat.Bookmark, time.Time{}, 9)
			return err
		},
		"IsSubscribed": func(ctx context.Context) error { _, err := s.IsSubscribed(ctx, "ada", at); return err },
		"Person": func(ctx context.Context) error {
			_, err := s.Person(ctx, "nobody")
			if chat.CodeOf(err) == chat.BadSession {
				return nil
			}
			return err
		},
	}
}

// After a restart of the database all connections are lost. No reader notices.
func TestReadsGoOnWithNewConnections(t *testing.T) {
	url := newDatabase(t)
	s, _ := start(t, url)
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "hi", ""))
	other, name := admin(t, url)
	for what, read := range reads(s) {
		storetest.Must(t, read(t.Context())) // has a connection
		disconnect(t, other, name)
		if err := read(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestReaderWithoutADatabaseIsToldToTryAgain(t *testing.T) {
	url := newDatabase(t)
	s, _ := start(t, url)
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "hi", ""))
	other, name := admin(t, url)
	set := func(allowed bool) {
		t.Helper()
		_, err := other.Exec(t.Context(), `ALTER DATABASE `+name+` WITH ALLOW_CONNECTIONS `+strconv.FormatBool(allowed))
		storetest.Must(t, err)
		disconnect(t, other, name)
	}
	set(false)
	for what, read := range reads(s) {
		var told *chat.Error
		err := read(t.Context())
		if !errors.As(err, &told) || told.Code != chat.Unavailable || told.RetryAfter == 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
	set(true)
	for what, read := range reads(s) {
		if err := read(t.Context()); err != nil {
			t.Errorf("%s, when it is back: %v", what, err)
		}
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	url := newDatabase(t)
	s, _ := start(t, url)
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "hi", ""))
	conn, err := pgx.Connect(t.Context(), url)
	storetest.Must(t, err)
	defer conn.Close(t.Context())
	tx, err := conn.Begin(t.Context())
	storetest.Must(t, err)
	_, err = tx.Exec(t.Context(), `LOCK TABLE event, room, member, bookmark, subscription, session, forward`)
	storetest.Must(t, err)
	for what, read := range reads(s) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- read(ctx) }()
		waitForLock(t, conn, done)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
	storetest.Must(t, tx.Rollback(t.Context()))
	for what, read := range reads(s) {
		if err := read(t.Context()); err != nil {
			t.Errorf("%s, afterwards: %v", what, err)
		}
	}
}

// waitForLock waits until another connection to conn's database waits for a lock, or done has a
// result.
func waitForLock(t *testing.T, conn *pgx.Conn, done <-chan error) {
	t.Helper()
	for waiting := 0; waiting == 0 && len(done) == 0; {
		err := conn.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
			WHERE NOT l.granted AND d.datname = current_database()`).Scan(&waiting)
		storetest.Must(t, err)
	}
}

package postgres

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"parley/internal/chat"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/storetest"
)

func TestOpenMakesTheTablesOnce(t *testing.T) {
	url := pgtest.Empty(t)
	var nodes sync.WaitGroup
	for range 4 { // at the same moment
		nodes.Go(func() {
			s, err := Open(t.Context(), Config{URL: url, Version: "1.2.3"})
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	nodes.Wait()
	s, _ := start(t, url)
	var n int
	if err := s.pool.QueryRow(t.Context(), `SELECT count(*) FROM event`).Scan(&n); err != nil || n != 0 {
		t.Error(n, err)
	}
	if version := one[string](t, url, `SELECT value FROM meta WHERE key = 'version'`); version != "1.2.3" {
		t.Errorf("version %q", version)
	}
}

// A database that is busy, or has only just come up, may not answer one of the connections in time.
func TestOpenTriesAgainWhereNoAnswerComes(t *testing.T) {
	database := newDatabase(t)
	for silent := range int32(5) {
		t.Run(fmt.Sprint("connection ", silent+1), func(t *testing.T) {
			t.Parallel()
			w, through := newWire(t, database)
			w.silent.Store(silent + 1)
			s, err := Open(t.Context(), Config{URL: through + "&connect_timeout=1"})
			storetest.Must(t, err)
			defer s.Close()
			if w.silent.Load() > 0 {
				t.Error("nobody made that many connections")
			}
		})
	}
}

// as returns a database's URL for another user, who can sign in but nothing more.
func as(t *testing.T, database, user string) string {
	t.Helper()
	storetest.Must(t, run(t.Context(), database, `DROP ROLE IF EXISTS `+user))
	storetest.Must(t, run(t.Context(), database, `CREATE ROLE `+user+` LOGIN PASSWORD 'secret'`))
	u, err := url.Parse(database)
	storetest.Must(t, err)
	u.User = url.UserPassword(user, "secret")
	return u.String()
}

func TestOpenRefusesADatabaseThatIsNotForIt(t *testing.T) {
	tests := map[string]struct {
		statement string // before, in an empty database
		made      bool   // the tables are made before that
		user      string
		want      string // "": it is not refused
	}{
		"an empty one":    {},
		"its own":         {made: true},
		"another's":       {statement: `CREATE TABLE invoice (id int)`, want: "tables of another program"},
		"another's views": {statement: `CREATE VIEW invoice AS SELECT 1`, want: "tables of another program"},
		"another's meta": {
			statement: `CREATE TABLE meta (key text, value text)`, want: "tables of another program",
		},
		"a newer one that this program can use": {
			made: true, statement: `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`,
		},
		"a newer one": {
			made: true, statement: `UPDATE meta SET value = '999' WHERE key = 'min_version'`, want: "a newer parley",
		},
		"another owner's":       {made: true, user: "somebody", want: "may not read the tables"},
		"a user without rights": {user: "nobody_here", want: "may not make tables"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			url := pgtest.Empty(t)
			if tt.made {
				storetest.Must(t, prepare(t.Context(), url))
			}
			if tt.statement != "" {
				storetest.Must(t, run(t.Context(), url, tt.statement))
			}
			if tt.user != "" {
				url = as(t, url, tt.user)
			}
			s, err := Open(t.Context(), Config{URL: url})
			if err == nil {
				s.Close()
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// The owner of a database need be nobody special.
func TestOpenNeedsNoSuperuser(t *testing.T) {
	url := pgtest.Empty(t)
	plain := as(t, url, "plain")
	storetest.Must(t, run(t.Context(), url, `GRANT CREATE ON SCHEMA public TO plain`))
	s, _ := start(t, plain)
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "hi", ""),
		storetest.DraftOf(storetest.Ada, chat.Delete, 1, ""))
	_, err := s.vacuum(t.Context())
	storetest.Must(t, err)
	if s.Epoch() == "" {
		t.Error("no epoch")
	}
	storetest.Must(t, run(t.Context(), url, `DROP OWNED BY plain`))
}

func TestOpenRefusesServersThatItCannotUse(t *testing.T) {
	for name, tt := range map[string]struct{ number, version, encoding, want string }{
		"new enough":     {"140000", "14.0", "UTF8", ""},
		"newer":          {"180001", "18.1", "UTF8", ""},
		"another's":      {"unknown", "CockroachDB", "UTF8", ""},
		"too old":        {"130011", "13.11", "UTF8", "PostgreSQL 13.11; parley needs 14"},
		"another script": {"150018", "15.18", "LATIN1", "encoding is LATIN1"},
	} {
		err := refuseServer(tt.number, tt.version, tt.encoding)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestNoPasswordIsTold(t *testing.T) {
	const secret = "horsebatterystaple"
	for _, url := range []string{
		"postgres://ada:" + secret + "@127.0.0.1:1/parley",
		"postgres://ada:" + secret + "@127.0.0.1:port/parley",
		"postgres://ada:" + secret + "@127.0.0.1:1/parley?sslmode=maybe",
		"host=127.0.0.1 port=1 user=ada password=" + secret,
		"host=127.0.0.1 port=x user=ada password='" + secret + "'",
		"host=127.0.0.1 prot user=ada password=" + secret,
	} {
		var log bytes.Buffer
		s, err := Open(t.Context(), Config{URL: url, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err == nil {
			s.Close()
			t.Errorf("%s is opened", url)
			continue
		}
		if strings.Contains(err.Error()+log.String(), secret) {
			t.Errorf("told: %v\n%s", err, &log)
		}
	}
}

func TestDurabilityIsToldAtTheStart(t *testing.T) {
	for name, tt := range map[string]struct {
		names, commit, fsync string
		standbys             int
		level                slog.Level
		want                 string
	}{
		"alone":              {"", "on", "on", 0, slog.LevelInfo, "no standby"},
		"synchronous":        {"*", "on", "on", 1, slog.LevelInfo, "loses nothing"},
		"applied there":      {"*", "remote_apply", "on", 1, slog.LevelInfo, "loses nothing"},
		"asynchronous":       {"", "on", "on", 1, slog.LevelWarn, "is asynchronous"},
		"not waited for":     {"*", "local", "on", 1, slog.LevelWarn, "does not wait"},
		"a test's":           {"", "on", "off", 0, slog.LevelWarn, "fsync=off"},
		"a synchronous test": {"*", "on", "off", 1, slog.LevelWarn, "fsync=off"},
	} {
		level, text := durability(tt.names, tt.commit, tt.fsync, tt.standbys)
		if level != tt.level || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %v %q, want %v %q", name, level, text, tt.level, tt.want)
		}
	}
}

// While hosts are silent, the last one is reached before a transaction is given up.
func TestEveryHostIsTriedInTime(t *testing.T) {
	for url, want := range map[string]time.Duration{
		"postgres://db1/parley?sslmode=disable":                     3 * time.Second,
		"postgres://db1,db2/parley?sslmode=verify-full":             2 * time.Second,
		"postgres://db1,db2,db3,db4/parley?sslmode=disable":         time.Second,
		"host=db1,db2 port=5432,5433 dbname=parley sslmode=disable": 2 * time.Second,
		"postgres://db1,db2/parley?sslmode=prefer":                  time.Second, // with TLS and without
		"postgres:///parley?host=/run/postgresql":                   3 * time.Second,
	} {
		cfg, err := pgconn.ParseConfig(url)
		storetest.Must(t, err)
		if got := hostTimeout(cfg); got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
}

// Of two nodes that start at the same moment one waits for the other, and takes the epoch that the other has chosen.
func TestNodesThatStartTogetherHaveOneEpoch(t *testing.T) {
	database := newDatabase(t)
	storetest.Must(t, run(t.Context(), database, `DELETE FROM meta WHERE key IN ('identity', 'epoch')`))
	first, err := pgx.Connect(t.Context(), database)
	storetest.Must(t, err)
	defer first.Close(context.Background())
	tx, err := first.Begin(t.Context())
	storetest.Must(t, err)
	_, err = tx.Exec(t.Context(), `INSERT INTO meta (key, value) SELECT 'identity', i FROM (`+identitySQL+`) AS d (i)`)
	storetest.Must(t, err)
	_, err = tx.Exec(t.Context(), `INSERT INTO meta (key, value) VALUES ('epoch', 'first')`)
	storetest.Must(t, err)
	opened := make(chan string)
	go func() {
		defer close(opened)
		second, err := Open(t.Context(), Config{URL: database})
		if err != nil {
			t.Error(err)
			return
		}
		defer second.Close()
		opened <- second.Epoch()
	}()
	until(t, database, `SELECT EXISTS (SELECT FROM pg_stat_activity
		WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	storetest.Must(t, tx.Commit(t.Context()))
	if epoch := <-opened; epoch != "first" {
		t.Errorf("epoch %q", epoch)
	}
}

package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"parley/internal/store/storetest"
)

// open opens a store that is not run.
func open(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	storetest.Must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func TestServersOfADatabaseKnowOfEachOther(t *testing.T) {
	url := newDatabase(t)
	one := open(t, Config{URL: url, Name: "one"})
	two := open(t, Config{URL: url, Name: "two"})
	names := func() (all string) {
		t.Helper()
		nodes, err := one.Nodes(t.Context())
		storetest.Must(t, err)
		for _, n := range nodes {
			all += n.Name + " "
			if n.Alone || n.Since.IsZero() {
				t.Errorf("%+v", n)
			}
		}
		if nodes[0].ID != one.NodeID() {
			t.Errorf("the first node is %s, not %s", nodes[0].ID, one.NodeID())
		}
		return all
	}
	if got := names(); got != "one two " {
		t.Errorf("nodes %q", got)
	}
	storetest.Must(t, two.Close())
	if got := names(); got != "one " {
		t.Errorf("nodes %q after one has left", got)
	}
}

// A server that does not hear others is the only one on its database.
func TestServerThatIsAloneIsTheOnlyOne(t *testing.T) {
	for name, tt := range map[string]struct {
		first, second bool   // whether it is alone
		want          string // "": both run
	}{
		"both in a cluster":            {false, false, ""},
		"a second beside one":          {true, true, "(old) has used this database since"},
		"a cluster's beside one":       {true, false, "without the flags of a cluster"},
		"one without flags beside one": {false, true, "give this one the flags of the cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := newDatabase(t)
			_, stop := startWith(t, Config{URL: url, Alone: tt.first, Name: "old"})
			second, err := Open(t.Context(), Config{URL: url, Alone: tt.second})
			if err == nil {
				second.Close()
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			stop()
			second, err = Open(t.Context(), Config{URL: url, Alone: tt.second})
			storetest.Must(t, err)
			second.Close()
		})
	}
}

// named opens a connection as that of the node with an id.
func named(t *testing.T, url, id string) {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	storetest.Must(t, err)
	cfg.RuntimeParams["application_name"] = applicationName + id
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	storetest.Must(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
}

// A server that was killed has no connection any more; one whose machine is lost does not renew its row.
func TestServerTakesTheDatabaseOfADeadOne(t *testing.T) {
	const ghost = `
		INSERT INTO node (id, name, alone, since, until)
		VALUES ('ghost', '', true, now() - interval '1 day', now() + $1::interval)`
	tests := map[string]struct {
		until     string
		connected bool
	}{
		"killed":               {"1 hour", false},
		"lost":                 {"2 seconds", true},
		"gone for a long time": {"-1 hour", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := newDatabase(t)
			if tt.connected {
				named(t, url, "ghost")
			}
			storetest.Must(t, run(t.Context(), url, ghost, tt.until))
			open(t, Config{URL: url, Alone: true})
			if n := one[int](t, url, `SELECT count(*) FROM node`); n != 1 {
				t.Errorf("%d nodes", n)
			}
		})
	}
}

// A server that was frozen for long, or did not reach the database, may find another one in its place.
func TestServerWhoseDatabaseWasTakenEnds(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	s := open(t, Config{URL: url, Alone: true})
	ran := make(chan error, 1)
	go func() { ran <- s.Run(t.Context()) }()
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "hi", ""))
	named(t, url, "other")
	storetest.Must(t, run(t.Context(), url, `UPDATE node SET id = 'other', until = now() + interval '1 hour'`))
	if err := <-ran; !errors.Is(err, errOusted) {
		t.Error(err)
	}
}

// A row that is lost, as in a failover, is written again.
func TestServerEntersAgainWhenItsRowIsLost(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	s, _ := startWith(t, Config{URL: url, Alone: true})
	storetest.Must(t, run(t.Context(), url, `DELETE FROM node`))
	until(t, url, `SELECT EXISTS (SELECT FROM node WHERE id = $1)`, s.NodeID())
}

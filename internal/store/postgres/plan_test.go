package postgres

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// Every statement that a request or a draft can have carried out finds what it wants by an index,
// however long the log is. The plans were made when the tables were almost empty.
func TestNoStatementScansATable(t *testing.T) {
	url := newDatabase(t)
	s, err := Open(t.Context(), Config{URL: url, Readers: 1})
	storetest.Must(t, err)
	defer s.Close()
	ran := make(chan error, 1)
	go func() { ran <- s.Run(t.Context()) }()
	storetest.UseEverything(t, s)
	for _, rooms := range [][]chat.RoomName{{"lobby"}, {"lobby", "attic"}} { // see direct.go
		storetest.Together(t, s, direct(t, s, rooms...)...)
	}
	useCertificates(t, s.Certificates())
	s.committer.Close()
	storetest.Must(t, <-ran)
	reader, err := s.pool.Acquire(t.Context())
	storetest.Must(t, err)
	defer reader.Release()
	check := func() {
		t.Helper()
		checkPlans(t, reader.Conn(), 23)
		checkPlans(t, s.writer.conn, 26)
	}
	check()
	fill(t, url, `
		INSERT INTO event (room, seq, at_ms, author, name, text, kind, target)
		SELECT 1, n, n, 1, 'Ada', 'x', CASE WHEN n % 10 > 0 THEN 'react' END, CASE WHEN n % 10 > 0 THEN n - n % 10 END
		FROM generate_series(100, 8000) n`, `
		INSERT INTO reaction (room, target, emoji, person, seq)
		SELECT room, target, 'x', seq, seq FROM event WHERE kind = 'react' AND seq >= 100`, `
		INSERT INTO person (public, name, folded, created_ms)
		SELECT n::text, 'x', 'x', 0 FROM generate_series(100, 3000) n`, `
		INSERT INTO certificate (key, value, modified) SELECT n::text, '', now() FROM generate_series(100, 3000) n`, `
		INSERT INTO member (person, room) SELECT 1, n FROM generate_series(100, 3000) n`, `
		INSERT INTO awaited (person, room_name, at_ms) SELECT n, n::text, 0 FROM generate_series(100, 3000) n`, `
		INSERT INTO room (id, name, created_ms) SELECT n, n::text, 0 FROM generate_series(100, 3000) n`)
	check()
	fill(t, url, `ANALYZE`)
	check()
}

func useCertificates(t *testing.T, kept *Certificates) {
	t.Helper()
	storetest.Must(t, kept.Lock(t.Context(), "x"))
	storetest.Must(t, kept.Store(t.Context(), "x/y", nil))
	_, err := kept.Load(t.Context(), "x/y")
	storetest.Must(t, err)
	_, err = kept.List(t.Context(), "x", true)
	storetest.Must(t, err)
	_, err = kept.Stat(t.Context(), "x")
	storetest.Must(t, err)
	storetest.Must(t, kept.Delete(t.Context(), "x"))
	storetest.Must(t, kept.Unlock(t.Context(), "x"))
}

func fill(t *testing.T, url string, texts ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	storetest.Must(t, err)
	defer conn.Close(t.Context())
	for _, text := range texts {
		_, err := conn.Exec(t.Context(), text)
		storetest.Must(t, err)
	}
}

// A plan is a step of a plan with the steps below it, as EXPLAIN writes them.
type plan struct {
	Type      string `json:"Node Type"`
	Of        string `json:"Relation Name"`
	Alias     string `json:"Alias"`
	Condition string `json:"Index Cond"`
	Plans     []plan
}

// checkPlans looks at the plans of all statements that a connection has prepared. These are at least
// known.
func checkPlans(t *testing.T, conn *pgx.Conn, known int) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements
		WHERE statement ~ '^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)' AND statement !~ 'pg_prepared_statements'`)
	storetest.Must(t, err)
	type prepared struct {
		Name, Text string
		Arguments  int
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[prepared])
	storetest.Must(t, err)
	if len(all) < known {
		t.Errorf("only %d statements are prepared, want %d", len(all), known)
	}
	for _, p := range all {
		nulls := strings.TrimSuffix(strings.Repeat("NULL, ", p.Arguments), ", ")
		if nulls != "" {
			nulls = "(" + nulls + ")"
		}
		var text []byte
		explain := `EXPLAIN (FORMAT JSON) EXECUTE ` + p.Name + nulls
		err := conn.QueryRow(t.Context(), explain, pgx.QueryExecModeSimpleProtocol).Scan(&text)
		if err != nil {
			t.Fatalf("%v in %s", err, p.Text)
		}
		var plans []struct{ Plan plan }
		storetest.Must(t, json.Unmarshal(text, &plans))
		wrong := plans[0].Plan.faults()
		if len(wrong) > 0 && p.Text != headsText && p.Text != copiesText { // these want all that the tables have
			t.Errorf("%v in %s", wrong, p.Text)
		}
	}
}

// faults returns the steps that take longer, the more events there are.
func (p *plan) faults() (found []string) {
	switch {
	case p.Type == "Seq Scan",
		p.Condition == "" && strings.HasPrefix(p.Type, "Index") && p.Of != "":
		found = append(found, fmt.Sprintf("%s on %s %s", p.Type, p.Of, p.Alias))
	case strings.Contains(p.Type, "Sort") && p.first().Of == "event":
		found = append(found, p.Type+" of events")
	}
	for i := range p.Plans {
		found = append(found, p.Plans[i].faults()...)
	}
	return found
}

// first returns the step from which a step gets its rows, unless that is limited.
func (p *plan) first() *plan {
	for len(p.Plans) > 0 && p.Type != "Limit" {
		p = &p.Plans[0]
	}
	return p
}

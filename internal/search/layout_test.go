package search

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

var benchMessages = flag.Int("messages", 50_000, "how many messages the benchmarks index")

// BenchmarkLayout compares ways to lay the index out: what each takes for each
// byte of text, and how long the page of the twenty newest hits takes.
func BenchmarkLayout(b *testing.B) {
	own := func(text string) []any {
		return []any{string(appendTokens(nil, &document{place: place{room: 1 + int64(len(text)%200), author: int64(len(text) % 999)}, text: text}))}
	}
	plain := func(text string) []any { return []any{text} }
	for _, l := range []struct {
		name, options string
		feed          func(string) []any
		tables        int
	}{
		{"own/none", `tokenize="ascii tokenchars ':'", columnsize=0, detail=none`, own, 1},
		{"own/column", `tokenize="ascii tokenchars ':'", columnsize=0, detail=column`, own, 1},
		{"own/full", `tokenize="ascii tokenchars ':'", columnsize=0, detail=full`, own, 1},
		{"unicode61/full", `tokenize="unicode61", columnsize=0, detail=full`, plain, 1},
		{"trigram/none", `tokenize="trigram", columnsize=0, detail=none`, plain, 1},
		{"trigram/full", `tokenize="trigram", columnsize=0, detail=full`, plain, 1},
	} {
		b.Run(l.name, func(b *testing.B) {
			c := newCorpus(*benchMessages, 200)
			path := filepath.Join(b.TempDir(), "layout.db")
			db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-32768)")
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(1)
			do := func(q string, args ...any) {
				b.Helper()
				if _, err := db.Exec(q, args...); err != nil {
					b.Fatal(err)
				}
			}
			do(`CREATE VIRTUAL TABLE x USING fts5(t, content='', ` + l.options + `)`)
			do(`INSERT INTO x(x, rank) VALUES ('hashsize', 16000000)`)
			do(`BEGIN`)
			begin := time.Now()
			texts := 0
			ins, err := db.Prepare(`INSERT INTO x(rowid, t) VALUES ($1, $2)`)
			if err != nil {
				b.Fatal(err)
			}
			for n := range c.messages {
				_, e := c.message(n)
				texts += len(e.Text)
				if _, err := ins.Exec(append([]any{n + 1}, l.feed(e.Text)...)...); err != nil {
					b.Fatal(err)
				}
			}
			do(`COMMIT`)
			do(`INSERT INTO x(x) VALUES ('optimize')`)
			built := time.Since(begin)
			do(`VACUUM`)
			do(`PRAGMA wal_checkpoint(TRUNCATE)`)
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/float64(texts), "index/text")
			b.ReportMetric(float64(texts)/float64(c.messages), "text/msg")
			b.ReportMetric(built.Seconds(), "built-s")
			v := c.vocabulary
			var or []string
			for i := range 200 {
				or = append(or, fmt.Sprintf(`":r%d"`, i))
			}
			for _, q := range []struct{ name, match string }{
				{"common", `"` + v[0] + `"`}, {"medium", `"` + v[300] + `"`}, {"rare", `"` + v[20000] + `"`},
				{"two", `"` + v[0] + `" AND "` + v[300] + `"`},
				{"prefix2", `"` + v[0][:2] + `" *`}, {"prefix3", `"` + v[300][:3] + `" *`},
				{"or200", `"` + v[300] + `" AND (` + strings.Join(or, " OR ") + `)`},
			} {
				var times []time.Duration
				rowsN := 0
				for range 15 {
					begin := time.Now()
					rows, err := db.Query(`SELECT rowid FROM x WHERE x MATCH $1 ORDER BY rowid DESC LIMIT 1000`, q.match)
					if err != nil {
						b.Log(q.name, err)
						break
					}
					rowsN = 0
					for rows.Next() {
						var id int64
						rows.Scan(&id)
						rowsN++
					}
					rows.Close()
					times = append(times, time.Since(begin))
				}
				if len(times) > 0 {
					b.Logf("%s: %v (%d)", q.name, times[len(times)/2], rowsN)
				}
			}
		})
	}
}

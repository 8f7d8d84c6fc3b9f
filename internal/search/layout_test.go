package search

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

var benchMessages = flag.Int("messages", 50_000, "how many messages the benchmarks index")

// A layout is a way to index texts with FTS5.
type layout struct {
	name, options string
	feed          func(text string) string
	phrase        func(words string) string // looks for words that stand side by side
}

var layouts = []layout{
	{"ours", `tokenize="ascii tokenchars ':'", columnsize=0, detail=none`, tokensOf, nil},
	{"ours-with-positions", `tokenize="ascii tokenchars ':'", columnsize=0, detail=full`, tokensOf, quoted},
	{"unicode61", `tokenize="unicode61", columnsize=0, detail=full`, plain, quoted}, // finds nothing in Chinese
	// Beside unicode61: in Chinese it needs three characters or more.
	{"trigram", `tokenize="trigram", columnsize=0, detail=full`, plain, quoted},
	{"trigram-without-positions", `tokenize="trigram", columnsize=0, detail=none`, plain, nil},
}

func plain(text string) string { return text }

func tokensOf(text string) string {
	d := document{docRef: docRef{room: 1 + int64(len(text)%200), author: 1 + int64(len(text)%999)}, text: text}
	return string(appendTokens(nil, &d))
}

// quoted returns a token in FTS5's query language. No token contains a quotation mark.
func quoted(token string) string { return `"` + token + `"` }

// BenchmarkLayout compares layouts: size per byte of text, time to fill, and time to find the newest twenty documents.
func BenchmarkLayout(b *testing.B) {
	for _, l := range layouts {
		b.Run(l.name, func(b *testing.B) {
			c := newCorpus(*benchMessages, 200)
			path := filepath.Join(b.TempDir(), "layout.db")
			db, err := sql.Open("sqlite", path)
			must(b, err)
			defer db.Close()
			db.SetMaxOpenConns(1)
			begin := time.Now()
			texts := l.fill(b, db, c)
			b.ReportMetric(float64(time.Since(begin).Microseconds())/float64(c.messages), "us/message")
			_, err = db.Exec(`VACUUM`)
			must(b, err)
			info, err := os.Stat(path)
			must(b, err)
			b.ReportMetric(float64(info.Size())/float64(texts), "index/text")
			b.ReportMetric(0, "ns/op")
			v := c.vocabulary
			l.time(b, db, "common", v[3:30], quoted)
			l.time(b, db, "rare", v[20_000:20_030], quoted)
			if l.phrase != nil {
				l.time(b, db, "phrase", []string{v[1] + " " + v[2], v[5] + " " + v[9], v[12] + " " + v[100]}, l.phrase)
			}
		})
	}
}

func (l layout) fill(b *testing.B, db *sql.DB, c *corpus) (texts int) {
	b.Helper()
	for _, statement := range []string{
		`PRAGMA synchronous = OFF`, `PRAGMA cache_size = -32768`,
		`CREATE VIRTUAL TABLE x USING fts5(t, content='', ` + l.options + `)`,
		`INSERT INTO x(x, rank) VALUES ('hashsize', 8388608)`,
	} {
		_, err := db.Exec(statement)
		must(b, err)
	}
	tx, err := db.Begin()
	must(b, err)
	insert, err := tx.Prepare(`INSERT INTO x(rowid, t) VALUES ($1, $2)`)
	must(b, err)
	for n := range c.messages {
		_, e := c.message(n)
		texts += len(e.Text)
		_, err := insert.Exec(n+1, l.feed(e.Text))
		must(b, err)
	}
	_, err = tx.Exec(`INSERT INTO x(x) VALUES ('optimize')`)
	must(b, err)
	must(b, tx.Commit())
	return texts
}

// time reports the median time to find a word.
func (l layout) time(b *testing.B, db *sql.DB, what string, words []string, match func(string) string) {
	b.Helper()
	var times []time.Duration
	for _, w := range slices.Repeat(words, 5) {
		begin := time.Now()
		err := eachRow(context.Background(), db, `SELECT rowid FROM x WHERE x MATCH $1 ORDER BY rowid DESC LIMIT 20`,
			[]any{match(w)}, func(scan func(...any) error) error {
				var id int64
				return scan(&id)
			})
		if err != nil { // without positions, a word of three letters alone is found
			return
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, fmt.Sprintf("%s-ms", what))
}

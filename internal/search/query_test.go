package search

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parley/internal/chat"
)

// shown formats a query: terms in brackets, and a star if the last word is a beginning.
func shown(q Query) string {
	var b strings.Builder
	for _, t := range q.Terms {
		b.WriteString("[")
		for i, u := range t.units {
			if i > 0 && !u.joined {
				b.WriteString(" ")
			}
			b.WriteString(u.text)
		}
		if t.Prefix {
			b.WriteString("*")
		}
		b.WriteString("]")
	}
	for _, name := range q.From {
		fmt.Fprintf(&b, " from%s", name)
	}
	for _, room := range q.In {
		fmt.Fprintf(&b, " in %s", room)
	}
	for _, f := range q.Has {
		fmt.Fprintf(&b, " has %s", f)
	}
	if !q.Since.IsZero() {
		b.WriteString(" since " + q.Since.Format(time.DateOnly))
	}
	if !q.Before.IsZero() {
		b.WriteString(" before " + q.Before.Format(time.DateOnly))
	}
	return strings.TrimSpace(b.String())
}

func TestParseQuery(t *testing.T) {
	for query, want := range map[string]string{
		"":                           "",
		"  hello   World ":           "[hello][world]",
		`"hello world" again`:        "[hello world][again]",
		`"hello world`:               "[hello world]",
		"“hello world” again":        "[hello world][again]",
		`say"hello world"`:           "[say][hello world]",
		`""`:                         "",
		"pars*":                      "[pars*]",
		`"hello wor"*`:               "[hello wor*]",
		"p*":                         "[p]",
		"*":                          "",
		"東京* タワー":                    "[東京][タワー]",
		"from:ada":                   "from ada",
		"FROM:@Ada":                  "from ada",
		`from:"Ada Lovelace" hi`:     "[hi] from ada lovelace",
		"from:":                      "[from]",
		"from: ada":                  "[from][ada]",
		`from:"`:                     "[from]",
		"in:#Straße":                 "in strasse",
		"in:a/b":                     "in a-b",
		`in:"My Room!" x`:            "[x] in my-room",
		"in:?!":                      "[in]",
		"has:link has:images":        "has link has image",
		"has:banana":                 "[has banana]",
		"before:2026-11-20":          "before 2026-11-20",
		"before:2026-11":             "before 2026-11-01",
		"before:2026 before:2025":    "before 2025-01-01",
		"after:2026-11-20":           "since 2026-11-21",
		"after:2026-2":               "since 2026-03-01",
		"after:2026-02-30":           "[after 2026 02 30]",
		"before:yesterday":           "[before yesterday]",
		"note: this":                 "[note][this]",
		":":                          "",
		"::: a:b":                    "[a b]",
		`"from:ada"`:                 "[from ada]",
		`"in:lobby has:link" x`:      "[in lobby has link][x]",
		"don't 3.14 foo_bar":         "[don t][3 14][foo bar]",
		"NEAR(a b) OR NOT -c ^d {e}": "[near a][b][or][not][c][d][e]",
		"https://a.example/x?y=z#":   "[https a example x y z]",
	} {
		if got := shown(ParseQuery(query)); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
}

func TestQueryIsBounded(t *testing.T) {
	if n := len(ParseQuery(strings.Repeat("a ", 500)).Terms); n != maxTerms {
		t.Errorf("%d terms", n)
	}
	q := ParseQuery(strings.Repeat("é", 300))
	if n := len(q.Terms[0].units[0].text); n != maxWord {
		t.Errorf("a word of %d bytes", n)
	}
	q = ParseQuery(strings.Repeat("東", 300))
	if n := len(q.Terms[0].units); n != maxQuery {
		t.Errorf("a run of %d characters", n)
	}
	q = ParseQuery(strings.Repeat("in:b from:a ", 300))
	if len(q.From) > maxFilters || len(q.In) > maxFilters || len(q.Terms) > 1 { // one is cut
		t.Errorf("%d authors, %d rooms, %d terms", len(q.From), len(q.In), len(q.Terms))
	}
}

// While a person types, the last word is a beginning, unless a space or quotation mark ends it.
func TestLastWordTypedIsABeginning(t *testing.T) {
	l := newMemLog()
	l.say("lobby", "Ada", "parsing comes first")
	x := newIndex(t, l, t.TempDir())
	follow(t, x, l)
	for query, want := range map[string]int{
		"pars": 1, "comes pars": 1, "pars ": 0, "pars comes": 0, `"comes fir`: 1, `"comes fir"`: 0, "pars from:ada": 0,
		"par": 1, "p": 0,
	} {
		q := ParseQuery(query)
		q.Typing = true
		if got := len(found(t, x, q, "lobby")); got != want {
			t.Errorf("%q: %d hits, want %d", query, got, want)
		}
	}
}

// Every text is a query, and ranges of hits lie within the text.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		`"`, `a" OR "b`, "from:", `from:"x`, "in:*", "has:link*", "東*", "\x00", "a\xffb", "before:9999-99-99", "*:*",
		`\"`, "e\u0301*", "ﬁ ß İ ǅ",
		"᾿Ι", "\u0301", "℀ ⑴ ﷺ", "ｶﾞ", "ก็", "👩‍👩‍👧", strings.Repeat("(", 99), "a:b:c", "NOT", "{t}:a", "a + b", "^a",
		"-a", "message_fts:a", ":r1", "\u200d", "\u00ad",
	} {
		f.Add(s)
	}
	l := newMemLog()
	for i, text := range []string{
		"a message with ünïcode", "東京タワー ｶﾞｷﾞ", "https://a.b/c.png", "การประชุม",
		"👩‍👩‍👧 e\u0301", "ﬁne ẞ İstanbul",
	} {
		l.say(chat.RoomName("room"+fmt.Sprint(i%2)), "Ada", text)
	}
	x := newIndex(f, l, f.TempDir())
	follow(f, x, l)
	f.Fuzz(func(t *testing.T, s string) {
		q := ParseQuery(s)
		q.Typing = len(s)%2 == 0
		for _, q.Order = range []Order{Newest, Relevance} {
			r, err := x.Search(t.Context(), q, []chat.RoomName{"room0", "room1"})
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			for _, h := range r.Hits {
				checkRanges(t, h)
			}
		}
		// A text is found by itself.
		if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxQuery {
			return
		}
		term := Query{}
		term.term(s, true)
		m := matcher{terms: term.Terms}
		if _, _, ok := m.match(s + " "); len(term.Terms) > 0 && !ok {
			t.Errorf("%q does not match itself", s)
		}
		if len(term.Terms) > 0 {
			tokens := strings.Fields(string(appendTokens(nil, &document{text: s})))
			for _, clause := range term.Terms[0].appendClauses(nil) {
				want := clause[0]
				has := func(tok string) bool {
					return tok == want.text || want.prefix && strings.HasPrefix(tok, want.text)
				}
				if !slices.ContainsFunc(tokens, has) {
					t.Errorf("%q is looked for by %+v, which is not among its tokens %q", s, want, tokens)
				}
			}
		}
	})
}

func checkRanges(t *testing.T, h Hit) {
	t.Helper()
	end := 0
	for _, r := range h.Ranges {
		if r.Start < end || r.End <= r.Start || r.End > utf8.RuneCountInString(h.Text) {
			t.Errorf("ranges %v of %q", h.Ranges, h.Text)
		}
		end = r.End
	}
}

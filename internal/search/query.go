package search

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/internal/chat"
)

// Bounds of a query. What exceeds them is ignored.
const (
	maxQuery   = 256 // characters
	maxTerms   = 32
	maxFilters = 16 // names after from:, and rooms after in:
	maxPrefix  = 4  // words with a star
	minPrefix  = 2  // letters of a beginning; a shorter one is a whole word, because it would match half of all words
)

// A Query says which messages to find: those with every term and fact, of that time, by one of the authors and in one
// of the rooms, if any are given.
type Query struct {
	Terms  []Term
	From   []string        // parts of display names
	In     []chat.RoomName // narrows the rooms that Search is given
	Has    []Fact
	Before time.Time // stored before this; zero: no bound
	Since  time.Time // stored then or later; zero: no bound

	Order  Order
	Limit  int    // hits in a page: 20 unless given, at most 100
	Cursor string // Result.Next of the page before; empty: the first
	Typing bool   // the last word may be incomplete: the person still types

	stars int
	open  bool // the last term ends with a word that may be incomplete
}

// An Order says which hits come first.
type Order string

// The orders.
const (
	Newest    Order = "newest"    // the default
	Relevance Order = "relevance" // the best of the newest thousand matches, then the best of the thousand before
)

// A Term is a sequence of words that stand side by side.
type Term struct {
	Prefix bool // the last word matches as the beginning of a word
	units  []unit
}

// Empty reports whether a query has no condition. It then finds nothing.
func (q Query) Empty() bool {
	return len(q.Terms) == 0 && len(q.From) == 0 && len(q.In) == 0 && len(q.Has) == 0 &&
		q.Before.IsZero() && q.Since.IsZero()
}

// ParseQuery reads what a person typed: words, "phrases", beginnings* of words, from:name, from:"a name", in:room,
// has:link|image|file, before:2026-11-20 (earlier than that day; also 2026-11 and 2026) and after:2026-11-20 (later
// than that day). Days are in UTC. It accepts every text: what is not a filter is a word, and an open quotation mark
// ends with the text.
func ParseQuery(s string) Query {
	var q Query
	s = bounded(s)
	for s != "" {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		word, value, quotedValue, rest := nextWord(s)
		if !q.filter(word, value, quotedValue) {
			q.term(s[:len(s)-len(rest)], rest == "")
		}
		s = rest
	}
	return q
}

// bounded returns the first maxQuery characters of s, without bytes that are not UTF-8.
func bounded(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxQuery {
			s = s[:i]
			break
		}
	}
	return strings.ToValidUTF8(s, " ")
}

// nextWord splits off the next item of s, which ends with a space: key:value, key:"a value", "a phrase" or a word. The
// key is empty for an item without one.
func nextWord(s string) (key, value string, isQuoted bool, rest string) {
	end := strings.IndexFunc(s, unicode.IsSpace)
	if end < 0 {
		end = len(s)
	}
	colon := strings.IndexByte(s[:end], ':')
	if quoteAt(s) > 0 {
		colon = -1
	}
	begin := colon + 1 // where the value begins; 0 if there is no colon
	if quote := quoteAt(s[begin:]); quote > 0 {
		value, rest = s[begin+quote:], ""
		if close := strings.IndexFunc(value, isQuote); close >= 0 {
			_, size := utf8.DecodeRuneInString(value[close:])
			value, rest = value[:close], value[close+size:]
			if strings.HasPrefix(rest, "*") && colon < 0 { // "the end of a phr"*
				rest = rest[1:]
			}
		}
		return s[:max(colon, 0)], value, true, rest
	}
	if inner := strings.IndexFunc(s[:end], isQuote); inner > 0 && colon < 0 { // a word directly followed by a phrase
		return "", s[:inner], false, s[inner:]
	}
	return s[:max(colon, 0)], s[begin:end], false, s[end:]
}

// quoteAt returns the length in bytes of the quotation mark that s begins with, 0 if there is none.
func quoteAt(s string) int {
	if r, size := utf8.DecodeRuneInString(s); isQuote(r) {
		return size
	}
	return 0
}

// isQuote reports whether r opens or closes a phrase. Phones insert curly quotation marks.
func isQuote(r rune) bool { return strings.ContainsRune(`"“”„«»`, r) }

// filter adds a filter to the query. It reports false if key and value are not a filter.
func (q *Query) filter(key, value string, isQuoted bool) bool {
	if value == "" {
		return false
	}
	switch strings.ToLower(key) {
	case "from":
		name := searchedName(strings.TrimPrefix(value, "@"))
		if name == "" || len(q.From) >= maxFilters {
			return name != ""
		}
		q.From = append(q.From, name)
	case "in":
		name, err := chat.ParseRoomName(strings.TrimPrefix(value, "#"))
		if err != nil {
			return false
		}
		if len(q.In) < maxFilters {
			q.In = append(q.In, name)
		}
	case "has":
		return q.has(strings.ToLower(value))
	case "before", "after":
		return q.when(strings.ToLower(key), value)
	default:
		return false
	}
	return true
}

func (q *Query) has(value string) bool {
	for f := range factTokens {
		if value == string(f) || value == string(f)+"s" {
			q.Has = append(q.Has, f)
			return true
		}
	}
	return false
}

// when narrows the time to a day, a month or a year. Of several bounds the narrowest counts.
func (q *Query) when(key, value string) bool {
	for _, l := range []struct {
		layout              string
		years, months, days int
	}{{"2006-1-2", 0, 0, 1}, {"2006-1", 0, 1, 0}, {"2006", 1, 0, 0}} {
		begin, err := time.Parse(l.layout, value)
		if err != nil {
			continue
		}
		end := begin.AddDate(l.years, l.months, l.days)
		if key == "before" && (q.Before.IsZero() || begin.Before(q.Before)) {
			q.Before = begin
		}
		if key == "after" && end.After(q.Since) {
			q.Since = end
		}
		return true
	}
	return false
}

// term adds a term for written. A word with punctuation in it, such as 3.14 or don't, becomes words that stand side by
// side.
func (q *Query) term(written string, last bool) {
	units := appendUnits(nil, written)
	if len(units) == 0 || len(q.Terms) >= maxTerms {
		return
	}
	end := units[len(units)-1]
	begins := !end.lone && utf8.RuneCountInString(end.text) >= minPrefix
	lastRune, _ := utf8.DecodeLastRuneInString(written)
	q.open = last && begins && classOf(lastRune) != gap
	star := begins && strings.HasSuffix(written, "*") && q.stars < maxPrefix
	if star {
		q.stars++
	}
	q.Terms = append(q.Terms, Term{units: units, Prefix: star})
}

// searchedName returns a display name in the form that from: compares: its words, folded, each after a space.
func searchedName(name string) string {
	var b strings.Builder
	for _, u := range appendUnits(nil, name) {
		if !u.joined {
			b.WriteByte(' ')
		}
		b.WriteString(u.text)
	}
	return b.String()
}

package format

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// hostile makes texts of about n bytes that are expensive to parse.
var hostile = map[string]func(n int) string{
	"stars":              func(n int) string { return strings.Repeat("*", n) },
	"stars apart":        func(n int) string { return strings.Repeat("*a ", n/3) },
	"stars both ways":    func(n int) string { return strings.Repeat("a*b_", n/4) },
	"openers":            func(n int) string { return strings.Repeat("**a _b ", n/14) + strings.Repeat("c~~ ", n/8) },
	"underscores":        func(n int) string { return strings.Repeat("_a", n/2) },
	"tildes":             func(n int) string { return strings.Repeat("~~a", n/3) },
	"backticks":          func(n int) string { return strings.Repeat("`", n) },
	"backticks growing":  growing("`"),
	"fences":             func(n int) string { return strings.Repeat("```\n", n/4) },
	"quotes":             func(n int) string { return strings.Repeat(">", n) },
	"quotes apart":       func(n int) string { return strings.Repeat("> ", n/2) + "a" },
	"quoted lines":       func(n int) string { return strings.Repeat("> a\n", n/4) },
	"lists in one line":  func(n int) string { return strings.Repeat("- ", n/2) + "a" },
	"numbers":            func(n int) string { return strings.Repeat("1. ", n/3) + "a" },
	"lists, then blanks": func(n int) string { return strings.Repeat("- ", n/4) + "a" + strings.Repeat("\n", n/2) },
	"stairs":             stairs,
	"items":              func(n int) string { return strings.Repeat("- a\n", n/4) },
	"colons":             func(n int) string { return strings.Repeat(":", n) },
	"short-codes":        func(n int) string { return strings.Repeat(":+1:", n/4) },
	"long short-code":    func(n int) string { return ":" + strings.Repeat("a", n) + ":" },
	"colons far apart":   func(n int) string { return strings.Repeat(":"+strings.Repeat("a", 60), n/61) },
	"mail": func(
		n int,
	) string {
		return "*x*" + strings.Repeat("_a", n/4) + "@" + strings.Repeat("b.", n/4)
	},
	"addresses":      func(n int) string { return "*x*" + strings.Repeat(" http://a.b/", n/12) },
	"brackets":       func(n int) string { return "*x*" + strings.Repeat("(", n/2) + strings.Repeat(")", n/2) },
	"backslashes":    func(n int) string { return "*x*" + strings.Repeat(`\`, n) },
	"escapes":        func(n int) string { return "*x*" + strings.Repeat(`\[`, n/2) },
	"escaped signs":  func(n int) string { return "*x*" + strings.Repeat(`\# `, n/3) },
	"escaped colons": func(n int) string { return "*x*" + strings.Repeat(`\:a`, n/3) },
	"escaped bars":   func(n int) string { return "*x*" + strings.Repeat(`\|`, n/2) },
	"HTML":           func(n int) string { return "*x*" + strings.Repeat("<", n/2) + strings.Repeat(">", n/2) },
	"emoji":          func(n int) string { return "*x*" + strings.Repeat("😀", n/4) },
	"bars":           func(n int) string { return strings.Repeat("|", n) },
	"spoilers":       func(n int) string { return strings.Repeat("||a|| ", n/6) },
	"spoilers, open": func(n int) string { return strings.Repeat("||a ", n/4) },
	"spoilers, nested": func(
		n int,
	) string {
		return strings.Repeat("||a *b ", n/14) + strings.Repeat("c* d|| ", n/14)
	},
	"brackets open": func(n int) string { return strings.Repeat("[", n) + "](http://a)" },
	"brackets nested": func(
		n int,
	) string {
		return strings.Repeat("[", n/2) + strings.Repeat("]", n/2) + "[a](http://a)"
	},
	"links nested": func(n int) string { return strings.Repeat("[", n/12) + strings.Repeat("](http://a)", n/12) },
	"images nested": func(
		n int,
	) string {
		return strings.Repeat("![", n/13) + strings.Repeat("](http://a)", n/13)
	},
	"links":              func(n int) string { return strings.Repeat("[*a*](http://a) ", n/16) },
	"links, stars open":  func(n int) string { return strings.Repeat("*b [*a](http://a) ", n/18) },
	"destinations":       func(n int) string { return "[" + strings.Repeat("](", n/2) },
	"destinations, long": func(n int) string { return strings.Repeat("[](http://(", n/11) },
	"references":         func(n int) string { return strings.Repeat("[a][b]", n/6) + "[](http://a)" },
	"exclamations":       func(n int) string { return strings.Repeat("![", n/2) + "](http://a)" },
	"table, wide": func(
		n int,
	) string {
		return strings.Repeat("|a", n/4) + "|\n" + strings.Repeat("|-", n/4) + "|\n"
	},
	"table, long": func(n int) string { return "|a|b|\n|-|-|\n" + strings.Repeat("|c|d|\n", n/6) },
	"table, gaps": func(n int) string {
		return strings.Repeat("|", 32) + "\n" + strings.Repeat("|-", 31) + "|\n" + strings.Repeat("a\n", n/2)
	},
	"table, square":       square,
	"table, heads":        func(n int) string { return strings.Repeat("|a|\n|-|\n\n", n/9) },
	"table, dashes":       func(n int) string { return "a|b\n" + strings.Repeat("-|-|-\n", n/6) },
	"table, escapes":      func(n int) string { return "|a|\n|-|\n" + strings.Repeat("|`\\|`|\n", n/7) },
	"headings":            func(n int) string { return strings.Repeat("# a\n", n/4) },
	"number signs":        func(n int) string { return "# " + strings.Repeat("# ", n/2) },
	"rules":               func(n int) string { return "a\n" + strings.Repeat("---\n", n/4) },
	"tasks":               func(n int) string { return strings.Repeat("- [x] a\n", n/8) },
	"fence, huge":         func(n int) string { return "```\n" + strings.Repeat("a\n", n/2) },
	"fences, coloured":    func(n int) string { return strings.Repeat("```go\n1\n```\n", n/12) },
	"code, coloured":      func(n int) string { return "```go\n" + strings.Repeat("1 a\n", n/4) },
	"spoilers in words":   func(n int) string { return strings.Repeat("a||b", n/4) },
	"spoilers, left only": func(n int) string { return strings.Repeat(" ||a", n/4) },
	"three bars":          func(n int) string { return strings.Repeat("|||a ", n/5) },
	"bars escaped":        func(n int) string { return strings.Repeat(`\||a`, n/4) },
	"lines of bars":       func(n int) string { return strings.Repeat("||\na\n", n/5) },
	"lines of bars, growing": func(n int) string {
		return strings.ReplaceAll(growing("|")(n), " ", "\n")
	},
	"lines of bars, shrinking": func(n int) string {
		lines := strings.Split(growing("|")(n), " ")
		slices.Reverse(lines)
		return strings.Join(lines, "\n")
	},
	"spoilers across":   func(n int) string { return strings.Repeat("||a\n\nb|| ", n/9) },
	"spoilers, quoted":  func(n int) string { return strings.Repeat("> ||a\n>\n> b||\n", n/16) },
	"cells, spoilers":   func(n int) string { return "a|b\n-|-\n" + strings.Repeat("| ||a", n/6) },
	"cells, code":       func(n int) string { return "a|b\n-|-\n" + growing("`")(n) },
	"signs":             func(n int) string { return "*x*" + strings.Repeat("@", n) },
	"mails":             func(n int) string { return strings.Repeat("a@b.c ", n/6) },
	"mails joined":      func(n int) string { return strings.Repeat("a@b.c", n/5) },
	"schemes":           func(n int) string { return strings.Repeat("http://", n/7) },
	"hosts of brackets": func(n int) string { return strings.Repeat("http://[", n/8) },
	"hosts of dots":     func(n int) string { return "http://" + strings.Repeat("a.", n/2) },
	"www":               func(n int) string { return strings.Repeat("www.", n/4) },
	"brackets of a path": func(n int) string {
		return "http://a.b/" + strings.Repeat("(", n/2) + strings.Repeat(")", n/2)
	},
	"underscores after addresses": func(n int) string { return strings.Repeat("_http://a.b/_ ", n/14) },
	"quotes and lines":            func(n int) string { return strings.Repeat("> a\nb\n", n/6) },
	"quotes of quotes":            func(n int) string { return strings.Repeat("> > > > a\n> b\n", n/14) },
	"numbers of items":            func(n int) string { return strings.Repeat("9. a\n1. b\n", n/10) },
	"paths":                       func(n int) string { return strings.Repeat(`C:\_`, n/4) },
	"tower of marks":              func(n int) string { return "*x*" + strings.Repeat("\u0301", n/2) },
}

func growing(s string) func(int) string {
	return func(n int) string {
		var b strings.Builder
		for i := 1; b.Len() < n; i++ {
			b.WriteString(strings.Repeat(s, i) + " ")
		}
		return b.String()
	}
}

func stairs(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strings.Repeat("  ", i) + "- a\n")
	}
	return b.String()
}

// square makes a table with as many rows as columns.
func square(n int) string {
	side := 1
	for 2*side*(side+1) < n {
		side++
	}
	row := strings.Repeat("|a", side) + "\n"
	return row + strings.Repeat("|-", side) + "\n" + strings.Repeat(row, side)
}

// Every expensive step of the parser leaves something behind: a node, a delimiter, a segment. Their
// number must grow with the text, not with its square, and the HTML must not be much longer than
// the text.
func TestWorkGrowsWithTheText(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			count := func(n int) float64 {
				s := text(n)
				htmlUncached(s) // loads the emoji once
				return testing.AllocsPerRun(1, func() { htmlUncached(s) })
			}
			small, large := count(1000), count(4000)
			if limit := 6*small + 500; large > limit {
				t.Errorf("4 times the text: %v allocations instead of %v", large, small)
			}
			for _, n := range []int{1000, 64000} {
				s := text(n)
				if out := HTML(s, nil); len(out) > 16*len(s)+4096 {
					t.Errorf("%d bytes became %d", len(s), len(out))
				}
			}
		})
	}
}

// htmlUncached is HTML without its cache.
func htmlUncached(s string) string {
	if !mayHaveFormat(s) || isTooComplex(s) {
		return ""
	}
	return renderAll(s)
}

// The cost of looking back is limited by the product of delimiters and bytes. The limit must be the
// same for every message length that an operator allows.
func TestWorkHasABoundForEveryLength(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{4000, 64000, 1 << 20, 4 << 20} {
				s := text(n)
				if isTooComplex(s) {
					if got := HTML(s, nil); got != "" && got != spoilersAlone(s) {
						t.Errorf("absurd, and formatted nevertheless: %.80s", got)
					}
					continue
				}
				if steps := delimiterPairs(s); steps > maxWork {
					t.Errorf("%d bytes: %d steps", len(s), steps)
				}
			}
		})
	}
}

// delimiterPairs counts the places of delimiters times bytes, independently of isTooComplex.
func delimiterPairs(s string) int {
	places := 0
	for i := range len(s) {
		double := i > 0 && s[i-1] == s[i]
		if strings.IndexByte("*_~`:", s[i]) >= 0 && !double || s[i] == '|' && double {
			places++
		}
	}
	return places * len(s)
}

func TestNestingHasABound(t *testing.T) {
	tests := map[string]struct {
		text string
		none bool
	}{
		"8 quotes":       {text: strings.Repeat("> ", 8) + "a"},
		"9 quotes":       {text: strings.Repeat("> ", 9) + "a", none: true},
		"8 lists":        {text: strings.Repeat("- ", 8) + "a"},
		"9 lists":        {text: strings.Repeat("1. ", 9) + "a", none: true},
		"6 stairs":       {text: stairs(80)},
		"40 stairs":      {text: stairs(2000), none: true},
		"4,000 quotes":   {text: strings.Repeat(">", 4000), none: true},
		"4,000 stars":    {text: strings.Repeat("*", 4000), none: true},
		"much emphasis":  {text: strings.Repeat("*a **b ", 20) + strings.Repeat("c** d*", 20), none: true},
		"some emphasis":  {text: "*a **b** c*"},
		"items, many":    {text: strings.Repeat("- a\n", 500)},
		"arithmetic":     {text: "> 1 - 2 - 3 - 4 - 5 - 6 - 7 - 8 - 9 - 10 - 11 - 12"},
		"row of numbers": {text: "1. 2. 3. 4. 5. and so on"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := HTML(tt.text, nil); (got == "") != tt.none {
				t.Errorf("HTML = %.200q, want none: %v", got, tt.none)
			}
		})
	}
}

func TestPreCheckOverlooksNothing(t *testing.T) {
	for _, s := range []string{
		"1. a", "10) a", " > a", "a\n+ b", "a\r- b", "a\r\n\t> b", ":+1:", "a :-1: b", "~~~\na",
		"# a", "a\n###### b", "\\# a", "a\n---", "- - -", "|a|\n|-|", "a|b\n-|-", "a|b\n :-:|-:\n", "a ||b||", "[a](b)",
		"![a](b)",
		"http://a.b:80/c", "www.a.b", "mailto:a@b.c", "a@b.c", "Www.a.b", "HTTPS://a", "\\> a", "\\- a",
	} {
		if !mayHaveFormat(s) {
			t.Errorf("%q is called plain", s)
		}
	}
	for _, s := range []string{
		"", "a", "a: b: c", "@a.b", "a @ b.c", "a > b", ">a", ">= 5", ">>> x", "a - b", "-5", "3.5", "1", "\n\n",
		"#1", "a # b", "a | b", "|", "| a |", "a\n|b", "[a]", "(b)", "!", "--flag", "-- \nAda", ":-)",
	} {
		if mayHaveFormat(s) && s != "3.5" { // the pre-check takes it for a list
			t.Errorf("%q is not called plain", s)
		}
	}
}

func TestTablesHaveABound(t *testing.T) {
	table := func(columns, rows int) string {
		return strings.Repeat("|a", columns) + "|\n" + strings.Repeat("|-", columns) + "|\n" +
			strings.Repeat(strings.Repeat("|b", columns)+"|\n", rows)
	}
	tests := map[string]struct {
		text string
		none bool
	}{
		"30 columns": {text: table(30, 20)},
		"40 columns": {text: table(40, 3), none: true},
		"400 rows":   {text: table(3, 400)},
		"600 rows":   {text: table(3, 600), none: true},
		"short rows": {text: table(30, 0) + "b\nc\n"},
		// no text becomes longer by a greater factor
		"short rows, hundreds": {text: table(30, 0) + strings.Repeat("b\n", 60), none: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := HTML(tt.text, nil); (got == "") != tt.none {
				t.Errorf("HTML = %.200q, want none: %v", got, tt.none)
			}
		})
	}
}

// The most expensive text of each kind, with the greatest length of a message.
func BenchmarkHostile(b *testing.B) {
	for name, text := range hostile {
		for _, n := range []int{1000, 4000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				s := text(n)
				for b.Loop() {
					htmlUncached(s)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(s)), "ns/byte")
			})
		}
	}
}

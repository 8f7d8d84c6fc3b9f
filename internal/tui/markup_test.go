package tui

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"parley/client"
	"parley/internal/format"
)

// written returns a message of Grace with the HTML that the server makes of it.
func written(seq int64, text string) client.Message {
	m := message(seq, grace, text)
	m.HTML = format.HTML(text, nil)
	return m
}

// styled writes styles so that they can be read: "‹1›bold‹›".
func styled(lines []string) string {
	return strings.NewReplacer("\x1b[", "‹", "m", "m").Replace(strings.Join(lines, "\n"))
}

func TestFormattingInTheTerminal(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"plain":         {"two\n\n  lines", "two\n\n  lines"},
		"emphasis":      {"**a b** *c d* ~~e f~~ ***g***", "‹1ma b‹m ‹3mc d‹m ‹9me f‹m ‹1;3mg‹m"},
		"code":          {"`a *b*` c", "‹36ma *b*‹m c"},
		"emoji":         {"well :tada: done", "well 🎉 done"},
		"no emoji":      {"std::x::y", "std::x::y"},
		"paragraphs":    {"**a**\n\nb", "‹1ma‹m\n\nb"},
		"heading":       {"# Top\ntext", "‹1mTop‹m\ntext"},
		"rule":          {"a\n\n---\nb", "a\n‹2m────────────────────‹m\nb"},
		"quote":         {"> a\n> **b**\n\nc", "‹2m│‹m a\n‹2m│‹m ‹1mb‹m\nc"},
		"list":          {"- a\n  - b\n- [x] c\n- [ ] d", "• a\n  • b\n• [x] c\n• [ ] d"},
		"numbers typed": {"404. a\n1986. b", " 404. a\n1986. b"},
		"numbers":       {"9. a\n10. b\n    1. c", " 9. a\n10. b\n    1. c"},
		"fence":         {"```\na\n\n\tb\n```\nc", "  ‹36ma‹m\n  \n  ‹36m    b‹m\nc"},
		"diff":          {"```diff\n+a\n-b\n```", "  ‹32m+a‹m\n  ‹31m-b‹m"},
		"link":          {"[a b](https://example.org/c)", "‹4ma b‹m (https://example.org/c)"},
		"bare address":  {"https://example.org/c", "‹4mhttps://example.org/c‹m"},
		"host":          {"https://bücher.example", "‹4mhttps://bücher.example‹m\n(https://xn--bcher-kva.example)"},
		"wrapped": {
			"**" + strings.Repeat("abcd ", 8) + "abcd** e",
			"‹1m" + strings.Repeat("abcd ", 7) + "abcd‹m\n‹1mabcd‹m e",
		},
		"address that does not fit": {
			"see https://example.org/a-b-c-d-e-f-g-h-i", "see\n‹4mhttps://example.org/a-b-c-d-e-f-g-h-i‹m",
		},
		"table": {
			"| a | b |\n|---|--:|\n| c | **22** |\n| ddd | 3 |",
			"‹1ma‹m  ‹2m │ ‹m ‹1mb‹m\n‹2m────┼───‹m\nc  ‹2m │ ‹m‹1m22‹m\nddd‹2m │ ‹m 3",
		},
		"wide table": {
			"| " + strings.Repeat("a", 30) + " | b |\n|---|---|\n| c | " + strings.Repeat("d", 20) + " |",
			"‹1m" + strings.Repeat("a", 30) + "‹m: c\n‹1mb‹m: " + strings.Repeat("d", 20),
		},
		"spoiler":         {"a ||b c|| d", "a ‹2m▒ ▒‹m d"},
		"spoiler of more": {"||**a** [b](https://example.org)||", "‹2m▒‹m‹2m ‹m‹2m▒‹m‹2m ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒‹m"},
		"spoiler of blocks": {
			"a\n||b\n\n- c\n> d||\n\ne", "a\n‹2m▒‹m\n• ‹2m▒‹m\n‹2m│‹m ‹2m▒‹m\ne",
		},
		"bars in code": {"`a||b||c`", "‹36ma||b||c‹m"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := written(1, tt.text)
			if got := styled(newMarkup(m, ada.ID, false).lines(m, 40)); got != tt.want {
				t.Errorf("%q (%s) shows as\n%s, want\n%s", tt.text, m.HTML, got, tt.want)
			}
		})
	}
}

func TestNamesThatCallStandOut(t *testing.T) {
	alan := client.Person{ID: "t", Name: "Alan T"}
	const me, other = "‹1;7m", "‹1m"
	for text, want := range map[string]string{
		"hi @Ada!":                       "hi " + me + "@Ada‹m!",
		"@ada and @alan t, @adam":        me + "@ada‹m and " + other + "@alan t‹m, @adam",
		"请@Ada看一下":                       "请" + me + "@Ada‹m看一下",
		"*@Ada*":                         "‹1;3;7m@Ada‹m",
		"`@Ada` ada@Ada":                 "‹36m@Ada‹m ada@Ada",
		"https://example.org/@Ada":       "‹4mhttps://example.org/@Ada‹m",
		"@here or @HERE":                 me + "@here‹m or @HERE",
		"||@Ada||":                       "‹2m▒▒▒▒‹m",
		"[@Ada](https://example.org/)":   "‹4m@Ada‹m (https://example.org/)",
		"a text of **nobody** @somebody": "a text of ‹1mnobody‹m @somebody",
	} {
		m := written(1, text)
		m.Mentions, m.AtHere = []client.Person{ada, alan}, true
		if got := styled(newMarkup(m, ada.ID, false).lines(m, 60)); got != want {
			t.Errorf("%q shows as\n%s, want\n%s", text, got, want)
		}
	}
	m := written(1, "@here")
	m.From, m.AtHere = ada, true
	if got, want := styled(newMarkup(m, ada.ID, false).lines(m, 60)), other+"@here‹m"; got != want {
		t.Errorf("one's own @here shows as %s, want %s", got, want)
	}
}

// In no script is a line too long, or a character cut off from its marks.
func TestLinesKeepCharactersWhole(t *testing.T) {
	for _, text := range []string{
		"これは**とても長い日本語の文章**です。改行はどこでもできます。", "한국어 **문장도** 한 줄보다 길 수 있습니다",
		"ภาษาไทยไม่มีช่องว่างระหว่างคำ **และมีสระอยู่บนตัวอักษร**", "क्षत्रिय **हिन्दी में** संयुक्ताक्षर होते हैं",
		"هذا نص **طويل جدا** باللغة العربية مع حَرَكَات", "שָׁלוֹם **עֲלֵיכֶם** טקסט ארוך מאוד בעברית",
		"👩‍👩‍👧‍👦👩🏽‍🚀🏳️‍🌈🇩🇪🇫🇷❤️‍🔥👍🏿1️⃣ **👩‍👩‍👧‍👦👩🏽‍🚀🏳️‍🌈**",
		"Z" + strings.Repeat("\u0301", 30) + "a\u0308o\u0308u\u0308 **n\u0303n\u0303**",
		"> - " + strings.Repeat("語", 40), "| 語 | b |\n|---|---|\n| " + strings.Repeat("é👍🏿", 20) + " | c |",
		"```\n" + strings.Repeat("漢\u0301字", 20) + "\n```", strings.Repeat("> ", 9) + "tief **und schmal**",
	} {
		m := written(1, text)
		whole := newMarkup(m, ada.ID, false).lines(m, 1000)
		for width := 10; width <= 40; width++ {
			lines := newMarkup(m, ada.ID, false).lines(m, width)
			for _, line := range lines {
				if w := ansi.StringWidth(line); w > width {
					t.Errorf("%q: %d cells at %d: %q", text, w, width, line)
				}
				first := []rune(strings.TrimLeft(ansi.Strip(line), " │"))
				if len(first) > 0 && (unicode.IsMark(first[0]) || first[0] == '\u200d') {
					t.Errorf("%q: a line begins with a mark at %d: %q", text, width, line)
				}
			}
			if got, want := letters(lines), letters(whole); !strings.Contains(text, "|---|") && got != want {
				t.Errorf("%q at %d is %q, want %q", text, width, got, want)
			}
		}
	}
}

// letters returns what lines say, without spaces, bars and styles.
func letters(lines []string) string {
	text := ansi.Strip(strings.Join(lines, ""))
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '│' || r == '•' {
			return -1
		}
		return r
	}, text)
}

// The client does not believe the server that its HTML is clean.
func TestHostileHTMLDoesNotReachTheTerminal(t *testing.T) {
	for _, source := range []string{
		"<p>a&#27;[2Jb\x1b]0;t\x07c&#x9b;31m&#8238;d</p>",
		"<p><a href=\"https://e.example/\x1b[2J&#27;]52;c;x&#7;\">a</a></p>",
		"<pre><code class=\"\x1b[31m\">a\x1b[2J&#13;b</code></pre>", "<ol start=\"\x1b[2J\"><li>\x1b</li></ol>",
		"<script>\x1b[2J</script><style>\x9b</style><!-- \x1b -->",
		"<table><tr><td align=\"\x1b\">\x1b[2J</td></tr></table>",
		"<span class=\"spoiler\">\x1b[2J</span>", strings.Repeat("<blockquote>", 300) + "\x1b[2J",
		strings.Repeat("<em>", 300) + "x",
	} {
		for _, isOpen := range []bool{false, true} {
			m := client.Message{Text: "x", HTML: source, From: grace}
			for _, line := range newMarkup(m, ada.ID, isOpen).lines(m, 40) {
				plain := strings.Split(ansi.Strip(line), "\n")
				if slices.ContainsFunc(plain, func(s string) bool { return Clean(s) != s }) ||
					strings.Count(line, "\x1b") != strings.Count(line, "\x1b[") || len(plain) > 1 {
					t.Errorf("%q shows %q", source, line)
				}
			}
		}
	}
}

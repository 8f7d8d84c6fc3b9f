package format

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

var (
	allowedHref = regexp.MustCompile(`^(https?://|mailto:)`)
	allowedTags = map[string][]string{ // with their attributes
		"p": nil, "br": nil, "strong": nil, "em": nil, "del": nil, "code": {"class"}, "pre": nil, "ul": nil,
		"ol": {"start"}, "li": {"value"}, "blockquote": nil, "a": {"href", "target", "rel"}, "hr": nil, "h3": nil,
		"h4": nil, "h5": nil, "h6": nil,
		"table": nil, "thead": nil, "tbody": nil, "tr": nil, "th": {"align"}, "td": {"align"}, "span": {"class"},
		"input": {"type", "disabled", "checked"},
	}
	void = []string{"br", "hr", "input"}
)

func FuzzHTML(f *testing.F) {
	for _, text := range hostile {
		f.Add(text(60))
	}
	for _, s := range []string{
		"**a** <script>alert(1)</script>", "> - 1. `a`\n~~b~~ :smile:", "```go\n<b>\n```", "*x* https://a.b/?\"<c>'",
		"- \n\n  a", "\t- a\n\t\t\tb",
		`\**a*\\`, "a\\\n*b*", "- a\n\n\n      b", "~~~\"x\ny", "1.\n2. a", "*\u202ea*", "*a*&amp;&lt;b", "*www.a.bc*",
		":a::+1:",
		"# a\n## *b* #\n---\n***", "- [ ] a\n- [x] `b`", "||a *b||* c||", "**a||b** [||c||](http://d)||",
		"|a|b|\n|:-|-:|\n|*c*|`d\\|e`|\nf", "a\\|b|c\n-|-\n|",
		"[a *b](http://c) d*", "![a [b](http://c)](http://d)", "[![a](http://b)](http://c)", "[](<http://a.b>)",
		"[http://a.b](http://a.b/)", "[a](http://ä.b:80/ö?ü#(x))",
		"\\[a](b) \\# c", "```html\n<a href='b'>c</a><script>d()</script>\n```", "```diff\n+a\n-b\n```",
		"> # a\n> |b|\n> |-|\n> - [x] c", "||a\n\n> b|| c", "||\n- a\n||", "> ||a\n>\n> b||", "a||b||c|||d|||",
		"|||\n||\n|||", "[||a](http://b) c||", "**a ||b** c||", "> > a\n> b\nc", "404. a\n9. b", "1. a\n02. b",
		"東**「京」**都||x||", "|`a|b`|c|\n|-|-|\n| ||d|| |", "見http://a.b/（c）d@e.fg。", "http://[::1]:8/_a_ _http://b.c/_",
		`C:\_a \> b`, "^_^ *_* @_a_", " >\\+", "> \\# a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip("rooms refuse it")
		}
		out := HTML(s, nil)
		if out == "" {
			if !mayHaveFormat(s) && renderAll(s) != "" {
				t.Fatalf("the pre-check overlooked %q in %q", renderAll(s), s)
			}
			return
		}
		if len(out) > 16*len(s)+4096 {
			t.Errorf("%d bytes became %d", len(s), len(out))
		}
		shown := checkElements(t, out)
		// Exceptions: emoji and a fence's language are replaced, a link shows its host, a task
		// loses its x, and a row has no more cells than the table's head. In all other texts no
		// letter may be lost, added or moved.
		if !strings.ContainsAny(s, ":`~\x00") && !strings.Contains(out, "<table>") && !strings.Contains(out, "<input") {
			if got, want := letters(shown), letters(s); got != want {
				t.Errorf("letters of %q\n became %q", want, got)
			}
		}
		if policy().Sanitize(out) != out {
			t.Errorf("sanitising again changes %q", out)
		}
	})
}

// checkElements fails for unexpected elements and attributes, and for elements that are not closed
// in order. It returns the text.
func checkElements(t *testing.T, out string) string {
	t.Helper()
	var shown strings.Builder
	var open []string
	z := html.NewTokenizer(strings.NewReader(out))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("%v not closed in %q", open, out)
			}
			return shown.String()
		case html.TextToken:
			shown.WriteString(z.Token().Data)
		case html.StartTagToken:
			tok := z.Token()
			checkAttributes(t, tok)
			if !slices.Contains(void, tok.Data) {
				open = append(open, tok.Data)
			}
		case html.EndTagToken:
			tok := z.Token()
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> closes %v in %q", tok.Data, open, out)
			}
			open = open[:len(open)-1]
		default:
			t.Errorf("%v in %q", z.Token(), out)
		}
	}
}

func checkAttributes(t *testing.T, tok html.Token) {
	t.Helper()
	allowed, ok := allowedTags[tok.Data]
	if !ok {
		t.Errorf("element %v", tok)
	}
	for _, a := range tok.Attr {
		switch {
		case !strings.Contains(" "+strings.Join(allowed, " ")+" ", " "+a.Key+" "):
			t.Errorf("attribute in %v", tok)
		case a.Key == "href" && !allowedHref.MatchString(a.Val),
			a.Key == "class" && tok.Data == "code" && !languageClass.MatchString(a.Val),
			a.Key == "class" && tok.Data == "span" && !spanClass.MatchString(a.Val),
			a.Key == "align" && !alignment.MatchString(a.Val),
			a.Key == "type" && a.Val != "checkbox",
			a.Key == "rel" && a.Val != linkRel,
			a.Key == "target" && a.Val != "_blank":
			t.Errorf("value in %v", tok)
		}
	}
	if tok.Data == "a" && len(tok.Attr) != 3 {
		t.Errorf("a link needs href, target and rel: %v", tok)
	}
	if tok.Data == "input" && len(tok.Attr) < 2 || tok.Data == "span" && len(tok.Attr) != 1 {
		t.Errorf("attributes are missing: %v", tok)
	}
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, s)
}

package format

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

var (
	allowedHref = regexp.MustCompile(`^(https?://|mailto:)`)
	allowedTags = map[string][]string{ // and their attributes
		"p": nil, "br": nil, "strong": nil, "em": nil, "del": nil, "code": {"class"}, "pre": nil, "ul": nil,
		"ol": {"start"}, "li": nil, "blockquote": nil, "a": {"href", "target", "rel"},
	}
)

func FuzzHTML(f *testing.F) {
	for _, text := range hostile {
		f.Add(text(60))
	}
	for _, s := range []string{
		"**a** <script>alert(1)</script>", "> - 1. `a`\n~~b~~ :smile:", "```go\n<b>\n```", "*x* https://a.b/?\"<c>'", "- \n\n  a", "\t- a\n\t\t\tb",
		`\**a*\\`, "a\\\n*b*", "- a\n\n\n      b", "~~~\"x\ny", "1.\n2. a", "*\u202ea*", "*a*&amp;&lt;b", "*www.a.bc*", ":a::+1:",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip("rooms refuse it")
		}
		out := HTML(s)
		if out == "" {
			if !mayHaveFormat(s) && formatted(s) != "" {
				t.Fatalf("the pre-check overlooked %q in %q", formatted(s), s)
			}
			return
		}
		shown := checkElements(t, out)
		// Emoji and what stands beside a fence are no longer what was written;
		// of everything else no letter may be lost, made up or moved.
		if !strings.ContainsAny(s, ":`~\x00") {
			if got, want := letters(shown), letters(s); got != want {
				t.Errorf("letters of %q\n became %q", want, got)
			}
		}
		if policy().Sanitize(out) != out {
			t.Errorf("sanitising again changes %q", out)
		}
	})
}

// checkElements fails for any element or attribute beyond those promised and
// for elements that are not closed in order. It returns the text.
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
			if tok.Data != "br" {
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
			a.Key == "class" && !languageClass.MatchString(a.Val),
			a.Key == "rel" && a.Val != linkRel,
			a.Key == "target" && a.Val != "_blank":
			t.Errorf("value in %v", tok)
		}
	}
	if tok.Data == "a" && len(tok.Attr) != 3 {
		t.Errorf("a link needs href, target and rel: %v", tok)
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

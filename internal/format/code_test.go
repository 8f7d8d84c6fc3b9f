package format

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/dlclark/regexp2/v2"
	"golang.org/x/net/html"
)

func TestMain(m *testing.M) {
	maxMatch, maxColouring = 300*time.Millisecond, time.Hour // so that the tests pass on a busy machine
	os.Exit(m.Run())
}

// samples contain tokens of every class.
var samples = map[string]string{
	"go":         "package a // b\n\nfunc f(x int) string { return \"c\" + `d` }\n",
	"Python":     "@a\ndef f(x):\n    \"\"\"b\"\"\"\n    return len(x) + 1 # c\n",
	"js":         "const f = async (x) => `a${x}` + /b/.test(1); // c\n",
	"html":       "<!doctype html><a href=\"b\">c</a><script>let d = 1;</script><!-- e -->\n",
	"css":        ".a > b { color: #fff; margin: 1px } /* c */\n",
	"sh":         "#!/bin/sh\nfor i in $(ls); do echo \"$i\"; done # a\n",
	"sql":        "SELECT a, 'b' FROM c WHERE d = 1 -- e\n",
	"yaml":       "a: 1\nb:\n  - \"c\" # d\n",
	"json":       "{\"a\": [1, true, null, \"b\"]}\n",
	"diff":       "@@ -1 +1 @@\n-a\n+b\n",
	"rs":         "fn f<'a>(x: &'a str) -> u8 { println!(\"{x}\"); 1 }\n",
	"c++":        "#include <a>\nint main() { return 'b' + 1; } // c\n",
	"dockerfile": "FROM a:1\nRUN b\n",
	"toml":       "[a]\nb = 1 # c\n",
}

func TestCodeIsColouredAndStaysTheSame(t *testing.T) {
	seen := map[string]bool{}
	for language, code := range samples {
		t.Run(language, func(t *testing.T) {
			out := renderAll("```" + language + "\n" + code + "```")
			for _, class := range regexp.MustCompile(`<span class="(\w+)">`).FindAllStringSubmatch(out, -1) {
				seen[class[1]] = true
			}
			if got := checkElements(t, out); got != code || !strings.Contains(out, "<span") ||
				!strings.HasPrefix(out, `<pre><code class="language-`+language+`">`) {
				t.Errorf("%s\nshows %q", out, got)
			}
		})
	}
	for _, class := range tokenClasses {
		if !seen[class] || !spanClass.MatchString(class) {
			t.Errorf("no sample has shade %s, or it is not allowed", class)
		}
	}
}

func TestCodeStaysPlain(t *testing.T) {
	line := "x := 1\n"
	tests := map[string]struct{ language, code string }{
		"without a language":         {"", line},
		"in an unknown one":          {"parley", line},
		"in a lexer's that is there": {"brainfuck", "+[x]\n"},
		"if there is much of it":     {"go", strings.Repeat(line, maxCode/len(line)+1)},
		"if a line is endless":       {"go", "x := 1" + strings.Repeat("+1", maxCodeLine/2) + "\n"},
		"if a gap is endless":        {"yaml", "a: 1" + strings.Repeat("\n", maxBlank+1) + "b: 2\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if out := renderAll("```" + tt.language + "\n" + tt.code + "```"); strings.Contains(out, "<span") ||
				!strings.Contains(html.UnescapeString(out), tt.code) {
				t.Errorf("%.300s", out)
			}
		})
	}
}

func TestBoundIsThatOfAllCodeInAMessage(t *testing.T) {
	block := "```go\n" + strings.Repeat("x := 1\n", 300) + "```\n" // 2,100 bytes of code
	if n := strings.Count(renderAll(strings.Repeat(block, 5)), "<span"); n != 3*300 {
		t.Errorf("%d numbers are coloured, want those of 3 blocks of 5", n)
	}
}

func TestCodeStaysPlainWhenColouringTakesTooLong(t *testing.T) {
	t.Cleanup(func() { maxColouring = time.Hour })
	maxColouring = -1
	if got, want := renderAll("```go\nx := 1\n```"),
		`<pre><code class="language-go">x := 1`+"\n</code></pre>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Unterminated strings full of backslashes would take a lexer with look-behind practically for
// ever. Each of these returns.
func TestEveryMatchHasATimeOut(t *testing.T) {
	for fence, lexer := range knownLexers() {
		if _, err := lexer.Tokenise(nil, ""); err != nil {
			t.Errorf("%s: %v", fence, err)
		}
	}
	rules := chroma.CompiledRules{
		"root": {{Regexp: regexp2.MustCompile("a")}, {Regexp: regexp2.MustCompile("")}},
		"b":    {{Regexp: regexp2.MustCompile("c")}},
	}
	first, other := rules["root"][0], rules["b"][0]
	if err := (timeoutMutator{}).MutateLexer(rules, "root", 1); err != nil {
		t.Fatal(err)
	}
	if len(rules["root"]) != 1 || first.Regexp.MatchTimeout != maxMatch || other.Regexp.MatchTimeout != maxMatch {
		t.Errorf("%d rules, %v and %v", len(rules["root"]), first.Regexp.MatchTimeout, other.Regexp.MatchTimeout)
	}
	t.Cleanup(func() { maxColouring = time.Hour })
	maxColouring = time.Millisecond // no further matches after the one that gives up
	for _, language := range []string{"go", "yaml"} {
		code := `"` + strings.Repeat(`a\\\(`+"\n", 200)
		if out := renderAll("```" + language + "\n" + code + "```"); checkElements(t, out) != code {
			t.Errorf("%s: another code", language)
		}
	}
}

func TestEveryLanguageIsKnownByItsName(t *testing.T) {
	for _, name := range languages {
		lexer := knownLexers()[strings.ToLower(name)]
		if lexer == nil || lexer.Config().Name != name {
			t.Errorf("%s: %v", name, lexer)
		}
	}
	for fence, name := range map[string]string{
		"golang": "Go", "py": "Python", "ts": "TypeScript", "tsx": "TypeScript", "jsx": "JavaScript", "yml": "YAML",
		"sh": "Bash", "rb": "Ruby", "m": "Objective-C", "tf": "Terraform", "md": "",
	} {
		got := ""
		if lexer := knownLexers()[fence]; lexer != nil {
			got = lexer.Config().Name
		}
		if got != name {
			t.Errorf("%s is %q, want %q", fence, got, name)
		}
	}
}

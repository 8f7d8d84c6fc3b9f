package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestPlainPagesHaveThePagesDress compares the values of the pages that the server renders itself with the tokens of
// the page. Those pages load no other file, so they have copies.
func TestPlainPagesHaveThePagesDress(t *testing.T) {
	read := func(file, contrast string) (usual, more map[string]string) {
		css, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		before, after, found := strings.Cut(string(css), contrast)
		if !found {
			t.Fatalf("%s has no %s", file, contrast)
		}
		after, _, _ = strings.Cut(after, "}")
		return values(before), values(after)
	}
	tokens, contrastTokens := read("web/css/tokens.css", `:root[data-contrast="more"] {`)
	plain, contrastPlain := read("internal/httpdoor/plain_page.css", "@media (prefers-contrast: more) {\n  :root {")
	if len(plain) < 15 || len(contrastPlain) < 9 {
		t.Errorf("%d and %d values", len(plain), len(contrastPlain))
	}
	for name, value := range plain {
		if tokens[name] != value {
			t.Errorf("%s is %s, in tokens.css %s", name, value, tokens[name])
		}
		if more, differs := contrastTokens[name]; differs && contrastPlain[name] != more {
			t.Errorf("with high contrast %s is %s, in tokens.css %s", name, contrastPlain[name], more)
		}
	}
}

// values returns the custom properties of a style sheet.
func values(css string) map[string]string {
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s*(--[a-z-]+):\s*([^;]+);`).FindAllStringSubmatch(css, -1) {
		all[m[1]] = strings.Join(strings.Fields(m[2]), " ")
	}
	return all
}

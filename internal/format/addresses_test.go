package format

import (
	"regexp"
	"strings"
	"testing"
)

var linked = regexp.MustCompile(`<a href="([^"]*)"[^>]*>([^<]*)</a>`)

// Each text is tested alone and beside formatting: what is a link must not depend on that.
func TestAddressesWithoutMarkup(t *testing.T) {
	tests := []struct {
		text  string
		links []string // as they are typed
	}{
		// Where they end.
		{"见 https://example.org/a。", []string{"https://example.org/a"}},
		{"https://example.org/a（注）", []string{"https://example.org/a"}},
		{"https://example.org，谢谢", []string{"https://example.org"}},
		{"https://example.org谢谢", []string{"https://example.org"}},
		{"https://example.org吧。", []string{"https://example.org"}},
		{"https://例え.jp/日本", []string{"https://例え.jp/日本"}},
		{"https://go日本.example/x", []string{"https://go日本.example/x"}},
		{"https://ja.wikipedia.org/wiki/ジョン・スミス、", []string{"https://ja.wikipedia.org/wiki/ジョン・スミス"}},
		{"「www.example.org」", []string{"www.example.org"}},
		{"『https://example.org/a』です", []string{"https://example.org/a"}},
		{"انظر https://example.org/a، شكرا", []string{"https://example.org/a"}},
		{"https://example.org/a؟", []string{"https://example.org/a"}},
		{"देखो https://example.org/a। ठीक", []string{"https://example.org/a"}},
		{"“https://example.org/a”", []string{"https://example.org/a"}},
		{"«https://example.org/a»", []string{"https://example.org/a"}},
		{"‚https://example.org/a‘", []string{"https://example.org/a"}},
		{"https://example.org/a—see", []string{"https://example.org/a"}},
		{"https://example.org/a…", []string{"https://example.org/a"}},
		{"https://example.org/a, https://example.org/b. (https://example.org/c)", []string{
			"https://example.org/a", "https://example.org/b", "https://example.org/c",
		}},
		{"https://example.org/a_(b)", []string{"https://example.org/a_(b)"}},
		{"(https://example.org/a_(b))", []string{"https://example.org/a_(b)"}},
		{"[https://example.org/a]", []string{"https://example.org/a"}},
		{"{https://example.org/a}", []string{"https://example.org/a"}},
		{"https://example.org/?a[0]=1&b={c}", []string{"https://example.org/?a[0]=1&b={c}"}},
		{"https://example.org/a)b", []string{"https://example.org/a"}},
		{"<https://example.org/a>", []string{"https://example.org/a"}},
		{"https://example.org/a'", []string{"https://example.org/a"}},
		{"https://example.org:8080/a?b#c", []string{"https://example.org:8080/a?b#c"}},
		{"https://example.org:", []string{"https://example.org"}},
		{"https://example.org./a", []string{"https://example.org./a"}},
		{"https://example.org.", []string{"https://example.org"}},

		// Where they begin.
		{"see:https://example.org/a", []string{"https://example.org/a"}},
		{`"https://example.org/a"`, []string{"https://example.org/a"}},
		{"→https://example.org/a", []string{"https://example.org/a"}},
		{"url=https://example.org/a", []string{"https://example.org/a"}},
		{"请看https://example.org/a", []string{"https://example.org/a"}},
		{"見てhttps://example.org/a", []string{"https://example.org/a"}},
		{"ดูที่https://example.org/a", []string{"https://example.org/a"}},
		{"请看www.example.org", []string{"www.example.org"}},
		{"。https://example.org/a", []string{"https://example.org/a"}},
		{"😀https://example.org/a", []string{"https://example.org/a"}},
		{"xhttps://example.org/a", nil},
		{"éhttps://example.org/a", nil},
		{"7www.example.org a.www.example.org", nil},

		// Which there are.
		{"HTTPS://example.org/a Http://example.org", []string{"HTTPS://example.org/a", "Http://example.org"}},
		{"WWW.example.org Www.example.org:80/a", []string{"WWW.example.org", "Www.example.org:80/a"}},
		{"http://[::1]:8080/a http://[2001:db8::1]/", []string{"http://[::1]:8080/a", "http://[2001:db8::1]/"}},
		{"http://[::zz]/ http://[1]/", nil},
		{"ada@example.org, mailto:ada@example.org", []string{"ada@example.org", "mailto:ada@example.org"}},
		{"联系ada@example.org吧", []string{"ada@example.org"}},
		{"E-Mail:ada.l+x@example.org.", []string{"ada.l+x@example.org"}},
		{"<ada@example.org>", []string{"ada@example.org"}},
		{"@ada@example.org @ada ada@example a@", nil},
		{"http://localhost:8080/r/a", []string{"http://localhost:8080/r/a"}},
		{"ftp://example.org javascript:alert(1) http:// www. mailto: ://", nil},
		{"https://ada@example.org https://ada:b@example.org", nil},

		// Underscores and asterisks within belong to them.
		{"Docs:https://example.org/__init__.py", []string{"https://example.org/__init__.py"}},
		{"https://example.org/_a_/*b*/c", []string{"https://example.org/_a_/*b*/c"}},
		{"https://example.org/a_ https://example.org/__init__", []string{
			"https://example.org/a_", "https://example.org/__init__",
		}},
		{"https://example.org/~ada/~~b~~c", []string{"https://example.org/~ada/~~b~~c"}},
		{"www.example.org/a_b_c", []string{"www.example.org/a_b_c"}},
		{"snake_case@example.org", []string{"snake_case@example.org"}},
		{"||https://example.org/a||", []string{"https://example.org/a"}},
		{"`https://example.org/a` `ada@example.org`", nil},
	}
	for _, tt := range tests {
		for _, text := range []string{tt.text, "**x** " + tt.text, tt.text + " `y`"} {
			var got []string
			for _, m := range linked.FindAllStringSubmatch(HTML(text, nil), -1) {
				got = append(got, strings.ReplaceAll(m[2], "&amp;", "&"))
			}
			if strings.Join(got, "\n") != strings.Join(tt.links, "\n") {
				t.Errorf("%q: links %q, want %q\n%s", text, got, tt.links, HTML(text, nil))
			}
		}
	}
}

func TestEmphasisAroundAddresses(t *testing.T) {
	link := func(s string) string { return `<a href="` + s + `"` + leaves + s + "</a>" }
	checkHTML(t, map[string]struct{ text, want string }{
		"bold":       {"**https://example.org/a**", "<p><strong>" + link("https://example.org/a") + "</strong></p>"},
		"italic":     {"_https://example.org/a_", "<p><em>" + link("https://example.org/a") + "</em></p>"},
		"struck":     {"~~https://example.org/a~~", "<p><del>" + link("https://example.org/a") + "</del></p>"},
		"a sentence": {"*see https://example.org/a*.", "<p><em>see " + link("https://example.org/a") + "</em>.</p>"},
		"host":       {"**https://e.org**text", "<p><strong>" + link("https://e.org") + "</strong>text</p>"},
		"capitals": {
			"HTTPS://Example.org/A", `<p><a href="https://example.org/A"` + leaves + "HTTPS://Example.org/A</a></p>",
		},
		"IPv6, named": {
			"[a](http://[::1]:80/)",
			`<p><a href="http://[::1]:80/"` + leaves + `a</a><span class="host"> ([::1]:80)</span></p>`,
		},
		"mail alone": {"ada@example.org", `<p><a href="mailto:ada@example.org"` + leaves + "ada@example.org</a></p>"},
	})
}

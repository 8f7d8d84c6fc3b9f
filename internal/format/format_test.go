package format

import (
	"strings"
	"sync"
	"testing"
)

func TestHTML(t *testing.T) {
	const rel = ` target="_blank" rel="nofollow noopener noreferrer"`
	tests := map[string]struct{ text, want string }{
		// Nothing to format.
		"plain":                 {"Hello, world", ""},
		"two lines":             {"one\ntwo", ""},
		"two paragraphs":        {"one\n\ntwo", ""},
		"time":                  {"at 10:30:45, or 10:100:45", ""},
		"snake case":            {"call foo_bar_baz", ""},
		"product":               {"2 * 3 * 4", ""},
		"about":                 {"~5 km, ~6 km, ~7~", ""},
		"shrug":                 {`¯\_(ツ)_/¯`, ""},
		"Windows path":          {`C:\new\table and C:\`, ""},
		"minus alone":           {"-", ""},
		"plus alone":            {"+", ""},
		"quote sign alone":      {">", ""},
		"fence alone":           {"```", ""},
		"scope":                 {"std::x::y", ""},
		"unknown emoji":         {":nothing_of_that_name:", ""},
		"emoji of one company":  {":octocat:", ""},
		"emoji in a word":       {"a:smile:b", ""},
		"underlined heading":    {"not a heading\n=====", ""},
		"thematic break":        {"---", ""},
		"stars":                 {"***", ""},
		"number sign alone":     {"#", ""},
		"tag, number":           {"#parley is #1", ""},
		"seven number signs":    {"####### a", ""},
		"bars":                  {"a | b || c", ""},
		"expression":            {"if a || b || c { f(x)||g() }", ""},
		"brackets":              {"[a] [[b]] ![c] [x](y) a[i](x)", ""},
		"indented":              {"    four spaces\n\ttab", ""},
		"entity":                {"&lt;b&gt; &amp; &#60;", ""},
		"HTML":                  {"<b>bold</b><script>alert(1)</script>", ""},
		"backslash at line end": {"a\\\nb", ""},
		"empty":                 {"", ""},

		// Formatting.
		"strong":              {"Hello, **world**", "<p>Hello, <strong>world</strong></p>"},
		"em":                  {"*a* and _b_", "<p><em>a</em> and <em>b</em></p>"},
		"both":                {"***a***", "<p><em><strong>a</strong></em></p>"},
		"struck":              {"~~a~~", "<p><del>a</del></p>"},
		"code":                {"`<b> & **x**`", "<p><code>&lt;b&gt; &amp; **x**</code></p>"},
		"code with backticks": {"`` a`b ``", "<p><code>a`b</code></p>"},
		"breaks":              {"**a**\nb  \nc\\\nd", `<p><strong>a</strong><br>b<br>c\<br>d</p>`},
		"CRLF":                {"**a**\r\nb\rc", "<p><strong>a</strong><br>b<br>c</p>"},
		"fenced": {
			"```go\nx := 1 < 2\n\n\ty()\n```",
			"<pre><code class=\"language-go\">x := <span class=\"m\">1</span> &lt; <span " +
				"class=\"m\">2</span>\n\n\t<span class=\"nf\">y</span>()\n</code></pre>",
		},
		"fenced, C++":         {"~~~c++\nx\n~~~", "<pre><code class=\"language-c++\">x\n</code></pre>"},
		"fenced, open":        {"```\nx", "<pre><code>x\n</code></pre>"},
		"fenced, no language": {"```some words\nx\n```", "<pre><code>some words\nx\n</code></pre>"},
		"fenced, hostile":     {"```\"onload=x\nx\n```", "<pre><code>&#34;onload=x\nx\n</code></pre>"},
		"list":                {"- a\n- b", "<ul><li>a</li><li>b</li></ul>"},
		"list after text":     {"both:\n* a\n* b", "<p>both:</p><ul><li>a</li><li>b</li></ul>"},
		"nested list":         {"- a\n  - b", "<ul><li>a<ul><li>b</li></ul></li></ul>"},
		"ordered list":        {"1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"},
		"ordered from 7":      {"7) a", `<ol start="7"><li>a</li></ol>`},
		"loose list":          {"- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"},
		"quote":               {"> a\n> b\n\nc", "<blockquote><p>a<br>b</p></blockquote><p>c</p>"},
		"emoji":               {"good :+1: :smile::heart:", "<p>good 👍 😄❤️</p>"},
		"escaped":             {`\*not em\* \:smile: \\`, `<p>*not em* :smile: \\</p>`},
		"shrug and more":      {`**so** ¯\_(ツ)_/¯`, `<p><strong>so</strong> ¯\_(ツ)_/¯</p>`},
		"address in strong": {
			"**https://example.org/a**",
			`<p><strong><a href="https://example.org/a"` + rel + `>https://example.org/a</a></strong></p>`,
		},
		"address, local": {
			"`x` http://localhost:8080/r/lobby.",
			`<p><code>x</code> <a href="http://localhost:8080/r/lobby"` + rel +
				`>http://localhost:8080/r/lobby</a>.</p>`,
		},
		"address, mail": {
			"*x* a@b.example mailto:c@d.example",
			`<p><em>x</em> <a href="mailto:a@b.example"` + rel + `>a@b.example</a> <a href="mailto:c@d.example"` + rel +
				`>mailto:c@d.example</a></p>`,
		},
		"address, ampersand": {
			"*x* https://e.org/?a=1&b=2",
			`<p><em>x</em> <a href="https://e.org/?a=1&amp;b=2"` + rel + `>https://e.org/?a=1&amp;b=2</a></p>`,
		},
		"address, no port": {"*x* http://e.org:A", "<p><em>x</em> http://e.org:A</p>"},
		"address alone": {
			"https://e.org/a_b_c?x=1",
			`<p><a href="https://e.org/a_b_c?x=1"` + rel + `>https://e.org/a_b_c?x=1</a></p>`,
		},
		"address, angles": {
			"<https://e.org>", `<p>&lt;<a href="https://e.org"` + rel + `>https://e.org</a>&gt;</p>`,
		},
		"address, quoted": {
			"„https://e.org/a_b“, \"http://e.org\".",
			`<p>„<a href="https://e.org/a_b"` + rel + `>https://e.org/a_b</a>“, &#34;<a href="http://e.org"` + rel +
				`>http://e.org</a>&#34;.</p>`,
		},
		"address, colon": {
			"see:https://e.org/(a))", `<p>see:<a href="https://e.org/(a)"` + rel + `>https://e.org/(a)</a>)</p>`,
		},
		"address, lines": {
			"one\nhttps://e.org\n\ntwo", `<p>one<br><a href="https://e.org"` + rel + `>https://e.org</a></p><p>two</p>`,
		},
		"address, www": {
			"www.e.org/a, (www.e.org) xwww.e.org www.",
			`<p><a href="https://www.e.org/a"` + rel + `>www.e.org/a</a>, (<a href="https://www.e.org"` + rel +
				`>www.e.org</a>) xwww.e.org www.</p>`,
		},
		"address in code": {"`https://e.org`", `<p><code>https://e.org</code></p>`},
		"reference": {
			"[a]: https://e.org\n\n[a]", `<p>[a]: <a href="https://e.org"` + rel + `>https://e.org</a></p><p>[a]</p>`,
		},
		"no address": {
			"*a* xhttps://e.org https:// http://. ://e.org",
			`<p><em>a</em> xhttps://e.org https:// http://. ://e.org</p>`,
		},
		"right to left":       {"**שלום** עולם", "<p><strong>שלום</strong> עולם</p>"},
		"indented in list":    {"- a\n\n      b", "<ul><li><p>a</p><p>b</p></li></ul>"},
		"paragraph, indented": {"    a **b**", "<p>a <strong>b</strong></p>"},

		"headings": {
			"# a\n## b #\n### c\n#### d\n##### e\n###### f",
			"<h3>a</h3><h4>b</h4><h5>c</h5><h6>d</h6><h6>e</h6><h6>f</h6>",
		},
		"headings, leaping": {
			"### a\n###### b\n# c\n### d\n## e", "<h3>a</h3><h4>b</h4><h3>c</h3><h4>d</h4><h4>e</h4>",
		},
		"heading after text": {"a\n# *b*\nc", "<p>a</p><h3><em>b</em></h3><p>c</p>"},
		"heading of nothing": {"**a**\n##", "<p><strong>a</strong></p><p>##</p>"},
		"heading, escaped":   {"\\# a", "<p># a</p>"},
		"rule, escaped":      {"a\n\\---", "<p>a<br>---</p>"},
		"heading, escaped mid": {
			"*a*\n> \\## b\n\nc \\# d", `<p><em>a</em></p><blockquote><p>## b</p></blockquote><p>c \# d</p>`,
		},
		"rule":          {"a\n---\nb", "<p>a</p><hr><p>b</p>"},
		"rule of stars": {"a\n\n* * *\nb", "<p>a</p><hr><p>b</p>"},
		"tasks": {
			"- [ ] a\n- [x] b\n- [X] **c**",
			`<ul><li><input type="checkbox" disabled=""> a</li><li><input type="checkbox" disabled="" checked=""> ` +
				`b</li><li><input type="checkbox" disabled="" checked=""> <strong>c</strong></li></ul>`,
		},
		"task, loose": {
			"1. [ ] a\n\n   b", `<ol><li><p><input type="checkbox" disabled=""> a</p><p>b</p></li></ol>`,
		},
		"no tasks": {
			"- [x](y) a\n- [ ]\n- a [ ] b\n- [y] c",
			"<ul><li>[x](y) a</li><li>[ ]</li><li>a [ ] b</li><li>[y] c</li></ul>",
		},
		"spoiler": {"he ||*dies*|| then", `<p>he <span class="spoiler"><em>dies</em></span> then</p>`},
		"spoilers": {
			"||a||, ||`b`|| (||c||)",
			`<p><span class="spoiler">a</span>, <span class="spoiler"><code>b</code></span> (<span ` +
				`class="spoiler">c</span>)</p>`,
		},
		"spoiler, lines":     {"||a\nb||", `<p><span class="spoiler">a<br>b</span></p>`},
		"spoiler in strong":  {"**||a||**", `<p><strong><span class="spoiler">a</span></strong></p>`},
		"spoiler within one": {"||a (||b||) c||", `<p><span class="spoiler">a (b) c</span></p>`},
		"spoiler, open":      {"||a *b*", "<p>||a <em>b</em></p>"},
		"spoiler, escaped":   {`\||a|| and \|\|b\|\|`, "<p>||a|| and ||b||</p>"},
		"three bars":         {"|||a||| *b*", `<p><span class="spoiler">|a|</span> <em>b</em></p>`},
		"four bars":          {"||||a|||| *b*", "<p>||||a|||| <em>b</em></p>"},
	}
	checkHTML(t, tests)
}

// Each text has formatting, so that it reaches the parser and the page. Its attack must not be in
// the output.
func TestHostileTextStaysText(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"script": {
			"**x** <script>alert(1)</script>", "<p><strong>x</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>",
		},
		"handler": {
			"**<img src=x onerror=alert(1)>**", "<p><strong>&lt;img src=x onerror=alert(1)&gt;</strong></p>",
		},
		"entities": {
			"**x** &lt;script&gt; &#x3c;b&#x3e;",
			"<p><strong>x</strong> &amp;lt;script&amp;gt; &amp;#x3c;b&amp;#x3e;</p>",
		},
		"escaped bracket": {`**x** \<b>`, `<p><strong>x</strong> \&lt;b&gt;</p>`},
		"javascript":      {"**x** javascript:alert(1)", "<p><strong>x</strong> javascript:alert(1)</p>"},
		"named":           {"**x** [a](javascript:alert(1))", "<p><strong>x</strong> [a](javascript:alert(1))</p>"},
		"attribute in list": {
			"- [x] <input onfocus=x>",
			`<ul><li><input type="checkbox" disabled="" checked=""> &lt;input onfocus=x&gt;</li></ul>`,
		},
		"markup in code": {
			"```html\n<b class=\"k\">\n```",
			"<pre><code class=\"language-html\">&lt;<span class=\"nt\">b</span> <span " +
				"class=\"na\">class</span>=<span class=\"s\">&#34;k&#34;</span>&gt;\n</code></pre>",
		},
		"auto link": {"**x** <javascript:alert(1)>", "<p><strong>x</strong> &lt;javascript:alert(1)&gt;</p>"},
		"data":      {"**x** data:text/html,<b>", "<p><strong>x</strong> data:text/html,&lt;b&gt;</p>"},
		"quote in address": {
			`**x** https://e.org/"onclick="alert(1)`,
			`<p><strong>x</strong> <a href="https://e.org/" target="_blank" rel="nofollow noopener ` +
				`noreferrer">https://e.org/</a>&#34;onclick=&#34;alert(1)</p>`,
		},
		"bidi in address": {
			"**x** https://e.org/\u202egro.knab",
			"<p><strong>x</strong> <a href=\"https://e.org/\" target=\"_blank\" rel=\"nofollow noopener " +
				"noreferrer\">https://e.org/</a>\u202egro.knab</p>",
		},
		"comment": {"**x** <!-- <b> -->", "<p><strong>x</strong> &lt;!-- &lt;b&gt; --&gt;</p>"},
		"cdata":   {"**x** <![CDATA[ <b> ]]>", "<p><strong>x</strong> &lt;![CDATA[ &lt;b&gt; ]]&gt;</p>"},
		"zero":    {"**x**\x00<b>", "<p><strong>x</strong>\uFFFD&lt;b&gt;</p>"},
		"style": {
			"**x** <style>*{display:none}</style>",
			"<p><strong>x</strong> &lt;style&gt;*{display:none}&lt;/style&gt;</p>",
		},
	}
	checkHTML(t, tests)
}

func checkHTML(t *testing.T, tests map[string]struct{ text, want string }) {
	t.Helper()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := HTML(tt.text, nil); got != tt.want {
				t.Errorf("HTML(%q)\n got %s\nwant %s", tt.text, got, tt.want)
			}
		})
	}
}

func TestSeveralGoroutinesFormatAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got, want := renderAll("**a** :smile: `b`"),
					"<p><strong>a</strong> 😄 <code>b</code></p>"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	wg.Wait()
}

// The cost of most messages, which are plain.
func BenchmarkPlain(b *testing.B) {
	for name, text := range map[string]string{
		"70 bytes":   "Shall we meet at 10:30 in front of the station? The map is there",
		"4000 bytes": strings.Repeat("Shall we meet there? ", 190),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				HTML(text, nil)
			}
		})
	}
}

func BenchmarkFormatted(b *testing.B) {
	for name, text := range map[string]string{
		"strong": "Shall we meet at **10:30** in front of the station?",
		"bare":   "Shall we meet at 10:30 in front of the station? https://example.org/map",
		"link":   "Shall we meet [at the station](https://example.org/map)?",
		"table":  "| a | b |\n|---|--:|\n" + strings.Repeat("| some | 1234 |\n", 10),
		"code":   "```go\nfor i := range 10 {\n\tfmt.Println(i)\n}\n```",
	} {
		b.Run(name+", new", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				renderAll(text)
			}
		})
		b.Run(name+", again", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				HTML(text, nil)
			}
		})
	}
}

package format

import (
	"strings"
	"testing"
)

// In chat, people write faster than Markdown's rules are learned: what is no markup to them stays as it is.
func TestChatComesBeforeTheLetterOfMarkdown(t *testing.T) {
	checkHTML(t, map[string]struct{ text, want string }{
		"face, quote":           {">_<", ""},
		"comparison":            {">= 5", ""},
		"three signs":           {">>> x", ""},
		"two signs":             {">> x", ""},
		"quote without a space": {">x", ""},
		"line after a quote":    {"> a\nb", "<blockquote><p>a</p></blockquote><p>b</p>"},
		"list after a quote":    {"> a\n- b", "<blockquote><p>a</p></blockquote><ul><li>b</li></ul>"},
		"line after a list in":  {"> - a\nb", "<blockquote><ul><li>a</li></ul></blockquote><p>b</p>"},
		"quote in a list":       {"- > a\n  b", "<ul><li><blockquote><p>a</p></blockquote>b</li></ul>"},
		"paragraphs of a quote": {"> a\n>\n> b", "<blockquote><p>a</p><p>b</p></blockquote>"},
		"outer quote": {
			"> > a\n> b\nc",
			"<blockquote><blockquote><p>a</p></blockquote><p>b</p></blockquote><p>c</p>",
		},
		"escaped quote":         {`\> 3`, "<p>&gt; 3</p>"},
		"escaped item":          {`\- a`, "<p>- a</p>"},
		"dunder":                {"__init__", ""},
		"dunder and more":       {"__a__ ___b___ **c**", "<p>__a__ ___b___ <strong>c</strong></p>"},
		"product":               {"2*3*4", ""},
		"power":                 {"x**2 + y**2 and 2**3**4", ""},
		"powers of a function":  {"f(x)**2 + g(x)**2, f(x)**y + g(x)**z", ""},
		"after a sentence":      {"Done.**Next**", "<p>Done.<strong>Next</strong></p>"},
		"letters":               {"a*b*c", ""},
		"pointers":              {"char *a, *b", ""},
		"files":                 {"src/*.js test/*.js *.*", ""},
		"arguments":             {"*args, **kwargs", ""},
		"path":                  {`D:\_work`, ""},
		"path, long":            {`C:\Users\Ada\Documents\a\rather\long\path\_work\*.txt`, ""},
		"path, relative":        {`.\_work ..\_work %TEMP%\_x \\host\_share`, ""},
		"path and more":         {"**x** D:\\_work (D:\\_a)", `<p><strong>x</strong> D:\_work (D:\_a)</p>`},
		"escaped, no path":      {`snake\_case a:\_b\_`, `<p>snake_case a:\_b\_</p>`},
		"faces":                 {"^_^ *_*", ""},
		"same face twice":       {"^_^ and ^_^, -_- -_-, >_< >_<, ;_; ;_; *-* *-*", ""},
		"face and emphasis":     {"*_* is *nice*", "<p>*_* is <em>nice</em></p>"},
		"name with underscores": {"@_neo_ is @_neo_", ""},
		"star within a word":    {"*foo*bar", "<p><em>foo</em>bar</p>"},
		"stars within a word":   {"foo**bar**baz", "<p>foo<strong>bar</strong>baz</p>"},
		"colon within":          {"**Note:**text", "<p><strong>Note:</strong>text</p>"},
		"code and colon":        {"**`a`:**text", "<p><strong><code>a</code>:</strong>text</p>"},
		"in brackets":           {"(**a**)b (*a*)", "<p>(<strong>a</strong>)b (<em>a</em>)</p>"},
		"number of an error":    {"404. not found", `<ol start="404"><li>not found</li></ol>`},
		"year":                  {"1986. What", `<ol start="1986"><li>What</li></ol>`},
		"zero":                  {"0. a", `<ol start="0"><li>a</li></ol>`},
		"zeros before it":       {"007. Bond", ""},
		"zeros in a list":       {"1. a\n02. b", "<ol><li>a<br>02. b</li></ol>"},
		"numbers as typed": {
			"404. a\n500. b\n501. c",
			`<ol start="404"><li>a</li><li value="500">b</li><li>c</li></ol>`,
		},
		"numbers all the same": {"1. a\n1. b\n1. c", "<ol><li>a</li><li>b</li><li>c</li></ol>"},
		"numbers of two levels": {
			"2. a\n   1. b\n   9. c\n3. d",
			`<ol start="2"><li>a<ol><li>b</li><li value="9">c</li></ol></li><li>d</li></ol>`,
		},
		"number after a text": {"Errors:\n404. not found", ""},
		"shrug beside a path": {`¯\_(ツ)_/¯ D:\_x`, ""},
		"emphasis still": {
			"_a_ *b* **c** ***d***",
			"<p><em>a</em> <em>b</em> <strong>c</strong> <em><strong>d</strong></em></p>",
		},
		"emphasis and punctuation": {"*a*, (_b_). **c**!", "<p><em>a</em>, (<em>b</em>). <strong>c</strong>!</p>"},
	})
}

// The cases are of the CJK-friendly amendment to CommonMark, and of other scripts without spaces.
func TestEmphasisBesideScriptsWithoutSpaces(t *testing.T) {
	bold := func(before, text, after string) struct{ text, want string } {
		return struct{ text, want string }{
			before + "**" + text + "**" + after, "<p>" + before + "<strong>" + text + "</strong>" + after + "</p>",
		}
	}
	checkHTML(t, map[string]struct{ text, want string }{
		"Japanese quotes":   bold("これは", "「重要」", "です"),
		"Japanese stop":     bold("", "このアスタリスクは強調記号です。", "この文"),
		"Japanese brackets": bold("テスト", "（注）", "文"),
		"Chinese colon":     bold("", "项目：", "说明"),
		"Japanese colon":    bold("", "項目：", "説明"),
		"Chinese quotes":    bold("他说", "“重要”", "的"),
		"Chinese title":     bold("", "《书名》", "很好"),
		"ASCII brackets":    bold("", "中文(English)", "中文"),
		"Korean":            bold("한국어", "(강조)", "입니다"),
		"Thai":              bold("นี่คือ", "(สำคัญ)", "มาก"),
		"half width":        bold("ﾃｽﾄ", "｢重要｣", "です"),
		"two of them": {
			"**「A」**なので**「B」**", "<p><strong>「A」</strong>なので<strong>「B」</strong></p>",
		},
		"beside Latin": {"**中文**English**中文**", "<p><strong>中文</strong>English<strong>中文</strong></p>"},
		"italic":       {"これは*重要*です", "<p>これは<em>重要</em>です</p>"},
		"struck":       {"これは~~「重要」~~です", "<p>これは<del>「重要」</del>です</p>"},
		"underscores":  {"これは_重要_です", ""},
		"with a link": {
			"**[社区](https://e.org/)**（community）",
			`<p><strong><a href="https://e.org/"` + leaves + `社区</a><span class="host"> (e.org)</span></strong>` +
				`（community）</p>`,
		},
		"emoji is no CJK": {"**a😀**b", ""},
	})
}

func TestSpoilerHidesWhateverStandsBesideIt(t *testing.T) {
	const open, end = `<span class="spoiler">`, "</span>"
	checkHTML(t, map[string]struct{ text, want string }{
		"Japanese":          {"犯人は||執事||です", "<p>犯人は" + open + "執事" + end + "です</p>"},
		"Japanese quotes":   {"||「執事」||です", "<p>" + open + "「執事」" + end + "です</p>"},
		"Thai":              {"คือ||พ่อบ้าน||ครับ", "<p>คือ" + open + "พ่อบ้าน" + end + "ครับ</p>"},
		"Arabic":            {"هو||القاتل||هنا", "<p>هو" + open + "القاتل" + end + "هنا</p>"},
		"English":           {"the ||butler||s did it", "<p>the " + open + "butler" + end + "s did it</p>"},
		"letters":           {"a||b||c", "<p>a" + open + "b" + end + "c</p>"},
		"digits":            {"1||2||3||4||5", "<p>1" + open + "2" + end + "3" + open + "4" + end + "5</p>"},
		"code":              {"`a||b||c`", "<p><code>a||b||c</code></p>"},
		"fence":             {"```\na||b||c\n```", "<pre><code>a||b||c\n</code></pre>"},
		"space within":      {"||secret ||and more", "<p>" + open + "secret " + end + "and more</p>"},
		"spaces both sides": {"a || b || c", ""},
		"bar within":        {"|||x|||", "<p>" + open + "|x|" + end + "</p>"},
		"crossing emphasis": {"**a ||b** c|| d", "<p>**a " + open + "b** c" + end + " d</p>"},
		"crossing link": {
			"[||a](https://e.org) b||",
			"<p>[" + open + `a](<a href="https://e.org"` + leaves + "https://e.org</a>) b" + end + "</p>",
		},
		"lines": {"> ||a\n> b||", "<blockquote><p>" + open + "a<br>b" + end + "</p></blockquote>"},
		"in a table": {
			"|a|b|\n|-|-|\n| ||x|| |y|",
			"<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>" + open + "x" + end + "</td><td>" +
				"y</td></tr></tbody></table>",
		},
		"empty cells": {
			"|a||b|\n|-|-|-|\n|c||d|",
			"<table><thead><tr><th>a</th><th></th><th>b</th></tr></thead><tbody><tr><td>c</td><td></td><td>" +
				"d</td></tr></tbody></table>",
		},

		"block": {"||\none\n\ntwo\n||\nafter", open + "<p>one</p><p>two</p>" + end + "<p>after</p>"},
		"block after text": {
			"before\n||\n- a\n- b\n||",
			"<p>before</p>" + open + "<ul><li>a</li><li>b</li></ul>" + end,
		},
		"block with bars":      {"||\n|x|\n||", open + "<p>|x|</p>" + end},
		"block of more bars":   {"|||\n||\nx\n|||", open + "<p>||<br>x</p>" + end},
		"block with code":      {"||\n```\na\n```\n||", open + "<pre><code>a\n</code></pre>" + end},
		"block in a quote":     {"> ||\n> a\n> ||", "<blockquote>" + open + "<p>a</p>" + end + "</blockquote>"},
		"block, open":          {"||\n**a**", "<p>||<br><strong>a</strong></p>"},
		"block with a spoiler": {"|||\na ||b||\n|||", open + "<p>a b</p>" + end},
		"paragraphs":           {"||one\n\ntwo|| tail", open + "<p>one</p><p>two</p>" + end + "<p>tail</p>"},
		"paragraphs, middle":   {"text ||one\n\ntwo||", "<p>text</p>" + open + "<p>one</p><p>two</p>" + end},
		"list":                 {"||- a\n- b||", open + "<ul><li>a</li><li>b</li></ul>" + end},
		"paragraphs, quoted": {
			"> ||a\n>\n> b||",
			"<blockquote>" + open + "<p>a</p><p>b</p>" + end + "</blockquote>",
		},
		"not across code": {"```\n||a\n\nb||\n```", "<pre><code>||a\n\nb||\n</code></pre>"},
		"two of them": {
			"||a\n\nb|| and ||c\n\nd||",
			open + "<p>a</p><p>b</p>" + end + "<p>and</p>" + open + "<p>c</p><p>d</p>" + end,
		},
	})
}

// What is not formatted, because it is too complex or because there is no time left, spoils nothing either.
func TestSpoilersHideWithoutOtherFormatting(t *testing.T) {
	many := strings.Repeat("> ", 20)
	tests := map[string]struct{ text, want string }{
		"too complex": {
			many + "||a\nb|| <c>",
			"<p>" + strings.Repeat("&gt; ", 20) + `<span class="spoiler">a<br>b</span> &lt;c&gt;</p>`,
		},
		"nothing hidden": {many + "a || b || c ||||", ""},
		"no bars":        {many + "**a**", ""},
	}
	checkHTML(t, tests)
	text := "**a** ||no time left for this||"
	want := `<p>**a** <span class="spoiler">no time left for this</span></p>`
	if got := HTML(text, &Budget{}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := HTML(text, nil); !strings.Contains(got, "<strong>") {
		t.Errorf("it stays so when there is time: %s", got)
	}
}

func TestNoCellIsLost(t *testing.T) {
	table := func(head, row string) string {
		cells := func(tag, s string) string {
			return "<tr><" + tag + ">" + strings.ReplaceAll(s, " / ", "</"+tag+"><"+tag+">") + "</" + tag + "></tr>"
		}
		return "<table><thead>" + cells("th", head) + "</thead><tbody>" + cells("td", row) + "</tbody></table>"
	}
	checkHTML(t, map[string]struct{ text, want string }{
		"bar in code":        {"a | b\n-|-\n| `x|y` | keep me |", table("a / b", "<code>x|y</code> / keep me")},
		"bar in a head":      {"| `x|y` | b |\n|-|-|\n| 1 | 2 |", table("<code>x|y</code> / b", "1 / 2")},
		"two backticks":      {"a|b\n-|-\n``x`|`y``|2", table("a / b", "<code>x`|`y</code> / 2")},
		"one backtick":       {"a|b\n-|-\nx`|y", table("a / b", "x` / y")},
		"more than the head": {"a|b\n-|-\n1|2|3|4", table("a / b", "1 / 2 / 3 / 4")},
		"escaped bar":        {"a|b\n-|-\n1\\|2|3", table("a / b", "1|2 / 3")},
	})
}

package search

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for word, want := range map[string]string{
		"hello": "hello", "HELLO": "hello", "Müller": "muller", "naïve": "naive", "e\u0301": "e", "Straße": "strasse",
		"ẞ":        "ss",
		"İstanbul": "istanbul", "ısı": "isi", "Łódź": "lodz", "smørrebrød": "smorrebrod", "æther": "aether",
		"ﬁsh": "fish", "Ａｄａ": "ada", "Ёлка": "елка",
		"ΛΌΓΟΣ": "λογοσ", "λόγος": "λογοσ", "Việt": "viet", "שָׁלוֹם": "שלום", "مُحَمَّد": "محمد", "हिन्दी": "हिन्दी",
		"مـــرحـبا": "مرحبا", "مـَرْحـَـبًا": "مرحبا", "أحمد": "احمد", "إسلام": "اسلام",
		"آسيا": "اسيا", "ٱلله": "الله", "على": "علي", "مدرسة": "مدرسه", "کتاب": "كتاب",
		"فارسی": "فارسي", "ﻣﺮﺣﺒﺎ": "مرحبا", "٢٠٢٦": "2026", "۲۰۲۶": "2026", "२०२६": "2026",
		"２０２６": "2026", "בְּרֵאשִׁית": "בראשית", "ﬡ": "א", "ज\u093cमीन": "जमीन",
		"می\u200cخواهم": "ميخواهم",
		"ܫܠܡܐ":          "ܫܠܡܐ", "ܫܠܳܡܳܐ": "ܫܠܡܐ", "ο\u0313\u0301": "ο",
		"ガ": "ガ", "ｶﾞ": "ガ", "カ\u3099": "ガ", "회": "회",
		strings.Repeat("a", 50): strings.Repeat("a", 40), strings.Repeat("я", 30): strings.Repeat("я", 20),
		strings.Repeat("東", 20): strings.Repeat("東", 13),
	} {
		if got := fold(word); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]string{
		"Hello, world!":         "hello world",
		"don't e-mail 3.14":     "don t e mail 3 14",
		"東京タワー":                 "東京タワー",
		"iPhoneを買う":             "iphone を買う",
		"東京 tower東京":            "東京 tower 東京",
		"ニューヨーク・タイムズ":           "ニューヨーク タイムズ",
		"ﾆｭｰﾖｰｸ":                "ニューヨーク",
		"ภาษาไทย":               "ภาษาไทย",
		"한국어":                   "한국어",
		"👍🏽 ❤\ufe0f ok":         "👍 ❤ ok",
		"soft\u00adhyphen":      "softhyphen",
		"नमस्ते दुनिया":         "नमस्ते दुनिया",
		"a\u0301\u0302\u0303 b": "a b",
		"\u0301 x":              "x",
		"½ ² Ⅳ":                 "1⁄2 2 iv",
		"":                      "",
	} {
		var b strings.Builder
		for i, u := range appendUnits(nil, text) {
			if i > 0 && !u.joined {
				b.WriteString(" ")
			}
			b.WriteString(u.text)
		}
		if b.String() != want {
			t.Errorf("%s: %q, want %q", text, b.String(), want)
		}
	}
}

// Units are in order, do not overlap, and contain no character of FTS5's query language.
func TestUnitsAreOrdered(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.String().Draw(r, "text")
		end := 0
		for _, u := range appendUnits(nil, text) {
			if u.start < end || u.end <= u.start || u.end > utf8.RuneCountInString(text) {
				t.Errorf("%q: %+v", text, u)
			}
			if u.text == "" || len(u.text) > maxWord || strings.ContainsAny(u.text, " \":*\x00") ||
				!utf8.ValidString(u.text) {
				t.Errorf("%q: %+v", text, u)
			}
			end = u.end
		}
	})
}

func TestMatchesAreMarkedInCodePoints(t *testing.T) {
	for _, tt := range []struct{ query, text, want string }{
		{"world", "Hello, World!", "Hello, [World]!"},
		{"muller", "Grüße, Mu\u0308ller 👩‍👩‍👧 MÜLLER", "Grüße, [Mu\u0308ller] 👩‍👩‍👧 [MÜLLER]"},
		{"pars*", "parse the parser", "[parse] the [parser]"},
		{`"the parser"`, "the best, the parser", "the best, [the parser]"},
		{"東京", "東京都と京東と東京", "[東京]都と京東と[東京]"},
		{"東京", "東 京", "no"},
		{"東京 京都", "東京都", "[東京都]"},
		{"ガ", "ｶﾞｷﾞ", "[ｶﾞ]ｷﾞ"},
		{"don't", "I DON’T know", "I [DON’T] know"},
		{"has:link example", "see https://example.org", "see https://[example].org"},
		{"missing", "nothing here", "no"},
		{"has:image example", "see https://example.org", "no"},
	} {
		q := ParseQuery(tt.query)
		m := matcher{terms: q.Terms, has: q.Has}
		got := "no"
		if ranges, _, ok := m.match(tt.text); ok {
			got = marked(tt.text, ranges)
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.query, got, tt.want)
		}
	}
}

func marked(text string, ranges []Range) string {
	runes := []rune(text)
	var b strings.Builder
	at := 0
	for _, r := range ranges {
		b.WriteString(string(runes[at:r.Start]) + "[" + string(runes[r.Start:r.End]) + "]")
		at = r.End
	}
	return b.String() + string(runes[at:])
}

func TestFactsOfAText(t *testing.T) {
	for text, want := range map[string]string{
		"nothing. here": "", "http://": "", "https://a.example": "link", "see (www.a.example).": "link",
		"awww.cute":                        "",
		"https://a.example/cat.PNG?size=1": "link image file", "<https://a.example/x.pdf>": "link file",
		"www.a.example/a.zip, and more": "link file",
		"東京https://a.example/東.jpg":     "link image file", "https://a.example/%zz.png": "", "cat.png": "",
		"`https://a.example/x.png`": "", "```\nwww.a.example\n```": "",
		"[a](https://a.example/x.png)": "link image file",
		"见https://a.example/x.pdf。":    "link file", "https://a.example/x.pdf，谢谢": "link file", "ada@a.example": "",
		"https://ada@a.example": "", "http://[::1]/x.zip": "link file", "https://a.example/?b=x.png&c": "link",
		"Www.a.example": "link", "HTTPS://A.EXAMPLE/B.ZIP": "link file", "https://cat.png": "link",
	} {
		var got []string
		for _, f := range factsOf(text) {
			got = append(got, string(f))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
}

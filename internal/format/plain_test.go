package format

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPeopleCanBeMentionedOutsideOfCodeAndLinks(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                     nil,
		"nobody":                               nil,
		"hi @Ada":                              {"hi @Ada"},
		"hi\n@Ada":                             {"hi\n@Ada"},
		"`@Ada`":                               nil,
		"`@Ada` @Grace":                        {" @Grace"},
		"```\n@Ada\n```":                       nil,
		"~~~\n@Ada\n~~~\n@Grace":               {"@Grace"},
		"``@Ada ` @Ada``":                      nil,
		"`@Ada @Grace":                         {"`@Ada @Grace"},
		"https://medium.com/@Ada":              nil,
		"see https://medium.com/@Ada or @Ada":  {" or @Ada"},
		"[@Ada](https://example.org)":          nil,
		"[a](https://example.org/@Ada) @Grace": {" @Grace"},
		"**@Ada**, _@Grace_ and ~~@Linus~~":    {"@Ada", "@Grace", "@Linus"},
		"||@Ada||":                             {"@Ada"},
		"- @Ada\n- @Grace":                     {"@Ada", "@Grace"},
		"> @Ada":                               {"@Ada"},
		"# @Ada":                               {"@Ada"},
		"|a|b|\n|-|-|\n|@Ada|`@Grace`|":        {"@Ada"},
		`\*@Ada\* & <@Grace>`:                  {"*@Ada* & <@Grace>"},
		":smile:@Ada":                          {"😄@Ada"},
	} {
		if got := Mentionable(text); !slices.Equal(got, want) {
			t.Errorf("Mentionable(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestPreviewIsTextAndSpoilsNothing(t *testing.T) {
	tests := map[string]struct {
		text string
		n    int
		want string
	}{
		"short":                {"hello", 5, "hello"},
		"long":                 {"hello", 4, "hel…"},
		"characters":           {"größe", 5, "größe"},
		"many bytes, few":      {"日本語", 3, "日本語"},
		"lines":                {"one\n\ntwo\tthree ", 50, "one two three"},
		"plain":                {"2 * 3 * 4 <b> a || b snake_case", 50, "2 * 3 * 4 <b> a || b snake_case"},
		"a spoiler":            {"it was ||the butler|| again", 50, "it was ▒▒▒ again"},
		"beside letters":       {"犯人は||執事||です", 50, "犯人は▒▒▒です"},
		"over lines":           {"||the\nbutler||", 50, "▒▒▒"},
		"over paragraphs":      {"||the\n\nbutler|| did", 50, "▒▒▒ did"},
		"a block":              {"so:\n||\n1. a\n2. b\n||\nyes", 50, "so: ▒▒▒ yes"},
		"within another":       {"|||\na ||b||\n|||", 50, "▒▒▒"},
		"with a link":          {"||[a](https://example.org)|| b", 50, "▒▒▒ b"},
		"a link and a spoiler": {"[a ||b||](https://example.org)", 50, "▒▒▒"},
		"two":                  {"||a|| and ||b||", 50, "▒▒▒ and ▒▒▒"},
		"one that never ends":  {"||a b", 50, "||a b"},
		"cut within":           {"||the butler||" + strings.Repeat("x", 50), 10, "▒▒▒xxxxxx…"},
		"cut before its end":   {"a ||b" + strings.Repeat(" c", 2000) + "||", 50, "a ▒▒▒…"},
		"block cut":            {"||\nb" + strings.Repeat("\n\nc", 1000) + "\n||", 50, "▒▒▒…"},
		"bars of three cut":    {"a\n|||\nb" + strings.Repeat(" c", 1000) + "\n|||", 50, "a ▒▒▒…"},
		"bars of five cut":     {"|||||\nb" + strings.Repeat("\nc", 1000) + "\n|||||", 50, "▒▒▒…"},
		"bars below a table":   {"|a|b|\n|-|-|\n|||\nb" + strings.Repeat("\nc", 1000) + "\n|||", 50, "a b ▒▒▒…"},
		"three bars and space": {"||| b" + strings.Repeat(" c", 1000) + "||", 50, "▒▒▒…"},
		"cut twice":            {"a ||b\n|||\nc" + strings.Repeat("\nd", 1000) + "||", 50, "a ▒▒▒…"},
		"bars in code":         {"`a||b` " + strings.Repeat("c", 2000), 10, "a||b cccc…"},
		"too complex":          {strings.Repeat("> ", 20) + "||a|| b", 100, strings.Repeat("> ", 20) + "▒▒▒ b"},

		"emphasis": {"**a** *b* ~~c~~ `d` __e__", 50, "a b c d __e__"},
		"escaped":  {`\*a\* \_b\_`, 50, "*a* _b_"},
		"code":     {"```go\nx := 1\ny()\n```", 50, "x := 1 y()"},
		"link":     {"see [the map](https://example.org/map)", 50, "see the map"},
		"address":  {"**see** https://example.org/__a__", 50, "see https://example.org/__a__"},
		"list":     {"- a\n- b", 50, "• a • b"},
		"numbers":  {"404. not found\n500. error", 50, "404. not found 500. error"},
		"zero":     {"0. a\n1. b", 50, "0. a 1. b"},
		"tasks":    {"- [ ] a\n- [x] b", 50, "• ☐ a • ☑ b"},
		"quote":    {"> said\nyes", 50, "said yes"},
		"heading":  {"# a\nb", 50, "a b"},
		"table":    {"|a|b|\n|-|-|\n|1|`2|3`|", 50, "a b 1 2|3"},
		"emoji":    {":tada: **a**", 50, "🎉 a"},
		"HTML":     {"**a** <b>&amp;</b>", 50, "a <b>&amp;</b>"},
		"rule":     {"a\n\n---\n\nb", 50, "a b"},
		"Arabic":   {"**مرحبا**، ||سر||", 50, "مرحبا، ▒▒▒"},
		"mention":  {"**@Ada**: look", 50, "@Ada: look"},
		"nothing":  {"", 50, ""},
	}
	for name, tt := range tests {
		if got := Preview(tt.text, tt.n); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestDeletedTextsLeaveNoPreview(t *testing.T) {
	long := "**a** " + strings.Repeat("b", 2*maxPreviewed)
	HTML(previewed(long), nil)
	Forget(long)
	if _, ok := renderCache.get(previewed(long)); ok {
		t.Error("its beginning is still in the cache")
	}
}

// However a text is made and however long it is, its preview and the pieces in which people can be mentioned take
// little time, and are no longer than the text.
func TestHostileTextsArePreviewed(t *testing.T) {
	for name, text := range hostile {
		for _, n := range []int{4000, 100 << 10} {
			s := text(n) + "@Ada"
			if got := Preview(s, 100); utf8.RuneCountInString(got) > 100+1 {
				t.Errorf("%s: a preview of %d characters", name, utf8.RuneCountInString(got))
			}
			size := 0
			for _, piece := range Mentionable(s) {
				size += len(piece)
			}
			if size > 2*len(s) {
				t.Errorf("%s: %d bytes became %d", name, len(s), size)
			}
		}
	}
}

// Whatever stands around bars and however long the message is, its preview shows nothing that its HTML hides.
func TestPreviewShowsNothingThatIsHidden(t *testing.T) {
	const secret = "butler"
	pieces := []string{
		"||", "||", "|||", "\n||\n", "\n|||\n", secret, "a", " ", "\n", "\n\n", "**", "*", "~~", "`",
		"```\n", "|", "> ", "- ", "1. ", "# ", "[a](http://example.org/", ")", `\`, ":tada:", "@ada",
		"|a|b|\n|-|-|\n", "執", "。",
		strings.Repeat("w ", maxPreviewed/3),
	}
	random, hides := rand.New(rand.NewPCG(1, 2)), 0
	for range 30_000 {
		var b strings.Builder
		for range 2 + random.IntN(14) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		message := b.String()
		shown := HTML(message, nil)
		if !strings.Contains(message, secret) || shown == "" || strings.Contains(withoutSpoilers(shown), secret) {
			continue
		}
		hides++
		if got := Preview(message, len(message)); strings.Contains(got, secret) {
			t.Errorf("the preview of %q is %q", message, got)
		}
	}
	if hides < 100 {
		t.Errorf("only %d messages hide anything", hides)
	}
}

// withoutSpoilers returns the text of HTML that nobody has to uncover.
func withoutSpoilers(rendered string) string {
	var out strings.Builder
	var spans []bool // the open ones; true: a spoiler
	walk(rendered, func(tag, text string) {
		switch {
		case strings.HasPrefix(tag, "span"):
			spans = append(spans, strings.Contains(tag, `class="spoiler"`))
		case tag == "/span":
			spans = spans[:len(spans)-1]
		case !slices.Contains(spans, true):
			out.WriteString(text)
		}
	})
	return out.String()
}

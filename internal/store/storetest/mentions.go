package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
)

// members makes a member of the lobby of everybody who goes by one of names. Their
// ids are their names and numbers.
func members(t testing.TB, s *Subject, names ...string) {
	t.Helper()
	for i, name := range names {
		Do(t, s, Draft("lobby", chat.Person{ID: chat.PersonID(fmt.Sprint(name, i)), Name: name}, "hi", ""))
	}
}

// mentioned returns the names that a new message of Ada's mentions.
func mentioned(t testing.TB, s *Subject, text string) (names []string) {
	t.Helper()
	c := Post(t, s, Draft("lobby", Ada, text, ""))[0]
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	m := States(t, s, c.Event.Seq)[0]
	for _, x := range []*chat.Attrs{c.Event.Attrs, m.Attrs} { // as it is told, and as it is kept
		names = nil
		if x != nil {
			for _, p := range x.Mentions {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

func testWhoIsMentioned(t *testing.T, open Open) {
	s := open(t)
	members(t, s, "Grace", "Grace Hopper", "Élodie", "Straße", "Dr. No", "x_1", "Ben", "Ben", "李", "a@b", "O'Brien",
		"🦊 Fox", "张三", "田中", "สมชาย", strings.Repeat("n", chat.MaxName))
	Post(t, s, Draft("attic", chat.Person{ID: "eve", Name: "Eve"}, "elsewhere", ""))
	tests := map[string]struct {
		text string
		want []string
	}{
		"a name":             {"@Grace", []string{"Grace"}},
		"in a sentence":      {"is @Grace, by chance, here?", []string{"Grace"}},
		"the longest name":   {"@Grace Hopper is here", []string{"Grace Hopper"}},
		"of it only a part":  {"@Grace Hop", []string{"Grace"}},
		"in another case":    {"@GRACE HOPPER and @grace", []string{"Grace Hopper", "Grace"}},
		"two side by side":   {"@Grace @Ben", []string{"Grace", "Ben", "Ben"}},
		"twice":              {"@Grace! @grace?", []string{"Grace"}},
		"not only ASCII":     {"@élodie und @STRASSE", []string{"Élodie", "Straße"}},
		"with a stop in it":  {"@Dr. No.", []string{"Dr. No"}},
		"with an underscore": {"(@x_1)", []string{"x_1"}},
		"within a word":      {"@x_12 @Graceful", nil},
		"of no spaces":       {"@李 你好", []string{"李"}},
		"with its own sign":  {"@a@b", []string{"a@b"}},
		"with an apostrophe": {"@o'brien's", []string{"O'Brien"}},
		"with a picture":     {"@🦊 fox", []string{"🦊 Fox"}},
		"the longest that there are": {
			"@" + strings.Repeat("N", chat.MaxName) + " hi", []string{strings.Repeat("n", chat.MaxName)},
		},
		"and one beyond":         {"@" + strings.Repeat("n", chat.MaxName+1), nil},
		"a line ends a name":     {"@Grace\nHopper", []string{"Grace"}},
		"an address":             {"grace@Grace.example", nil},
		"an address in brackets": {"<ada@grace>", nil},
		"a sign alone":           {"@ Grace @", nil},
		"a sign before a sign":   {"@@Grace", []string{"Grace"}},
		"after a bracket":        {"[@Grace]", []string{"Grace"}},
		"namesakes":              {"@ben", []string{"Ben", "Ben"}},
		"oneself":                {"@Ada", []string{"Ada"}},
		"nobody":                 {"@Nobody at all", nil},
		"somebody elsewhere":     {"@Eve", nil},
		"markup":                 {"@<b>Grace</b>", nil},
		"a wildcard":             {"@% @_ @Gr*", nil},
		"a control byte":         {"@Grace\x01", []string{"Grace"}},
		"beside Chinese":         {"请@张三看一下", []string{"张三"}},
		"beside Japanese":        {"@田中さん、こんにちは", []string{"田中"}},
		"beside Thai":            {"คุณ@สมชายครับ", []string{"สมชาย"}},
		"many in a long run":     {strings.Repeat("@田中さんはこの前の会議でとても良いことを言いました。", 6) + "@张三", []string{"田中", "张三"}},
		"in code":                {"`@Grace` and\n```\n@Ben\n```", nil},
		"in an address":          {"https://medium.com/@Grace", nil},
		"in a short address":     {"medium.com/@Grace", nil},
		"a package":              {"@grace/core", nil},
		"an account elsewhere":   {"@Grace@example.org", nil},
		"in a link's text":       {"[@Grace](https://example.org)", nil},
		"in bold":                {"**@Grace**: see `@Ben`", []string{"Grace"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := mentioned(t, s, tt.text); !slices.Equal(got, tt.want) {
				t.Errorf("%q mentions %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func testACrowdOfNamesakesIsNobody(t *testing.T, open Open) {
	s := open(t)
	members(t, s, slices.Repeat([]string{"Ben"}, 5)...)
	if got := mentioned(t, s, "@ben"); len(got) != 5 {
		t.Errorf("%q", got)
	}
	Do(t, s, Draft("lobby", chat.Person{ID: "sixth", Name: "BEN"}, "hi", ""))
	if got := mentioned(t, s, "@ben"); got != nil {
		t.Errorf("%q", got)
	}
	// Whoever takes another name is found by that one.
	_, err := s.Rename(t.Context(), "sixth", "Benedict", "")
	Must(t, err)
	if got := mentioned(t, s, "@ben and @benedict"); len(got) != 6 {
		t.Errorf("%q", got)
	}
}

func testAMessageMentionsOnlySoMany(t *testing.T, open Open) {
	s := open(t)
	var names []string
	for n := range chat.MaxMentions + 10 {
		names = append(names, fmt.Sprint("P", n))
	}
	members(t, s, names...)
	if got := mentioned(t, s, "@"+strings.Join(names, " @")); !slices.Equal(got, names[:chat.MaxMentions]) {
		t.Errorf("%d: %q", len(got), got)
	}
	members(t, s, slices.Repeat([]string{"Ben"}, 5)...)
	if got := mentioned(t, s,
		"@"+strings.Join(names[:chat.MaxMentions-2], " @")+" @Ben"); len(got) != chat.MaxMentions {
		t.Errorf("%d with namesakes", len(got))
	}
}

// However a text is made, few names are looked for: everybody's messages wait.
func testHostileMentionsTakeFewLooks(t *testing.T, open Open) {
	s := open(t)
	Do(t, s, Draft("lobby", Ada, "hi", ""))
	var words []string
	for n := range 1000 {
		words = append(words, fmt.Sprintf("@a%d b c d e f g h i", n))
	}
	texts := map[string]string{
		"signs alone":      strings.Repeat("@", 4000),
		"signs and spaces": strings.Repeat("@ ", 2000),
		"short names":      strings.Repeat("@a ", 1300),
		"many names":       strings.Join(words, "\n"),
		"no spaces":        strings.Repeat("@a.b-c!d", 500),
		"one long name":    "@" + strings.Repeat("a ", 2000),
		"marks":            strings.Repeat("@\u0301", 1300),
		"a huge text":      strings.Repeat("@x ", 1<<18),
	}
	for name, text := range texts {
		begun := time.Now()
		if c := Post(t, s, Draft("lobby", Ada, text, ""))[0]; c.Err != nil {
			t.Errorf("%s: %v", name, c.Err)
		}
		t.Logf("%s: stored in %v", name, time.Since(begun))
	}
}

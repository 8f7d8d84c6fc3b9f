package sqlite

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
func members(t testing.TB, s *Store, names ...string) {
	t.Helper()
	for i, name := range names {
		do(t, s, draft("lobby", chat.Person{ID: chat.PersonID(fmt.Sprint(name, i)), Name: name}, "hi", ""))
	}
}

// mentioned returns the names that a new message of Ada's mentions.
func mentioned(t testing.TB, s *Store, text string) (names []string) {
	t.Helper()
	c := post(t, s, draft("lobby", ada, text, ""))[0]
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	m := standings(t, s, c.Event.Seq)[0]
	for _, x := range []*chat.Attrs{c.Event.Extra, m.Extra} { // as it is told, and as it is kept
		names = nil
		if x != nil {
			for _, p := range x.Mentions {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

func TestWhoIsMentioned(t *testing.T) {
	s, _ := start(t, t.TempDir())
	members(t, s, "Grace", "Grace Hopper", "Élodie", "Straße", "Dr. No", "x_1", "Ben", "Ben", "李", "a@b", "O'Brien", "🦊 Fox", strings.Repeat("n", chat.MaxName))
	post(t, s, draft("attic", chat.Person{ID: "eve", Name: "Eve"}, "elsewhere", ""))
	tests := map[string]struct {
		text string
		want []string
	}{
		"a name":                     {"@Grace", []string{"Grace"}},
		"in a sentence":              {"is @Grace, by chance, here?", []string{"Grace"}},
		"the longest name":           {"@Grace Hopper is here", []string{"Grace Hopper"}},
		"of it only a part":          {"@Grace Hop", []string{"Grace"}},
		"in another case":            {"@GRACE HOPPER and @grace", []string{"Grace Hopper", "Grace"}},
		"two side by side":           {"@Grace @Ben", []string{"Grace", "Ben", "Ben"}},
		"twice":                      {"@Grace! @grace?", []string{"Grace"}},
		"not only ASCII":             {"@élodie und @STRASSE", []string{"Élodie", "Straße"}},
		"with a stop in it":          {"@Dr. No.", []string{"Dr. No"}},
		"with an underscore":         {"(@x_1)", []string{"x_1"}},
		"within a word":              {"@x_12 @Graceful", nil},
		"of no spaces":               {"@李 你好", []string{"李"}},
		"with its own sign":          {"@a@b", []string{"a@b"}},
		"with an apostrophe":         {"@o'brien's", []string{"O'Brien"}},
		"with a picture":             {"@🦊 fox", []string{"🦊 Fox"}},
		"the longest that there are": {"@" + strings.Repeat("N", chat.MaxName) + " hi", []string{strings.Repeat("n", chat.MaxName)}},
		"and one beyond":             {"@" + strings.Repeat("n", chat.MaxName+1), nil},
		"a line ends a name":         {"@Grace\nHopper", []string{"Grace"}},
		"an address":                 {"grace@Grace.example", nil},
		"an address in brackets":     {"<ada@grace>", nil},
		"a sign alone":               {"@ Grace @", nil},
		"a sign before a sign":       {"@@Grace", []string{"Grace"}},
		"after a bracket":            {"[@Grace]", []string{"Grace"}},
		"namesakes":                  {"@ben", []string{"Ben", "Ben"}},
		"oneself":                    {"@Ada", []string{"Ada"}},
		"nobody":                     {"@Nobody at all", nil},
		"somebody elsewhere":         {"@Eve", nil},
		"markup":                     {"@<b>Grace</b>", nil},
		"a wildcard":                 {"@% @_ @Gr*", nil},
		"a null byte":                {"@Grace\x00", []string{"Grace"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := mentioned(t, s, tt.text); !slices.Equal(got, tt.want) {
				t.Errorf("%q mentions %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestACrowdOfNamesakesIsNobody(t *testing.T) {
	s, _ := start(t, t.TempDir())
	members(t, s, slices.Repeat([]string{"Ben"}, 5)...)
	if got := mentioned(t, s, "@ben"); len(got) != 5 {
		t.Errorf("%q", got)
	}
	do(t, s, draft("lobby", chat.Person{ID: "sixth", Name: "BEN"}, "hi", ""))
	if got := mentioned(t, s, "@ben"); got != nil {
		t.Errorf("%q", got)
	}
	// Whoever takes another name is found by that one.
	rename(t, s, "sixth", "Benedict")
	if got := mentioned(t, s, "@ben and @benedict"); len(got) != 6 {
		t.Errorf("%q", got)
	}
}

// Those who are told are in the table as long as the message names them.
func TestMentionsAreKeptForWhomTheyTell(t *testing.T) {
	s, _ := start(t, t.TempDir())
	members(t, s, "Grace", "Ben", "Eve")
	do(t, s, draft("lobby", ada, "hi", "")) // 4
	wantTold := func(seq chat.Seq, want ...string) {
		t.Helper()
		rows, err := s.readers.QueryContext(t.Context(), `SELECT name FROM mention JOIN person ON person.id = mention.person WHERE event & 0xfffffffff = $1 ORDER BY name`, int64(seq))
		must(t, err)
		defer rows.Close()
		var got []string
		for rows.Next() {
			var name string
			must(t, rows.Scan(&name))
			got = append(got, name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("message %d tells %q, want %q", seq, got, want)
		}
	}
	do(t, s, draft("lobby", ada, "@Grace @Ada @Ben", "")) // 5
	wantTold(5, "Ben", "Grace")
	do(t, s, deed(ada, chat.Edit, 5, "@Eve @Ben")) // 6
	wantTold(5, "Ben", "Eve")
	wantTold(6)
	do(t, s, deed(ada, chat.Edit, 5, "nobody"), deed(ada, chat.Edit, 5, "@Eve")) // 7, 8
	wantTold(5, "Eve")
	if x := standings(t, s, 5)[0].Extra; x == nil || len(x.Mentions) != 1 || x.Mentions[0].Name != "Eve" {
		t.Errorf("%+v", x)
	}
	do(t, s, deed(ada, chat.Delete, 5, "")) // 9
	wantTold(5)

	here := chat.Draft{Room: "lobby", From: ada, Text: "@here @Eve", Extra: &chat.Attrs{Here: true, Present: []chat.PersonID{"Grace0", ada.ID, "nobody", "Eve2"}}}
	do(t, s, here, here, here) // 10, 11, 12
	if here.Extra.Mentions != nil {
		t.Error("the draft was changed")
	}
	wantTold(10, "Eve", "Grace")
	if x := standings(t, s, 10)[0].Extra; x == nil || !x.Here || len(x.Mentions) != 1 || x.Present != nil {
		t.Errorf("%+v", x)
	}
	do(t, s, deed(ada, chat.Delete, 11, ""), deed(ada, chat.Edit, 12, "@Ben"))
	wantTold(11)
	wantTold(12, "Ben")
	if x := standings(t, s, 12)[0].Extra; x == nil || x.Here {
		t.Errorf("%+v", x)
	}
}

func TestAMessageMentionsOnlySoMany(t *testing.T) {
	s, _ := start(t, t.TempDir())
	var names []string
	for n := range chat.MaxMentions + 10 {
		names = append(names, fmt.Sprint("P", n))
	}
	members(t, s, names...)
	if got := mentioned(t, s, "@"+strings.Join(names, " @")); !slices.Equal(got, names[:chat.MaxMentions]) {
		t.Errorf("%d: %q", len(got), got)
	}
	members(t, s, slices.Repeat([]string{"Ben"}, 5)...)
	if got := mentioned(t, s, "@"+strings.Join(names[:chat.MaxMentions-2], " @")+" @Ben"); len(got) != chat.MaxMentions {
		t.Errorf("%d with namesakes", len(got))
	}
}

// However a text is made, few names are looked for: everybody's messages wait.
func TestHostileMentionsTakeFewLooks(t *testing.T) {
	s, _ := start(t, t.TempDir())
	do(t, s, draft("lobby", ada, "hi", ""))
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
		if c := post(t, s, draft("lobby", ada, text, ""))[0]; c.Err != nil {
			t.Errorf("%s: %v", name, c.Err)
		}
		t.Logf("%s: stored in %v", name, time.Since(begun))
	}
}

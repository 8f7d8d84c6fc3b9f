package chat

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// mentionTable is the table that the page's tests read too.
type mentionTable struct {
	People []string
	Cases  []struct {
		Text     string
		Here     bool
		Mentions []string
	}
	Beginnings []struct {
		Before string
		Name   bool
	}
}

func readMentionTable(t *testing.T) (table mentionTable) {
	t.Helper()
	file, err := os.ReadFile("testdata/mentions.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, &table); err != nil {
		t.Fatal(err)
	}
	if len(table.Cases) == 0 || len(table.Beginnings) == 0 {
		t.Fatal("the table is empty")
	}
	return table
}

func TestMentionsAreNamesOfTheirOwn(t *testing.T) {
	table := readMentionTable(t)
	for _, tt := range table.Cases {
		people := map[string]bool{Here: tt.Here}
		for _, name := range table.People {
			people[FoldName(name)] = true
		}
		var got []string
		for _, names := range PossibleMentions([]string{tt.Text}) {
			i := slices.IndexFunc(names, func(name string) bool {
				return people[FoldName(name)] && (name == Here || FoldName(name) != Here)
			})
			if i >= 0 {
				got = append(got, "@"+names[i])
			}
		}
		if !slices.Equal(got, tt.Mentions) {
			t.Errorf("%q mentions %q, want %q", tt.Text, got, tt.Mentions)
		}
	}
}

func TestWhereAMentionMayBegin(t *testing.T) {
	for _, tt := range readMentionTable(t).Beginnings {
		if got := mayBeginMention(tt.Before); got != tt.Name {
			t.Errorf("after %q: %v", tt.Before, got)
		}
	}
}

// However a text is made, few names are looked for: everybody's messages wait.
func TestHostileTextsMentionFewNames(t *testing.T) {
	for name, text := range map[string]string{
		"signs":     strings.Repeat("@", 100<<10),
		"words":     strings.Repeat("@a b c d ", 10<<10),
		"no spaces": strings.Repeat("@三", 25<<10),
		"one run":   "@" + strings.Repeat("三", 30<<10),
		"slashes":   strings.Repeat("a./@", 25<<10),
		"marks":     "@三" + strings.Repeat("\u0301", 50<<10),
	} {
		all := PossibleMentions([]string{text, text})
		if len(all) > maxMentionSigns {
			t.Errorf("%s: %d", name, len(all))
		}
		for _, names := range all {
			if len(names) > MaxName+1 {
				t.Errorf("%s: %d names after one sign", name, len(names))
			}
		}
	}
}

func FuzzPossibleMentions(f *testing.F) {
	for _, s := range []string{"@a b", "三@四@五/六", "a./@b", "@\u0301", "@a@b@c", "@a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, names := range PossibleMentions([]string{s}) {
			for i, name := range names {
				if name == "" || !strings.Contains(s, "@"+name) || i > 0 && !strings.HasPrefix(names[i-1], name) {
					t.Errorf("%q of %q", name, names)
				}
			}
		}
	})
}

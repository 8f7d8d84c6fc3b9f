package format

import (
	"slices"
	"testing"
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

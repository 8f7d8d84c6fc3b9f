package chat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"parley/internal/chat"
)

// The page's own test reads the same file.
func TestParseRoomName(t *testing.T) {
	file, err := os.ReadFile("testdata/room-names.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		About, Given, Refused string
		Name                  chat.RoomName
	}
	if err := json.Unmarshal(file, &cases); err != nil {
		t.Fatal(err)
	}
	for _, tt := range cases {
		got, err := chat.ParseRoomName(tt.Given)
		if got != tt.Name || (err != nil) != (tt.Refused != "") || err != nil && chat.CodeOf(err) != chat.BadRoom {
			t.Errorf("%s: %q is %q, %v; want %q", tt.About, tt.Given, got, err, tt.Name)
		}
		long := err != nil && strings.Contains(err.Error(), "at most 64 characters")
		if long != (tt.Refused == "long") {
			t.Errorf("%s: %q: %v", tt.About, tt.Given, err)
		}
	}
	for _, given := range []string{"M\xfcnchen", "a\xed\xa0\x80b", "\xff"} { // which the page cannot hold
		if got, err := chat.ParseRoomName(given); chat.CodeOf(err) != chat.BadRoom {
			t.Errorf("not UTF-8: %q is %q, %v", given, got, err)
		}
	}
}

func TestParseName(t *testing.T) {
	tests := map[string]struct {
		in, want string
		bad      bool
	}{
		"plain":               {in: "Ada", want: "Ada"},
		"case is kept":        {in: "AdA", want: "AdA"},
		"spaces":              {in: "  Ada \u00a0 Lovelace ", want: "Ada Lovelace"},
		"wide letters":        {in: "Ａｄａ", want: "Ada"},
		"composed":            {in: "Zoe\u0308", want: "Zoë"},
		"an emoji":            {in: "🎉", want: "🎉"},
		"markup is text":      {in: "<b>", want: "<b>"},
		"longest":             {in: strings.Repeat("é", chat.MaxName), want: strings.Repeat("é", chat.MaxName)},
		"one beyond":          {in: strings.Repeat("é", chat.MaxName+1), bad: true},
		"empty":               {in: "", bad: true},
		"spaces alone":        {in: " \u3000 ", bad: true},
		"a control":           {in: "A\x07", bad: true},
		"a line break":        {in: "A\nB", bad: true},
		"a bidi override":     {in: "A\u202eB", bad: true},
		"a bidi isolate":      {in: "A\u2067B", bad: true},
		"a bidi mark":         {in: "A\u200fB", bad: true},
		"zero width alone":    {in: "\u200b", bad: true},
		"zero width inside":   {in: "A\u200bB", bad: true},
		"a blank letter only": {in: "\u3164", bad: true},
		"zalgo":               {in: "A" + strings.Repeat("\u0335", 9), bad: true},
		"not UTF-8":           {in: "\xff", bad: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := chat.ParseName(tt.in)
			if got != tt.want || (err != nil) != tt.bad || err != nil && chat.CodeOf(err) != chat.BadName {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestCheckText(t *testing.T) {
	tests := map[string]struct {
		text  string
		limit int
		want  chat.Code
	}{
		"longest":         {text: strings.Repeat("é", chat.MaxText), limit: chat.MaxText},
		"one beyond":      {text: strings.Repeat("é", chat.MaxText+1), limit: chat.MaxText, want: chat.TooLong},
		"no limit":        {text: strings.Repeat("é", chat.MaxText+1)},
		"empty":           {want: chat.BadText},
		"spaces":          {text: " \n\t\u3000", want: chat.BadText},
		"invisible":       {text: "\u200b\u2060", want: chat.BadText},
		"not UTF-8":       {text: "a\xc3", want: chat.BadText},
		"a bidi override": {text: "a\u202eb"},
		"a null byte":     {text: "a\x00b", want: chat.BadText},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := chat.CodeOf(chat.CheckText(tt.text, tt.limit)); got != tt.want {
				t.Errorf("code = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCheckNonce(t *testing.T) {
	for nonce, want := range map[string]chat.Code{
		"": "", "0198c1d2-7a3b-7c4d-8e5f-60718293a4b5": "", strings.Repeat("n", chat.MaxNonce): "",
		strings.Repeat("n", chat.MaxNonce+1): chat.BadNonce, "a b": chat.BadNonce, "é": chat.BadNonce,
		"a\n": chat.BadNonce,
	} {
		if got := chat.CodeOf(chat.CheckNonce(nonce)); got != want {
			t.Errorf("%q: %q, want %q", nonce, got, want)
		}
	}
}

func TestOnlyAnErrorForUsersIsTold(t *testing.T) {
	secret := errors.New("open /srv/parley.db: permission denied")
	if got := chat.UserError(secret); got.Code != chat.Internal || strings.Contains(got.Message, "srv") {
		t.Errorf("told %v", got)
	}
	wrapped := fmt.Errorf("room lobby: %w", &chat.Error{Code: chat.TooLong, Message: "shorter"})
	if got := chat.UserError(wrapped); got.Code != chat.TooLong || got.Message != "shorter" {
		t.Errorf("told %v", got)
	}
}

func TestEveryCodeIsListedOnce(t *testing.T) {
	seen := map[chat.Code]bool{}
	for _, code := range chat.Codes {
		if seen[code] || code == "" {
			t.Errorf("%q is listed twice", code)
		}
		seen[code] = true
	}
}

func TestParseTopic(t *testing.T) {
	longest := strings.Repeat("é", chat.MaxTopic)
	tests := map[string]struct {
		in, want string
		code     chat.Code
	}{
		"plain":              {in: "Ships", want: "Ships"},
		"one line":           {in: " ships \n\tand\r\nboats\u00a0", want: "ships and boats"},
		"separators":         {in: "a\u2028b\u2029c\u0085d", want: "a b c d"},
		"controls":           {in: "a\x01b\x1bc", want: "a b c"},
		"markup is text":     {in: "<b>**x**</b>", want: "<b>**x**</b>"},
		"an emoji":           {in: "👨‍👩‍👧 only", want: "👨‍👩‍👧 only"},
		"nothing":            {},
		"spaces":             {in: " \n "},
		"what nobody sees":   {in: "\u200b\u2060\u3164"},
		"longest":            {in: " " + longest + " ", want: longest},
		"one beyond":         {in: longest + "x", code: chat.TooLong},
		"long by its spaces": {in: "a" + strings.Repeat(" ", 1000) + "b", want: "a b"},
		"not UTF-8":          {in: "a\xff", code: chat.BadText},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := chat.ParseTopic(tt.in)
			if got != tt.want || chat.CodeOf(err) != tt.code {
				t.Errorf("%q, %v", got, err)
			}
			if again, err := chat.ParseTopic(got); again != got || err != nil {
				t.Errorf("%q is %q, %v", got, again, err)
			}
		})
	}
}

func TestFoldName(t *testing.T) {
	for _, same := range [][]string{
		{"Ada", "ADA", "ada"},
		{"Élodie", "éLODIE"},
		{"Straße", "STRASSE", "strasse"},
		{"ΛΌΓΟΣ", "λόγος", "λόγοσ"},
		{"李", "李"},
		{"🦊 Fox", "🦊 fox"},
		{"Zoë", "Zoe\u0308"},
	} {
		for _, name := range same[1:] {
			if got, want := chat.FoldName(name), chat.FoldName(same[0]); got != want {
				t.Errorf("%q is looked for as %q, %q as %q", name, got, same[0], want)
			}
		}
	}
	for _, name := range []string{"Adá", "Ad a", "Аda"} { // the last begins with a Cyrillic letter
		if chat.FoldName(name) == chat.FoldName("Ada") {
			t.Errorf("%q is Ada", name)
		}
	}
}

func TestOnlyMessagesCanBeDeleted(t *testing.T) {
	for kind, want := range map[chat.Kind]bool{
		chat.Message: true, chat.Reply: true, chat.Edit: true, chat.Delete: false, chat.Pin: false, chat.Unpin: false,
		chat.React: false, chat.Unreact: false, chat.Topic: false, chat.Typing: false,
	} {
		if e := (chat.Event{Kind: kind}); e.IsDeleted() != want {
			t.Errorf("a %s that says nothing is gone: %v", kind, e.IsDeleted())
		}
		if e := (chat.Event{Kind: kind, Text: "x"}); e.IsDeleted() {
			t.Errorf("a %s that says something is gone", kind)
		}
	}
}

func FuzzRoomName(f *testing.F) {
	for _, s := range []string{
		"Lobby", "Straße", "ﬁ", "हिन्दी", "a\u0301\u0327", "İ", "ΐ", "\u1e9e", "What's up?", "Ꭰꭰ",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		name, err := chat.ParseRoomName(in)
		if err != nil {
			if chat.CodeOf(err) != chat.BadRoom {
				t.Error(err)
			}
			return
		}
		again, err := chat.ParseRoomName(string(name))
		if err != nil || again != name {
			t.Errorf("%q is %q, which is %q, %v", in, name, again, err)
		}
		if n := utf8.RuneCountInString(string(name)); n < 1 || n > chat.MaxRoomName {
			t.Errorf("%q has %d characters", name, n)
		}
		if upper, err := chat.ParseRoomName(strings.ToUpper(string(name))); err == nil && isASCII(in) && upper != name {
			t.Errorf("%q and its capitals are different rooms", name)
		}
	})
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"Ada", " a  b ", "\u202e", "ﬁ", "é\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		name, err := chat.ParseName(in)
		if err != nil {
			if chat.CodeOf(err) != chat.BadName {
				t.Error(err)
			}
			return
		}
		if again, err := chat.ParseName(name); err != nil || again != name {
			t.Errorf("%q is %q, which is %q, %v", in, name, again, err)
		}
		for _, r := range name {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%q holds %U", name, r)
			}
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

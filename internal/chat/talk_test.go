package chat_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"parley/internal/chat"
)

func TestCheckEmoji(t *testing.T) {
	good := map[string]string{
		"a face": "😀", "a hand": "👍", "a hand with a tone": "👍🏽", "a heart as text": "❤", "a heart": "❤️",
		"a heart on fire": "❤️‍🔥",
		"a family":        "👨‍👩‍👧‍👦", "a kiss with tones": "👩🏻‍❤️‍💋‍👨🏿", "a profession": "🧑🏾‍🚀",
		"a person of a kind": "🏃🏿‍♀️‍➡️", "a couple": "🧑🏻‍🤝‍🧑🏿",
		"a flag of a country": "🇩🇪", "a flag of a part": "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "a flag of pride": "🏳️‍🌈", "a pirate's": "🏴‍☠️",
		"the black flag": "🏴",
		"a key":          "1️⃣", "a key without its sign": "7⃣", "a hash key": "#️⃣", "a star key": "*️⃣",
		"a letter that is one": "ℹ️", "a part mark": "〽️", "a wavy dash": "〰️", "two marks": "‼️",
		"a mark and a question": "⁉️", "a trade mark": "™️", "a copyright": "©️",
		"arrows": "↔️", "a square": "◼️", "signs of Japan": "㊙️", "letters in a square": "🆗", "a playing card": "🃏",
		"a sum": "➕", "a new one": "🫨", "a phoenix": "🐦‍🔥",
	}
	for name, s := range good {
		if err := chat.CheckEmoji(s); err != nil {
			t.Errorf("%s, %q: %v", name, s, err)
		}
	}
	bad := map[string]string{
		"nothing": "", "a letter": "a", "a digit": "1", "a hash": "#", "a word": "ok", "a sign of sums": "+",
		"less": "<", "a bar": "|", "a sum": "∑", "a degree": "°",
		"a clef": "𝄞", "an empty cell": "\u2800", "two emoji": "👍👍", "two flags": "🇩🇪🇫🇷", "half a flag": "🇩",
		"a flag and a half":     "🇩🇪🇫",
		"an emoji and a letter": "👍a", "an emoji and a space": "👍 ", "a letter and a key": "a⃣", "a key alone": "⃣",
		"a digit with a sign": "1️", "two digits and a key": "12⃣",
		"a joiner": "\u200d", "an emoji that joins nothing": "👍\u200d", "a sign alone": "\ufe0f",
		"a tone that begins": "\ufe0f👍", "a tone alone": "🏽",
		"a control": "\x00", "an emoji with a control": "👍\x00", "a bidi override": "\u202e👍", "zalgo": "👍\u0335",
		"text presentation":                     "❤\ufe0e",
		"hidden words":                          "👍\U000e0068\U000e0069\U000e007f",
		"hidden words in a flag without an end": "🏴\U000e0068\U000e0069",
		"a joined letter":                       "👍\u200da", "a picture on a key": "👍⃣",
		"markup": "<b>", "an address": "javascript:",
		"a short-code": ":+1:",
		"not UTF-8":    "\xf0\x9f", "huge": strings.Repeat("👍\u200d", 1000) + "👍",
		"a tower of signs": "👍" + strings.Repeat("\ufe0f", 100), "64 KB": strings.Repeat("👍", 1<<14),
	}
	for name, s := range bad {
		if got := chat.CodeOf(chat.CheckEmoji(s)); got != chat.BadText {
			t.Errorf("%s, %q: %q", name, s, got)
		}
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

func TestOnlyWhatWasSaidCanBeGone(t *testing.T) {
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

func FuzzCheckEmoji(f *testing.F) {
	for _, s := range []string{
		"👍🏽", "👨‍👩‍👧‍👦", "🇩🇪", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "ℹ️", "a", "<", "👍\u200d", "\u2800",
		"👍\U000e0041",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if err := chat.CheckEmoji(s); err != nil {
			if chat.CodeOf(err) != chat.BadText {
				t.Error(err)
			}
			return
		}
		if !utf8.ValidString(s) || len(s) > 64 || uniseg.GraphemeClusterCount(s) != 1 {
			t.Errorf("%q is no one character of UTF-8", s)
		}
		for i, r := range s {
			if unicode.IsSpace(r) || unicode.IsControl(r) ||
				r < 0x80 && (i > 0 || !strings.ContainsRune("#*0123456789", r)) ||
				unicode.IsLetter(r) && r != 'ℹ' && r < 0x1f000 {
				t.Errorf("%q holds %U", s, r)
			}
		}
	})
}

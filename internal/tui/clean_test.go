package tui

import (
	"strings"
	"testing"
	"unicode"
)

func TestClean(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"plain":           {"Hello, world", "Hello, world"},
		"lines":           {"a\nb\r\nc\rd\u2028e", "a\nb\nc\nd\ne"},
		"scripts":         {"שלום 你好 สวัสดี é", "שלום 你好 สวัสดี é"},
		"emoji of three":  {"👩‍👩‍👧 ❤️", "👩‍👩‍👧 ❤️"},
		"clear screen":    {"\x1b[2J\x1b[H", "␛[2J␛[H"},
		"title":           {"\x1b]0;pwned\x07", "␛]0;pwned␇"},
		"clipboard":       {"\x1b]52;c;cm0gLXJm\x1b\\", "␛]52;c;cm0gLXJm␛\\"},
		"C1":              {"\u009b2J\u0090", "\uFFFD2J\uFFFD"},
		"bell, backspace": {"a\x07\x08\x7f", "a␇␈␡"},
		"tab":             {"a\tb", "a    b"},
		"bidi override":   {"a\u202eb\u2066c\u2069\u200f", "abc"},
		"invisible":       {"a\u200b\ufeff\u00adb\U000E0041", "ab"},
		"zalgo":           {"e" + strings.Repeat("\u0301", 40) + "x", "e" + strings.Repeat("\u0301", maxMarks) + "x"},
		"not UTF-8":       {"a\xff\xc3b", "a\uFFFD\uFFFDb"},
		"zero":            {"\x00", "␀"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Clean(tt.in); got != tt.want {
				t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"a\x1b[2Jb", "\u009b", "\u202e", "e\u0301\u0301\u0301\u0301\u0301", "\xff\n\r\t"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := Clean(s)
		for _, r := range out {
			if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%q lets %U through: %q", s, r, out)
			}
		}
		if again := Clean(out); again != out {
			t.Errorf("cleaning %q again gives %q", out, again)
		}
		if strings.Contains(cleanLine(s), "\n") {
			t.Errorf("%q has more than one line", cleanLine(s))
		}
	})
}

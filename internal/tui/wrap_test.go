package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// No line is too long, and nothing but spaces is lost, whatever somebody writes.
func FuzzWrap(f *testing.F) {
	for _, s := range []string{
		"a bc  def", "これは 日本語", "1️⃣👩‍👩‍👧 🇩🇪🇫", "e\u0301\u0301 \u0301", "\n\n a\n", "क्षत्रिय", "\u200d\u200d", "ab-cd",
	} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		s = Clean(s)
		if width < 2 || width > 100 {
			return
		}
		styled := ink{bold: true}.write(s)
		for name, lines := range map[string][]string{"wrap": wrap(styled, width), "cut": cut(styled, width)} {
			for _, line := range lines {
				if w := ansi.StringWidth(line); w > width {
					t.Errorf("%s(%q, %d) has a line of %d cells: %q", name, s, width, w, line)
				}
			}
			if got, want := unspaced(strings.Join(lines, "")), unspaced(s); got != want {
				t.Errorf("%s(%q, %d) shows %q, want %q", name, s, width, got, want)
			}
		}
	})
}

func unspaced(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(ansi.Strip(s)) }

package tui

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may follow one character. A stack of dozens would paint over
// the lines above and below.
const maxMarks = 4

// Clean makes text from other people safe for a terminal. It removes or replaces control and escape
// characters, characters that change the text direction, and invisible characters. Line ends stay.
func Clean(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	s = strings.ReplaceAll(s, "\r\n", "\n")
	for _, r := range s { // invalid UTF-8 becomes U+FFFD
		if !unicode.IsMark(r) {
			marks = 0
		} else if marks++; marks > maxMarks {
			continue
		}
		switch {
		case r == '\n':
			b.WriteByte('\n')
		case r == '\r', r == '\v', r == '\f', r == '\u0085', r == '\u2028', r == '\u2029':
			b.WriteByte('\n')
		case r == '\t':
			b.WriteString("    ")
		case r < 0x20:
			b.WriteRune('\u2400' + r) // the control character's picture, so that the attempt is visible
		case r == 0x7f:
			b.WriteRune('\u2421')
		case r < 0xa0 && r > 0x7f: // C1 controls, among them the one-character escape sequence introducer
			b.WriteRune(utf8.RuneError)
		case isInvisible(r):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cleanLine is like Clean for text that must stay on one line.
func cleanLine(s string) string {
	return strings.ReplaceAll(strings.TrimSpace(Clean(s)), "\n", " ⏎ ")
}

// isPlain reports whether s consists only of printable ASCII and line ends, as most texts do.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '\n' && (c < 0x20 || c > 0x7e) {
			return false
		}
	}
	return true
}

// isInvisible reports whether r shows nothing or changes how other characters show. Joiners are not
// included: many emoji and some scripts need them.
func isInvisible(r rune) bool {
	if r == '\u200c' || r == '\u200d' {
		return false
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || unicode.Is(unicode.Bidi_Control, r)
}

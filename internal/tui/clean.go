package tui

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may follow one character. A tower of
// dozens paints over its neighbours.
const maxMarks = 4

// Clean returns s, which somebody else wrote, such that it cannot do anything
// to a terminal but show text: no control or escape character, nothing that
// turns the direction of what follows, nothing invisible. Line ends stay.
func Clean(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	s = strings.ReplaceAll(s, "\r\n", "\n")
	for _, r := range s { // what is not UTF-8 comes out as U+FFFD
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
			b.WriteRune('\u2400' + r) // the control's picture: whoever tried is seen to have tried
		case r == 0x7f:
			b.WriteRune('\u2421')
		case r < 0xa0 && r > 0x7f: // C1: among them a one-character escape sequence introducer
			b.WriteRune(utf8.RuneError)
		case isInvisible(r):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// CleanLine is Clean for what has to stay on one line.
func CleanLine(s string) string {
	return strings.ReplaceAll(strings.TrimSpace(Clean(s)), "\n", " ⏎ ")
}

// isPlain reports whether s is printable ASCII and line ends, as most text is.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '\n' && (c < 0x20 || c > 0x7e) {
			return false
		}
	}
	return true
}

// isInvisible reports whether r shows nothing or changes how others show. The
// joiners stay, without which many emoji and some scripts fall apart.
func isInvisible(r rune) bool {
	if r == '\u200c' || r == '\u200d' {
		return false
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || unicode.Is(unicode.Bidi_Control, r)
}

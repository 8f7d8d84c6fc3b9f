package format

import "strings"

// mayHaveFormat reports whether text could have formatting. It is cheap, because most messages are
// plain. It may return true for plain text, but never false for formatted text.
func mayHaveFormat(message string) bool {
	if strings.ContainsAny(message, "*_~`") || strings.Contains(message, "](") || mayHideText(message) ||
		mayHaveAddress(message) {
		return true
	}
	for rest := message; ; {
		i := strings.IndexByte(rest, ':')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
		if isShortCode(rest) {
			return true
		}
	}
	for rest := message; ; {
		if startsBlock(strings.TrimLeft(rest, " \t")) {
			return true
		}
		i := strings.IndexAny(rest, "\r\n")
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
	}
}

// mayHaveAddress reports whether there could be an address that becomes a link without markup.
func mayHaveAddress(message string) bool {
	if strings.Contains(message, "://") {
		return true
	}
	for rest := message; ; { // ada@example.org, with or without mailto:
		i := strings.IndexByte(rest, '@')
		if i < 0 {
			break
		}
		if i > 0 && rest[i-1] > ' ' && strings.IndexByte(rest[i:], '.') > 1 {
			return true
		}
		rest = rest[i+1:]
	}
	for rest := message; ; { // www.example.org, in any case
		i := strings.IndexByte(rest, '.')
		if i < 0 {
			return false
		}
		if i >= 3 && rest[i-1]|0x20 == 'w' && rest[i-2]|0x20 == 'w' && rest[i-3]|0x20 == 'w' {
			return true
		}
		rest = rest[i+1:]
	}
}

// mayHideText reports whether there could be a spoiler, or an escaped one.
func mayHideText(message string) bool {
	return strings.Contains(message, "||") || strings.Contains(message, `|\|`)
}

// startsBlock reports whether line could begin a heading, a quote or a list item, or be a rule or
// the line below a table's head.
func startsBlock(line string) bool {
	if line == "" {
		return false
	}
	switch c := line[0]; {
	case c == '>':
		return followedBySpace(line, 0)
	case c == '#':
		return isHeading(line)
	case c == '\\':
		return isEscapedBlock(line[1:])
	case c == '|', c == ':':
		return isRuled(line)
	case c == '-':
		return followedBySpace(line, 0) || isRuled(line)
	case c == '+':
		return followedBySpace(line, 0)
	case c >= '0' && c <= '9':
		rest := strings.TrimLeft(line, "0123456789")
		return rest != "" && (rest[0] == '.' || rest[0] == ')')
	}
	return false
}

// isEscapedBlock reports whether a line after a backslash would begin a heading, a quote or a list, or be a rule,
// without it.
func isEscapedBlock(line string) bool {
	return isHeading(line) || strings.HasPrefix(line, "---") ||
		line != "" && strings.IndexByte(">-+", line[0]) >= 0 && followedBySpace(line, 0)
}

// isHeading reports whether line, which the caller may have shortened, begins with a heading's
// number signs.
func isHeading(line string) bool {
	rest := strings.TrimLeft(line, "#")
	level := len(line) - len(rest)
	return level >= 1 && level <= 6 && rest != "" && strings.IndexByte(" \t\r\n", rest[0]) >= 0
}

// isRuled reports whether line could be a rule or the line below a table's head.
func isRuled(line string) bool {
	dashes, bars := ruling(line)
	return dashes > 2 || dashes > 0 && bars > 0
}

// ruling counts dashes and bars in a line that consists only of dashes, bars, colons and spaces.
// For any other line it returns zeros.
func ruling(line string) (dashes, bars int) {
	for i := range len(line) {
		switch line[i] {
		case '-':
			dashes++
		case '|':
			bars++
		case ':', ' ', '\t':
		case '\r', '\n':
			return dashes, bars
		default:
			return 0, 0
		}
	}
	return dashes, bars
}

func isLineEnd(r rune) bool { return r == '\n' || r == '\r' }

// isShortCode reports whether s, which follows a colon, could begin with an emoji's short-code and
// its second colon.
func isShortCode(s string) bool {
	n := shortCodeLen(s)
	return n > 0 && n < len(s) && s[n] == ':'
}

// shortCodeLen returns how many bytes at the start of s could be an emoji's short-code.
func shortCodeLen(s string) int {
	for i := range len(s) {
		if !isAlphaNumeric(s[i]) && s[i] != '_' && s[i] != '-' && s[i] != '+' {
			return i
		}
	}
	return len(s)
}

func isAlphaNumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

package chat

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Here is the name that mentions all members of a room.
const Here = "here"

// Limits of what is looked for in one message. Everybody's messages wait for the look-ups of names.
const (
	maxMentionSigns = 4 * MaxMentions // "@" after which names are looked for
	maxNamesInRun   = 12              // ends of a name within words without spaces, per "@"
)

// scriptsWithoutSpaces are the scripts whose words are not separated by spaces. Korean has spaces, but attaches
// particles to words.
var scriptsWithoutSpaces = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

// IsWithoutSpaces reports whether r belongs to a script whose words are not separated by spaces: a word may end beside
// it anywhere.
func IsWithoutSpaces(r rune) bool {
	return r >= 0x0e00 && (unicode.In(r, scriptsWithoutSpaces...) || r == '\u30fc' || r == '\uff70')
}

// IsSpacedWord reports whether r is part of a word in a script with spaces between words. Where two of them meet, no
// word ends.
func IsSpacedWord(r rune) bool {
	return isWord(r) && !IsWithoutSpaces(r)
}

func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

// PossibleMentions returns, for each "@" in texts that may begin a mention, the names that may follow it, the longest
// first: "@Ada is it" may mention "Ada is it", "Ada is" or "Ada". An address mentions nobody: neither ada@example.org
// nor medium.com/@ada, @ada/core and @ada@example.org. No name goes from one text to the next. The page has the same
// rules in room/mentions.js; both are tested by the table in testdata/mentions.json.
func PossibleMentions(texts []string) (all [][]string) {
	for _, text := range texts {
		for _, names := range MentionsIn(text) {
			if len(all) == maxMentionSigns {
				return all
			}
			all = append(all, names)
		}
	}
	return all
}

// MentionsIn yields what PossibleMentions returns for one text: the index of each "@" and the names after it.
func MentionsIn(text string) iter.Seq2[int, []string] {
	return func(yield func(at int, names []string) bool) {
		for i := 0; i < len(text); i++ {
			next := strings.IndexByte(text[i:], '@')
			if next < 0 {
				return
			}
			i += next
			if !mayBeginMention(text[:i]) {
				continue
			}
			if names := namesAt(text[i+1:]); len(names) > 0 && !yield(i, names) {
				return
			}
		}
	}
}

// mayBeginMention reports whether an "@" after before can begin a mention.
func mayBeginMention(before string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	if before == "" || last != '/' {
		return before == "" || !IsSpacedWord(last)
	}
	before = before[max(0, len(before)-100):] // an address with a path: medium.com/@ada
	word := before[1+strings.LastIndexAny(before, " \t\n("):]
	dot := strings.IndexByte(word, '.')
	return dot <= 0 || strings.HasPrefix(word, "@")
}

// namesAt returns the names that s may begin with, the longest first: each ends where a word does, and none contains
// the beginning of another mention.
func namesAt(s string) (names []string) {
	runes, inRun := 0, 0
	var last rune
	for i, r := range s {
		if i == 0 && unicode.IsSpace(r) {
			return nil
		}
		if i > 0 && !unicode.IsSpace(last) {
			switch {
			case isWord(r) && isWord(last):
				if inRun < maxNamesInRun && endsBetween(last, r) {
					inRun++
					names = append(names, s[:i])
				}
			case !isWord(r) && !continuesAddress(last, s[i:]):
				names = append(names, s[:i])
			}
		}
		if runes == MaxName || r == '\n' || i > 0 && r == '@' && !IsSpacedWord(last) {
			slices.Reverse(names)
			return names
		}
		last = r
		runes++
	}
	if s != "" {
		names = append(names, s)
	}
	slices.Reverse(names)
	return names
}

// endsBetween reports whether a word may end between two of its characters: beside a script without spaces, but not
// before a mark or a vowel sign.
func endsBetween(last, r rune) bool {
	if unicode.IsMark(r) || r == '_' || '\u0e30' <= r && r <= '\u0e3a' || r == '\u30fc' || r == '\uff70' {
		return false
	}
	return IsWithoutSpaces(last) || IsWithoutSpaces(r)
}

// continuesAddress reports whether what follows a name makes an address of it: @ada/core, @ada@example.org.
func continuesAddress(last rune, rest string) bool {
	if rest[0] != '/' && rest[0] != '@' || !IsSpacedWord(last) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(rest[1:])
	return IsSpacedWord(next)
}

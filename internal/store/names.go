package store

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/internal/chat"
)

// mayMention reports whether text could name a person. It is cheap, because most
// messages name nobody. It may report true for a message without a name, but never
// false for one with a name.
func mayMention(text string) bool {
	for i := strings.IndexByte(text, '@'); i >= 0; {
		if startsMention(text, i) {
			return true
		}
		next := strings.IndexByte(text[i+1:], '@')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// startsMention reports whether a name may follow the "@" at text[i]: it does not
// stand within a word, as in an address.
func startsMention(text string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:i])
	after, _ := utf8.DecodeRuneInString(text[i+1:])
	return (i == 0 || !isWord(before)) && i+1 < len(text) && !unicode.IsSpace(after)
}

func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_'
}

// maxLooks limits how many names of one message are looked up. Most are nobody's:
// "@Ada is it" may name "Ada is it", "Ada is" or "Ada". Everybody's messages wait for
// these look-ups.
const maxLooks = 2 * chat.MaxMentions

// namedIn returns the people whom text names, each once. look finds those who go by a
// folded name; it is called once for each name, and at most maxLooks times.
func namedIn(text string, look func(folded string) []Named) (found []Named) {
	looked := map[string]bool{}
	for i, starts := 0, 0; i < len(text) && starts < maxLooks && len(found) < chat.MaxMentions; i++ {
		if text[i] != '@' || !startsMention(text, i) {
			continue
		}
		starts++
		for _, name := range namesAt(text[i+1:]) {
			name = chat.FoldName(name)
			if looked[name] { // its people are among found, if there are any
				break
			}
			if len(looked) == maxLooks {
				return found
			}
			looked[name] = true
			if people := look(name); len(people) > 0 {
				found = append(found, people[:min(len(people), chat.MaxMentions-len(found))]...)
				break
			}
		}
	}
	return found
}

// eachName calls do for each folded name that namedIn may look up in text, whatever it
// finds for the others.
func eachName(text string, do func(folded string)) {
	for i, starts := 0, 0; i < len(text) && starts < maxLooks; i++ {
		if text[i] != '@' || !startsMention(text, i) {
			continue
		}
		starts++
		for _, name := range namesAt(text[i+1:]) {
			do(chat.FoldName(name))
		}
	}
}

// namesAt returns the names that s may begin with, the longest first: each ends
// where a word does, and none contains the beginning of another mention.
func namesAt(s string) (names []string) {
	runes := 0
	var last rune
	for i, r := range s {
		if i > 0 && !isWord(r) && !unicode.IsSpace(last) {
			names = append(names, s[:i])
		}
		if runes == chat.MaxName || r == '\n' || i > 0 && r == '@' && !isWord(last) {
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

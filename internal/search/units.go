package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// A unit is the least of a text that can be found: a word, one character of a
// script that has no spaces between words, or a symbol such as an emoji.
type unit struct {
	text       string // folded
	start, end int    // where it stands in the text, in code points
	lone       bool   // a character of a script without spaces
	joined     bool   // lone, and right behind one that is lone as well
}

// maxWord is how many bytes of a folded word count. What is longer is no word
// but a key or a picture in letters, and is found by its beginning.
const maxWord = 40

// scriptsWithoutSpaces are the scripts whose words cannot be told by their spaces. Korean
// has some, but puts its particles right behind a word.
var scriptsWithoutSpaces = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

// scriptsWithoutMarks are the scripts whose marks people leave out when they search. In those of
// India and in Hebrew's neighbours to the east a mark may be the word's vowel.
var scriptsWithoutMarks = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic}

// strokeLetters are letters that look like another with something added, but that
// Unicode takes for letters of their own.
var strokeLetters = strings.NewReplacer("ł", "l", "ø", "o", "đ", "d", "ħ", "h", "ŧ", "t", "ı", "i", "æ", "ae", "œ", "oe")

// A class says what a rune does to the unit that is being read.
type class uint8

const (
	gap    class = iota // ends it
	letter              // belongs to a word
	mark                // belongs to whatever it stands on
	lone                // is a unit of its own, in a script without spaces
	symbol              // is a unit of its own
	unseen              // is passed over: joiners, soft hyphens
)

func classOf(r rune) class {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return letter
		}
		return gap
	}
	switch {
	case r == '\uff9e' || r == '\uff9f': // the sound marks of half-width kana
		return mark
	case r == '\u30fb' || r == '\uff65': // a dot between words, in the block of Katakana
		return gap
	case unicode.IsLetter(r) || unicode.Is(unicode.Nl, r):
		if unicode.In(r, scriptsWithoutSpaces...) || r == '\u30fc' || r == '\uff70' {
			return lone
		}
		return letter
	case '\ufe00' <= r && r <= '\ufe0f': // says how the one before is drawn
		return unseen
	case unicode.IsMark(r):
		if unicode.In(r, scriptsWithoutSpaces...) {
			return lone
		}
		return mark
	case unicode.Is(unicode.N, r):
		return letter
	case unicode.Is(unicode.So, r):
		return symbol
	case unicode.Is(unicode.Cf, r):
		return unseen
	}
	return gap
}

// appendUnits appends the units of text, in order, to dst.
func appendUnits(dst []unit, text string) []unit {
	var (
		kind        = gap // of the unit that is being read
		begin       int   // its first byte
		start, end  int   // its code points
		place       int   // of the rune at hand
		stop        int   // the byte behind it
		afterLone   bool  // nothing stands between here and a lone unit
		lastWasLone bool
	)
	flush := func() {
		if kind != gap {
			if folded := fold(text[begin:stop]); folded != "" {
				dst = append(dst, unit{text: folded, start: start, end: end, lone: kind == lone, joined: kind == lone && lastWasLone})
			}
			afterLone = kind == lone
		}
		kind = gap
	}
	for i, r := range text {
		c := classOf(r)
		switch {
		case c == letter && kind == letter, c == mark && kind != gap:
			end, stop = place+1, i+utf8.RuneLen(r)
		case c == unseen:
		case c == gap || c == mark:
			flush()
			afterLone = false
		default:
			flush()
			lastWasLone = afterLone
			kind, begin, start = c, i, place
			end, stop = place+1, i+utf8.RuneLen(r)
		}
		place++
	}
	flush()
	return dst
}

// fold returns the form of a word in which all ways to write it are the same:
// compatibility forms, case and, where people leave them out, diacritics.
func fold(word string) string {
	if isFolded(word) {
		return short(word)
	}
	folded := norm.NFKD.String(cases.Fold().String(norm.NFKC.String(word)))
	var b strings.Builder
	stripped := false
	for _, r := range folded {
		if unicode.Is(unicode.Mn, r) {
			if stripped {
				continue
			}
		} else {
			stripped = unicode.In(r, scriptsWithoutMarks...)
		}
		// In the list of tokens, ASCII punctuation would end one: ℀ is a/c.
		if c := classOf(r); c != unseen && (c != gap || r > unicode.MaxASCII && r != utf8.RuneError) {
			b.WriteRune(r)
		}
	}
	return short(strokeLetters.Replace(norm.NFC.String(b.String())))
}

// isFolded reports whether fold would change nothing, for most words.
func isFolded(word string) bool {
	for i := range len(word) {
		if c := word[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// short cuts a word to maxWord bytes, between two runes.
func short(word string) string {
	if len(word) <= maxWord {
		return word
	}
	n := maxWord
	for !utf8.RuneStart(word[n]) {
		n--
	}
	return word[:n]
}

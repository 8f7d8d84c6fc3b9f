package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// A unit is the smallest part of a text that can be found: a word, one character of a script without spaces between
// words, or a symbol such as an emoji.
type unit struct {
	text       string // folded
	start, end int    // in the text, in code points
	lone       bool   // a character of a script without spaces
	joined     bool   // lone, and directly after another lone unit
}

// maxWord is how many bytes of a folded word are indexed. A longer one is not a word but a key or a picture made of
// letters; it is found by its beginning.
const maxWord = 40

// scriptsWithoutSpaces are the scripts whose words are not separated by spaces. Korean has spaces, but attaches
// particles to words.
var scriptsWithoutSpaces = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

// scriptsWithoutMarks are the scripts whose marks people leave out when they search. In other scripts, such as those of
// India, a mark may be the word's vowel.
var scriptsWithoutMarks = []*unicode.RangeTable{
	unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic,
}

// strokeLetters are letters that look like another letter with something added, but that Unicode does not decompose.
var strokeLetters = strings.NewReplacer(
	"ł", "l", "ø", "o", "đ", "d", "ħ", "h", "ŧ", "t", "ı", "i", "æ", "ae", "œ", "oe")

// A class says how a rune affects the unit that is being read.
type class uint8

const (
	gap    class = iota // ends the unit
	letter              // belongs to a word
	mark                // belongs to the rune before
	lone                // is a unit of its own, in a script without spaces
	symbol              // is a unit of its own
	unseen              // ignored: joiners, soft hyphens
)

func classOf(r rune) class {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return letter
		}
		return gap
	}
	switch {
	case r == '\uff9e' || r == '\uff9f': // sound marks of half-width kana
		return mark
	case r == '\u30fb' || r == '\uff65': // a dot between words in the Katakana block
		return gap
	case unicode.IsLetter(r) || unicode.Is(unicode.Nl, r):
		if unicode.In(r, scriptsWithoutSpaces...) || r == '\u30fc' || r == '\uff70' {
			return lone
		}
		return letter
	case '\ufe00' <= r && r <= '\ufe0f': // a variation selector
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
		kind        = gap // of the current unit
		begin       int   // its first byte
		start, end  int   // its range in code points
		place       int   // code point index of the current rune
		stop        int   // the byte after the current unit
		afterLone   bool  // a lone unit ends directly before the current rune
		lastWasLone bool
	)
	flush := func() {
		if kind != gap {
			if folded := fold(text[begin:stop]); folded != "" {
				dst = append(dst, unit{
					text: folded, start: start, end: end, lone: kind == lone, joined: kind == lone && lastWasLone,
				})
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

// fold returns a word in the form that all its spellings share: compatibility forms, case and, where people leave them
// out, diacritics are removed.
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
		// ASCII punctuation would end a token: ℀ folds to a/c.
		if c := classOf(r); c != unseen && (c != gap || r > unicode.MaxASCII && r != utf8.RuneError) {
			b.WriteRune(r)
		}
	}
	return short(strokeLetters.Replace(norm.NFC.String(b.String())))
}

// isFolded reports whether a word is certainly in its folded form. That is a fast check for most words.
func isFolded(word string) bool {
	for i := range len(word) {
		if c := word[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// short cuts a word to at most maxWord bytes, between two runes.
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

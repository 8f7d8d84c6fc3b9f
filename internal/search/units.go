package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"parley/internal/chat"
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

// scriptsWithoutMarks are the scripts whose marks people leave out when they search. In other scripts, such as those of
// India, a mark may be the word's vowel.
var scriptsWithoutMarks = []*unicode.RangeTable{
	unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic, unicode.Syriac,
}

// dotsBelow are marks of India's scripts that are left out as often as not: the dot of ज़.
const dotsBelow = "\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc"

// similarLetters are letters that look like another letter with something added, but that Unicode does not decompose;
// and those of Arabic script that people and keyboards of different languages exchange.
var similarLetters = strings.NewReplacer(
	"ł", "l", "ø", "o", "đ", "d", "ħ", "h", "ŧ", "t", "ı", "i", "æ", "ae", "œ", "oe",
	"ٱ", "ا", "ى", "ي", "ی", "ي", "ک", "ك", "ة", "ه", "ہ", "ه")

// A class says how a rune affects the unit that is being read.
type class uint8

const (
	gap    class = iota // ends the unit
	letter              // belongs to a word
	mark                // belongs to the rune before
	lone                // is a unit of its own, in a script without spaces
	symbol              // is a unit of its own
	unseen              // ignored: joiners, soft hyphens, what only makes a word longer
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
	case r == '\u0640' || r == '\u07fa': // tatweel, of Arabic and of N'Ko
		return unseen
	case r == '\u30fb' || r == '\uff65': // a dot between words in the Katakana block
		return gap
	case unicode.IsLetter(r) || unicode.Is(unicode.Nl, r):
		if chat.IsWithoutSpaces(r) {
			return lone
		}
		return letter
	case '\ufe00' <= r && r <= '\ufe0f': // a variation selector
		return unseen
	case unicode.IsMark(r):
		if chat.IsWithoutSpaces(r) {
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
		c := classOf(r)
		if unicode.Is(unicode.Mn, r) {
			if stripped || strings.ContainsRune(dotsBelow, r) {
				continue
			}
		} else if c != unseen {
			stripped = unicode.In(r, scriptsWithoutMarks...)
		}
		r = latinDigit(r)
		// ASCII punctuation would end a token: ℀ folds to a/c.
		if c != unseen && (c != gap || r > unicode.MaxASCII && r != utf8.RuneError) {
			b.WriteRune(r)
		}
	}
	return short(similarLetters.Replace(norm.NFC.String(b.String())))
}

// latinDigit returns a decimal digit of any script as 0 to 9, and any other character as it is.
func latinDigit(r rune) rune {
	if r < utf8.RuneSelf || !unicode.Is(unicode.Nd, r) {
		return r
	}
	zero := r
	for r-zero < 9 && unicode.Is(unicode.Nd, zero-1) {
		zero--
	}
	return '0' + r - zero
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

package chat

import (
	"strings"
	"unicode"
)

// reserved are the names that are nobody's, as key returns them.
var reserved = func() map[string]bool {
	names := map[string]bool{}
	for _, name := range []string{
		"Parley", "System", "Server", // the program seems to speak; on /chatroom it does, as Parley
		"here", "everyone", "everybody", "all", "channel", "room", // a mention seems to call many
		"admin", "administrator", "moderator", "operator", "root", "support", "staff", // somebody seems to have a right or an office
	} {
		names[skeleton(name)] = true
	}
	return names
}()

// CheckName reports whether somebody may go by a name in normal form. Names that
// were taken before a rule was made are looked at again when their people come
// back. The error is an *Error with code BadName.
func CheckName(nick string) error {
	for _, r := range nick {
		if isInvisible(r) && r != '\u200c' && r != '\u200d' { // the joiners have rules of their own in PRECIS
			return badName("A name is visible text without control or invisible characters.")
		}
	}
	if reserved[skeleton(nick)] {
		return badName("%s is nobody's name here, as it reads as the server, its staff or everybody. Take another one.", nick)
	}
	return nil
}

// skeleton is what two names have in common that are easily taken for each other:
// it has no capitals, no letters of another width, no spaces and signs, and Latin
// letters for those of Greek and Cyrillic that look like them.
func skeleton(name string) string {
	return lookalikes.Replace(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, FoldName(name)))
}

// lookalikes are small letters, as FoldName makes them.
var lookalikes = strings.NewReplacer(
	"а", "a", "ԁ", "d", "е", "e", "һ", "h", "і", "i", "ј", "j", "к", "k", "ӏ", "l", "м", "m", "п", "n", "о", "o", "р", "p", "ѕ", "s", "т", "t", "у", "y", "ү", "y", "с", "c", "х", "x",
	"α", "a", "ε", "e", "η", "n", "ι", "i", "κ", "k", "ν", "v", "ο", "o", "ρ", "p", "σ", "s", "τ", "t", "υ", "y", "χ", "x", "ϲ", "c",
	"ı", "i", "ɑ", "a", "ɡ", "g", "0", "o",
)

// isInvisible reports whether r is drawn as nothing, or as blank though it is no
// space: what Unicode says can be ignored (format characters, Hangul fillers,
// selectors, tags), and the empty Braille cell.
func isInvisible(r rune) bool {
	if r < 0x80 {
		return false
	}
	return r == '\u2800' || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
		unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

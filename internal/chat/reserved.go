package chat

import (
	"strings"
	"unicode"
)

// reserved holds the names that no person may have, as skeleton returns them.
var reserved = func() map[string]bool {
	names := map[string]bool{}
	for _, name := range []string{
		"Parley", "System", "Server", // they would look like the program itself, which is Parley on /chatroom
		"here", "everyone", "everybody", "all", "channel", "room", // a mention would look like one of many people
		"admin", "administrator", "moderator", "operator", "root", "support", "staff", // they would look like a role
	} {
		names[skeleton(name)] = true
	}
	return names
}()

// CheckName returns an error unless a person may have a name, which is in normal form. The name of a person who comes
// back is checked too, because a rule may be newer than the name. The error is an *Error with code BadName.
func CheckName(nick string) error {
	for _, r := range nick {
		if isInvisible(r) && r != '\u200c' && r != '\u200d' { // PRECIS has rules for the joiners
			return badName("A name is visible text without control or invisible characters.")
		}
	}
	if reserved[skeleton(nick)] {
		return badName(
			"%s is nobody's name here, as it reads as the server, its staff or everybody. Take another one.", nick)
	}
	return nil
}

// skeleton returns the same string for names that are easily mistaken for each other: it drops case, width, spaces and
// signs, and replaces letters of Greek and Cyrillic by the Latin ones that look like them.
func skeleton(name string) string {
	return lookalikes.Replace(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, FoldName(name)))
}

// lookalikes maps lower-case letters, as FoldName returns them.
var lookalikes = strings.NewReplacer(
	"а", "a", "ԁ", "d", "е", "e", "һ", "h", "і", "i", "ј", "j", "к", "k", "ӏ", "l",
	"м", "m", "п", "n", "о", "o", "р", "p", "ѕ", "s", "т", "t", "у", "y", "ү", "y", "с", "c", "х", "x",
	"α", "a", "ε", "e", "η", "n", "ι", "i", "κ", "k",
	"ν", "v", "ο", "o", "ρ", "p", "σ", "s", "τ", "t", "υ", "y", "χ", "x", "ϲ", "c",
	"ı", "i", "ɑ", "a", "ɡ", "g", "0", "o",
)

// isInvisible reports whether r shows nothing or a blank without being a space: default-ignorable characters (format
// characters, Hangul fillers, selectors, tags) and the empty Braille cell.
func isInvisible(r rune) bool {
	if r < 0x80 {
		return false
	}
	return r == '\u2800' || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
		unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

package chat

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// A RoomName is a room's name in the canonical form that ParseRoomName returns: case-folded and normalised, so that all
// ways to type a name lead to the same room.
type RoomName string

// maxMarks is how many combining marks may follow one character of a name. Thai and Vietnamese need two and pointed
// Hebrew three. A stack of dozens only paints over the lines around it.
const maxMarks = 3

// ParseRoomName returns the canonical form of name: Unicode NFKC, full case folding (so that "Straße" is "strasse"),
// NFKC again. The result must be 1 to MaxRoomName letters of any script with their marks, decimal digits, "-", "_" and
// ".", but not dots alone, which a URL cannot hold. The error is an *Error with code BadRoom.
func ParseRoomName(name string) (RoomName, error) {
	if !utf8.ValidString(name) || len(name) > 16*MaxRoomName {
		return "", badRoom("A room's name is at most %d characters of UTF-8.", MaxRoomName)
	}
	folded, ok := untilStable(name, func(s string) string {
		return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	})
	switch n := utf8.RuneCountInString(folded); {
	case !ok:
		return "", badRoom("This room's name has no canonical form.")
	case n == 0:
		return "", badRoom("A room needs a name.")
	case n > MaxRoomName:
		return "", badRoom("A room's name has at most %d characters; this one has %d.", MaxRoomName, n)
	case strings.Trim(folded, ".") == "":
		return "", badRoom("A room's name needs more than dots.")
	case unicode.IsMark(firstRune(folded)):
		return "", badRoom("A room's name cannot begin with a combining mark.")
	case tooManyMarks(folded):
		return "", badRoom("A room's name has at most %d combining marks on one character.", maxMarks)
	}
	for _, r := range folded {
		if !isRoomRune(r) {
			return "", badRoom("A room's name is made of letters, digits, “-”, “_” and “.”; %q is none of them.", r)
		}
	}
	return RoomName(folded), nil
}

// ParseName returns a display name's normal form by the Nickname profile of PRECIS (RFC 8266): NFKC, spaces trimmed and
// collapsed, no control and no invisible characters, so no bidirectional override either. The result must have 1 to
// MaxName characters. The error is an *Error with code BadName.
func ParseName(name string) (string, error) {
	if !utf8.ValidString(name) || len(name) > 16*MaxName {
		return "", badName("A name is at most %d characters of UTF-8.", MaxName)
	}
	// RFC 8266 §2.1: apply the rules until nothing changes, at most four times.
	var failed bool
	nick, ok := untilStable(name, func(s string) string {
		out, err := precis.Nickname.String(s)
		failed = failed || err != nil
		return out
	})
	switch n := utf8.RuneCountInString(nick); {
	case strings.TrimSpace(name) == "":
		return "", badName("A name needs at least one visible character.")
	case failed, !ok, n == 0, isBlank(nick), unicode.IsMark(firstRune(nick)):
		return "", badName("A name is visible text without control or invisible characters.")
	case n > MaxName:
		return "", badName("A name has at most %d characters; this one has %d.", MaxName, n)
	case tooManyMarks(nick):
		return "", badName("A name has at most %d combining marks on one character.", maxMarks)
	}
	return nick, CheckName(nick)
}

// untilStable applies f until it changes nothing, at most four times. It reports false if it still changes something
// then.
func untilStable(s string, f func(string) string) (string, bool) {
	for range 4 {
		next := f(s)
		if next == s {
			return s, true
		}
		s = next
	}
	return s, f(s) == s
}

func isRoomRune(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsMark(r)) && !isInvisible(r) ||
		unicode.Is(unicode.Nd, r) || r == '-' || r == '_' || r == '.'
}

func tooManyMarks(s string) bool {
	marks := 0
	for _, r := range s {
		if !unicode.IsMark(r) {
			marks = 0
		} else if marks++; marks > maxMarks {
			return true
		}
	}
	return false
}

// isBlank reports whether s has no visible character: only spaces, controls and invisible ones.
func isBlank(s string) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) && !unicode.IsControl(r) && !isInvisible(r) {
			return false
		}
	}
	return true
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func badRoom(format string, args ...any) error {
	return &Error{Code: BadRoom, Message: fmt.Sprintf(format, args...)}
}

func badName(format string, args ...any) error {
	return &Error{Code: BadName, Message: fmt.Sprintf(format, args...)}
}

// FoldName returns a display name in the form that mentions compare: @ada mentions Ada, in whichever form a keyboard
// produces the letters.
func FoldName(name string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
}

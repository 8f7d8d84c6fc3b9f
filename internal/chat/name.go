package chat

import (
	"fmt"
	"regexp"
	"strconv"
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
// NFKC again. A name of letters of any script with their marks, numbers, "-", "_" and "." is left like that; any other
// is converted ("What's up?" is "what-s-up"). The result has 1 to MaxRoomName characters. The error is an *Error with
// code BadRoom: name is no text, nothing is left of it, or too much.
//
// web/js/ui/room-name.js does the same in the page. Both pass the cases in testdata/room-names.json.
func ParseRoomName(name string) (RoomName, error) {
	switch {
	case !utf8.ValidString(name), strings.Contains(name, "\x00"): // as in all texts
		return "", badRoom("A room's name is UTF-8 text without the character U+0000.")
	case len(name) > 16*MaxRoomName:
		return "", badRoom("A room's name has at most %d characters; this one is far longer.", MaxRoomName)
	}
	room, ok := untilStable(name, FoldName)
	if ok && !isRoomName(room) {
		room, ok = untilStable(room, func(s string) string { return FoldName(convertRoomName(s)) })
	}
	switch n := utf8.RuneCountInString(room); {
	case !ok:
		return "", badRoom("This room's name has no canonical form.")
	case strings.TrimSpace(name) == "":
		return "", badRoom("A room needs a name.")
	case n == 0:
		return "", badRoom("A room's name needs a letter or a digit.")
	case n > MaxRoomName:
		return "", badRoom("A room's name has at most %d characters; this one has %d.", MaxRoomName, n)
	}
	return RoomName(room), nil
}

// isRoomName reports whether s, which is folded, needs no conversion. Dots alone are no name, since a URL cannot hold
// them.
func isRoomName(s string) bool {
	for _, r := range s {
		if !isRoomRune(r) {
			return false
		}
	}
	return strings.Trim(s, ".") != "" && !unicode.IsMark(firstRune(s)) && !tooManyMarks(s)
}

// Parts of a name that convertRoomName changes. A sign is what is neither a letter nor a number; a mark belongs to what
// is before it.
var (
	moreMarks    = regexp.MustCompile(`(\p{M}{` + strconv.Itoa(maxMarks) + `})\p{M}+`)
	signs        = regexp.MustCompile(`[^\p{L}\p{N}\p{M}][^\p{L}\p{N}]*`)
	allowedSigns = regexp.MustCompile(`^[-_.\p{M}]+$`)
	atEnds       = regexp.MustCompile(`^[-\p{M}]+|-+$`)
	named        = regexp.MustCompile(`[\p{L}\p{N}]`)
)

// convertRoomName makes a room's name of any text: each run of signs, one of which is not allowed, becomes one "-", and
// none at the ends. Invisible characters and marks beyond maxMarks are dropped. Without a letter or number nothing is
// left.
func convertRoomName(s string) string {
	s = strings.Map(func(r rune) rune {
		if isInvisible(r) && r != '\u2800' { // the empty Braille cell is a blank
			return -1
		}
		return r
	}, s)
	s = moreMarks.ReplaceAllString(s, "$1")
	s = signs.ReplaceAllStringFunc(s, func(run string) string {
		if allowedSigns.MatchString(run) {
			return run
		}
		return "-"
	})
	s = atEnds.ReplaceAllString(s, "")
	if !named.MatchString(s) {
		return ""
	}
	return s
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
		unicode.IsNumber(r) || r == '-' || r == '_' || r == '.'
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

// FoldName returns a name in the form that comparisons use: @ada mentions Ada, and Lobby is lobby, in whichever form a
// keyboard produces the letters.
func FoldName(name string) string {
	folded := cases.Fold().String(norm.NFKC.String(name))
	// Cherokee folds to its capitals, which came first; cases.Fold only swaps its two cases.
	folded = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cherokee, r) {
			return unicode.ToUpper(r)
		}
		return r
	}, folded)
	return norm.NFKC.String(folded)
}

// Package chat is what the program is about: people, rooms, drafts, events,
// their limits, and the errors that a user can act on. Start reading at Event.
//
// It knows nothing of sockets, SQL, HTTP or JSON frames; every other package
// may import it, and it imports none of them.
package chat

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// A Seq is an event's number in its room: 1, 2, 3 … without a hole. Zero is
// before the first.
type Seq int64

// A PersonID names a person for good. It is random, so that it tells nothing.
type PersonID string

// A Person is somebody who talks: a guest with a stable id and a display name.
type Person struct {
	ID   PersonID `json:"id"`
	Name string   `json:"name"`
}

// A Kind says what an event is. Clients ignore kinds that they do not know.
type Kind string

// The kinds of events. Those up to Topic are for good and have a Seq; Presence
// and Typing are of the moment: they have none, are never stored, and a reader
// that lags does not get them.
const (
	Message  Kind = "message" // somebody said something in the room
	Reply    Kind = "reply"   // somebody said something in a thread, and only there
	Edit     Kind = "edit"    // Target says something else now: Text
	Delete   Kind = "delete"  // Target says nothing any more
	React    Kind = "react"   // to Target, with the emoji in Text
	Unreact  Kind = "unreact" // that reaction is taken back
	Pin      Kind = "pin"     // Target is in the room's list of pins
	Unpin    Kind = "unpin"   // not any more
	Topic    Kind = "topic"   // what the room is about is Text
	Presence Kind = "presence"
	Typing   Kind = "typing"
)

// IsSaid reports whether events of this kind are something that somebody said:
// they can be edited, deleted, reacted to, pinned, and answered.
func (k Kind) IsSaid() bool { return k == Message || k == Reply }

// A Draft is an event on its way into a room's log: checked, not yet stored.
type Draft struct {
	Room   RoomName
	From   Person
	Kind   Kind       // "": Message
	Text   string     // what is said; the emoji of a reaction
	HTML   string     // Text's formatting as sanitised HTML; empty if it has none. Never stored.
	Nonce  string     // unique per author and room; empty: the sender cannot retry
	Target Seq        // the message that this changes or, of one that is said, whose thread it is in; 0: none
	Extra  *Attrs     // nil for nearly all
	Source MessageRef // of a forward: the message that it is a copy of. Kept, and never shown.

	Network netip.Addr // where it comes from, for the limits per address; never stored
}

// Is returns what kind of event a draft becomes.
func (d *Draft) Is() Kind { return cmp.Or(d.Kind, Message) }

// An Event is something that happened in a room.
type Event struct {
	Room   RoomName
	Seq    Seq       // 0 for what is not kept
	At     time.Time // when it was stored, in UTC, to the millisecond
	Kind   Kind
	From   Person // who did it
	Text   string // as in Draft; empty once what was said has been deleted
	HTML   string // Text's formatting as sanitised HTML; empty if it has none
	Target Seq    // as in Draft
	Extra  *Attrs // nil for nearly all; never changed

	Change *PresenceChange // for Presence alone
}

// IsDeleted reports whether the event once said something that has been deleted.
func (e *Event) IsDeleted() bool { return e.Text == "" && (e.Kind.IsSaid() || e.Kind == Edit) }

// Attrs is what few events have beside their text.
type Attrs struct {
	ReplyTo  Seq        // the message that this one answers; 0: none
	Quote    *Quote     // what that one says; made when read, nil if it is gone
	Action   bool       // it is what its author does, not says
	Forward  *Forward   // it was said elsewhere first
	Mentions []Person   // whom it names, under the names that it uses
	Here     bool       // it is for everybody who was here
	Present  []PersonID // of a draft with Here: who that is
}

// A Quote is the beginning of a message that another one answers.
type Quote struct {
	From Person
	Text string // at most MaxQuote characters
}

// A Forward says who said first what is repeated here, and when. It does not say
// where: to know a room's name is to be able to enter it. So Draft.Source is no
// part of it.
type Forward struct {
	From Person
	At   time.Time
}

// A MessageState is a message as it stands now, with what was done to it since it
// was said. The Event's Text is the newest.
type MessageState struct {
	Event
	Edited    Seq       // its newest edit; 0: none
	EditedAt  time.Time // when that was
	Reactions []Reaction
	Replies   *Replies // its thread; nil if it has none
	Pinned    bool
	Pin       Seq // the event that pinned it
}

// A Reaction is one emoji on a message, and whose, in the order in which they came.
type Reaction struct {
	Emoji  string
	People []Person // under their present names
}

// Replies sums a thread up.
type Replies struct {
	Count int
	Last  Seq
	At    time.Time // when Last was said
	From  Person    // who said it
}

// A PresenceChange says how the people in a room have changed. In a room of at
// most MaxHere people Joined, Left or Here say who; in a larger one there is
// only the count.
type PresenceChange struct {
	Count  int      // people here now
	Joined *Person  // this person is here now, perhaps under a new name
	Left   *Person  // this person is gone
	Here   []Person // everybody: sent when a room has shrunk to MaxHere people
}

// A Commit is the store's word about one draft.
type Commit struct {
	Event    Event // the stored event; for a repeated nonce, the one stored first
	Repeated bool  // the nonce was known: nothing new was stored
	More     bool  // another Commit of the same transaction follows at once
	Err      error // not stored, and nobody has seen it; an *Error if the sender can act on it

	DeletedTexts []string // of a deletion: what the message said, in all its versions
}

// Limits that do not depend on an operator's choice.
const (
	MaxRoomName = 64   // characters of a room's name after normalisation
	MaxName     = 32   // characters of a display name after normalisation
	MaxNonce    = 64   // bytes of a nonce
	MaxHere     = 100  // people of whom presence tells each; beyond, it counts
	MaxBehind   = 1000 // events that a join delivers; beyond, the client pages history
	MaxPage     = 200  // messages in one page of history
	MaxText     = 4000 // characters of a message unless the operator says otherwise
	MaxQuote    = 200  // characters of a message that another one quotes
	MaxTopic    = 250  // characters of what a room is about
	MaxEmoji    = 20   // different emoji on one message
	MaxPins     = 100  // pinned messages of a room
	MaxMentions = 50   // people whom one message names
	MaxEdits    = 500  // edits of one message, all of which its deletion takes away at once
)

// CheckText reports whether a person may send text, at most limit characters
// (runes, not bytes) long; a limit of 0 is none. The error is an *Error with
// code BadText or TooLong.
func CheckText(text string, limit int) error {
	if !utf8.ValidString(text) {
		return &Error{Code: BadText, Message: "A message is UTF-8 text; this one is not."}
	}
	if strings.IndexByte(text, 0) >= 0 {
		return errZero
	}
	if isBlank(text) {
		return &Error{Code: BadText, Message: "A message needs at least one visible character."}
	}
	if limit > 0 && len(text) > limit { // a rune has at least one byte
		if n := utf8.RuneCountInString(text); n > limit {
			return &Error{Code: TooLong, Message: fmt.Sprintf("The message has %d characters; at most %d are allowed.", n, limit)}
		}
	}
	return nil
}

// errZero refuses a character that many programs take for the end of a text.
var errZero = &Error{Code: BadText, Message: "A text cannot hold the character U+0000."}

// CheckNonce reports whether nonce may come with a message: at most MaxNonce
// printable ASCII bytes. The error is an *Error with code BadNonce.
func CheckNonce(nonce string) error {
	if len(nonce) > MaxNonce {
		return &Error{Code: BadNonce, Message: fmt.Sprintf("A nonce has at most %d bytes.", MaxNonce)}
	}
	for i := range len(nonce) {
		if nonce[i] < 0x21 || nonce[i] > 0x7e {
			return &Error{Code: BadNonce, Message: "A nonce is printable ASCII without spaces."}
		}
	}
	return nil
}

// A PageQuery says which of a room's messages are asked for, as they stand.
type PageQuery struct {
	After  Seq   // only those with a greater seq
	Before Seq   // only those with a lesser seq; 0: no bound
	Oldest bool  // of these the oldest Limit, else the newest
	Limit  int   // at most so many
	Around Seq   // instead: on both sides of it, half of Limit each; 0: not so
	Thread Seq   // of this thread; 0: of the room's own talk
	Pinned bool  // only those that are pinned, by events before Before, in order of their pinning
	Seqs   []Seq // these and no others, whatever else is said
	Bytes  int   // of their texts about so many, but at least one message; 0: any number. Not for Seqs.
}

// A Page is some of a room's messages as they stood at one moment.
type Page struct {
	Messages []MessageState // oldest first
	Head     Seq            // the room's newest event at that moment
	At       time.Time      // when Head was stored; zero if there is none
	More     bool           // there are more in the direction that was asked for: older ones, or newer if it was those
	Newer    bool           // of a page around a message: there are newer ones too
	Root     *MessageState  // of a page of a thread: what that began with; nil if there is no such message
}

// CheckEmoji reports whether somebody may react with s: one emoji, of any kind.
// The error is an *Error with code BadText.
func CheckEmoji(s string) error {
	if len(s) > maxEmojiBytes || !utf8.ValidString(s) || uniseg.GraphemeClusterCount(s) != 1 {
		return errEmoji
	}
	if key, is := strings.CutSuffix(s, "\u20e3"); is { // the key that a digit is on
		if key = strings.TrimSuffix(key, "\ufe0f"); len(key) != 1 || !strings.Contains("#*0123456789", key) {
			return errEmoji
		}
		return nil
	}
	pictures, letters, tags := 0, 0, 0
	var first, last rune
	for i, r := range s {
		if i == 0 {
			first = r
		}
		last = r
		switch {
		case isPicture(r):
			pictures++
		case r >= '\U0001f1e6' && r <= '\U0001f1ff': // of a flag: two letters of a country
			letters++
		case r >= '\U000e0020' && r <= '\U000e007f': // of a flag: which part of a country
			tags++
		case i > 0 && (r == '\u200d' || r == '\ufe0f' || r >= '\U0001f3fb' && r <= '\U0001f3ff'): // joins, colours, tones
		default:
			return errEmoji
		}
	}
	if tags > 0 && (first != '\U0001f3f4' || last != '\U000e007f') || last == '\u200d' { // nobody sees it
		return errEmoji
	}
	if (pictures > 0) == (letters > 0) || letters > 0 && letters != 2 {
		return errEmoji
	}
	return nil
}

// isPicture reports whether r has the property Extended_Pictographic: of such,
// and of no other, the rules of graphemes make one when they are joined (Unicode
// Standard Annex 29, GB11).
func isPicture(r rune) bool {
	return r > unicode.MaxASCII && uniseg.GraphemeClusterCount(string(r)+"\u200d\u2764") == 1
}

// maxEmojiBytes is more than the longest family of the Unicode standard takes.
const maxEmojiBytes = 64

var errEmoji = &Error{Code: BadText, Message: "A reaction is one emoji."}

// ParseTopic returns what a room is about in its normal form: one line, at most
// MaxTopic characters, "" for nothing. The error is an *Error with code BadText or
// TooLong.
func ParseTopic(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", &Error{Code: BadText, Message: "A topic is UTF-8 text; this one is not."}
	}
	if strings.IndexByte(s, 0) >= 0 {
		return "", errZero
	}
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if isBlank(s) {
		return "", nil
	}
	if n := utf8.RuneCountInString(s); n > MaxTopic {
		return "", &Error{Code: TooLong, Message: fmt.Sprintf("The topic has %d characters; at most %d are allowed.", n, MaxTopic)}
	}
	return s, nil
}

// spoiler is what somebody has hidden in a text.
var spoiler = regexp.MustCompile(`(?s)\|\|\S.*?\|\|`)

// Preview returns the first n characters of what a message says, for a list or a
// quotation: with "…" in place of the rest, and of what is to be hidden.
func Preview(s string, n int) string {
	if strings.Contains(s, "||") {
		s = spoiler.ReplaceAllString(s, "…")
	}
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n--; n == 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// Package chat holds the types of the domain: people, rooms, drafts, events, messages, their limits, and the errors
// that clients are told. Start reading at Event.
//
// It knows no sockets, no SQL, no HTTP and no JSON frames. Every other package may import it, and it imports none of
// them.
package chat

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// A Seq is an event's number in its room: 1, 2, 3 … without a gap. Zero is before the first event.
type Seq int64

// A PersonID identifies a person for ever. It is random, so that it tells nothing about them.
type PersonID string

// A Person is somebody who writes, for now always a guest: a stable id and a display name.
type Person struct {
	ID   PersonID `json:"id"`
	Name string   `json:"name"`
}

// A Kind says what an event is. Clients ignore kinds that they do not know.
type Kind string

// The kinds of events. Those up to Topic are stored and have a Seq. Presence and Typing are ephemeral: they have no
// Seq, are not stored, and a reader that is not live misses them.
const (
	Message  Kind = "message" // a message in the room
	Reply    Kind = "reply"   // a message in a thread alone
	Edit     Kind = "edit"    // Text is the new text of Target
	Delete   Kind = "delete"  // Target is deleted
	React    Kind = "react"   // Text is an emoji that is added to Target
	Unreact  Kind = "unreact" // the emoji in Text is removed from Target
	Pin      Kind = "pin"     // Target is pinned
	Unpin    Kind = "unpin"   // Target is no longer pinned
	Topic    Kind = "topic"   // Text is the room's topic
	Presence Kind = "presence"
	Typing   Kind = "typing"
)

// IsSaid reports whether events of this kind are messages: they can be edited, deleted, reacted to, pinned and
// answered.
func (k Kind) IsSaid() bool { return k == Message || k == Reply }

// A Draft is an event that is checked and not stored yet.
type Draft struct {
	Room   RoomName
	From   Person
	Kind   Kind       // "": Message
	Text   string     // of a message, an edit or a topic; the emoji of a reaction
	HTML   string     // Text rendered as sanitised HTML; empty if it has no formatting; not stored
	Nonce  string     // unique per author and room; empty: the sender cannot retry
	Target Seq        // the message that a change is about; of a message, the root of its thread; 0: none
	Attrs  *Attrs     // nil for most drafts
	Source MessageRef // of a forward: the message that it is a copy of; stored, but never shown

	Network netip.Addr // the sender's, for the limits per address; not stored
}

// Is returns the kind of event that a draft becomes.
func (d *Draft) Is() Kind { return cmp.Or(d.Kind, Message) }

// An Event is something that happened in a room.
type Event struct {
	Room   RoomName
	Seq    Seq       // 0 for ephemeral events
	At     time.Time // when it was stored, in UTC, to the millisecond
	Kind   Kind
	From   Person // its author, under the name of then
	Text   string // as in Draft; empty once the message is deleted
	HTML   string // Text rendered as sanitised HTML; empty if it has no formatting
	Target Seq    // as in Draft
	Attrs  *Attrs // nil for most events; not modified once set

	Change *PresenceChange // of Presence alone
}

// IsDeleted reports whether the event is a message, or an edit of one, that has been deleted.
func (e *Event) IsDeleted() bool { return e.Text == "" && (e.Kind.IsSaid() || e.Kind == Edit) }

// Attrs are the optional fields of an event or a draft.
type Attrs struct {
	ReplyTo  Seq        // the message that this one answers; 0: none
	Quote    *Quote     // of that message; made when it is read, nil if that message is deleted
	Action   bool       // the text says what the author does (/me)
	Forward  *Forward   // set if it is a copy of another message
	Mentions []Person   // people whom the text names, under the names in the text
	Here     bool       // it mentions all members (@here)
	Present  []PersonID // of a draft with Here: the members at that time
}

// A Quote is the beginning of a message that another one answers.
type Quote struct {
	From Person
	Text string // at most MaxQuote characters
}

// A Forward says who wrote the message that this one is a copy of, and when. It does not say in which room, because
// whoever knows a room's name can enter it; that is why Draft.Source is not part of it.
type Forward struct {
	From Person
	At   time.Time
}

// A MessageState is a message with its edits, reactions, replies and pin applied. The Event's Text is the newest one.
type MessageState struct {
	Event
	Edited    Seq       // its newest edit; 0: none
	EditedAt  time.Time // when Edited was stored
	Reactions []Reaction
	Replies   *Replies // of its thread; nil if it has none
	Pinned    bool
	Pin       Seq // the event that pinned it
}

// A Reaction is one emoji on a message, and the people who have put it, in the order in which they did.
type Reaction struct {
	Emoji  string
	People []Person // under their newest names
}

// Replies describes a thread.
type Replies struct {
	Count int
	Last  Seq
	At    time.Time // when Last was stored
	From  Person    // the author of Last
}

// A PresenceChange says how the members of a room have changed. In a room of at most MaxHere members, Joined, Left or
// Here says who; in a larger one there is only Count.
type PresenceChange struct {
	Count  int      // members now
	Joined *Person  // this person is a member now, perhaps under a new name
	Left   *Person  // this person is no longer a member
	Here   []Person // all members; set when a room has shrunk to MaxHere of them
}

// A Commit is the store's answer to one draft.
type Commit struct {
	Event    Event // the stored event; for a repeated nonce, the one stored first
	Repeated bool  // the nonce was known, or nothing would have changed: no new event was stored
	More     bool  // another Commit of the same transaction follows
	Err      error // nothing was stored, and nobody has seen the event; an *Error if the sender can act on it

	DeletedTexts []string // of a deletion: the texts of all versions of the message
}

// Limits that an operator cannot change.
const (
	MaxRoomName = 64   // characters of a room's name after normalisation
	MaxName     = 32   // characters of a display name after normalisation
	MaxNonce    = 64   // bytes of a nonce
	MaxHere     = 100  // members that presence names; with more, it only counts them
	MaxBehind   = 1000 // events after After that a join delivers; with more, the client reads history
	MaxPage     = 200  // messages in one page of history
	MaxText     = 4000 // characters of a message, unless the operator sets another limit
	MaxQuote    = 200  // characters of a quote
	MaxTopic    = 250  // characters of a room's topic
	MaxEmoji    = 20   // different emoji on one message
	MaxPins     = 100  // pinned messages of a room
	MaxMentions = 50   // people that one message mentions
	MaxEdits    = 500  // edits of one message: its deletion removes all of them at once
)

// CheckText returns an error unless text is valid: UTF-8, with a visible character, and at most limit characters
// (runes, not bytes) long; a limit of 0 means no limit. The error is an *Error with code BadText or TooLong.
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
			return tooLong("message", n, limit)
		}
	}
	return nil
}

func tooLong(what string, characters, limit int) error {
	message := fmt.Sprintf("The %s has %d characters; at most %d are allowed.", what, characters, limit)
	return &Error{Code: TooLong, Message: message}
}

// errZero refuses U+0000, which many programs take for the end of a text.
var errZero = &Error{Code: BadText, Message: "A text cannot hold the character U+0000."}

// CheckNonce returns an error unless nonce is valid: at most MaxNonce printable ASCII bytes. The error is an *Error
// with code BadNonce.
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

// A PageQuery says which of a room's messages to return.
type PageQuery struct {
	After  Seq   // only messages with a greater seq
	Before Seq   // only messages with a lesser seq; 0: no bound
	Oldest bool  // the oldest Limit of these; else the newest
	Limit  int   // how many messages at most
	Around Seq   // instead: this message and those on both sides of it, Limit in all; 0: not used
	Thread Seq   // only replies in this thread; 0: only messages shown in the room
	Pinned bool  // only pinned messages, pinned by events before Before, in the order of those events
	Seqs   []Seq // exactly these messages; the other fields are ignored
	Bytes  int   // about how many bytes of text at most, but at least one message; 0: no limit; not used with Seqs

	// With Oldest, in a room, instead of After: only messages that were stored at this time or later. It is found by
	// halving the log, so where times do not rise with the seqs, because a clock was set back, it is one of the places
	// where earlier events end and later ones begin. The zero time: not used.
	Since time.Time
}

// A Page is some of a room's messages, read in one snapshot.
type Page struct {
	Messages []MessageState // oldest first
	Head     Seq            // the room's newest event in that snapshot
	At       time.Time      // when Head was stored; zero if there is none
	More     bool           // there are more messages in the query's direction: newer ones with Oldest, else older ones
	Newer    bool           // of a page around a message: there are newer messages
	Root     *MessageState  // of a page of a thread: its root; nil if there is no such message
}

// CheckEmoji returns an error unless s is one emoji, of any kind. The error is an *Error with code BadText.
func CheckEmoji(s string) error {
	if len(s) > maxEmojiBytes || !utf8.ValidString(s) || uniseg.GraphemeClusterCount(s) != 1 {
		return errEmoji
	}
	if key, is := strings.CutSuffix(s, "\u20e3"); is { // a keycap
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
		case r >= '\U0001f1e6' && r <= '\U0001f1ff': // regional indicators: two make a flag
			letters++
		case r >= '\U000e0020' && r <= '\U000e007f': // tags: they make the flag of a region
			tags++
		case i > 0 && (r == '\u200d' || r == '\ufe0f'): // joiner, emoji style
		case i > 0 && r >= '\U0001f3fb' && r <= '\U0001f3ff': // skin tones
		default:
			return errEmoji
		}
	}
	// Tags outside a flag and a joiner at the end would not be visible.
	if tags > 0 && (first != '\U0001f3f4' || last != '\U000e007f') || last == '\u200d' {
		return errEmoji
	}
	if (pictures > 0) == (letters > 0) || letters > 0 && letters != 2 {
		return errEmoji
	}
	return nil
}

// isPicture reports whether r has the property Extended_Pictographic. Only such runes form one grapheme when they are
// joined (Unicode Standard Annex 29, GB11).
func isPicture(r rune) bool {
	return r > unicode.MaxASCII && uniseg.GraphemeClusterCount(string(r)+"\u200d\u2764") == 1
}

// maxEmojiBytes exceeds the longest emoji of the Unicode standard, a family.
const maxEmojiBytes = 64

var errEmoji = &Error{Code: BadText, Message: "A reaction is one emoji."}

// ParseTopic returns a topic in its normal form: one line, at most MaxTopic characters, "" for no topic. The error is
// an *Error with code BadText or TooLong.
func ParseTopic(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", &Error{Code: BadText, Message: "A topic is UTF-8 text; this one is not."}
	}
	if strings.IndexByte(s, 0) >= 0 {
		return "", errZero
	}
	isBreak := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	s = strings.Join(strings.FieldsFunc(s, isBreak), " ")
	if isBlank(s) {
		return "", nil
	}
	if n := utf8.RuneCountInString(s); n > MaxTopic {
		return "", tooLong("topic", n, MaxTopic)
	}
	return s, nil
}

// Package chat is what the program is about: people, rooms, drafts, events,
// their limits, and the errors that a user can act on. Start reading at Event.
//
// It knows nothing of sockets, SQL, HTTP or JSON frames; every other package
// may import it, and it imports none of them.
package chat

import (
	"fmt"
	"time"
	"unicode/utf8"
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

// A Draft is a message on its way into a room's log: checked, not yet stored.
type Draft struct {
	Room  RoomName
	From  Person
	Text  string
	HTML  string // Text's formatting as sanitised HTML; empty if it has none. Never stored.
	Nonce string // unique per author and room; empty: the sender cannot retry
}

// A Kind says what an event is. Clients ignore kinds that they do not know.
type Kind string

// The kinds of events. Message is for good and has a Seq; Presence and Typing
// are of the moment: they have none, are never stored, and a reader that lags
// does not get them.
const (
	Message  Kind = "message"
	Presence Kind = "presence"
	Typing   Kind = "typing"
)

// An Event is something that happened in a room.
type Event struct {
	Room RoomName
	Seq  Seq       // 0 for what is not kept
	At   time.Time // when it was stored, in UTC, to the millisecond
	Kind Kind
	From Person // who wrote (Message), types (Typing)
	Text string
	HTML string // Text's formatting as sanitised HTML; empty if it has none

	Change *PresenceChange // for Presence alone
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
	Event  Event // the stored event; for a repeated nonce, the one stored first
	Repeat bool  // the nonce was known: nothing new was stored
	More   bool  // another Commit of the same transaction follows at once
	Err    error // not stored, and nobody has seen it; an *Error if the sender can act on it
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
)

// CheckText reports whether a person may send text, at most limit characters
// (runes, not bytes) long; a limit of 0 is none. The error is an *Error with
// code BadText or TooLong.
func CheckText(text string, limit int) error {
	if !utf8.ValidString(text) {
		return &Error{Code: BadText, Message: "A message is UTF-8 text; this one is not."}
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

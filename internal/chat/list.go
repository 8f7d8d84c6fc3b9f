package chat

import "time"

// Limits of what a person has of rooms.
const (
	MaxListed    = 1000   // rooms in a person's list
	MaxUnread    = 100    // unread messages and mentions that are counted; so many means "at least"
	MaxPreview   = 100    // characters of a message in a list
	MaxBookmarks = 10_000 // messages that a person has saved
)

// A Notify says of what in a room a person wants to be told.
type Notify string

// The choices.
const (
	NotifyAll      Notify = "all"
	NotifyMentions Notify = "mentions" // only of what names them
	NotifyNone     Notify = "none"
)

// A ListEntry is a room in a person's list: what it is now, and to them.
type ListEntry struct {
	Room      RoomName
	Topic     string
	Head      Seq       // its newest event
	At        time.Time // of its newest message; zero if there is none
	Last      *Quote    // the beginning of that; nil if there is none
	Read      Seq       // up to where they have read
	Unread    int       // messages of others in the room after that
	Mentions  int       // messages after that which name them, in threads too
	Notify    Notify
	Muted     bool
	Favourite bool
}

// A ListEntryChange says what of an Entry is to be another; nil is as it is.
type ListEntryChange struct {
	Notify    *Notify
	Muted     *bool
	Favourite *bool
	Listed    *bool // false: the room leaves the list, and what it was to them is forgotten

	Nonce string // as in Draft: a change that was made with it is not made again
}

// Check reports whether a change can be made. The error is an *Error with code
// BadRequest.
func (c *ListEntryChange) Check() error {
	if n := c.Notify; n != nil && *n != NotifyAll && *n != NotifyMentions && *n != NotifyNone {
		return &Error{Code: BadRequest, Message: "“notify” is one of all, mentions and none."}
	}
	return nil
}

// A MessageRef is where a message is.
type MessageRef struct {
	Room RoomName
	Seq  Seq
}

// A PersonalRef is a message that a person comes back to, from wherever it is.
type PersonalRef struct {
	MessageRef
	At time.Time // when it was saved; of a thread, when its newest reply came
}

// A PersonalRefKind says for what somebody keeps a message.
type PersonalRefKind string

// The keepsakes.
const (
	Bookmark     PersonalRefKind = "saved"    // to find it again
	Subscription PersonalRefKind = "followed" // to be told of its thread's replies
)

package chat

import "time"

// Limits of a person's room list.
const (
	MaxListed    = 1000   // rooms in a person's list
	MaxAwaited   = 50     // of them, rooms that nobody has written to yet; the one entered longest ago leaves the list
	MaxUnread    = 100    // unread messages and mentions that are counted; this many means "at least"
	MaxPreview   = 100    // characters of a message in a list
	MaxBookmarks = 10_000 // messages that a person has saved
)

// A Notify says which messages of a room a person is notified of.
type Notify string

// The values of Notify.
const (
	NotifyAll      Notify = "all"
	NotifyMentions Notify = "mentions" // only those that mention the person
	NotifyNone     Notify = "none"
)

// A ListEntry is a room in a person's list: its newest state, and the person's own.
type ListEntry struct {
	Room      RoomName
	Topic     string
	Head      Seq       // its newest event
	At        time.Time // of its newest message, zero if there is none; of an awaited room: when the person entered it
	Last      *Quote    // the beginning of that message; nil if there is none
	Read      Seq       // the person's read mark
	Unread    int       // messages of others after Read, without threads; at most MaxUnread
	Mentions  int       // messages after Read that mention the person, in threads too; at most MaxUnread
	Notify    Notify
	Muted     bool
	Favourite bool
}

// A ListEntryChange says which fields of a list entry to change; nil leaves a field as it is.
type ListEntryChange struct {
	Notify    *Notify
	Muted     *bool
	Favourite *bool
	Listed    *bool // false: the room leaves the list, and the person's state in it is dropped

	Nonce string // as in Draft: a change that was made with it is not made again
}

// Check returns an error unless the change is valid. The error is an *Error with code BadRequest.
func (c *ListEntryChange) Check() error {
	if n := c.Notify; n != nil && *n != NotifyAll && *n != NotifyMentions && *n != NotifyNone {
		return &Error{Code: BadRequest, Message: "“notify” is one of all, mentions and none."}
	}
	return nil
}

// A MessageRef identifies a message.
type MessageRef struct {
	Room RoomName
	Seq  Seq
}

// A PersonalRef is a message that a person has bookmarked, or the root of a thread that they subscribe to.
type PersonalRef struct {
	MessageRef
	At time.Time // when it was saved; of a thread, when its newest reply was stored
}

// A PersonalRefKind says why a person has a PersonalRef.
type PersonalRefKind string

// The kinds of a PersonalRef.
const (
	Bookmark     PersonalRefKind = "saved"    // to find the message again
	Subscription PersonalRefKind = "followed" // to be notified of its thread's replies
)

// Package access decides who may do what. Its functions are pure: all that a decision depends on is passed in. The hub
// asks May before it reads or posts, whatever the door. The store asks MayChange with what it has loaded of a message.
// Start reading at May.
//
// It knows no store, no connection and no clock. Rate limits are not decided here.
package access

import "parley/internal/chat"

// An Action is something that a client asks for.
type Action uint8

// The actions. Those from Join on need a person who is known.
const (
	Read     Action = iota // a room's messages, events and state, once or live
	Search                 // messages by what they say
	Join                   // a room, as a member
	Send                   // a message
	Answer                 // a message, by a quote of it or in its thread
	Forward                // a copy of a message
	Edit                   // a message
	Delete                 // a message
	React                  // to a message
	Unreact                // take a reaction back
	Pin                    // a message
	Unpin                  // a message
	SetTopic               // of a room
	Bookmark               // a message, for oneself
)

// ActionOf returns the action that stores an event of this kind.
func ActionOf(k chat.Kind) Action {
	switch k {
	case chat.Edit:
		return Edit
	case chat.Delete:
		return Delete
	case chat.React:
		return React
	case chat.Unreact:
		return Unreact
	case chat.Pin:
		return Pin
	case chat.Unpin:
		return Unpin
	case chat.Topic:
		return SetTopic
	}
	return Send
}

// May returns an error unless who may do a in a room; room is empty if a concerns none. A client that knows a room's
// name may read the room, and every known person may write to it. The error is an *chat.Error.
func May(who chat.Who, a Action, room chat.RoomName) error {
	if a >= Join && !who.IsKnown() {
		return errUnknownPerson
	}
	return nil
}

// Facts describe a message, and what else MayChange depends on, before anything is changed. Fields that the rule of an
// action does not use can stay zero.
type Facts struct {
	Exists     bool // the room has such a message
	IsDeleted  bool
	IsAuthor   bool // the person who asks wrote it
	IsForward  bool // it is a copy of another message
	IsDone     bool // nothing would change, so no limit applies
	Edits      int  // of the message
	OtherEmoji int  // different emoji on it, without the one that is added
	Pins       int  // in its room
	Bookmarks  int  // of the person
}

// MayChange returns an error unless a may be done with a message. The error is an *chat.Error with code NotFound, Gone,
// NotYours or TooMany.
func MayChange(a Action, f Facts) error {
	switch {
	case !f.Exists:
		return ErrNoMessage
	case f.IsDeleted && needsText(a):
		return ErrDeleted
	}
	switch a {
	case Edit:
		if !f.IsAuthor {
			return errNotYoursToEdit
		}
		if f.IsForward {
			return errForwardEdited
		}
		return limit(f, f.Edits, chat.MaxEdits, errTooManyEdits)
	case Delete:
		if !f.IsAuthor {
			return errNotYoursToDelete
		}
	case React:
		return limit(f, f.OtherEmoji, chat.MaxEmoji, errTooManyEmoji)
	case Pin:
		return limit(f, f.Pins, chat.MaxPins, errTooManyPins)
	case Bookmark:
		return limit(f, f.Bookmarks, chat.MaxBookmarks, errTooManyBookmarks)
	}
	return nil
}

// needsText reports whether a cannot be done with a message that has been deleted.
func needsText(a Action) bool {
	return a == Forward || a == Edit || a == React || a == Unreact || a == Pin
}

func limit(f Facts, n, most int, refusal *chat.Error) error {
	if !f.IsDone && n >= most {
		return refusal
	}
	return nil
}

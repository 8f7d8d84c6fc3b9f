package access

import "parley/internal/chat"

// Refusals that the hub and the store also return where they find no such message themselves.
var (
	ErrNoMessage = &chat.Error{Code: chat.NotFound, Message: "There is no such message in this room."}
	ErrDeleted   = &chat.Error{Code: chat.Gone, Message: "This message has been deleted."}
)

var (
	errUnknownPerson = &chat.Error{
		Code: chat.BadSession, Message: "Say who you are first: give a name, or come back with a session.",
	}
	errNotYoursToEdit   = &chat.Error{Code: chat.NotYours, Message: "Only who wrote a message can edit it."}
	errNotYoursToDelete = &chat.Error{Code: chat.NotYours, Message: "Only who wrote a message can delete it."}
	errForwardEdited    = &chat.Error{Code: chat.NotYours, Message: "What somebody else said first cannot be edited."}
	errTooManyEdits     = &chat.Error{
		Code: chat.TooMany, Message: "This message has been edited often enough; write a new one.",
	}
	errTooManyEmoji = &chat.Error{
		Code: chat.TooMany, Message: "This message has enough different emoji; add to one that is there.",
	}
	errTooManyPins      = &chat.Error{Code: chat.TooMany, Message: "This room has enough pins; take one away first."}
	errTooManyBookmarks = &chat.Error{
		Code: chat.TooMany, Message: "You have saved enough messages; let go of some first.",
	}
)

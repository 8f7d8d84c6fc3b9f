package account

import (
	"context"
	"time"

	"parley/internal/chat"
)

// Stores are where everything about people is stored, apart from the rooms' logs: the
// store, or memory in tests.
type Stores struct {
	People   People
	Lists    RoomLists
	Personal Personal
	States   PersonStates // needed among other nodes only
}

// PersonStates has what other nodes may have changed about people.
type PersonStates interface {
	// PersonStates returns those of the people who exist, as they are now, in no order.
	PersonStates(ctx context.Context, ids []chat.PersonID) ([]chat.PersonState, error)
}

// People stores persons and their sessions.
type People interface {
	// NewGuest makes a person with a name in normal form and a session, a secret
	// token: key unless that is empty. If a session has that key already, it returns
	// the session's person.
	NewGuest(ctx context.Context, name, key string) (p chat.Person, session string, err error)
	// Person returns the person of a session. The error is an *chat.Error with code
	// BadSession if the session is unknown.
	Person(ctx context.Context, session string) (chat.Person, error)
	// Rename gives a person another name, in normal form, unless nonce was used for
	// that before. It returns the name that the person has then.
	Rename(ctx context.Context, id chat.PersonID, name, nonce string) (string, error)
	// Forget ends a session. An unknown one is no error.
	Forget(ctx context.Context, session string) error
}

// RoomLists stores the room lists of people, with their settings for each room.
type RoomLists interface {
	// RoomList returns the rooms of a person's list, in no order.
	RoomList(ctx context.Context, who chat.PersonID) ([]chat.ListEntry, error)
	// ListEntry returns one room of the list. The error is an *chat.Error with code
	// NotFound if the room is not in it.
	ListEntry(ctx context.Context, who chat.PersonID, room chat.RoomName) (chat.ListEntry, error)
	// SetListEntry changes a person's settings for a room.
	SetListEntry(ctx context.Context, who chat.PersonID, room chat.RoomName, change chat.ListEntryChange) error
	// AddToList puts a room in a person's list if enters is set, also if nobody has
	// written to it yet, and returns at once. It calls done, which must not block, when
	// that is stored, and all that the person wrote before. dropped are awaited rooms that
	// have left the list, because there are too many.
	AddToList(who chat.PersonID, room chat.RoomName, enters bool, done func(dropped []chat.RoomName, err error))
}

// Personal stores read marks, bookmarks and thread subscriptions.
type Personal interface {
	// MarkRead stores up to where a person has read a room, and then calls done,
	// which must not block.
	MarkRead(who chat.PersonID, at chat.MessageRef, exact bool, nonce string, done func(chat.ListEntry, error))
	// SetPersonal sets or removes a person's bookmark or subscription of a message.
	SetPersonal(
		ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, at chat.MessageRef, on bool, nonce string,
	) error
	// PersonalRefs returns a person's bookmarks or subscriptions, the newest first.
	PersonalRefs(
		ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, before time.Time, limit int,
	) ([]chat.PersonalRef, error)
	// IsSubscribed reports whether a person is subscribed to the thread of a message.
	IsSubscribed(ctx context.Context, who chat.PersonID, at chat.MessageRef) (bool, error)
}

package account

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"parley/internal/chat"
)

// RoomList returns the rooms of a person's list, in no order.
func (a *Accounts) RoomList(ctx context.Context, who chat.PersonID) ([]chat.ListEntry, error) {
	return a.stores.Lists.RoomList(ctx, who)
}

// ListEntry returns one room of a person's list. The error has code NotFound if the room is not in it.
func (a *Accounts) ListEntry(ctx context.Context, who chat.PersonID, name chat.RoomName) (chat.ListEntry, error) {
	return a.stores.Lists.ListEntry(ctx, who, name)
}

// IsListed reports whether a room is in a person's list. If the store fails it
// reports false; the caller can try again.
func (a *Accounts) IsListed(ctx context.Context, who chat.PersonID, name chat.RoomName) bool {
	_, err := a.stores.Lists.ListEntry(ctx, who, name)
	return err == nil
}

// AddToList puts a room in the list of a person who enters it or reads there, and
// tells the person's connections of it if it is in the list then. A failure is
// only logged, as nothing depends on it.
func (a *Accounts) AddToList(ctx context.Context, who chat.PersonID, name chat.RoomName, enters bool) {
	feeds := a.registry.feeds(who, nil)
	open := len(feeds)
	feeds = slices.DeleteFunc(feeds, func(f *listFeed) bool { return f.has(name) })
	if open > 0 && len(feeds) == 0 {
		return // it is in the list already
	}
	added := make(chan []chat.RoomName, 1)
	a.stores.Lists.AddToList(who, name, enters, func(dropped []chat.RoomName, err error) {
		if err == nil {
			for _, changed := range append(dropped, name) {
				a.tellOthers(who, changed)
			}
		}
		added <- dropped
	})
	if open == 0 {
		return
	}
	select {
	case dropped := <-added: // the store logs an error
		for _, old := range dropped {
			a.removeFromFeeds(who, old)
		}
	case <-ctx.Done():
		return
	}
	e, err := a.stores.Lists.ListEntry(ctx, who, name)
	if chat.CodeOf(err) == chat.NotFound { // the room has left the list again
		return
	}
	for _, f := range feeds {
		if err == nil {
			f.push(Update{Entry: &e})
			err = f.joinRoom(ctx, name, e.Head)
		}
	}
	if a.others != nil {
		a.Changed(who, name) // it may have left the list on another node since it was read
	}
	if err != nil {
		a.logger.LogAttrs(ctx, slog.LevelWarn, "a new room of a list is not watched",
			slog.String("room", string(name)), slog.Any("err", err))
	}
}

// AddToListAfterWrite tells a person's connections of a room that is in the list
// since the person wrote there without having entered it.
func (a *Accounts) AddToListAfterWrite(ctx context.Context, who chat.PersonID, name chat.RoomName) {
	feeds := a.registry.feeds(who, nil)
	switch {
	case slices.ContainsFunc(feeds, func(f *listFeed) bool { return !f.has(name) }):
		a.AddToList(ctx, who, name, false) // the store has listed it, unless the write was a retry
	case len(feeds) == 0:
		a.tellOthers(who, name) // there may be one that lacks it
	}
}

// SetListEntry changes a person's settings for a room, sends the new list entry to the
// person's connections, and returns it. For a room that has left the list, only its
// name is set.
func (a *Accounts) SetListEntry(
	ctx context.Context, who chat.PersonID, name chat.RoomName, change chat.ListEntryChange,
) (e chat.ListEntry, err error) {
	if err := change.Check(); err != nil {
		return e, err
	}
	leaves := change.Listed != nil && !*change.Listed
	err = a.stores.Lists.SetListEntry(ctx, who, name, change)
	if chat.CodeOf(err) == chat.NotFound && !leaves { // nobody has written to the room: the person enters it so
		a.AddToList(ctx, who, name, true)
		err = a.stores.Lists.SetListEntry(ctx, who, name, change)
	}
	if err != nil {
		return e, err
	}
	defer a.entryChanged(who, name)
	if leaves {
		a.removeFromFeeds(who, name)
		return chat.ListEntry{Room: name}, nil
	}
	a.AddToList(ctx, who, name, false) // the store has listed it, unless this was a retry
	if e, err = a.stores.Lists.ListEntry(ctx, who, name); err != nil {
		return e, err
	}
	for _, f := range a.registry.feeds(who, nil) {
		f.push(Update{Entry: &e})
	}
	return e, nil
}

// removeFromFeeds tells a person's connections that a room has left the list.
func (a *Accounts) removeFromFeeds(who chat.PersonID, name chat.RoomName) {
	for _, f := range a.registry.feeds(who, nil) {
		f.leaveRoom(name)
		f.push(Update{Removed: name})
	}
}

// MarkRead notes up to where a person has read a room. done is called when that is
// stored, on the log's goroutine, and must not block. Then the person's other
// connections are told, all but the registration by, which may be nil.
func (a *Accounts) MarkRead(
	who chat.PersonID, at chat.MessageRef, exact bool, nonce string, by *Registration, done func(chat.ListEntry, error),
) {
	a.stores.Personal.MarkRead(who, at, exact, nonce, func(e chat.ListEntry, err error) {
		done(e, err)
		if err != nil {
			return
		}
		for _, f := range a.registry.feeds(who, by) {
			f.push(Update{Read: &e})
		}
		a.readMarkMoved(who, e.Room, by)
	})
}

// SetPersonal sets or removes a person's bookmark or thread subscription.
func (a *Accounts) SetPersonal(
	ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, at chat.MessageRef, on bool, nonce string,
) error {
	return a.stores.Personal.SetPersonal(ctx, who, as, at, on, nonce)
}

// PersonalRefs returns a person's bookmarks or thread subscriptions, the newest
// first: at most limit, and only those older than before unless that is zero.
func (a *Accounts) PersonalRefs(
	ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, before time.Time, limit int,
) ([]chat.PersonalRef, error) {
	return a.stores.Personal.PersonalRefs(ctx, who, as, before, limit)
}

// IsSubscribed reports whether a person is subscribed to the thread of a message.
func (a *Accounts) IsSubscribed(ctx context.Context, who chat.PersonID, at chat.MessageRef) (bool, error) {
	return a.stores.Personal.IsSubscribed(ctx, who, at)
}

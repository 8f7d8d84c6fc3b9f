package account

import (
	"context"
	"maps"
	"slices"
	"time"

	"parley/internal/chat"
)

// Others are the other nodes of a cluster. They are only told that something has
// changed, and read it from the store: the store has the truth.
type Others interface {
	// Tell tells the nodes that listen to a person that the store has changed: the
	// person's list entry of a room or, if room is "", their name or sessions. It does
	// not block.
	Tell(who chat.PersonID, room chat.RoomName)
	// Listen lets this node be told about a person until the person is not live here any
	// more (IsLive). It does not block.
	Listen(who chat.PersonID)
}

// SetOthers makes this one of several nodes. It must be called before anything else,
// and Run must run then.
func (a *Accounts) SetOthers(others Others) { a.others = others }

// Changed is what Others.Tell tells, on the nodes that listen. It does not block.
func (a *Accounts) Changed(who chat.PersonID, room chat.RoomName) {
	if room == "" {
		a.states.add(who, refresh{})
		return
	}
	a.lists.add(who, refresh{rooms: map[chat.RoomName]struct{}{room: {}}})
}

// Missed lets all that may have changed about a person be read again: name, sessions
// and list. It does not block.
func (a *Accounts) Missed(who chat.PersonID) {
	a.states.add(who, refresh{})
	a.lists.add(who, refresh{whole: true})
}

// CheckSessions lets the names and sessions of all live people be read again. A node
// that others cannot tell anything calls it every few seconds. It does not block.
func (a *Accounts) CheckSessions() {
	for _, who := range a.registry.ids() {
		a.states.add(who, refresh{})
	}
}

// IsLive reports whether a person has a live connection here, or a request that is
// being carried out.
func (a *Accounts) IsLive(who chat.PersonID) bool { return a.registry.has(who) }

func (a *Accounts) tellOthers(who chat.PersonID, room chat.RoomName) {
	if a.others != nil {
		a.others.Tell(who, room)
	}
}

// entryChanged is called after a list entry has changed here and the person's
// connections were told. It tells the other nodes. Another node may have changed the
// entry at the same moment, so that these connections were told what is no longer so.
// Therefore the entry is read again.
func (a *Accounts) entryChanged(who chat.PersonID, room chat.RoomName) {
	if a.others != nil {
		a.others.Tell(who, room)
		a.Changed(who, room)
	}
}

// readMarkMoved is entryChanged for a read mark, which moves often: it is read again
// only if another node has changed this list lately. by is the connection that moved
// it and was answered; it may be nil.
func (a *Accounts) readMarkMoved(who chat.PersonID, room chat.RoomName, by *Registration) {
	if a.others == nil {
		return
	}
	a.others.Tell(who, room)
	if by != nil {
		if f := a.registry.feedOf(by); f != nil {
			f.unknowRead(room)
		}
	}
	for _, f := range a.registry.feeds(who, nil) {
		if f.isRefreshed() {
			a.Changed(who, room)
			return
		}
	}
}

// refreshStates reads names and sessions of live people again.
func (a *Accounts) refreshStates(ctx context.Context, of map[chat.PersonID]refresh) error {
	live := a.registry.live(maps.Keys(of)) // before the store is read: a session that begins then is not missing there
	if len(live) == 0 {
		return nil
	}
	found, err := a.stores.States.PersonStates(ctx, slices.Collect(maps.Keys(live)))
	if err != nil {
		return err
	}
	sessions := make(map[chat.PersonID][]chat.SessionHash, len(found))
	for _, p := range found {
		sessions[p.ID] = p.Sessions
		if was, ok := live[p.ID]; ok && was.name != p.Name {
			a.registry.rename(p.Person)
			a.hub.Rename(p.Person)
		}
	}
	for who, was := range live {
		for _, key := range was.sessions {
			if !hasKey(sessions[who], key) {
				a.sessionEnded(who, key)
			}
		}
	}
	return nil
}

func hasKey(sessions []chat.SessionHash, key sessionKey) bool {
	for _, hash := range sessions {
		if keyOf(hash) == key {
			return true
		}
	}
	return false
}

// sessionEnded ends the connections of a session that the store does not have any
// more, each when what has begun there is done. It does not wait for that: other
// people's sessions must not.
func (a *Accounts) sessionEnded(who chat.PersonID, key sessionKey) {
	a.registry.changes.Add(1)
	for _, r := range a.registry.of(who, key) {
		a.ends.Go(func() {
			r.gate.Lock()
			r.end()
		})
	}
}

// refreshLists reads people's lists, or entries of them, again and tells the people's
// connections what has changed.
func (a *Accounts) refreshLists(ctx context.Context, of map[chat.PersonID]refresh) error {
	for who, what := range of {
		if err := a.refreshList(ctx, who, what); err != nil {
			return err
		}
	}
	return nil
}

func (a *Accounts) refreshList(ctx context.Context, who chat.PersonID, what refresh) error {
	feeds := a.registry.feeds(who, nil)
	for _, f := range feeds {
		f.refreshed.Store(time.Now().UnixNano()) // before the store is read
	}
	if len(feeds) == 0 {
		return nil
	}
	if what.whole {
		return a.refreshWholeList(ctx, who, feeds)
	}
	for name := range what.rooms {
		e, err := a.stores.Lists.ListEntry(ctx, who, name)
		switch {
		case chat.CodeOf(err) == chat.NotFound:
			for _, f := range feeds {
				f.leaveRoom(name)
				f.pushRemoval(name)
			}
		case err != nil:
			return err
		default:
			if err := bring(ctx, feeds, &e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Accounts) refreshWholeList(ctx context.Context, who chat.PersonID, feeds []*listFeed) error {
	had := make([][]chat.RoomName, len(feeds))
	for i, f := range feeds {
		had[i] = f.names() // before the store is read: what is added here then is newer
	}
	list, err := a.stores.Lists.RoomList(ctx, who)
	if err != nil {
		return err
	}
	listed := make(map[chat.RoomName]struct{}, len(list))
	for i := range list {
		listed[list[i].Room] = struct{}{}
		if err := bring(ctx, feeds, &list[i]); err != nil {
			return err
		}
	}
	if len(list) >= chat.MaxListed { // there may be more
		return nil
	}
	for i, f := range feeds {
		for _, name := range had[i] {
			if _, still := listed[name]; !still {
				f.leaveRoom(name)
				f.pushRemoval(name)
			}
		}
	}
	return nil
}

// bring tells feeds what has changed in an entry, and lets them get the updates of its
// room.
func bring(ctx context.Context, feeds []*listFeed, e *chat.ListEntry) error {
	for _, f := range feeds {
		f.pushChanges(e)
		if err := f.joinRoom(ctx, e.Room, e.Head); err != nil {
			return err
		}
	}
	return nil
}

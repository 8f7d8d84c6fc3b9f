package account

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/chat"
	"parley/internal/room"
)

// A listFeed gives one connection the updates of its person's list. It has a
// reader in each room of the list, whether the person is in the room or not.
type listFeed struct {
	to Receiver

	mu    sync.Mutex
	rooms map[chat.RoomName]*room.Reader // nil once the feed is closed

	pushMu      sync.Mutex // taken before the receiver's locks
	started     bool       // the receiver has the list
	beforeStart []Update
	told        map[chat.RoomName]toldEntry // what the receiver knows; nil if this node is alone

	refreshed atomic.Int64 // when the list was read again because of another node, in Unix nanoseconds; 0: never
}

// refreshedLately is how long after its commit a change of this node's own may be
// pushed.
const refreshedLately = time.Minute

// isRefreshed reports whether the list was read again lately, so that a change of this
// node's own may be older than what the receiver was told.
func (f *listFeed) isRefreshed() bool {
	return time.Now().UnixNano()-f.refreshed.Load() < int64(refreshedLately)
}

// A toldEntry is what was told of a list entry last, as far as only the person
// changes it.
type toldEntry struct {
	read             chat.Seq // -1: not known
	notify           chat.Notify
	muted, favourite bool
}

func tell(e *chat.ListEntry) toldEntry { return toldEntry{e.Read, e.Notify, e.Muted, e.Favourite} }

// A Receiver is a connection that gets list updates. No method may block for long.
type Receiver interface {
	// JoinRoom makes a reader that writes a room's list updates to the connection,
	// from after a seq on.
	JoinRoom(ctx context.Context, name chat.RoomName, after chat.Seq) (*room.Reader, error)
	// LeaveRoom ends such a reader.
	LeaveRoom(reader *room.Reader)
	// Update sends an update that comes from none of the readers. It does not block.
	Update(u Update)
}

// An Update tells a connection what somebody else, most often another connection of
// the same person, changed in the person's list. One field is set.
type Update struct {
	Entry   *chat.ListEntry // a room that is in the list, as it is now
	Read    *chat.ListEntry // a room whose read mark has moved
	Removed chat.RoomName   // a room that has left the list
}

// OpenList opens the list of r's person: it calls answer with the rooms of the list
// and gives to, from then on, the updates. Updates that happen while the list is
// read come after answer. The error has code BadRequest if r has a list open. An
// error after answer means that updates of some rooms do not come.
func (a *Accounts) OpenList(ctx context.Context, r *Registration, to Receiver, answer func([]chat.ListEntry)) error {
	if r.feed != nil {
		return &chat.Error{Code: chat.BadRequest, Message: "This connection watches already."}
	}
	feed := &listFeed{to: to, rooms: map[chat.RoomName]*room.Reader{}}
	if a.others != nil {
		feed.told = map[chat.RoomName]toldEntry{}
	}
	a.registry.setFeed(r, feed) // before the list is read, so that no update is missed
	list, err := a.RoomList(ctx, r.Person().ID)
	if err != nil {
		a.registry.setFeed(r, nil)
		feed.close()
		return err
	}
	feed.start(list, answer)
	for _, e := range list {
		if err := feed.joinRoom(ctx, e.Room, e.Head); err != nil {
			return err
		}
	}
	return nil
}

// LacksRoom reports whether r has a list open that gets no updates of a room. Only
// the goroutine that opened the list may call it.
func (r *Registration) LacksRoom(name chat.RoomName) bool {
	return r.feed != nil && !r.feed.has(name)
}

// start calls answer with the list, and then pushes the updates that came before.
func (f *listFeed) start(list []chat.ListEntry, answer func([]chat.ListEntry)) {
	f.pushMu.Lock()
	defer f.pushMu.Unlock()
	answer(list)
	if f.told != nil {
		for i := range list {
			f.told[list[i].Room] = tell(&list[i])
		}
	}
	f.started = true
	for _, u := range f.beforeStart {
		f.pushLocked(u)
	}
	f.beforeStart = nil
}

// push gives the receiver an update, once it has the list. It does not block.
func (f *listFeed) push(u Update) {
	f.pushMu.Lock()
	defer f.pushMu.Unlock()
	f.pushLocked(u)
}

func (f *listFeed) pushLocked(u Update) {
	if !f.started {
		f.beforeStart = append(f.beforeStart, u)
		return
	}
	if f.told != nil {
		f.note(u)
	}
	f.to.Update(u)
}

// note remembers what the receiver is told. The caller holds pushMu.
func (f *listFeed) note(u Update) {
	switch {
	case u.Entry != nil:
		f.told[u.Entry.Room] = tell(u.Entry)
	case u.Read != nil:
		if t, known := f.told[u.Read.Room]; known {
			t.read = u.Read.Read
			f.told[u.Read.Room] = t
		}
	default:
		delete(f.told, u.Removed)
	}
}

// pushChanges gives the receiver an entry, unless it knows it as it is.
func (f *listFeed) pushChanges(e *chat.ListEntry) {
	f.pushMu.Lock()
	defer f.pushMu.Unlock()
	now := tell(e)
	was, known := f.told[e.Room]
	moved := was
	moved.read = now.read
	switch {
	case known && was == now:
	case known && moved == now:
		f.pushLocked(Update{Read: e})
	default:
		f.pushLocked(Update{Entry: e})
	}
}

// pushRemoval tells the receiver that a room has left the list, unless it knows.
func (f *listFeed) pushRemoval(name chat.RoomName) {
	f.pushMu.Lock()
	defer f.pushMu.Unlock()
	if _, known := f.told[name]; known || !f.started {
		f.pushLocked(Update{Removed: name})
	}
}

// unknowRead notes that the receiver may have been answered with another read mark
// than it was told.
func (f *listFeed) unknowRead(name chat.RoomName) {
	f.pushMu.Lock()
	defer f.pushMu.Unlock()
	if t, known := f.told[name]; known {
		t.read = -1
		f.told[name] = t
	}
}

// names returns the rooms that the receiver knows to be in the list.
func (f *listFeed) names() []chat.RoomName {
	f.pushMu.Lock()
	defer f.pushMu.Unlock()
	return slices.Collect(maps.Keys(f.told))
}

// joinRoom lets the receiver get the updates of a room after a seq. It does nothing
// if it gets them already or the feed is full or closed.
func (f *listFeed) joinRoom(ctx context.Context, name chat.RoomName, after chat.Seq) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rooms == nil || f.rooms[name] != nil || len(f.rooms) >= chat.MaxListed {
		return nil
	}
	reader, err := f.to.JoinRoom(ctx, name, after)
	if err != nil {
		return err
	}
	f.rooms[name] = reader
	return nil
}

// leaveRoom ends the updates of a room.
func (f *listFeed) leaveRoom(name chat.RoomName) {
	f.mu.Lock()
	reader := f.rooms[name]
	delete(f.rooms, name)
	f.mu.Unlock()
	if reader != nil {
		f.to.LeaveRoom(reader)
	}
}

// has reports whether the receiver gets the updates of a room.
func (f *listFeed) has(name chat.RoomName) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rooms[name] != nil
}

// close ends the updates of all rooms.
func (f *listFeed) close() {
	f.mu.Lock()
	readers := f.rooms
	f.rooms = nil
	f.mu.Unlock()
	for _, reader := range readers {
		f.to.LeaveRoom(reader)
	}
}

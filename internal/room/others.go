package room

import (
	"context"
	"log/slog"
	"sync/atomic"

	"parley/internal/chat"
)

// Others are the other nodes of a cluster: processes that share the store. What they are told may be lost, come twice
// and come in any order. Only AskMembers blocks.
type Others interface {
	// Listen makes what the others tell about a room come to Hub.Receive, SetMembers and ShowTyping, until Ignore.
	Listen(room chat.RoomName)
	Ignore(room chat.RoomName)
	// Stored tells of the new events of one transaction, in the order in which they were stored. The slice is valid
	// until Stored returns.
	Stored(events []chat.Commit)
	// Hint tells that the store may have events of a room that no node has told of: up to head, or any if head is 0.
	Hint(room chat.RoomName, head chat.Seq)
	// Members tells who is connected to this node and a member of a room.
	Members(room chat.RoomName, m Members)
	// Typing tells that a person types.
	Typing(room chat.RoomName, p chat.Person)
	// AskMembers returns the members of a room on each other node, by its id. It waits until all have answered, but not
	// long.
	AskMembers(ctx context.Context, room chat.RoomName) map[string]Members
}

// SetOthers makes the hub one of a cluster. heads returns the newest seqs of those of rooms that the store has. It must
// be called before Run.
func (h *Hub) SetOthers(
	others Others, heads func(ctx context.Context, rooms []chat.RoomName) (map[chat.RoomName]chat.Seq, error),
) {
	h.others, h.heads = others, heads
}

// Members are the members of a room on one node.
type Members struct {
	Version uint64        // greater than that of everything the node has said before about any room
	Count   int           // how many there are
	People  []chat.Person // all of them; nil if there are more than chat.MaxHere
}

// open begins to listen to the other nodes, before the room's head is read, so that no event is missed. The channel is
// closed when the others have said who is in the room.
func (r *liveRoom) open(ctx context.Context) <-chan struct{} {
	opened := make(chan struct{})
	h := r.hub
	if h.others == nil {
		close(opened)
		return opened
	}
	h.others.Listen(r.name)
	go func() {
		defer close(opened)
		for node, m := range h.others.AskMembers(context.WithoutCancel(ctx), r.name) {
			r.setMembers(node, m)
		}
	}()
	return opened
}

// Poll makes the hub compare the heads of all rooms in memory with the store, because what the other nodes tell may not
// come at all. It does not block.
func (h *Hub) Poll() {
	select {
	case h.pollWake <- struct{}{}:
	default:
	}
}

// pollRooms is for how many rooms one query asks.
const pollRooms = 1000

func (h *Hub) pollLoop(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.pollWake:
			err := h.poll(ctx)
			if ctx.Err() == nil {
				h.logFailing(ctx, &h.pollFails, err, "the heads of rooms cannot be read: it is tried again")
			}
		}
	}
}

// logFailing logs the first failure in a row of something that is tried again and again, and the success after it.
func (h *Hub) logFailing(ctx context.Context, fails *atomic.Bool, err error, message string, attrs ...slog.Attr) {
	switch isFailing := err != nil; {
	case fails.Swap(isFailing) == isFailing:
	case isFailing:
		h.logger.LogAttrs(ctx, slog.LevelWarn, message, append(attrs, slog.Any("err", err))...)
	default:
		h.logger.LogAttrs(ctx, slog.LevelInfo, "what other nodes have stored can be read again")
	}
}

func (h *Hub) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, gapTimeout)
	defer cancel()
	rooms := h.rooms.all()
	for len(rooms) > 0 {
		part := rooms[:min(len(rooms), pollRooms)]
		rooms = rooms[len(part):]
		names := make([]chat.RoomName, len(part))
		for i, r := range part {
			names[i] = r.name
		}
		heads, err := h.heads(ctx, names)
		if err != nil {
			return err
		}
		for _, r := range part {
			if head := heads[r.name]; head > 0 {
				r.hint(head)
			}
		}
	}
	return nil
}

// here returns the members of a room on all nodes, and how many there are. The list is nil if there are more than
// MaxHere, or if nobody has the room in memory. If nobody has it here, it asks the other nodes.
func (h *Hub) here(ctx context.Context, name chat.RoomName) (people []chat.Person, count int) {
	if r := h.rooms.find(name); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.memberList(), r.hereCount()
	}
	if h.others == nil {
		return nil, 0
	}
	known := map[chat.PersonID]bool{}
	for _, m := range h.others.AskMembers(ctx, name) {
		count += m.onlyCounted()
		for _, p := range m.People {
			if !known[p.ID] {
				known[p.ID] = true
				people = append(people, p)
			}
		}
	}
	if count += len(people); count > chat.MaxHere {
		people = nil
	}
	return people, count
}

// Rooms returns the names of the rooms that somebody on this node is in.
func (h *Hub) Rooms() []chat.RoomName {
	rooms := h.rooms.all()
	names := make([]chat.RoomName, len(rooms))
	for i, r := range rooms {
		names[i] = r.name
	}
	return names
}

package room

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

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
			if err := h.poll(ctx); err != nil && ctx.Err() == nil {
				h.logger.LogAttrs(ctx, slog.LevelWarn, "the heads of rooms cannot be read", slog.Any("err", err))
			}
		}
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

// elsewhere is who is in a room by way of other nodes. It is guarded by its room's mu.
type elsewhere struct {
	nodes   map[string]Members
	people  map[chat.PersonID]*listed // those whom any node lists
	counted int                       // members of nodes that only count them

	tellTimer *time.Timer // tells the other nodes of this node's members; nil if they have not changed
	toldAt    time.Time   // when they were told last
}

// A listed person is a member on so many other nodes.
type listed struct {
	person chat.Person
	nodes  int
}

// tellEvery is how often the other nodes are told of a room's members at most. If there are too many to be listed, it
// is countEvery.
const tellEvery = 100 * time.Millisecond

// membersChanged tells the other nodes of this node's members, soon. The caller holds r.mu.
func (r *liveRoom) membersChanged() {
	if r.hub.others == nil || r.tellTimer != nil {
		return
	}
	every := tellEvery
	if len(r.members) > chat.MaxHere {
		every = countEvery
	}
	r.tellTimer = time.AfterFunc(max(0, every-time.Since(r.toldAt)), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.tellTimer != nil {
			r.tellMembers()
		}
	})
}

// tellMembers tells the other nodes of this node's members. The caller holds r.mu.
func (r *liveRoom) tellMembers() {
	r.tellTimer, r.toldAt = nil, time.Now()
	r.hub.others.Members(r.name, r.ownMembers())
}

// ownMembers returns the members who are connected to this node. The caller holds r.mu.
func (r *liveRoom) ownMembers() Members {
	m := Members{Version: r.hub.nodes.version.Add(1), Count: len(r.members)}
	if m.Count <= chat.MaxHere {
		m.People = make([]chat.Person, 0, m.Count)
		for _, own := range r.members {
			m.People = append(m.People, own.person)
		}
	}
	return m
}

// OwnMembers returns the members of a room who are connected to this node.
func (h *Hub) OwnMembers(room chat.RoomName) Members {
	r := h.rooms.find(room)
	if r == nil {
		return Members{Version: h.nodes.version.Add(1)}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ownMembers()
}

// SetMembers tells who is a member of a room on another node.
func (h *Hub) SetMembers(room chat.RoomName, node string, m Members) {
	if r := h.rooms.find(room); r != nil {
		r.setMembers(node, m)
	}
}

func (r *liveRoom) setMembers(node string, m Members) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if was := r.nodes[node]; !r.ended && m.Version > was.Version {
		r.replaceMembers(node, was, m)
	}
}

// replaceMembers replaces the members on another node, and announces the difference. A person is a member while any
// node has them. The caller holds r.mu.
func (r *liveRoom) replaceMembers(node string, was, m Members) {
	if r.nodes == nil {
		r.nodes, r.people = map[string]Members{}, map[chat.PersonID]*listed{}
	}
	r.nodes[node] = m
	before := r.hereCount()
	r.counted += m.onlyCounted() - was.onlyCounted()
	var changes []chat.PresenceChange
	names := make(map[chat.PersonID]string, len(was.People))
	for _, p := range was.People {
		names[p.ID] = p.Name
	}
	for _, p := range m.People {
		name, known := names[p.ID]
		delete(names, p.ID)
		there := r.people[p.ID]
		isNew := there == nil
		if isNew {
			there = &listed{person: p}
			r.people[p.ID] = there
		}
		if !known {
			there.nodes++
		}
		isRenamed := known && name != p.Name && there.person != p
		if isRenamed {
			there.person = p
		}
		if (isNew || isRenamed) && r.members[p.ID] == nil {
			changes = append(changes, chat.PresenceChange{Joined: &p})
		}
	}
	for id := range names { // those who are not there any more
		there := r.people[id]
		if there.nodes--; there.nodes > 0 {
			continue
		}
		delete(r.people, id)
		if r.members[id] == nil {
			changes = append(changes, chat.PresenceChange{Left: &there.person})
		}
	}
	now := r.hereCount()
	if now > chat.MaxHere || r.countOnly {
		if now != before || len(changes) > 0 {
			r.announce(chat.PresenceChange{})
		}
		return
	}
	for _, c := range changes {
		r.announce(c)
	}
}

// onlyCounted returns how many members are counted and not listed.
func (m *Members) onlyCounted() int {
	if m.Count > len(m.People) {
		return m.Count
	}
	return 0
}

// ShowTyping tells the room's readers that a person types on another node.
func (h *Hub) ShowTyping(room chat.RoomName, p chat.Person) {
	r := h.rooms.find(room)
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended && r.hereCount() <= chat.MaxHere {
		r.sendEphemeral(chat.Event{Kind: chat.Typing, From: p})
	}
}

// nodes is what a hub knows of the other nodes.
type nodes struct {
	version atomic.Uint64 // of what this node has said of its members

	mu   sync.Mutex
	gone map[string]*time.Timer // nodes that are silent; their members leave at the timer's end
}

// NodeLeft tells that another node is silent: its members leave, unless they or the node come back in time.
func (h *Hub) NodeLeft(node string) {
	h.nodes.mu.Lock()
	defer h.nodes.mu.Unlock()
	if h.nodes.gone == nil {
		h.nodes.gone = map[string]*time.Timer{}
	}
	if h.nodes.gone[node] == nil {
		h.nodes.gone[node] = time.AfterFunc(h.cfg.LeaveGrace, func() { h.removeNode(node) })
	}
}

// NodeBack tells that a node is not silent any more.
func (h *Hub) NodeBack(node string) {
	h.nodes.mu.Lock()
	defer h.nodes.mu.Unlock()
	if t := h.nodes.gone[node]; t != nil {
		t.Stop()
		delete(h.nodes.gone, node)
	}
}

// removeNode removes the members of a node that is silent.
func (h *Hub) removeNode(node string) {
	h.nodes.mu.Lock()
	defer h.nodes.mu.Unlock()
	if h.nodes.gone[node] == nil {
		return
	}
	delete(h.nodes.gone, node)
	for _, r := range h.rooms.all() {
		r.mu.Lock()
		if was, found := r.nodes[node]; found && !r.ended {
			r.replaceMembers(node, was, Members{})
			delete(r.nodes, node)
		}
		r.mu.Unlock()
	}
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

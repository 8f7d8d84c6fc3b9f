package room

import (
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/chat"
)

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

// replaceMembers replaces the members on another node, and announces the difference. The caller holds r.mu.
func (r *liveRoom) replaceMembers(node string, was, m Members) {
	if r.nodes == nil {
		r.nodes, r.people = map[string]Members{}, map[chat.PersonID]*listed{}
	}
	r.nodes[node] = m
	before := r.hereCount()
	r.counted += m.onlyCounted() - was.onlyCounted()
	changes := r.replacePeople(was.People, m.People)
	if now := r.hereCount(); now > chat.MaxHere || r.countOnly {
		if now != before || len(changes) > 0 {
			r.announce(chat.PresenceChange{})
		}
		return
	}
	for _, c := range changes {
		r.announce(c)
	}
}

// replacePeople replaces the people whom a node lists, and returns who has come, left, or taken another name. A person
// is a member while any node has them, with the name that was told last. The caller holds r.mu.
func (r *liveRoom) replacePeople(was, are []chat.Person) (changes []chat.PresenceChange) {
	names := make(map[chat.PersonID]string, len(was))
	for _, p := range was {
		names[p.ID] = p.Name
	}
	for _, p := range are {
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
		isRenamed := (!known || name != p.Name) && there.person != p
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
	return changes
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

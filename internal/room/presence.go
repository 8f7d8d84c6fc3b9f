package room

import (
	"cmp"
	"slices"
	"time"

	"parley/internal/chat"
)

// presence is who is in a room. It is guarded by its room's mu.
type presence struct {
	members    map[chat.PersonID]*member
	countOnly  bool        // the last thing said was a count alone
	countTimer *time.Timer // says the count soon; nil if nothing changed
	countedAt  time.Time   // when the count was said last
	ended      bool
}

// A member is a person in a room, by however many readers.
type member struct {
	person  chat.Person
	readers int
	leaving *time.Timer // set while readers is 0: a reload is no coming and going
	typed   time.Time
}

const (
	countEvery  = time.Second     // how often a large room is counted
	typingEvery = 2 * time.Second // how often one person's typing is passed on
)

// addMember adds one reader of a person. Of one who is here already the name
// stands: Rename has told every room of a new one, and a second tab may not
// know of it. The caller holds r.mu.
func (r *liveRoom) addMember(p chat.Person) {
	m := r.members[p.ID]
	if m == nil {
		m = &member{person: p}
		r.members[p.ID] = m
		r.hub.members.Add(1)
		r.announce(chat.PresenceChange{Joined: &p})
	}
	if m.leaving != nil {
		m.leaving.Stop()
		m.leaving = nil
	}
	m.readers++
}

// removeReader takes one reader of a person away. The caller holds r.mu.
func (r *liveRoom) removeReader(id chat.PersonID) {
	m := r.members[id]
	if m.readers--; m.readers > 0 || r.ended {
		return
	}
	m.leaving = time.AfterFunc(r.hub.cfg.LeaveGrace, func() { r.removeMember(m) })
}

// removeMember ends a member who did not come back.
func (r *liveRoom) removeMember(m *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || m.readers > 0 || r.members[m.person.ID] != m {
		return
	}
	delete(r.members, m.person.ID)
	r.hub.members.Add(-1)
	r.announce(chat.PresenceChange{Left: &m.person})
}

// announce tells the room of a change: whom in a small room; in a large one
// only how many, and not more than once a second, as else n people cost n²
// messages. The caller holds r.mu.
func (r *liveRoom) announce(c chat.PresenceChange) {
	if len(r.members) > chat.MaxHere {
		r.countOnly = true
		r.scheduleCount()
		return
	}
	if r.countOnly {
		r.countOnly = false
		c = chat.PresenceChange{Here: r.memberList()}
	}
	c.Count = len(r.members)
	r.sendEphemeral(chat.Event{Kind: chat.Presence, Change: &c})
}

func (r *liveRoom) scheduleCount() {
	if r.countTimer == nil {
		r.countTimer = time.AfterFunc(max(0, countEvery-time.Since(r.countedAt)), r.announceCount)
	}
}

func (r *liveRoom) announceCount() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.countTimer = nil
	if r.countOnly {
		r.countedAt = time.Now()
		r.sendEphemeral(chat.Event{Kind: chat.Presence, Change: &chat.PresenceChange{Count: len(r.members)}})
	}
}

// typing passes on that somebody types. The caller holds r.mu.
func (r *liveRoom) typing(id chat.PersonID) {
	m := r.members[id]
	if m == nil || len(r.members) > chat.MaxHere || time.Since(m.typed) < typingEvery {
		return
	}
	m.typed = time.Now()
	r.sendEphemeral(chat.Event{Kind: chat.Typing, From: m.person})
}

// memberList returns who is in the room, by name; nil if they are more than
// MaxHere. The caller holds r.mu.
func (r *liveRoom) memberList() []chat.Person {
	if len(r.members) > chat.MaxHere {
		return nil
	}
	people := make([]chat.Person, 0, len(r.members))
	for _, m := range r.members {
		people = append(people, m.person)
	}
	slices.SortFunc(people, func(a, b chat.Person) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return people
}

// lockedMemberList returns who is in the room; nil if they are more than MaxHere.
func (r *liveRoom) lockedMemberList() []chat.Person {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.memberList()
}

// end stops the timers of a room that nobody reads any more.
func (c *presence) end() {
	c.ended = true
	for _, m := range c.members {
		if m.leaving != nil {
			m.leaving.Stop()
		}
	}
	if c.countTimer != nil {
		c.countTimer.Stop()
	}
}

// Rename tells the rooms that a person is in that they have a new name.
func (h *Hub) Rename(p chat.Person) {
	for _, r := range h.rooms.all() {
		r.rename(p)
	}
}

func (r *liveRoom) rename(p chat.Person) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.members[p.ID]; m != nil && m.person != p {
		m.person = p
		r.announce(chat.PresenceChange{Joined: &p})
	}
}

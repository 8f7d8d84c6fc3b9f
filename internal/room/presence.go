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
	countOnly  bool        // the last announcement was a count without names
	countTimer *time.Timer // announces the count; nil if it has not changed
	countedAt  time.Time   // when the count was announced last
	ended      bool
}

// A member is a person in a room, with any number of readers.
type member struct {
	person  chat.Person
	readers int
	leaving *time.Timer // set while readers is 0, so that reloading a page is not announced
	typed   time.Time
}

const (
	countEvery  = time.Second     // how often the count of a large room is announced at most
	typingEvery = 2 * time.Second // how often one person's typing is announced at most
)

// addMember adds a reader of a person, who becomes a member with the first one. A member's name stays as it is: Rename
// has told every room of a new name, and a second tab may still have the old one. The caller holds r.mu.
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

// removeReader removes a reader of a person. The caller holds r.mu.
func (r *liveRoom) removeReader(id chat.PersonID) {
	m := r.members[id]
	if m.readers--; m.readers > 0 || r.ended {
		return
	}
	m.leaving = time.AfterFunc(r.hub.cfg.LeaveGrace, func() { r.removeMember(m) })
}

// removeMember removes a member who did not come back.
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

// announce tells the readers of a change: with names in a small room. In a large one it announces only the count, at
// most once a second, because otherwise n people would cost n² messages. The caller holds r.mu.
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

// typing announces that a person types. The caller holds r.mu.
func (r *liveRoom) typing(id chat.PersonID) {
	m := r.members[id]
	if m == nil || len(r.members) > chat.MaxHere || time.Since(m.typed) < typingEvery {
		return
	}
	m.typed = time.Now()
	r.sendEphemeral(chat.Event{Kind: chat.Typing, From: m.person})
}

// memberList returns the members, sorted by name; nil if there are more than MaxHere. The caller holds r.mu.
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

// lockedMemberList is memberList for callers that do not hold r.mu.
func (r *liveRoom) lockedMemberList() []chat.Person {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.memberList()
}

// end stops the timers.
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

// Rename announces a person's new name in the rooms that they are in.
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

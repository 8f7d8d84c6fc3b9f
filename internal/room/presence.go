package room

import (
	"cmp"
	"slices"
	"time"

	"parley/internal/chat"
)

// presence is who is in a room. It is guarded by its room's mu.
type presence struct {
	members    map[chat.PersonID]*member // those who are connected to this node
	elsewhere                            // those who are connected to others
	countOnly  bool                      // the last announcement was a count without names
	countTimer *time.Timer               // announces the count; nil if it has not changed
	countedAt  time.Time                 // when the count was announced last
	ended      bool
}

// A member is a person in a room, with any number of readers.
type member struct {
	person  chat.Person
	readers int
	leaving *departure // set while readers is 0, so that reloading a page is not announced
	typed   time.Time
}

// A departure is the time in which a member may come back.
type departure struct{ timer *time.Timer }

const (
	countEvery  = time.Second     // how often the count of a large room is announced at most
	typingEvery = 2 * time.Second // how often one person's typing is announced at most
)

// addMember adds a reader of a person, who becomes a member with the first one. A member's name stays as it is: Rename
// has told every room of a new name, and a second tab may still have the old one. Another node may list another name.
// Whichever of the two is the old one, Rename is called on that node when it learns of the new one. The caller holds
// r.mu.
func (r *liveRoom) addMember(p chat.Person) {
	m := r.members[p.ID]
	if m == nil {
		m = &member{person: p}
		r.members[p.ID] = m
		r.hub.members.Add(1)
		if there := r.people[p.ID]; there == nil || there.person != p {
			r.announce(chat.PresenceChange{Joined: &p})
		}
		r.membersChanged()
	}
	if m.leaving != nil && r.hub.others == nil {
		m.leaving.timer.Stop()
	}
	m.leaving = nil
	m.readers++
}

// removeReader removes a reader of a person. In a cluster the room stays in memory until the person has left, because
// the other nodes show them until then; stays then reports that the room must not be exited for that reader. The caller
// holds r.mu.
func (r *liveRoom) removeReader(id chat.PersonID) (stays bool) {
	m := r.members[id]
	if m.readers--; m.readers > 0 || r.ended {
		return false
	}
	d := new(departure)
	m.leaving = d
	stays = r.hub.others != nil
	d.timer = time.AfterFunc(r.hub.cfg.LeaveGrace, func() {
		r.removeMember(m, d)
		if stays {
			r.hub.exit(r)
		}
	})
	return stays
}

// removeMember removes a member who did not come back.
func (r *liveRoom) removeMember(m *member, d *departure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || m.leaving != d {
		return
	}
	delete(r.members, m.person.ID)
	r.hub.members.Add(-1)
	if r.people[m.person.ID] == nil {
		r.announce(chat.PresenceChange{Left: &m.person})
	}
	r.membersChanged()
}

// announce tells the readers of a change: with names in a small room. In a large one it announces only the count, at
// most once a second, because otherwise n people would cost n² messages. The caller holds r.mu.
func (r *liveRoom) announce(c chat.PresenceChange) {
	count := r.hereCount()
	if count > chat.MaxHere {
		r.countOnly = true
		r.scheduleCount()
		return
	}
	if r.countOnly {
		r.countOnly = false
		c = chat.PresenceChange{Here: r.memberList()}
	}
	c.Count = count
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
		r.sendEphemeral(chat.Event{Kind: chat.Presence, Change: &chat.PresenceChange{Count: r.hereCount()}})
	}
}

// typing announces that a person types. The caller holds r.mu.
func (r *liveRoom) typing(id chat.PersonID) {
	m := r.members[id]
	if m == nil || r.hereCount() > chat.MaxHere || time.Since(m.typed) < typingEvery {
		return
	}
	m.typed = time.Now()
	r.sendEphemeral(chat.Event{Kind: chat.Typing, From: m.person})
	if r.hub.others != nil {
		r.hub.others.Typing(r.name, m.person)
	}
}

// hereCount returns how many members the room has, on all nodes. The caller holds r.mu.
func (r *liveRoom) hereCount() int {
	n := len(r.members) + r.counted
	for id := range r.people {
		if r.members[id] == nil {
			n++
		}
	}
	return n
}

// memberList returns the members on all nodes, sorted by name; nil if there are more than MaxHere. The caller holds
// r.mu.
func (r *liveRoom) memberList() []chat.Person {
	count := r.hereCount()
	if count > chat.MaxHere {
		return nil
	}
	people := make([]chat.Person, 0, count)
	for _, m := range r.members {
		people = append(people, m.person)
	}
	for id, there := range r.people {
		if r.members[id] == nil {
			people = append(people, there.person)
		}
	}
	slices.SortFunc(people, func(a, b chat.Person) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return people
}

// end stops the timers.
func (c *presence) end() {
	c.ended = true
	for _, m := range c.members {
		if m.leaving != nil {
			m.leaving.timer.Stop()
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
		r.membersChanged()
	}
}

package room

import (
	"cmp"
	"slices"
	"time"

	"parley/internal/chat"
)

// crowd is who is in a room. It is guarded by its room's mu.
type crowd struct {
	members map[chat.PersonID]*member
	crowded bool        // the last thing said was a count alone
	counter *time.Timer // says the count soon; nil if nothing changed
	counted time.Time   // when the count was said last
	ended   bool
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

// arrive adds one reader of a person. Of one who is here already the name
// stands: Rename has told every room of a new one, and a second tab may not
// know of it. The caller holds r.mu.
func (r *liveRoom) arrive(p chat.Person) {
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

// depart takes one reader of a person away. The caller holds r.mu.
func (r *liveRoom) depart(id chat.PersonID) {
	m := r.members[id]
	if m.readers--; m.readers > 0 || r.ended {
		return
	}
	m.leaving = time.AfterFunc(r.hub.cfg.LeaveGrace, func() { r.departed(m) })
}

// departed ends a member who did not come back.
func (r *liveRoom) departed(m *member) {
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
		r.crowded = true
		r.countSoon()
		return
	}
	if r.crowded {
		r.crowded = false
		c = chat.PresenceChange{Here: r.here()}
	}
	c.Count = len(r.members)
	r.say(chat.Event{Kind: chat.Presence, Change: &c})
}

func (r *liveRoom) countSoon() {
	if r.counter == nil {
		r.counter = time.AfterFunc(max(0, countEvery-time.Since(r.counted)), r.sayCount)
	}
}

func (r *liveRoom) sayCount() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.counter = nil
	if r.crowded {
		r.counted = time.Now()
		r.say(chat.Event{Kind: chat.Presence, Change: &chat.PresenceChange{Count: len(r.members)}})
	}
}

// typing passes on that somebody types. The caller holds r.mu.
func (r *liveRoom) typing(id chat.PersonID) {
	m := r.members[id]
	if m == nil || len(r.members) > chat.MaxHere || time.Since(m.typed) < typingEvery {
		return
	}
	m.typed = time.Now()
	r.say(chat.Event{Kind: chat.Typing, From: m.person})
}

// here returns who is in the room, by name; nil if they are more than
// MaxHere. The caller holds r.mu.
func (r *liveRoom) here() []chat.Person {
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

// everybody returns who is in the room; nil if they are more than MaxHere.
func (r *liveRoom) everybody() []chat.Person {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.here()
}

// end stops the timers of a room that nobody reads any more.
func (c *crowd) end() {
	c.ended = true
	for _, m := range c.members {
		if m.leaving != nil {
			m.leaving.Stop()
		}
	}
	if c.counter != nil {
		c.counter.Stop()
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

package cluster

import (
	"maps"
	"slices"
	"time"
)

const (
	// silence is how long a node may send no beat before it counts as gone.
	silence = 5 * time.Second
	// rememberFor is how long after a message its number is remembered. To forget it is safe: at worst Missed is called
	// for nothing.
	rememberFor = 3 * silence
	// rememberEnded is for how long a node that has said goodbye is remembered, because messages of it may come late.
	rememberEnded = time.Minute
	// rowLife is for how long the store may know of a node that has left, about.
	rowLife = 8 * time.Second
)

// A source is another node as this one hears it.
type source struct {
	id      NodeID
	created time.Time
	heard   time.Time // when its last beat came
	joined  bool      // a beat has come
	since   time.Time // when it joined

	beat    uint64          // the number of the last beat of which all parts came
	partial uint64          // the number of the beat of which parts are coming
	parts   map[uint64]bool // which of them have come
	resync  uint64          // the beat at which everything counted as missed, so that its list changes nothing

	last map[string]lastHeard // by subject
}

// lastHeard is the newest message on one subject: received or known to be missed.
type lastHeard struct {
	number uint64
	at     time.Time
}

// sources is what Run knows about the other nodes. It belongs to the goroutine of Run.
type sources struct {
	n     *Node
	byID  map[NodeID]*source
	ended map[NodeID]time.Time // when nodes said goodbye; not in byID

	silenced []time.Time // when nodes left that were silent
}

func (ss *sources) of(id NodeID) *source {
	s := ss.byID[id]
	if s == nil {
		s = &source{id: id, created: time.Now(), last: map[string]lastHeard{}}
		ss.byID[id] = s
	}
	return s
}

// receive handles a message from the bus.
func (ss *sources) receive(m Message) {
	f, err := decodeFrame(m.Payload)
	if err != nil || f.from == ss.n.id {
		return
	}
	if _, ended := ss.ended[f.from]; ended {
		ss.takeLate(m.Subject, f)
		return
	}
	switch f.kind {
	case beatFrame:
		ss.takeBeat(f)
	case goodbyeFrame:
		ss.takeGoodbye(f)
	case messageFrame, wakeUpFrame:
		ss.takeMessage(m.Subject, f)
	}
}

func (ss *sources) takeMessage(subject string, f frame) {
	topic, key, ok := splitSubject(subject)
	if !ok || !ss.n.listens(subject) {
		return
	}
	s := ss.of(f.from)
	known := s.last[subject].number
	if f.number <= known {
		return // a double, or late: it counts as missed already
	}
	s.last[subject] = lastHeard{number: f.number, at: time.Now()}
	if f.previous > known || f.kind == wakeUpFrame {
		ss.n.missed(f.from, topic, key)
	}
	if f.kind == messageFrame {
		ss.n.received(f.from, topic, key, f.body)
	}
}

// takeLate takes a message of a node that has said goodbye. It does not make the node one that is heard, and then
// silent. A double does no harm.
func (ss *sources) takeLate(subject string, f frame) {
	if topic, key, ok := splitSubject(subject); ok && f.kind == messageFrame && ss.n.listens(subject) {
		ss.n.received(f.from, topic, key, f.body)
	}
}

// takeBeat compares a beat's list with what has come.
func (ss *sources) takeBeat(f frame) {
	s := ss.of(f.from)
	if f.number <= s.beat || f.number < s.partial {
		return
	}
	r := fields{rest: f.body}
	part, parts := r.uint(), r.uint()
	if f.number > s.partial {
		s.partial, s.parts = f.number, map[uint64]bool{}
		ss.begin(s, f.number)
	}
	for len(r.rest) > 0 {
		subject, number := r.text(), r.uint()
		if r.bad {
			return
		}
		ss.takeListing(s, subject, number)
	}
	s.parts[part] = true
	if uint64(len(s.parts)) == parts {
		s.beat, s.heard = f.number, time.Now()
	}
}

// begin handles the first part of a beat. If the beats before it were lost, their lists are not known: then everything
// counts as missed.
func (ss *sources) begin(s *source, beat uint64) {
	now := time.Now()
	if !s.joined {
		s.joined, s.since, s.heard = true, now, now
		ss.publish()
		ss.n.peerJoined(s.id)
	}
	if beat > s.beat+listings {
		s.beat, s.resync = beat-1, beat
		ss.n.missedEverything(s.id)
	}
}

func (ss *sources) takeListing(s *source, subject string, number uint64) {
	topic, key, ok := splitSubject(subject)
	if !ok || !ss.n.listens(subject) {
		return
	}
	known := s.last[subject].number
	s.last[subject] = lastHeard{number: max(number, known), at: time.Now()}
	if number > known && s.resync != s.partial {
		ss.n.missed(s.id, topic, key)
	}
}

func (ss *sources) takeGoodbye(f frame) {
	s := ss.byID[f.from]
	if s == nil || f.number <= s.beat {
		return
	}
	ss.ended[s.id] = time.Now()
	ss.leave(s, f.number > s.beat+listings)
}

// leave removes a node. If its last beats did not come, its last messages may be lost with them.
func (ss *sources) leave(s *source, silently bool) {
	delete(ss.byID, s.id)
	ss.publish()
	if silently {
		ss.n.missedEverything(s.id)
	}
	if _, ended := ss.ended[s.id]; s.joined && !ended {
		ss.silenced = append(ss.silenced, time.Now())
	}
	if s.joined {
		ss.n.peerLeft(s.id)
	}
}

// sweep removes the nodes that have been silent for too long, and forgets old numbers.
func (ss *sources) sweep(now time.Time) {
	maps.DeleteFunc(ss.ended, func(_ NodeID, at time.Time) bool { return now.Sub(at) > rememberEnded })
	for _, s := range slices.Collect(maps.Values(ss.byID)) {
		maps.DeleteFunc(s.last, func(_ string, l lastHeard) bool { return now.Sub(l.at) > rememberFor })
		if lastSign := later(s.created, s.heard); now.Sub(lastSign) >= silence {
			ss.leave(s, true)
		}
	}
}

// recentlyLeft returns how many nodes have said goodbye, and how many have become silent, of which the store may still
// know.
func (ss *sources) recentlyLeft() (ended, silent int) {
	for _, at := range ss.ended {
		if time.Since(at) < rowLife {
			ended++
		}
	}
	ss.silenced = slices.DeleteFunc(ss.silenced, func(at time.Time) bool { return time.Since(at) >= rowLife })
	return ended, len(ss.silenced)
}

// isAnyLate reports whether beats of another node are missing.
func (ss *sources) isAnyLate(now time.Time) bool {
	for _, s := range ss.byID {
		if now.Sub(later(s.created, s.heard)) >= lateAfter {
			return true
		}
	}
	return false
}

// forgive adds a pause of this process to the time that the others have, because it could not hear them.
func (ss *sources) forgive(pause time.Duration) {
	for _, s := range ss.byID {
		s.created, s.heard = s.created.Add(pause), s.heard.Add(pause)
	}
}

// publish makes the peers known to Node.Peers.
func (ss *sources) publish() {
	peers := []Peer{}
	for _, s := range ss.byID {
		if s.joined {
			peers = append(peers, Peer{ID: s.id, Since: s.since})
		}
	}
	slices.SortFunc(peers, func(a, b Peer) int { return a.Since.Compare(b.Since) })
	ss.n.peers.Store(&peers)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

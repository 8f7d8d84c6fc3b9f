package cluster

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/room"
)

// askTimeout is how long AskMembers waits for answers.
const askTimeout = 200 * time.Millisecond

// An ask is a question of AskMembers that waits for answers. It is guarded by rooms.mu.
type ask struct {
	awaited map[NodeID]bool
	got     map[string]room.Members
	done    chan struct{} // closed when nobody is awaited any more
}

// privateKey is the key of messages about members for one node. No room has this name.
func privateKey(id NodeID) string { return "\x00" + string(id) }

// Members implements room.Others.
func (r *rooms) Members(name chat.RoomName, m room.Members) {
	r.node.Send(Members, string(name), appendMembers([]byte{membersMessage}, m))
}

// Typing implements room.Others.
func (r *rooms) Typing(name chat.RoomName, p chat.Person) {
	r.node.Send(Members, string(name), appendPerson([]byte{typingMessage}, p))
}

// AskMembers implements room.Others. A peer that does not answer in time is not awaited again until it has answered
// something.
func (r *rooms) AskMembers(ctx context.Context, name chat.RoomName) map[string]room.Members {
	peers := r.node.Peers()
	if len(peers) == 0 {
		return nil
	}
	a := &ask{awaited: map[NodeID]bool{}, got: map[string]room.Members{}, done: make(chan struct{})}
	r.mu.Lock()
	r.asked++
	number := r.asked
	r.asks[number] = a
	for _, p := range peers {
		if !r.slow[p.ID] {
			a.awaited[p.ID] = true
		}
	}
	if len(a.awaited) == 0 {
		close(a.done)
	}
	r.mu.Unlock()
	r.node.Send(Everybody, "", appendText(binary.AppendUvarint([]byte{askMessage}, number), string(name)))

	timeout := time.NewTimer(askTimeout)
	defer timeout.Stop()
	select {
	case <-a.done:
	case <-timeout.C:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.asks, number)
	if ctx.Err() == nil {
		maps.Copy(r.slow, a.awaited)
	}
	for _, p := range peers {
		if _, got := a.got[string(p.ID)]; !got { // the question or the answer may be lost
			r.missed(p.ID, name)
		}
	}
	return a.got
}

// answered records from's answer to an ask, if it is awaited.
func (r *rooms) answered(from NodeID, number uint64, name chat.RoomName, m room.Members) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.slow, from)
	delete(r.missedMembers[from], name)
	a := r.asks[number]
	if a == nil {
		return
	}
	a.got[string(from)] = m
	if a.awaited[from] {
		if delete(a.awaited, from); len(a.awaited) == 0 {
			close(a.done)
		}
	}
}

// reply answers from's question about rooms.
func (r *rooms) reply(from NodeID, f *fields) {
	number := f.uint()
	head := binary.AppendUvarint([]byte{repliedMessage}, number)
	b := slices.Clone(head)
	for len(f.rest) > 0 {
		name := f.text()
		if f.bad {
			return
		}
		b = appendMembers(appendText(b, name), r.hub.OwnMembers(chat.RoomName(name)))
		if len(b) > maxPart {
			r.node.Send(Members, privateKey(from), b)
			b = append(b[:0], head...)
		}
	}
	if len(b) > len(head) {
		r.node.Send(Members, privateKey(from), b)
	}
}

// receiveMembers takes a message about members, of a room or for this node.
func (r *rooms) receiveMembers(from NodeID, key string, payload []byte) {
	if len(payload) == 0 {
		return
	}
	f := &fields{rest: payload[1:]}
	switch payload[0] {
	case membersMessage:
		if m := readMembers(f); !f.bad {
			r.setMembers(from, chat.RoomName(key), m)
		}
	case typingMessage:
		if p := readPerson(f); !f.bad {
			r.hub.ShowTyping(chat.RoomName(key), p)
		}
	case askMessage:
		r.reply(from, f)
	case repliedMessage:
		for number := f.uint(); len(f.rest) > 0; {
			name := chat.RoomName(f.text())
			m := readMembers(f)
			if f.bad {
				return
			}
			r.setMembers(from, name, m)
			r.answered(from, number, name, m)
		}
	}
}

// setMembers gives the hub the members on another node. Those on a node that is no peer leave again, unless it becomes
// one: it may have ended, and its message be late.
func (r *rooms) setMembers(from NodeID, name chat.RoomName, m room.Members) {
	if !r.isPeer(from) {
		r.hub.NodeLeft(string(from))
	}
	r.hub.SetMembers(name, string(from), m)
}

func (r *rooms) isPeer(id NodeID) bool {
	return slices.ContainsFunc(r.node.Peers(), func(p Peer) bool { return p.ID == id })
}

// missMembers notes that from, or everybody if from is "", must be asked who is in a room, or in all rooms if an answer
// was missed. When nodes come back it is called for each room, so the questions go together in eachSecond.
func (r *rooms) missMembers(from NodeID, key string) {
	names := []chat.RoomName{chat.RoomName(key)}
	if key == privateKey(r.node.ID()) {
		names = r.hub.Rooms()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		if from != "" {
			r.missed(from, name)
			continue
		}
		for _, p := range r.node.Peers() {
			r.missed(p.ID, name)
		}
	}
}

// missed notes that a node must be asked who is in a room. The caller holds r.mu.
func (r *rooms) missed(from NodeID, name chat.RoomName) {
	if r.missedMembers[from] == nil {
		r.missedMembers[from] = map[chat.RoomName]bool{}
	}
	r.missedMembers[from][name] = true
}

// askMissed asks the nodes whose members are not known, again and again until they answer.
func (r *rooms) askMissed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for from, names := range r.missedMembers {
		if !r.isPeer(from) {
			delete(r.missedMembers, from)
			continue
		}
		head := []byte{askMessage, 0} // no number: nobody waits for the answer
		b := slices.Clone(head)
		for name := range names {
			if b = appendText(b, string(name)); len(b) > maxPart {
				r.node.Send(Members, privateKey(from), b)
				b = append(b[:0], head...)
			}
		}
		if len(b) > len(head) {
			r.node.Send(Members, privateKey(from), b)
		}
	}
}

package cluster

import (
	"context"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/room"
)

// RoomsConfig is what ConnectRooms needs beside the hub. No function may block.
type RoomsConfig struct {
	// Heads returns the newest seqs of those of rooms that the store has.
	Heads func(ctx context.Context, rooms []chat.RoomName) (map[chat.RoomName]chat.Seq, error)
	// Stored says that another node has stored events in a room: up to head, the first one at since, and whether some
	// of them are deletions. It is called within two seconds for every room, unless Missed is.
	Stored func(room chat.RoomName, head chat.Seq, since time.Time, deletes bool)
	// Deleted says which texts another node has deleted.
	Deleted func(texts []string)
	// Missed says that calls of Stored and Deleted may be missing. While messages do not come, it is called each
	// second.
	Missed func()
}

// ConnectRooms lets the nodes tell each other what happens in rooms: events, members, who types, and deleted texts. It
// must be called before node.Run and hub.Run.
func ConnectRooms(node *Node, hub *room.Hub, cfg RoomsConfig) {
	r := &rooms{
		node: node, hub: hub, cfg: cfg,
		stored: map[chat.RoomName]storedEvents{}, asks: map[uint64]*ask{}, slow: map[NodeID]bool{},
		missedMembers: map[NodeID]map[chat.RoomName]bool{},
	}
	hub.SetOthers(r, cfg.Heads)
	node.Listen(Members, privateKey(node.ID()))
	node.Handle(Events, Handler{
		Receive: func(_ NodeID, key string, payload []byte) {
			if events, ok := decodeEvents(chat.RoomName(key), payload); ok {
				hub.Receive(events)
			} else { // a hint, or of a newer version of the program
				hub.Hint(chat.RoomName(key), 0)
			}
		},
		Missed: r.missEvents,
	})
	node.Handle(Members, Handler{Receive: r.receiveMembers, Missed: r.missMembers})
	node.Handle(Everybody, Handler{
		Receive: r.receive, Missed: func(NodeID, string) { cfg.Missed() },
		EachSecond: r.eachSecond,
		PeerJoined: func(id NodeID) { hub.NodeBack(string(id)) },
		PeerLeft:   r.peerLeft,
	})
}

// rooms are the room.Others of a node.
type rooms struct {
	node *Node
	hub  *room.Hub
	cfg  RoomsConfig

	// Owned by the node's goroutine; eachSecond resets them.
	hints     int  // calls of hub.Hint by missEvents
	hasPolled bool // missEvents has called hub.Poll
	pollAgain bool // and more was missed afterwards

	mu            sync.Mutex
	stored        map[chat.RoomName]storedEvents    // since eachSecond told the others
	asks          map[uint64]*ask                   // by number
	asked         uint64                            // the number of the last ask
	slow          map[NodeID]bool                   // peers that did not answer an ask in time: none waits for them
	missedMembers map[NodeID]map[chat.RoomName]bool // whose members must be asked for
}

// storedEvents are events that this node has stored in a room.
type storedEvents struct {
	head    chat.Seq
	since   time.Time // when the first was stored
	deletes bool
}

// maxHints is in how many rooms a second the store is read at once for what may have been missed.
const maxHints = 100

// maxPart is how many bytes of a list go in one message, about.
const maxPart = 64 << 10

// The kinds of messages to everybody, and of those about members. They are the first byte of a message.
const (
	storedMessage  = 's' // rooms in which the sender has stored events
	deletedMessage = 'd' // the same of one room, and deleted texts
	askMessage     = 'a' // who is in rooms, please
	repliedMessage = 'r' // the members of these rooms on the sender
	membersMessage = 'm' // the members of a room on the sender
	typingMessage  = 't' // a person types
)

// missEvents makes the hub read a room from the store. When a node goes, or was not heard for a while, it is called for
// each room: then one query for the heads of all is better, now and once more in eachSecond for what is missed later.
func (r *rooms) missEvents(from NodeID, key string) {
	switch {
	case from != "" && r.hints < maxHints:
		r.hints++
		r.hub.Hint(chat.RoomName(key), 0)
	case !r.hasPolled:
		r.hasPolled = true
		r.hub.Poll()
	default:
		r.pollAgain = true
	}
}

func (r *rooms) peerLeft(id NodeID) {
	r.hub.NodeLeft(string(id))
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.slow, id)
	delete(r.missedMembers, id)
}

// Listen implements room.Others.
func (r *rooms) Listen(name chat.RoomName) {
	r.node.Listen(Events, string(name))
	r.node.Listen(Members, string(name))
}

// Ignore implements room.Others.
func (r *rooms) Ignore(name chat.RoomName) {
	r.node.Ignore(Events, string(name))
	r.node.Ignore(Members, string(name))
}

// Stored implements room.Others.
func (r *rooms) Stored(commits []chat.Commit) {
	byRoom := map[chat.RoomName][]byte{}
	for i := range commits {
		c := &commits[i]
		e := &c.Event
		payload := byRoom[e.Room]
		if len(payload) > maxPart {
			r.node.Send(Events, string(e.Room), payload)
			payload = payload[:0]
		}
		byRoom[e.Room] = appendEvent(payload, e)
		s := r.noteStored(e)
		if len(c.DeletedTexts) > 0 {
			b := appendStored([]byte{deletedMessage}, e.Room, s)
			for _, text := range c.DeletedTexts {
				b = appendText(b, text)
			}
			r.node.Send(Everybody, "", b)
		}
	}
	for name, payload := range byRoom {
		r.node.Send(Events, string(name), payload)
	}
}

// Hint implements room.Others. A message without events makes the other nodes read the store.
func (r *rooms) Hint(name chat.RoomName, head chat.Seq) {
	if head > 0 {
		r.noteStored(&chat.Event{Room: name, Seq: head, At: time.Now()})
	}
	r.node.Send(Events, string(name), []byte{noEvents})
}

// noteStored records an event that eachSecond tells the others of. It returns all of its room.
func (r *rooms) noteStored(e *chat.Event) storedEvents {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, found := r.stored[e.Room]
	if !found {
		s.since = e.At
	}
	s.head = max(s.head, e.Seq)
	s.deletes = s.deletes || e.Kind == chat.Delete
	r.stored[e.Room] = s
	return s
}

func (r *rooms) eachSecond(poll bool) {
	if poll || r.pollAgain {
		r.hub.Poll()
	}
	r.hints, r.hasPolled, r.pollAgain = 0, false, false
	if poll {
		r.cfg.Missed()
	}
	r.askMissed()
	r.mu.Lock()
	stored := r.stored
	r.stored = map[chat.RoomName]storedEvents{}
	r.mu.Unlock()
	var b []byte
	for name, s := range stored {
		if len(b) == 0 {
			b = append(b, storedMessage)
		}
		if b = appendStored(b, name, s); len(b) > maxPart {
			r.node.Send(Everybody, "", b)
			b = b[:0]
		}
	}
	if len(b) > 0 {
		r.node.Send(Everybody, "", b)
	}
}

// receive takes a message to everybody.
func (r *rooms) receive(from NodeID, _ string, payload []byte) {
	if len(payload) == 0 {
		return
	}
	f := &fields{rest: payload[1:]}
	switch payload[0] {
	case storedMessage:
		for len(f.rest) > 0 {
			r.receiveStored(f)
		}
	case deletedMessage:
		r.receiveStored(f)
		var texts []string
		for len(f.rest) > 0 {
			texts = append(texts, f.text())
		}
		r.cfg.Deleted(texts)
	case askMessage:
		r.reply(from, f)
	}
}

// receiveStored takes one room in which another node has stored events. If readers of this node lack some of them, they
// are read from the store.
func (r *rooms) receiveStored(f *fields) {
	name := chat.RoomName(f.text())
	head, since, deletes := chat.Seq(f.uint()), time.UnixMilli(int64(f.uint())).UTC(), f.uint() == 1
	if !f.bad {
		r.hub.Hint(name, head)
		r.cfg.Stored(name, head, since, deletes)
	}
}

package room

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
)

// A Reader is one connection's place in a room's log: a cursor.
type Reader struct {
	// What each delivery reads comes first, in one line of the processor's cache.
	sink Sink
	log  *byteLog

	// Guarded by shard.mu, but that the catch-up worker of a reader that is
	// catching owns next.
	next          chat.Seq // the first event not yet given to sink
	nextEphemeral int64    // the first byte of the moment not yet offered
	state         readerState
	index         int // in shard.readers
	stall         *time.Timer
	left          Budget // of formatting what it catches up with

	hub     *Hub
	room    *liveRoom
	shard   *shard
	network netip.Addr // where it comes from

	person chat.PersonID // guarded by room.mu; "" for a reader that is not here
}

type readerState uint8

const (
	live       readerState = iota // a flusher serves it from the byte log
	blocked                       // its sink is full
	catchingUp                    // a catch-up worker serves it from the store
	closed                        // it has left, or its sink is dead
)

// shardSize is how many readers are written to before other rooms get their
// turn, and what one core does of a large room while another does the rest.
const shardSize = 64

// A shard is some of a room's readers, flushed together.
type shard struct {
	room    *liveRoom
	slots   int // guarded by room.mu: readers there are or will be
	mu      sync.Mutex
	readers []*Reader

	isDirty, isBusy bool // guarded by the flush queue
}

// JoinRequest is what a reader comes with.
type JoinRequest struct {
	Member  bool // the person becomes a member of the room; else the reader only reads
	Sink    Sink
	Encoder Encoder
	After   *chat.Seq // the last event that the reader has; nil: begin with what comes now
	Epoch   string    // the epoch that After belongs to; "": the present one
	At      time.Time // when After was stored, as the reader knows it; zero: it does not say
}

// JoinResult is what a reader finds.
type JoinResult struct {
	Head   chat.Seq  // the room's newest event
	Behind bool      // Joining.After cannot be served: events begin after Head
	Reset  bool      // and it is no event of this log: what the reader has is of another one
	At     time.Time // when Head was stored; zero if there is none
	From   chat.Seq  // events begin after this one
	FromAt time.Time // when From was stored; zero for 0
	Count  int       // people here
	Here   []chat.Person
}

// Join makes a reader of a room and calls joined, which must not block, before
// the reader is given any bytes. Every event after Joining.After follows, or
// after Joined.Head where there is none or it cannot be served. The error has code
// RateLimited if there is something after Joining.After and too much has been read
// from where the reader comes from.
func (h *Hub) Join(
	ctx context.Context, who chat.Who, name chat.RoomName, j JoinRequest, joined func(JoinResult),
) (*Reader, error) {
	action := access.Read
	if j.Member {
		action = access.Join
	}
	if err := access.May(who, action, name); err != nil {
		return nil, err
	}
	r, err := h.enter(ctx, name)
	if err != nil {
		return nil, err
	}
	made := false // it is not, after an error or a panic of joined
	defer func() {
		if !made {
			h.exit(r)
		}
	}()
	var last position
	if j.After != nil {
		if last, err = r.comparePosition(ctx, *j.After, j.At, j.Epoch); err != nil {
			return nil, err
		}
		if last.isInLog && last.seq < r.published() {
			if err := h.mayRead(who.Network); err != nil {
				return nil, err
			}
		}
	}
	rd := &Reader{hub: h, room: r, sink: j.Sink, shard: r.reserve(), network: who.Network}
	s := rd.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() {
		if !made {
			rd.release()
		}
	}()

	if j.Member {
		rd.person = who.Person.ID
		r.addMember(who.Person)
	}
	rd.log = r.logFor(j.Encoder)
	rd.log.readers++
	rd.nextEphemeral = rd.log.ephemeralEnd() // one's own arrival is in joined
	head := r.head
	found := JoinResult{Head: head, At: r.headAt(), Count: len(r.members), Here: r.memberList()}
	found.From, found.FromAt = found.Head, found.At
	if j.After != nil {
		found.Reset = !last.isInLog
		found.Behind = found.Reset || head-last.seq > chat.MaxBehind
		if !found.Behind {
			found.From, found.FromAt = last.seq, last.at
		}
	}
	if found.From > head { // the store has it, and the room is about to
		found.Head, found.At = found.From, found.FromAt
	}
	rd.next = found.From + 1
	joined(found)

	rd.index = len(s.readers)
	s.readers = append(s.readers, rd)
	h.readers.Add(1)
	made = true
	switch {
	case rd.next < rd.log.first:
		rd.catchUp()
	case rd.next <= head:
		h.flushes.mark(r, s)
	}
	return rd, nil
}

// Leave ends the reader; its sink is given nothing more once Leave has
// returned.
func (rd *Reader) Leave() {
	defer rd.hub.exit(rd.room) // also after a panic: no lock stays locked, no room stays in memory
	defer rd.hub.readers.Add(-1)
	rd.leaveShard()
	rd.room.mu.Lock()
	defer rd.room.mu.Unlock()
	rd.release()
}

func (rd *Reader) leaveShard() {
	s := rd.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	rd.setState(closed)
	last := len(s.readers) - 1
	s.readers[rd.index] = s.readers[last]
	s.readers[rd.index].index = rd.index
	s.readers[last] = nil
	s.readers = s.readers[:last]
}

// release gives back what a reader has of its room. The caller holds room.mu.
func (rd *Reader) release() {
	rd.shard.slots--
	if rd.log != nil {
		rd.log.readers--
	}
	if rd.person != "" {
		rd.room.removeReader(rd.person)
	}
}

// BecomeMember makes a reader that only read somebody who is here; a reader that is
// somebody else already becomes p.
func (rd *Reader) BecomeMember(p chat.Person) {
	r := rd.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if rd.person == p.ID {
		return
	}
	if rd.person != "" {
		r.removeReader(rd.person)
	}
	rd.person = p.ID
	r.addMember(p)
}

// Person returns who the reader is, under their present name; false for one
// that is not here.
func (rd *Reader) Person() (chat.Person, bool) {
	r := rd.room
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.members[rd.person]
	if m == nil {
		return chat.Person{}, false
	}
	return m.person, true
}

// Typing tells the others that this reader's person types.
func (rd *Reader) Typing() {
	rd.room.mu.Lock()
	defer rd.room.mu.Unlock()
	rd.room.typing(rd.person)
}

// reserve returns a shard with a slot for one more reader.
func (r *liveRoom) reserve() *shard {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.shards {
		if s.slots < shardSize {
			s.slots++
			return s
		}
	}
	s := &shard{room: r, slots: 1}
	r.shards = append(r.shards, s)
	return s
}

// setState moves a reader to another state and keeps count of those that lag.
// The caller holds shard.mu.
func (rd *Reader) setState(to readerState) {
	lags := func(s readerState) bool { return s == blocked || s == catchingUp }
	if was, is := lags(rd.state), lags(to); was != is {
		if is {
			rd.hub.notLive.Add(1)
		} else {
			rd.hub.notLive.Add(-1)
		}
	}
	if rd.stall != nil {
		rd.stall.Stop()
		rd.stall = nil
	}
	rd.state = to
}

// block waits for the sink to take bytes again, for so long as the hub allows.
// The caller holds shard.mu.
func (rd *Reader) block() {
	rd.setState(blocked)
	rd.stall = time.AfterFunc(rd.hub.cfg.StallTimeout, func() { rd.sink.Close(chat.Stalled) })
	rd.sink.OnWritable(rd.unblock)
}

// unblock is called by the sink when it may take bytes again.
func (rd *Reader) unblock() {
	rd.shard.mu.Lock()
	defer rd.shard.mu.Unlock()
	if rd.state == blocked {
		rd.setState(live)
		rd.hub.flushes.mark(rd.room, rd.shard)
	}
}

// catchUp hands the reader to a catch-up worker. The caller holds shard.mu.
func (rd *Reader) catchUp() {
	rd.setState(catchingUp)
	rd.left = rd.hub.costs.budget(rd.network, catchUpAll, 0)
	rd.hub.catchUpQueue.push(rd)
}

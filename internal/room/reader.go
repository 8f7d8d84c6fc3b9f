package room

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
)

// A Reader is one connection's position in a room's log.
type Reader struct {
	// These fields are read on each delivery and share one cache line.
	sink Sink
	log  *byteLog

	// Guarded by shard.mu; but next of a reader that is catching up belongs to its catch-up worker.
	next          chat.Seq // the first event that sink has not taken
	nextEphemeral int64    // the first ephemeral byte that was not offered
	state         readerState
	index         int // in shard.readers
	stall         *time.Timer
	left          Budget // for formatting while it catches up

	hub     *Hub
	room    *liveRoom
	shard   *shard
	network netip.Addr // the client's

	person chat.PersonID // guarded by room.mu; "" for a reader that is no member
}

type readerState uint8

const (
	live       readerState = iota // a flusher serves it from the byte log
	blocked                       // its sink is full
	catchingUp                    // a catch-up worker serves it from the store
	closed                        // it has left, or its sink is dead
)

// shardSize is how many readers of a room are flushed before other rooms get their turn, and the part of a large room
// that one core flushes while another flushes the next.
const shardSize = 64

// A shard is a group of a room's readers that are flushed together.
type shard struct {
	room    *liveRoom
	slots   int // number of readers, including those that are about to join; guarded by room.mu
	mu      sync.Mutex
	readers []*Reader

	isDirty, isBusy bool // guarded by the flush queue
}

// A JoinRequest describes a new reader.
type JoinRequest struct {
	Member  bool // the person becomes a member of the room; else the reader only reads
	Sink    Sink
	Encoder Encoder
	After   *chat.Seq // the last event that the reader has; nil: begin with the next one
	Epoch   string    // the epoch of After; "": not compared
	At      time.Time // when After was stored, as the reader knows it; zero: not compared
}

// A JoinResult is the state of the room that a new reader begins with.
type JoinResult struct {
	Head   chat.Seq  // the room's newest event
	Behind bool      // events begin after Head, because those after JoinRequest.After are too many or of another log
	Reset  bool      // JoinRequest.After is not in this log: what the reader has is of another log
	At     time.Time // when Head was stored; zero if there is none
	From   chat.Seq  // events begin after this one
	FromAt time.Time // when From was stored; zero for 0
	Count  int       // members
	Here   []chat.Person
}

// Join adds a reader to a room and calls joined, which must not block, before the reader gets any bytes. The reader
// gets every event after JoinRequest.After, or after JoinResult.Head if After is nil or cannot be served. The error has
// code RateLimited if there are events after After and too much has been read from who's network.
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
	made, stays := false, false // made is false after an error or a panic of joined
	defer func() {
		if !made && !stays {
			h.exit(r)
		}
	}()
	last, err := r.resumePosition(ctx, who, j)
	if err != nil {
		return nil, err
	}
	rd := &Reader{hub: h, room: r, sink: j.Sink, shard: r.reserve(), network: who.Network}
	s := rd.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() {
		if !made {
			stays = rd.release()
		}
	}()

	if j.Member {
		rd.person = who.Person.ID
		r.addMember(who.Person)
	}
	rd.log = r.logFor(j.Encoder)
	rd.log.readers++
	rd.nextEphemeral = rd.log.ephemeralEnd() // the person's own arrival is part of joined
	found := r.joinResult(j, last)
	rd.next = found.From + 1
	joined(found)

	rd.index = len(s.readers)
	s.readers = append(s.readers, rd)
	h.readers.Add(1)
	made = true
	switch {
	case rd.next < rd.log.first:
		rd.catchUp()
	case rd.next <= r.head:
		h.flushes.mark(r, s)
	}
	return rd, nil
}

// resumePosition returns the position of j.After in the log, the zero position if that is nil. The error has code
// RateLimited if there are events after it and too much has been read from who's network.
func (r *liveRoom) resumePosition(ctx context.Context, who chat.Who, j JoinRequest) (position, error) {
	if j.After == nil {
		return position{}, nil
	}
	p, err := r.comparePosition(ctx, *j.After, j.At, j.Epoch)
	if err == nil && p.isInLog && p.seq < r.published() {
		err = r.hub.mayRead(who.Network)
	}
	return p, err
}

// joinResult returns the room's state for a reader that asks for j, whose After is at position last. The caller holds
// r.mu.
func (r *liveRoom) joinResult(j JoinRequest, last position) JoinResult {
	found := JoinResult{Head: r.head, At: r.headAt(), Count: r.hereCount(), Here: r.memberList()}
	found.From, found.FromAt = found.Head, found.At
	if j.After != nil {
		found.Reset = !last.isInLog
		found.Behind = found.Reset || r.head-last.seq > chat.MaxBehind
		if !found.Behind {
			found.From, found.FromAt = last.seq, last.at
		}
	}
	if found.From > r.head { // that event is in the store and about to be appended here
		r.expect(found.From)
		found.Head, found.At = found.From, found.FromAt
	}
	return found
}

// Leave ends the reader. Its sink gets no more bytes once Leave has returned.
func (rd *Reader) Leave() {
	stays := false
	defer func() { // also after a panic, so that no lock stays held and no room stays in memory
		if !stays {
			rd.hub.exit(rd.room)
		}
	}()
	defer rd.hub.readers.Add(-1)
	rd.leaveShard()
	rd.room.mu.Lock()
	defer rd.room.mu.Unlock()
	stays = rd.release()
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

// release removes the reader from the counts of its room. It reports whether the room stays in memory, in place of the
// reader, until the reader's person has left. The caller holds room.mu.
func (rd *Reader) release() (stays bool) {
	rd.shard.slots--
	if rd.log != nil {
		rd.log.readers--
	}
	return rd.person != "" && rd.room.removeReader(rd.person)
}

// BecomeMember makes p the reader's person and a member of the room. Before, the reader had no person or another one.
func (rd *Reader) BecomeMember(p chat.Person) {
	r, stays := rd.room, false
	r.hub.hold(r)
	defer func() {
		if !stays {
			r.hub.exit(r)
		}
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
	if rd.person == p.ID {
		return
	}
	if rd.person != "" {
		stays = r.removeReader(rd.person)
	}
	rd.person = p.ID
	r.addMember(p)
}

// Typing announces that this reader's person types.
func (rd *Reader) Typing() {
	rd.room.mu.Lock()
	defer rd.room.mu.Unlock()
	rd.room.typing(rd.person)
}

// reserve returns a shard with a free slot, which it reserves.
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

// setState changes a reader's state and counts those that are not live. The caller holds shard.mu.
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

// block waits until the sink can take bytes again, at most StallTimeout. The caller holds shard.mu.
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

// catchUp queues the reader for a catch-up worker. The caller holds shard.mu.
func (rd *Reader) catchUp() {
	rd.setState(catchingUp)
	rd.left = rd.hub.costs.budget(rd.network, catchUpAll, 0)
	rd.hub.catchUpQueue.push(rd)
}

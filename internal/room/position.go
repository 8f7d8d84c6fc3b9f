package room

import (
	"context"
	"fmt"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
)

// A position is where a reader says that it is in a room's log: after the event seq.
type position struct {
	seq     chat.Seq
	at      time.Time // when the log stored that event; zero for seq 0
	isInLog bool      // the log has that event, and the reader means the same one
}

// comparePosition compares a reader's position with the log. A seq alone does not identify an event: a machine that was
// reset to a snapshot has the same epoch, and gives the same seqs to other events. The time at which an event was
// stored tells them apart. A zero at or an empty epoch is not compared.
func (r *liveRoom) comparePosition(ctx context.Context, seq chat.Seq, at time.Time, epoch string) (position, error) {
	p := position{seq: seq}
	switch {
	case seq < 0 || epoch != "" && epoch != r.hub.epoch:
		return p, nil
	case seq == 0:
		p.isInLog = true
		return p, nil
	}
	var err error
	if p.at, err = r.eventAt(ctx, seq); err != nil {
		return p, fmt.Errorf("event %d of %s: %w", seq, r.name, err)
	}
	if p.at.IsZero() { // not in the log, unless it is the newest one, whose seq stays when it is removed by hand
		head, _, err := r.hub.log.Head(ctx, r.name)
		if err != nil {
			return p, fmt.Errorf("newest event of %s: %w", r.name, err)
		}
		p.isInLog = seq == head
		return p, nil
	}
	p.isInLog = at.IsZero() || at.UnixMilli() == p.at.UnixMilli()
	return p, nil
}

// CheckPosition refuses a page after an event that is not the one that the client has read, because the page could
// leave out events that the client has never seen. The error is then an *chat.Error with code Behind.
func (h *Hub) CheckPosition(
	ctx context.Context, who chat.Who, room chat.RoomName, seq chat.Seq, at time.Time, epoch string,
) error {
	if err := access.May(who, access.Read, room); err != nil {
		return err
	}
	if at.IsZero() && epoch == "" { // nothing to compare
		return nil
	}
	r := h.rooms.find(room)
	if r == nil {
		r = &liveRoom{hub: h, name: room} // the room has no readers: the store has the answer
	}
	p, err := r.comparePosition(ctx, seq, at, epoch)
	if err == nil && !p.isInLog {
		err = &chat.Error{
			Code:    chat.Behind,
			Message: "This is not the log that you have read. Drop what you have of the room, and read it again.",
		}
	}
	return err
}

// maxTimes is how many of its newest events a room knows the times of.
const maxTimes = 16

// eventAt returns when an event was stored, the zero time if there is no such event. Most readers come back with one of
// the newest events, for which the store is not asked: also when thousands of them come at once, as when another node
// was stopped.
func (r *liveRoom) eventAt(ctx context.Context, seq chat.Seq) (time.Time, error) {
	if at, known := r.recentAt(seq); known {
		return at, nil
	}
	return r.hub.log.At(ctx, r.name, seq)
}

// recentAt is eventAt without the store, which has to be asked if known is false.
func (r *liveRoom) recentAt(seq chat.Seq) (at time.Time, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq == r.head {
		return r.headAt(), true
	}
	i := len(r.times) - 1 - int(r.head-seq)
	if seq > r.head || i < 0 || r.times[i] == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, r.times[i]).UTC(), true
}

// noteTime adds when the event head was stored. follows says whether the time added last is that of the event before
// it. The caller holds r.mu.
func (r *liveRoom) noteTime(follows bool) {
	switch {
	case !follows:
		r.times = r.times[:0]
	case len(r.times) == maxTimes:
		copy(r.times, r.times[1:])
		r.times = r.times[:maxTimes-1]
	}
	r.times = append(r.times, r.used)
}

// headAt returns when the newest event was stored, the zero time if there is none or it is not known. The caller holds
// r.mu.
func (r *liveRoom) headAt() time.Time {
	if r.used == 0 {
		return time.Time{}
	}
	return time.Unix(0, r.used).UTC()
}

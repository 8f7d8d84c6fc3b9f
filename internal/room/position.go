package room

import (
	"context"
	"fmt"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
)

// A position is where a reader says that it is in a room's log: behind the event seq.
type position struct {
	seq     chat.Seq
	at      time.Time // when the log has stored that event; zero for 0
	isInLog bool      // the log has that event, and it is the one that the reader means
}

// comparePosition compares a reader's place with the log. The numbers alone do not tell
// whether the log is the one that the reader has read: a machine that was set back
// to a snapshot has the old epoch, and gives the same numbers to other events. The
// time at which an event was stored tells them apart. A reader that does not say
// it (at is zero), or no epoch (""), is believed.
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
	p.isInLog = !p.at.IsZero() && (at.IsZero() || at.UnixMilli() == p.at.UnixMilli())
	return p, nil
}

// CheckPosition refuses a page that shall begin after an event which is not the one
// that the client means: it would leave out what the client has never seen. The
// error is then an *chat.Error with code Behind.
func (h *Hub) CheckPosition(
	ctx context.Context, who chat.Who, room chat.RoomName, seq chat.Seq, at time.Time, epoch string,
) error {
	if err := access.May(who, access.Read, room); err != nil {
		return err
	}
	if at.IsZero() && epoch == "" { // nothing to compare with
		return nil
	}
	r := h.rooms.find(room)
	if r == nil {
		r = &liveRoom{hub: h, name: room} // nobody is in the room: the store knows
	}
	p, err := r.comparePosition(ctx, seq, at, epoch)
	if err == nil && !p.isInLog {
		err = &chat.Error{Code: chat.Behind, Message: "This is not the log that you have read. Drop what you have of the room, and read it again."}
	}
	return err
}

// eventAt returns when an event was stored, the zero time if there is no such
// event. Most readers come back with the newest, which needs no look at the store.
func (r *liveRoom) eventAt(ctx context.Context, seq chat.Seq) (time.Time, error) {
	r.mu.Lock()
	head, at := r.head, r.headAt()
	r.mu.Unlock()
	if seq == head {
		return at, nil
	}
	return r.hub.log.At(ctx, r.name, seq)
}

// headAt returns when the newest event was stored, the zero time if there is
// none. The caller holds r.mu.
func (r *liveRoom) headAt() time.Time {
	if r.head == 0 {
		return time.Time{}
	}
	return time.Unix(0, r.used).UTC()
}

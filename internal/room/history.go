package room

import (
	"context"
	"slices"
	"time"

	"parley/internal/chat"
)

// A PageRequest asks for part of a room's messages: the oldest Limit after After if that
// is set, those on both sides of Around if that is, else the newest Limit before
// Before (if that is set).
type PageRequest struct {
	Before *chat.Seq
	After  *chat.Seq
	Around *chat.Seq
	Thread chat.Seq // of this thread; 0: of the room's own talk
	Limit  int      // 0: 50; at most chat.MaxPage
}

func (p *PageRequest) limit() int {
	if p.Limit <= 0 {
		return 50
	}
	return min(p.Limit, chat.MaxPage)
}

// History returns a page of a room's messages as they stand, oldest first. It
// ends where it is large enough or its formatting has taken long enough, and then
// says that there is more.
func (r *Query) History(ctx context.Context, room chat.RoomName, p PageRequest) (chat.Page, error) {
	sel := chat.PageQuery{Thread: p.Thread, Limit: p.limit()}
	switch {
	case p.After != nil:
		sel.After, sel.Oldest = max(*p.After, 0), true
		if p.Before != nil {
			sel.Before = max(*p.Before, 1)
		}
	case p.Around != nil:
		sel.Around = max(*p.Around, 1)
	case p.Before != nil:
		sel.Before = max(*p.Before, 1) // before 0 there is as little as before 1
	}
	page, err := r.page(ctx, room, sel)
	if err == nil && p.Thread != 0 && page.Root == nil {
		err = errNoMessage
	}
	return page, err
}

var errNoMessage = &chat.Error{Code: chat.NotFound, Message: "There is no such message in this room."}

// Pins returns a room's messages that were pinned before an event (0: all that
// are), in the order of their pinning; of too many the last.
func (r *Query) Pins(ctx context.Context, room chat.RoomName, before chat.Seq) (chat.Page, error) {
	return r.page(ctx, room, chat.PageQuery{Pinned: true, Before: before, Limit: chat.MaxPins})
}

// Messages returns those of a room's messages that have one of seqs. There may be
// less of them, and what is too much altogether is not formatted.
func (r *Query) Messages(ctx context.Context, room chat.RoomName, seqs ...chat.Seq) (chat.Page, error) {
	return r.page(ctx, room, chat.PageQuery{Seqs: seqs})
}

// Message returns one message as it stands, and the room's newest seq then.
func (r *Query) Message(ctx context.Context, room chat.RoomName, seq chat.Seq) (chat.MessageState, error) {
	page, err := r.Messages(ctx, room, seq)
	if err == nil && len(page.Messages) == 0 {
		err = errNoMessage
	}
	if err != nil {
		return chat.MessageState{}, err
	}
	return page.Messages[0], nil
}

// Versions returns what a message has said after an edit (0: from the beginning
// on), the oldest first, and whether there is more than a page has room for;
// nothing if it has been deleted.
func (r *Query) Versions(ctx context.Context, room chat.RoomName, seq, after chat.Seq) (versions []chat.Event, more bool, err error) {
	versions, err = r.hub.archive.Versions(ctx, room, seq)
	versions = slices.DeleteFunc(versions, func(e chat.Event) bool { return e.Seq <= after })
	versions, more = r.fit(versions)
	return versions, more, err
}

// Events returns a room's events after a seq as they happened, oldest first, at
// most limit of them and chat.MaxPage and as many as a page has room for, the
// room's newest seq, and when that event was stored.
func (r *Query) Events(
	ctx context.Context, room chat.RoomName, after chat.Seq, limit int,
) (events []chat.Event, head chat.Seq, at time.Time, err error) {
	if head, at, err = r.hub.log.Head(ctx, room); err != nil {
		return nil, 0, at, err
	}
	p := PageRequest{Limit: limit}
	events, err = r.hub.log.After(ctx, room, max(after, 0), p.limit())
	events = slices.DeleteFunc(events, func(e chat.Event) bool { return e.Seq > head })
	events, _ = r.fit(events)
	return events, head, at, err
}

// fit formats events and returns those of them that a page has room for.
func (r *Query) fit(events []chat.Event) (page []chat.Event, more bool) {
	size, mayStop := 0, r.left.All > 0
	for i := range events {
		if i > 0 && (size >= pageBytes || mayStop && r.left.All <= 0) {
			return events[:i], true
		}
		m := chat.MessageState{Event: events[i]}
		size += aroundSize(&m) + encodedSize(m.Text) + r.render(&events[i])
	}
	return events, false
}

// Forward makes of d a copy of a message of a room, for Post. Whether that message
// can be copied the log decides, which has the last word on it and knows whether
// this is a retry: without such a message d has no text, and is refused there.
func (h *Hub) Forward(
	ctx context.Context, who chat.Who, d chat.Draft, room chat.RoomName, seq chat.Seq,
) (chat.Draft, error) {
	if seq < 1 {
		return d, errNoMessage
	}
	d.Source = chat.MessageRef{Room: room, Seq: seq}
	page, err := h.archive.Page(ctx, room, chat.PageQuery{Seqs: []chat.Seq{seq}})
	if err != nil {
		return d, err
	}
	var m chat.MessageState
	if len(page.Messages) > 0 {
		m = page.Messages[0]
	}
	x := chat.Attrs{Forward: &chat.Forward{From: m.From, At: m.At}}
	if m.Extra != nil {
		x.Action = m.Extra.Action
		if m.Extra.Forward != nil { // who said it first said it
			x.Forward = m.Extra.Forward
		}
	}
	d.Text, d.Extra = m.Text, &x
	return d, nil
}

package room

import (
	"context"
	"slices"
	"time"

	"parley/internal/chat"
)

// A Page asks for part of a room's messages: the oldest Limit after After if that
// is set, those on both sides of Around if that is, else the newest Limit before
// Before (if that is set).
type Page struct {
	Before *chat.Seq
	After  *chat.Seq
	Around *chat.Seq
	Thread chat.Seq // of this thread; 0: of the room's own talk
	Limit  int      // 0: 50; at most chat.MaxPage
}

func (p *Page) limit() int {
	if p.Limit <= 0 {
		return 50
	}
	return min(p.Limit, chat.MaxPage)
}

// History returns a page of a room's messages as they stand, oldest first.
func (h *Hub) History(ctx context.Context, room chat.RoomName, p Page) (chat.Page, error) {
	sel := chat.Selection{Thread: p.Thread, Limit: p.limit()}
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
	page, err := h.page(ctx, room, sel)
	if err == nil && p.Thread != 0 && page.Root == nil {
		err = errNoMessage
	}
	return page, err
}

var errNoMessage = &chat.Error{Code: chat.NotFound, Message: "There is no such message in this room."}

// Pins returns a room's pinned messages, in the order of their pinning.
func (h *Hub) Pins(ctx context.Context, room chat.RoomName) (chat.Page, error) {
	return h.page(ctx, room, chat.Selection{Pinned: true, Limit: chat.MaxPins})
}

// Messages returns those of a room's messages that have one of seqs. There may be
// less of them.
func (h *Hub) Messages(ctx context.Context, room chat.RoomName, seqs ...chat.Seq) (chat.Page, error) {
	return h.page(ctx, room, chat.Selection{Seqs: seqs})
}

func (h *Hub) page(ctx context.Context, room chat.RoomName, sel chat.Selection) (chat.Page, error) {
	page, err := h.kept.Page(ctx, room, sel)
	for i := range page.Messages {
		h.dress(&page.Messages[i].Event)
	}
	if page.Root != nil {
		h.dress(&page.Root.Event)
	}
	return page, err
}

// Message returns one message as it stands, and the room's newest seq then.
func (h *Hub) Message(ctx context.Context, room chat.RoomName, seq chat.Seq) (chat.Standing, chat.Seq, error) {
	page, err := h.Messages(ctx, room, seq)
	if err == nil && len(page.Messages) == 0 {
		err = errNoMessage
	}
	if err != nil {
		return chat.Standing{}, 0, err
	}
	return page.Messages[0], page.Head, nil
}

// Versions returns what a message has said, the oldest first; nothing if it has
// been deleted.
func (h *Hub) Versions(ctx context.Context, room chat.RoomName, seq chat.Seq) ([]chat.Event, error) {
	events, err := h.kept.Versions(ctx, room, seq)
	for i := range events {
		h.dress(&events[i])
	}
	return events, err
}

// Events returns a room's events after a seq as they happened, oldest first, at
// most limit of them and chat.MaxPage, the room's newest seq, and when that event
// was stored.
func (h *Hub) Events(ctx context.Context, room chat.RoomName, after chat.Seq, limit int) ([]chat.Event, chat.Seq, time.Time, error) {
	head, at, err := h.log.Head(ctx, room)
	if err != nil {
		return nil, 0, at, err
	}
	p := Page{Limit: limit}
	events, err := h.log.After(ctx, room, max(after, 0), p.limit())
	events = slices.DeleteFunc(events, func(e chat.Event) bool { return e.Seq > head })
	for i := range events {
		h.dress(&events[i])
	}
	return events, head, at, err
}

// Forward makes of d a copy of a message of a room, for Post. Whether that message
// can be copied the log decides, which has the last word on it and knows whether
// this is a retry: without such a message d has no text, and is refused there.
func (h *Hub) Forward(ctx context.Context, d chat.Draft, room chat.RoomName, seq chat.Seq) (chat.Draft, error) {
	if seq < 1 {
		return d, errNoMessage
	}
	d.Source = chat.Place{Room: room, Seq: seq}
	m, _, err := h.Message(ctx, room, seq)
	if err != nil && chat.CodeOf(err) != chat.NotFound {
		return d, err
	}
	x := chat.Extra{Forward: &chat.Forward{From: m.From, At: m.At}}
	if m.Extra != nil {
		x.Action = m.Extra.Action
		if m.Extra.Forward != nil { // who said it first said it
			x.Forward = m.Extra.Forward
		}
	}
	d.Text, d.Extra = m.Text, &x
	return d, nil
}

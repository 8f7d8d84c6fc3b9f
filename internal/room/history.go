package room

import (
	"context"
	"slices"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
)

// defaultPage is how many messages a page has if the query does not say.
const defaultPage = 50

// pageLimit returns how many messages or events a page has at most.
func pageLimit(limit int) int {
	if limit <= 0 {
		limit = defaultPage
	}
	return min(limit, chat.MaxPage)
}

// History returns a page of a room's messages, oldest first. The page ends early, with More, when it is large or
// rendering has taken long. A Limit of 0 means 50; chat.MaxPage is the most.
func (r *Query) History(ctx context.Context, room chat.RoomName, q chat.PageQuery) (chat.Page, error) {
	q.After, q.Limit = max(q.After, 0), pageLimit(q.Limit)
	page, err := r.page(ctx, room, q)
	if err == nil && q.Thread != 0 && page.Root == nil {
		err = access.ErrNoMessage
	}
	return page, err
}

// Pins returns a room's pinned messages, in the order in which they were pinned: the last ones that were pinned by an
// event before before; 0 means by any event.
func (r *Query) Pins(ctx context.Context, room chat.RoomName, before chat.Seq) (chat.Page, error) {
	return r.page(ctx, room, chat.PageQuery{Pinned: true, Before: before, Limit: chat.MaxPins})
}

// Messages returns the messages of a room with these seqs; there may be fewer. Those beyond the size of a page are not
// formatted.
func (r *Query) Messages(ctx context.Context, room chat.RoomName, seqs ...chat.Seq) (chat.Page, error) {
	return r.page(ctx, room, chat.PageQuery{Seqs: seqs})
}

// Message returns one message. The error is an *chat.Error with code NotFound if there is no such message.
func (r *Query) Message(ctx context.Context, room chat.RoomName, seq chat.Seq) (chat.MessageState, error) {
	page, err := r.Messages(ctx, room, seq)
	if err == nil && len(page.Messages) == 0 {
		err = access.ErrNoMessage
	}
	if err != nil {
		return chat.MessageState{}, err
	}
	return page.Messages[0], nil
}

// Versions returns the versions of a message after the edit after (0: all), oldest first, and whether there are more
// than fit on a page. A deleted message has none.
func (r *Query) Versions(
	ctx context.Context, room chat.RoomName, seq, after chat.Seq,
) (versions []chat.Event, more bool, err error) {
	if err := access.May(r.who, access.Read, room); err != nil {
		return nil, false, err
	}
	versions, err = r.hub.archive.Versions(ctx, room, seq)
	versions = slices.DeleteFunc(versions, func(e chat.Event) bool { return e.Seq <= after })
	versions, more = r.fit(versions)
	return versions, more, err
}

// Events returns a room's events after a seq as they happened, oldest first, at most limit, chat.MaxPage and as many as
// fit on a page. It also returns the room's newest seq and when that event was stored.
func (r *Query) Events(
	ctx context.Context, room chat.RoomName, after chat.Seq, limit int,
) (events []chat.Event, head chat.Seq, at time.Time, err error) {
	if err := access.May(r.who, access.Read, room); err != nil {
		return nil, 0, at, err
	}
	if head, at, err = r.hub.log.Head(ctx, room); err == nil {
		err = r.hub.awaitArrival(ctx, room, head)
	}
	if err != nil {
		return nil, 0, at, err
	}
	events, err = r.hub.log.After(ctx, room, max(after, 0), pageLimit(limit))
	events = slices.DeleteFunc(events, func(e chat.Event) bool { return e.Seq > head })
	events, _ = r.fit(events)
	return events, head, at, err
}

// fit renders events and returns those that fit on a page. more is true if it left some out.
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

// Forward turns d into a copy of a message of a room, for Post. If there is no such message, d gets no text: whether
// the message can be copied is decided by the log, which also knows whether d is a retry, and the log refuses a copy
// without text.
func (h *Hub) Forward(
	ctx context.Context, who chat.Who, d chat.Draft, room chat.RoomName, seq chat.Seq,
) (chat.Draft, error) {
	if err := access.May(who, access.Read, room); err != nil {
		return d, err
	}
	if seq < 1 {
		return d, access.ErrNoMessage
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
	if m.Attrs != nil {
		x.Action = m.Attrs.Action
		if m.Attrs.Forward != nil { // a copy of a copy names the first author
			x.Forward = m.Attrs.Forward
		}
	}
	d.Text, d.Attrs = m.Text, &x
	return d, nil
}

package room

import (
	"context"

	"parley/internal/chat"
)

// Post checks a draft against the rules and gives it to the log. An error, an
// *chat.Error, says why it was refused, and done is never called; otherwise
// done is called as Log.Append says, before any reader is given the event.
// Post does not wait.
func (h *Hub) Post(d chat.Draft, done func(chat.Commit)) error {
	if err := chat.CheckText(d.Text, h.cfg.MessageLength); err != nil {
		return err
	}
	if err := chat.CheckNonce(d.Nonce); err != nil {
		return err
	}
	if wait := h.rates.Take(d.From.ID); wait > 0 {
		return &chat.Error{
			Code:       chat.RateLimited,
			Message:    "That was too fast. The message can be sent again in a moment.",
			RetryAfter: wait,
		}
	}
	d.HTML = h.format(d.Text)
	h.posted.Add(1)
	h.log.Append(d, func(c chat.Commit) {
		c.Event.HTML = d.HTML
		h.answer(done, c)
		h.publish(c)
	})
	return nil
}

// publish puts a committed event where its room's readers find it. It is
// called on the log's one goroutine. The flushers are woken once for all the
// events of a commit, so that each socket is written once.
func (h *Hub) publish(c chat.Commit) {
	if c.Err == nil && !c.Repeat {
		if r := h.rooms.find(c.Event.Room); r != nil && r.append(c.Event) && !r.touched {
			r.touched = true
			h.touched = append(h.touched, r)
		}
	}
	if c.More {
		return
	}
	for i, r := range h.touched {
		r.touched = false
		r.wake()
		h.touched[i] = nil
	}
	h.touched = h.touched[:0]
}

func (h *Hub) format(text string) string {
	if h.cfg.Format == nil {
		return ""
	}
	return h.cfg.Format(text)
}

// A Page asks for part of a room's history: the oldest Limit events after
// After if that is set, else the newest Limit before Before (if that is set).
type Page struct {
	Before *chat.Seq
	After  *chat.Seq
	Limit  int // 0: 50; at most chat.MaxPage
}

// History returns a page of a room's events, oldest first, and the room's
// newest seq.
func (h *Hub) History(ctx context.Context, room chat.RoomName, p Page) ([]chat.Event, chat.Seq, error) {
	head, err := h.log.Head(ctx, room)
	if err != nil {
		return nil, 0, err
	}
	limit := min(p.Limit, chat.MaxPage)
	if limit <= 0 {
		limit = 50
	}
	before := head + 1
	if p.Before != nil {
		before = min(*p.Before, before)
	}
	var events []chat.Event
	if p.After != nil {
		events, err = h.log.After(ctx, room, max(*p.After, 0), limit)
		for len(events) > 0 && events[len(events)-1].Seq >= before {
			events = events[:len(events)-1]
		}
	} else {
		events, err = h.log.Before(ctx, room, before, limit)
	}
	if err != nil {
		return nil, 0, err
	}
	for i := range events {
		events[i].HTML = h.format(events[i].Text)
	}
	return events, head, nil
}

// State says what a room is now: its newest seq (0 if nobody wrote to it) and
// how many people are here.
func (h *Hub) State(ctx context.Context, room chat.RoomName) (head chat.Seq, here int, err error) {
	head, err = h.log.Head(ctx, room)
	if r := h.rooms.find(room); r != nil {
		here = r.count()
	}
	return head, here, err
}

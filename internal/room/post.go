package room

import (
	"context"
	"strings"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
	"parley/internal/format"
)

// Post checks a draft and appends it to the log. A returned error, an *chat.Error, refuses the draft, and done is never
// called. Otherwise done is called as Log.Append says, before any reader gets the event. Post does not wait, unless a
// text with @here is sent to a room that nobody on this node is in: then other nodes may say who is there.
func (h *Hub) Post(d chat.Draft, done func(chat.Commit)) error {
	d, err := h.check(d)
	if err != nil {
		return err
	}
	if err := access.May(d.Who(), access.ActionOf(d.Is()), d.Room); err != nil {
		return err
	}
	if err := chat.CheckNonce(d.Nonce); err != nil {
		return err
	}
	if wait, ofNetwork := h.rates.Take(d.From.ID, d.Network); wait > 0 {
		message := "That was too fast. The message can be sent again in a moment."
		if ofNetwork {
			message = "Too much is being said from your address. The message can be sent again in a moment."
		}
		return &chat.Error{Code: chat.RateLimited, Message: message, RetryAfter: wait}
	}
	if k := d.Is(); k.IsSaid() || k == chat.Edit {
		given := h.costs.budget(d.Network, formatAll, formatCode)
		left := given
		d.HTML = h.renderText(d.Text, &left)
		h.costs.chargeFormatting(d.Network, given, left)
		if mentionsHere(d.Text) { // it reads what was just rendered, and counted for the network
			d.Attrs = h.resolveHere(d.Room, d.Attrs)
		}
	}
	h.posted.Add(1)
	h.append(d, done)
	return nil
}

// check returns the draft with its slash command carried out, or why the draft is refused.
func (h *Hub) check(d chat.Draft) (chat.Draft, error) {
	if strings.HasPrefix(d.Text, "/") && d.Is().IsSaid() {
		var err error
		if d, err = expandCopy(d); err != nil {
			return d, err
		}
	}
	kind := d.Is()
	if d.Target < 1 && kind != chat.Message && kind != chat.Topic {
		return d, &chat.Error{Code: chat.BadRequest, Message: "Say which message: its seq."}
	}
	var err error
	switch kind {
	case chat.Message, chat.Reply, chat.Edit:
		if d.Source.Seq == 0 { // a forward's text was checked when the source was sent
			err = chat.CheckText(d.Text, h.cfg.MessageLength)
		}
	case chat.React, chat.Unreact:
		err = chat.CheckEmoji(d.Text)
	case chat.Topic:
		d.Text, err = chat.ParseTopic(d.Text)
	case chat.Delete, chat.Pin, chat.Unpin:
		d.Text = ""
	default:
		err = &chat.Error{Code: chat.BadRequest, Message: "There is no such kind of event."}
	}
	return d, err
}

// resolveHere returns attrs with the people whom "@here" mentions: all members of the room. In a large room it mentions
// nobody, because it would notify thousands. In a cluster it may wait for the other nodes a moment.
func (h *Hub) resolveHere(room chat.RoomName, attrs *chat.Attrs) *chat.Attrs {
	people, _ := h.here(context.Background(), room)
	if people == nil {
		return attrs
	}
	x := chat.Attrs{}
	if attrs != nil {
		x = *attrs
	}
	x.Here = true
	for _, p := range people {
		x.Present = append(x.Present, p.ID)
	}
	return &x
}

// mentionsHere reports whether text mentions everybody who is in the room.
func mentionsHere(text string) bool {
	for _, names := range chat.PossibleMentions(format.Mentionable(text)) {
		for _, name := range names {
			if name == chat.Here {
				return true
			}
		}
	}
	return false
}

func (h *Hub) renderText(text string, left *Budget) string {
	if h.cfg.Format == nil {
		return ""
	}
	return h.cfg.Format(text, left)
}

// render sets the HTML of an event, if its kind has any.
func (h *Hub) render(e *chat.Event, left *Budget) {
	if e.Kind.IsSaid() || e.Kind == chat.Edit {
		e.HTML = h.renderText(e.Text, left)
	}
}

// State returns a room's newest seq, when that event was stored (zeros for a room without events), and how many members
// the room has.
func (h *Hub) State(
	ctx context.Context, who chat.Who, room chat.RoomName,
) (head chat.Seq, at time.Time, here int, err error) {
	if err := access.May(who, access.Read, room); err != nil {
		return 0, at, 0, err
	}
	head, at, err = h.log.Head(ctx, room)
	_, here = h.here(ctx, room)
	return head, at, here, err
}

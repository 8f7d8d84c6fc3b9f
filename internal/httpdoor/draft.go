package httpdoor

import (
	"context"
	"net/netip"

	"parley/internal/chat"
	"parley/internal/wire"
)

// SetOptions sets in draft the optional fields of a message that a client sends, on /ws or by REST.
// A forward may copy from a room that the client may look at, which depends on its address and on
// whether the room is in the person's list.
func (d *Door) SetOptions(
	ctx context.Context, draft *chat.Draft, o *wire.SendOptions, who chat.Who, from netip.Addr,
	isListed func(chat.RoomName) bool,
) error {
	if draft.Target = o.Thread; o.Thread != 0 && !o.Echo {
		draft.Kind = chat.Reply
	}
	if o.ReplyTo != 0 {
		draft.Attrs = &chat.Attrs{ReplyTo: o.ReplyTo}
	}
	if o.Forward == nil {
		return nil
	}
	name, err := d.ResolveRoom(from, o.Forward.Room, isListed)
	if err == nil {
		*draft, err = d.hub.Forward(ctx, who, *draft, name, o.Forward.Seq)
	}
	return err
}

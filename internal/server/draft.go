package server

import (
	"context"
	"net/netip"

	"parley/internal/chat"
	"parley/internal/wire"
)

// setOptions sets in d the optional fields of a message that a client sends, on /ws or by REST. A forward may copy from
// a room that the client may look at, which depends on its address and on whether the room is in the person's list.
func (s *Server) setOptions(
	ctx context.Context, d *chat.Draft, o *wire.SendOptions, who chat.Who, from netip.Addr,
	isListed func(chat.RoomName) bool,
) error {
	if d.Target = o.Thread; o.Thread != 0 && !o.Echo {
		d.Kind = chat.Reply
	}
	if o.ReplyTo != 0 {
		d.Extra = &chat.Attrs{ReplyTo: o.ReplyTo}
	}
	if o.Forward == nil {
		return nil
	}
	name, err := s.resolveRoom(from, o.Forward.Room, isListed)
	if err == nil {
		*d, err = s.hub.Forward(ctx, who, *d, name, o.Forward.Seq)
	}
	return err
}

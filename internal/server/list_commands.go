package server

import (
	"context"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/room"
	"parley/internal/wire"
)

// openList answers with the person's list of rooms, and sends list updates from then
// on.
func (cl *client) openList(ctx context.Context, cmd wire.Command) error {
	answered := false
	err := cl.s.accounts.OpenList(ctx, &cl.registration, cl, func(list []chat.ListEntry) {
		answered = true
		if list == nil {
			list = []chat.ListEntry{} // nil would leave the field out
		}
		cl.ok(wire.Answer{ID: cmd.ID, Rooms: list})
	})
	if err != nil && answered {
		cl.s.reportable(err)
		cl.Close(wire.CloseInternal, "our fault") // the page would wait for updates that never come
		return nil
	}
	return err
}

// JoinRoom implements account.Receiver: the client gets a room's list updates.
func (cl *client) JoinRoom(ctx context.Context, name chat.RoomName, after chat.Seq) (*room.Reader, error) {
	j := room.JoinRequest{Sink: cl.Out(), Encoder: wire.ListUpdates{}, After: &after}
	return cl.s.hub.Join(ctx, cl.who(), name, j, func(room.JoinResult) {})
}

// LeaveRoom implements account.Receiver. A panic while one room is left keeps no
// other from being left.
func (cl *client) LeaveRoom(reader *room.Reader) {
	defer cl.Recover()
	reader.Leave()
}

// Update implements account.Receiver. A client that does not take what it is told
// is disconnected, like a reader that stalls.
func (cl *client) Update(u account.Update) {
	defer cl.Recover()
	if !cl.Out().QueueUnsolicited(func(dst []byte) []byte { return appendUpdate(dst, u) }) {
		cl.CloseFor(chat.Stalled)
		return
	}
	cl.SendLater()
}

// appendUpdate appends the frame of an update.
func appendUpdate(dst []byte, u account.Update) []byte {
	switch {
	case u.Entry != nil:
		return wire.AppendListEntry(dst, u.Entry)
	case u.Read != nil:
		return wire.AppendRead(dst, u.Read)
	default:
		return wire.AppendListRemoval(dst, u.Removed)
	}
}

// rateLimited wraps do with the limit per person on commands on their own data.
func rateLimited(do command) command {
	return func(cl *client, ctx context.Context, cmd wire.Command) error {
		if err := cl.s.accounts.LimitPersonal(cl.who()); err != nil {
			return err
		}
		return do(cl, ctx, cmd)
	}
}

// set changes the person's settings for a room.
func (cl *client) set(ctx context.Context, cmd wire.Command) error {
	name, err := cl.roomName(ctx, cmd.Room)
	if err != nil {
		return err
	}
	change := chat.ListEntryChange{Muted: cmd.Muted, Favourite: cmd.Favourite, Listed: cmd.Listed, Nonce: cmd.Nonce}
	if cmd.Notify != nil {
		change.Notify = new(chat.Notify(*cmd.Notify))
	}
	if _, err := cl.s.accounts.SetListEntry(ctx, cl.registration.Person().ID, name, change); err != nil {
		return err
	}
	cl.ok(wire.Answer{ID: cmd.ID, Room: name})
	return nil
}

// read stores up to where the person has read a room. The log's goroutine answers the
// command once that is stored. The next command does not wait for it.
func (cl *client) read(ctx context.Context, cmd wire.Command) error {
	name, err := cl.roomName(ctx, cmd.Room)
	if err != nil {
		return err
	}
	me := cl.registration.Person().ID
	if cmd.Nonce == "" { // a retry must not list a room that has left the list since
		cl.s.accounts.AddToList(ctx, me, name, true)
	}
	at := chat.MessageRef{Room: name, Seq: cmd.Seq}
	cl.Out().BeginSend()
	cl.s.accounts.MarkRead(me, at, cmd.Exact, cmd.Nonce, &cl.registration, func(e chat.ListEntry, err error) {
		defer cl.Recover()
		if err != nil {
			told := cl.s.reportable(err)
			cl.Out().EndSend(func(dst []byte) []byte { return wire.AppendError(dst, cmd.ID, told) })
		} else {
			a := wire.Answer{ID: cmd.ID, Room: name, Entry: &e}
			cl.Out().EndSend(a.AppendFrame)
		}
		cl.SendLater()
	})
	return nil
}

// personalCommand returns the command that sets or removes a bookmark or a thread
// subscription.
func personalCommand(as chat.PersonalRefKind, on bool) command {
	return func(cl *client, ctx context.Context, cmd wire.Command) error {
		name, err := cl.roomName(ctx, cmd.Room)
		if err != nil {
			return err
		}
		me, at := cl.registration.Person().ID, chat.MessageRef{Room: name, Seq: cmd.Seq}
		if err := cl.s.accounts.SetPersonal(ctx, me, as, at, on, cmd.Nonce); err != nil {
			return err
		}
		cl.ok(wire.Answer{ID: cmd.ID, Room: name})
		return nil
	}
}

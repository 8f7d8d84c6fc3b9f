package server

import (
	"context"
	"fmt"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
	"parley/internal/wire"
)

// A command carries out one op. If it returns an error, Receive answers with it;
// otherwise it answers itself.
type command = func(*client, context.Context, wire.Command) error

// hello registers the client's person: that of its session or cookie, renamed if the
// command has a name, or a new guest.
func (cl *client) hello(ctx context.Context, cmd wire.Command) error {
	if cl.registration.Person().ID != "" {
		return &chat.Error{Code: chat.BadRequest, Message: "You have said hello on this connection."}
	}
	p, session, err := cl.recognise(ctx, cmd)
	if err != nil {
		return err
	}
	cl.ok(wire.Answer{
		ID: cmd.ID, Person: &p, Session: session, Epoch: cl.s.hub.Epoch(), Build: cl.s.site.Build(),
		Limits: &wire.Limits{
			MessageLength: cl.s.hub.MessageLength(),
			FrameSize:     cl.s.cfg.FrameSize,
			Rooms:         cl.s.cfg.RoomsPerConnection,
		},
	})
	return nil
}

// recognise returns the person who says hello, registered, and the session to come
// back with; "" if the browser has it in a cookie.
func (cl *client) recognise(ctx context.Context, cmd wire.Command) (p chat.Person, session string, err error) {
	var name string
	if cmd.Name != "" {
		if name, err = chat.ParseName(cmd.Name); err != nil {
			return p, "", err
		}
	}
	token := cmd.Session
	if token == "" {
		token = cl.cookie
	}
	if token != "" {
		p, err = cl.s.accounts.Enter(ctx, &cl.registration, token)
		switch {
		case chat.CodeOf(err) == chat.BadSession && cmd.Session == "" && name != "":
			// A cookie whose session is unknown is ignored: the name makes a new guest.
		case err != nil:
			return p, "", err
		case !cl.registration.Begin():
			return chat.Person{}, "", account.ErrSessionEnded
		default:
			defer cl.registration.Done()
			if p, err = cl.s.accounts.Rename(ctx, cl.who(), name, cmd.Nonce); err != nil {
				cl.s.accounts.Remove(&cl.registration) // the client may say hello again
			}
			return p, cmd.Session, err
		}
	}
	if name == "" {
		return p, "", &chat.Error{Code: chat.BadName, Message: "Say who you are: a name, or a session."}
	}
	if p, session, err = cl.s.accounts.Guest(ctx, httpdoor.Network(cl.From()), name, ""); err == nil {
		cl.s.accounts.Add(&cl.registration, p, session)
	}
	return p, session, err
}

// join makes the client a member of a room.
func (cl *client) join(ctx context.Context, cmd wire.Command) error {
	name, err := cl.roomName(ctx, cmd.Room)
	if err != nil {
		return err
	}
	if cl.rooms[name] != nil {
		return &chat.Error{Code: chat.AlreadyJoined, Message: "This connection is in that room."}
	}
	if limit := cl.s.cfg.RoomsPerConnection; limit > 0 && len(cl.rooms) >= limit {
		return &chat.Error{Code: chat.TooManyRooms, Message: fmt.Sprintf("One connection can be in %d rooms.", limit)}
	}
	at, err := wire.ParseTime(cmd.At)
	if err != nil {
		return err
	}
	if cmd.After != nil { // the client's own messages may be among the events that follow
		cl.Out().Flush()
		cl.Out().AwaitAnswers()
	}
	who, head := cl.who(), chat.Seq(0)
	reader, err := cl.s.hub.Join(ctx, who, name, room.JoinRequest{
		Member: true, Sink: cl.Out(), Encoder: wire.EventFrames{}, After: cmd.After, Epoch: cmd.Epoch, At: at,
	}, func(j room.JoinResult) {
		head = j.Head
		a := wire.Answer{
			ID: cmd.ID, Behind: j.Behind, Reset: j.Reset,
			Room: name, Seq: &j.Head, At: j.At, Count: &j.Count, Here: j.Here,
		}
		if j.Behind {
			a.Epoch = cl.s.hub.Epoch()
		}
		cl.ok(a)
	})
	if err != nil {
		return err
	}
	if cl.rooms == nil {
		cl.rooms = map[chat.RoomName]*room.Reader{}
	}
	cl.rooms[name] = reader
	if now := cl.registration.Person(); now != who.Person { // renamed before the room knew them
		cl.s.hub.Rename(now)
	}
	if head > 0 || cl.s.accounts.LimitPersonal(who) == nil { // to note an awaited room costs a transaction
		cl.s.accounts.AddToList(ctx, who.Person.ID, name, true)
	}
	return nil
}

// who returns the client's person, under the name that they have now, and network.
func (cl *client) who() chat.Who {
	return chat.Who{Person: cl.registration.Person(), Network: httpdoor.Network(cl.From())}
}

// leave ends the client's membership of a room. Answers to its sends go out with the
// room's events, so it waits for them first.
func (cl *client) leave(ctx context.Context, cmd wire.Command) error {
	reader, name, err := cl.joined(ctx, cmd)
	if err != nil {
		return err
	}
	cl.Out().Flush()
	cl.Out().AwaitAnswers()
	reader.Leave()
	delete(cl.rooms, name)
	cl.ok(wire.Answer{ID: cmd.ID})
	return nil
}

func (cl *client) typing(ctx context.Context, cmd wire.Command) error {
	reader, _, err := cl.joined(ctx, cmd)
	if err != nil {
		return err
	}
	reader.Typing()
	cl.ok(wire.Answer{ID: cmd.ID})
	return nil
}

// joined returns the client's reader of a command's room.
func (cl *client) joined(ctx context.Context, cmd wire.Command) (*room.Reader, chat.RoomName, error) {
	name, err := cl.roomName(ctx, cmd.Room)
	if err != nil {
		return nil, "", err
	}
	reader := cl.rooms[name]
	if reader == nil {
		return nil, "", &chat.Error{Code: chat.NotJoined, Message: "This connection is not in that room."}
	}
	return reader, name, nil
}

// roomName returns the room that a command names, within the limit on rooms that the
// client may ask for. A joined room under its canonical name costs one map lookup.
func (cl *client) roomName(ctx context.Context, s string) (chat.RoomName, error) {
	if name := chat.RoomName(s); cl.rooms[name] != nil {
		return name, nil
	}
	return cl.s.door.ResolveRoom(cl.From(), s, cl.lists(ctx))
}

// lists returns a function that reports whether a room is in the client's list.
func (cl *client) lists(ctx context.Context) func(chat.RoomName) bool {
	return func(name chat.RoomName) bool { return cl.s.accounts.IsListed(ctx, cl.registration.Person().ID, name) }
}

// send posts a message.
func (cl *client) send(ctx context.Context, cmd wire.Command) error {
	d := chat.Draft{Text: cmd.Text, Nonce: cmd.Nonce}
	if err := cl.s.door.SetOptions(ctx, &d, &cmd.SendOptions, cl.who(), cl.From(), cl.lists(ctx)); err != nil {
		return err
	}
	return cl.post(ctx, cmd, d)
}

// changeCommand returns the command that posts events of one kind, which changes a
// message or the room.
func changeCommand(kind chat.Kind) command {
	return func(cl *client, ctx context.Context, cmd wire.Command) error {
		d := chat.Draft{Kind: kind, Text: cmd.Text, Nonce: cmd.Nonce, Target: cmd.Seq}
		switch kind {
		case chat.React, chat.Unreact:
			d.Text = cmd.Emoji
		case chat.Topic:
			d.Target = 0
		}
		return cl.post(ctx, cmd, d)
	}
}

// post posts a draft to a command's room. The log's goroutine answers the command
// once the event is stored. The next command does not wait for that.
func (cl *client) post(ctx context.Context, cmd wire.Command, d chat.Draft) error {
	name, err := cl.roomName(ctx, cmd.Room)
	if err != nil {
		return err
	}
	member := cl.rooms[name] != nil
	d.Room, d.From, d.Network = name, cl.registration.Person(), httpdoor.Network(cl.From())
	taken := false
	cl.Out().BeginSend()
	defer func() {
		if !taken { // also after a panic: closing the connection waits for all answers
			cl.Out().EndSend(func(dst []byte) []byte { return dst })
		}
	}()
	err = cl.s.hub.Post(d, func(c chat.Commit) { cl.stored(cmd.ID, c, member) })
	if taken = err == nil; taken && cl.registration.LacksRoom(name) {
		cl.s.accounts.AddToListAfterWrite(ctx, d.From.ID, name)
	}
	return err
}

// stored answers a send, on the log's goroutine. A member's answer goes out with the
// event, which follows at once.
func (cl *client) stored(id int64, c chat.Commit, member bool) {
	defer cl.Recover()
	if c.Err != nil {
		e := cl.s.reportable(c.Err)
		cl.Out().EndSend(func(dst []byte) []byte { return wire.AppendError(dst, id, e) })
	} else {
		cl.Out().EndSend(func(dst []byte) []byte { return wire.AppendStored(dst, id, c.Event) })
	}
	if !member || c.Err != nil || c.Repeated {
		cl.SendLater()
	}
}

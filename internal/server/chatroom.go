package server

import (
	"context"
	"net/http"
	"strings"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/link"
	"parley/internal/room"
	"parley/internal/wire"
)

// chatroom answers GET /chatroom/{room}: the five-line protocol.
func (s *Server) chatroom(w http.ResponseWriter, r *http.Request) {
	name, err := chat.ParseRoomName(strings.TrimSuffix(r.PathValue("room"), "/"))
	if err != nil {
		s.door.Refuse(w, r, err)
		return
	}
	session, ok := s.door.StreamSession(w, r)
	if !ok {
		return
	}
	s.upgrade(w, r, "", func(c *link.Conn) link.Protocol {
		return &chatroomClient{Conn: c, s: s, name: name, session: session}
	})
}

// A chatroomClient is a connection that speaks the five-line protocol. Only the
// connection's runner uses its fields.
type chatroomClient struct {
	*link.Conn
	s            *Server
	name         chat.RoomName // of the room to enter
	session      string        // the session of the request's header; "" if there is none
	registration account.Registration
	room         chat.RoomName
	reader       *room.Reader
	people       map[string]chat.Person // guests of this connection, by the name as the client wrote it
}

// maxChatroomNames is how many guests one connection remembers. One name more, and
// it forgets all of them: each name becomes a new guest.
const maxChatroomNames = 64

// Begin enters the room. If that fails the client gets the reason as a message,
// since pages that speak this protocol show nothing else.
func (l *chatroomClient) Begin(ctx context.Context) error {
	if l.session != "" {
		l.registration.Owner = l
		if _, err := l.s.accounts.Enter(ctx, &l.registration, l.session); err != nil {
			l.refuse(err)
			return &wire.CloseError{Code: wire.CloseSignedOut, Reason: string(chat.CodeOf(err))}
		}
		l.session = ""
	}
	name, err := l.s.door.ResolveRoom(l.From(), string(l.name), nil)
	if err == nil {
		l.room = name
		who := chat.Who{Network: httpdoor.Network(l.From())} // each message names its own author
		j := room.JoinRequest{Sink: l.Out(), Encoder: wire.ChatroomFrames{}}
		l.reader, err = l.s.hub.Join(ctx, who, name, j, func(room.JoinResult) {})
	}
	if err != nil {
		l.refuse(err)
		return &wire.CloseError{Code: wire.CloseNormal, Reason: string(chat.CodeOf(err))}
	}
	return nil
}

// Receive posts one message.
func (l *chatroomClient) Receive(ctx context.Context, m wire.WSMessage) {
	if !l.registration.Begin() {
		return
	}
	defer l.registration.Done()
	if err := l.post(ctx, m.Data); err != nil {
		l.refuse(err)
	}
}

func (l *chatroomClient) post(ctx context.Context, data []byte) error {
	line, err := wire.DecodeChatroom(data)
	if err != nil {
		return err
	}
	p, err := l.person(ctx, line.From)
	if err != nil {
		return err
	}
	taken := false
	l.Out().BeginSend()
	defer func() {
		if !taken { // also after a panic: a close waits for all answers
			l.Out().EndSend(func(dst []byte) []byte { return dst })
		}
	}()
	d := chat.Draft{Room: l.room, From: p, Text: line.Message, Network: httpdoor.Network(l.From())}
	err = l.s.hub.Post(d, func(c chat.Commit) {
		defer l.Recover()
		l.Out().EndSend(func(dst []byte) []byte {
			if c.Err == nil {
				return dst // the message itself is the answer
			}
			return wire.AppendChatroomError(dst, l.s.reportable(c.Err))
		})
		if c.Err != nil {
			l.SendLater()
		}
	})
	if taken = err == nil; !taken {
		return err
	}
	l.reader.BecomeMember(p)
	return nil
}

// person returns the guest with a name on this connection. It makes a guest for a
// new name.
func (l *chatroomClient) person(ctx context.Context, given string) (chat.Person, error) {
	if p, ok := l.people[given]; ok {
		return p, nil
	}
	name, err := chat.ParseName(given)
	if err != nil {
		return chat.Person{}, err
	}
	p, _, err := l.s.accounts.Guest(ctx, httpdoor.Network(l.From()), name, "")
	if err != nil {
		return chat.Person{}, err
	}
	if l.people == nil || len(l.people) >= maxChatroomNames {
		l.people = map[string]chat.Person{}
	}
	l.people[given] = p
	return p, nil
}

func (l *chatroomClient) refuse(err error) {
	e := l.s.reportable(err)
	l.Out().QueueAnswer(func(dst []byte) []byte { return wire.AppendChatroomError(dst, e) })
}

// SessionEnded sends the reason as a message and closes the connection.
func (l *chatroomClient) SessionEnded() {
	l.Out().QueueAnswer(func(dst []byte) []byte { return wire.AppendChatroomError(dst, account.ErrSessionEnded) })
	if l.Close(wire.CloseSignedOut, string(chat.SessionEnded)) {
		l.s.counted(chat.SessionEnded)
	}
}

func (l *chatroomClient) End() {
	l.s.accounts.Remove(&l.registration)
	if l.reader != nil {
		defer l.Recover()
		l.reader.Leave()
	}
}

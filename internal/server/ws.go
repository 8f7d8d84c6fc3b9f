package server

import (
	"context"
	"net/http"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/link"
	"parley/internal/room"
	"parley/internal/wire"
)

// subprotocol is the WebSocket subprotocol of /ws (RFC 6455 §1.9).
const subprotocol = "parley.v1"

// ws answers GET /ws.
func (s *Server) ws(w http.ResponseWriter, r *http.Request) {
	cookie := s.door.SessionCookie(r)
	s.upgrade(w, r, subprotocol, func(c *link.Conn) link.Protocol {
		cl := &client{Conn: c, s: s, cookie: cookie}
		cl.registration.Owner = cl
		return cl
	})
}

// A client is a connection that speaks parley.v1. Only the connection's runner
// uses its fields.
type client struct {
	*link.Conn
	s            *Server
	cookie       string               // the session in the browser's cookie; "": none
	registration account.Registration // of the session that said hello; not registered before
	rooms        map[chat.RoomName]*room.Reader
}

func (cl *client) Begin(context.Context) error { return nil }

// Receive carries out one command.
func (cl *client) Receive(ctx context.Context, m wire.WSMessage) {
	cmd, err := wire.DecodeCommand(m.Data)
	if err != nil {
		cl.refuse(cmd.ID, err)
		return
	}
	known := cl.registration.Person().ID != ""
	if known {
		if !cl.registration.Begin() { // the session ended before the command was read
			return
		}
		defer cl.registration.Done()
	}
	do, exists := commands[cmd.Op]
	switch {
	case !exists:
		err = &chat.Error{Code: chat.UnknownOp, Message: "There is no such command."}
	case !known && cmd.Op != "hello":
		err = &chat.Error{Code: chat.HelloFirst, Message: "Say hello first."}
	default:
		err = do(cl, ctx, cmd)
	}
	if err != nil {
		cl.refuse(cmd.ID, err)
	}
}

// SessionEnded closes the connection with 4001.
func (cl *client) SessionEnded() {
	if cl.Close(wire.CloseSignedOut, string(chat.SessionEnded)) {
		cl.s.counted(chat.SessionEnded)
	}
}

func (cl *client) End() {
	cl.s.accounts.Remove(&cl.registration)
	for _, reader := range cl.rooms {
		cl.LeaveRoom(reader)
	}
}

// refuse answers a command with the part of err that its sender may see.
func (cl *client) refuse(id int64, err error) {
	e := cl.s.reportable(err)
	cl.Out().QueueAnswer(func(dst []byte) []byte { return wire.AppendError(dst, id, e) })
}

func (cl *client) ok(a wire.Answer) {
	cl.Out().QueueAnswer(a.AppendFrame)
}

// reportable returns the error that a client may see for err. It counts the error,
// and logs it if it is internal.
func (s *Server) reportable(err error) *chat.Error {
	e := chat.UserError(err)
	s.counted(e.Code)
	if e.Code == chat.Internal {
		s.logger.Error("command failed", "err", err)
	}
	return e
}

// commands holds the command of each op.
var commands = map[string]command{
	"hello":  (*client).hello,
	"join":   (*client).join,
	"leave":  (*client).leave,
	"send":   (*client).send,
	"typing": (*client).typing,
	"ping":   (*client).ping,

	"edit":    changeCommand(chat.Edit),
	"delete":  changeCommand(chat.Delete),
	"react":   changeCommand(chat.React),
	"unreact": changeCommand(chat.Unreact),
	"pin":     changeCommand(chat.Pin),
	"unpin":   changeCommand(chat.Unpin),
	"topic":   changeCommand(chat.Topic),

	"watch":    rateLimited((*client).openList),
	"read":     rateLimited((*client).read),
	"set":      rateLimited((*client).set),
	"save":     rateLimited(personalCommand(chat.Bookmark, true)),
	"unsave":   rateLimited(personalCommand(chat.Bookmark, false)),
	"follow":   rateLimited(personalCommand(chat.Subscription, true)),
	"unfollow": rateLimited(personalCommand(chat.Subscription, false)),
}

func (cl *client) ping(_ context.Context, cmd wire.Command) error {
	cl.ok(wire.Answer{ID: cmd.ID})
	return nil
}

package server

import (
	"context"
	"net/http"

	"parley/internal/chat"
	"parley/internal/room"
	"parley/internal/wire"
)

// chatroom answers GET /chatroom/{room}: the five-line protocol.
func (s *Server) chatroom(w http.ResponseWriter, r *http.Request) {
	given := r.PathValue("room")
	session, ok := s.brings(w, r)
	if !ok {
		return
	}
	s.upgrade(w, r, "", func(c *conn) talk { return &liner{conn: c, given: given, session: session} })
}

// A liner is a connection that speaks the five-line protocol. Its fields
// belong to the connection's reading goroutine.
type liner struct {
	*conn
	given   string // the room's name as it came
	session string // that the request brought; "" for most
	live    registration
	room    chat.RoomName
	reader  *room.Reader
	people  map[string]chat.Person // by the name as it came: who has spoken here
}

// maxLinerPeople is how many names one connection is remembered by; with one
// more, all are guests anew.
const maxLinerPeople = 64

// begin enters the room. What a page of this protocol can show is a message,
// so that is how it learns of a name that is none.
func (l *liner) begin(ctx context.Context) error {
	if l.session != "" {
		l.live.owner = l
		if _, err := l.s.enter(ctx, &l.live, l.session); err != nil {
			l.refuse(err)
			return &wire.CloseError{Code: wire.CloseSignedOut, Reason: string(chat.CodeOf(err))}
		}
		l.session = ""
	}
	name, err := chat.ParseRoomName(l.given)
	if err == nil {
		l.room = name
		l.reader, err = l.s.hub.Join(ctx, name, room.Joining{Sink: &l.out, Encoder: wire.Lines{}}, func(room.Joined) {})
	}
	if err != nil {
		l.refuse(err)
		return &wire.CloseError{Code: wire.CloseNormal, Reason: string(chat.CodeOf(err))}
	}
	return nil
}

// hear posts one line.
func (l *liner) hear(ctx context.Context, m wire.Message) {
	if !l.live.begin() {
		return
	}
	defer l.live.done()
	if err := l.post(ctx, m.Data); err != nil {
		l.refuse(err)
	}
}

func (l *liner) post(ctx context.Context, data []byte) error {
	line, err := wire.DecodeLine(data)
	if err != nil {
		return err
	}
	p, err := l.person(ctx, line.From)
	if err != nil {
		return err
	}
	taken := false
	l.out.begin()
	defer func() {
		if !taken { // also after a panic: the goodbye waits for all answers
			l.out.end(func(dst []byte) []byte { return dst })
		}
	}()
	err = l.s.hub.Post(chat.Draft{Room: l.room, From: p, Text: line.Message}, func(c chat.Commit) {
		defer l.s.contain(l.cut)
		l.out.end(func(dst []byte) []byte {
			if c.Err == nil {
				return dst // the message itself is the answer
			}
			return wire.AppendLineError(dst, l.s.tell(c.Err))
		})
		if c.Err != nil {
			l.s.acks.push(l.conn)
		}
	})
	if taken = err == nil; !taken {
		return err
	}
	l.reader.Appear(p)
	return nil
}

// person returns the guest who goes by a name on this connection.
func (l *liner) person(ctx context.Context, given string) (chat.Person, error) {
	if p, ok := l.people[given]; ok {
		return p, nil
	}
	name, err := chat.ParseName(given)
	if err != nil {
		return chat.Person{}, err
	}
	p, _, err := l.s.newGuest(ctx, l.from, name, "")
	if err != nil {
		return chat.Person{}, err
	}
	if l.people == nil || len(l.people) >= maxLinerPeople {
		l.people = map[string]chat.Person{}
	}
	l.people[given] = p
	return p, nil
}

func (l *liner) refuse(err error) {
	e := l.s.tell(err)
	l.out.answer(func(dst []byte) []byte { return wire.AppendLineError(dst, e) })
}

// sessionEnded has the connection end, with a word that says why.
func (l *liner) sessionEnded() {
	l.out.answer(func(dst []byte) []byte { return wire.AppendLineError(dst, errSessionEnded) })
	if l.dismiss(wire.CloseSignedOut, string(chat.SessionEnded)) {
		l.s.counted(chat.SessionEnded)
	}
}

func (l *liner) end() {
	l.s.live.remove(&l.live)
	if l.reader != nil {
		defer l.s.contain(l.cut)
		l.reader.Leave()
	}
}

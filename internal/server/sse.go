package server

import (
	"context"
	"net/http"
	"time"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/link"
	"parley/internal/room"
	"parley/internal/wire"
)

// keepAlive is how often a stream sends a comment. It keeps proxies from closing
// the stream, and shows whether the client is still connected.
const keepAlive = 25 * time.Second

// roomSSE answers GET /api/rooms/{room}/events: a room as server-sent events.
func (s *Server) roomSSE(w http.ResponseWriter, r *http.Request) {
	name, err := s.door.ResolveRoom(s.door.Address(r), r.PathValue("room"), s.door.ListChecker(r.Context(), r))
	if err != nil {
		s.door.Refuse(w, r, err)
		return
	}
	from, err := resumeFrom(r)
	if err != nil {
		s.door.Refuse(w, r, err)
		return
	}
	if r.Method == http.MethodHead { // the response is the header only
		describeStream(w.Header())
		return
	}
	address := s.door.Address(r)
	if err := s.admit(address); err != nil {
		s.door.Refuse(w, r, err)
		return
	}
	defer s.release(address)
	who := s.door.UnknownCaller(r)
	live := sseConnection{over: make(chan struct{})}
	if session, ok := s.door.StreamSession(w, r); !ok {
		return
	} else if session != "" {
		live.Owner = &live
		if who.Person, err = s.accounts.Enter(r.Context(), &live.Registration, session); err != nil {
			s.door.Refuse(w, r, err)
			return
		}
		defer s.accounts.Remove(&live.Registration)
	}
	if err := s.writeSSE(w, r, who, name, from, live.over); err != nil {
		s.door.Refuse(w, r, err)
	}
}

// An sseConnection is the registration of an event stream whose request has a
// session.
type sseConnection struct {
	account.Registration
	over chan struct{} // closed when the session ends
}

func (l *sseConnection) SessionEnded() { close(l.over) }

// resumeFrom returns where a stream begins: after the Last-Event-ID that a browser
// sends by itself, else after the position in the parameters of the request.
func resumeFrom(r *http.Request) (j room.JoinRequest, err error) {
	id := r.Header.Get("Last-Event-ID")
	said := id == ""
	if said {
		id = r.FormValue("after")
	}
	if id == "" {
		return j, nil
	}
	var after chat.Seq
	if j.Epoch, after, j.At, err = wire.ParseSSEID(id); err != nil {
		return j, err
	}
	j.After = &after
	if epoch := r.FormValue("epoch"); said && epoch != "" {
		j.Epoch = epoch
	}
	if at := r.FormValue("at"); said && at != "" {
		j.At, err = wire.ParseTime(at)
	}
	return j, err
}

// writeSSE writes a room's events until the client disconnects, the room closes the
// stream, its session is ended or the server stops. An error means that nothing
// has been written.
func (s *Server) writeSSE(
	w http.ResponseWriter, r *http.Request, who chat.Who, name chat.RoomName, j room.JoinRequest, over <-chan struct{},
) error {
	st := s.links.NewStream()
	defer st.Wait()
	j.Sink, j.Encoder = st.Out(), wire.SSE{Epoch: s.hub.Epoch()}
	reader, err := s.hub.Join(r.Context(), who, name, j, func(found room.JoinResult) {
		st.Out().QueueAnswer(func(dst []byte) []byte {
			if found.Behind {
				return wire.AppendSSEBehind(dst, name, s.hub.Epoch(), found.Head, found.At, found.Reset)
			}
			// A stream that is cut before its first event resumes here, not after later events.
			return append(wire.AppendSSEID(dst, s.hub.Epoch(), found.From, found.FromAt), '\n')
		})
	})
	if err != nil {
		return err
	}
	defer reader.Leave()
	describeStream(w.Header())
	st.Run(w, r, func(ctx context.Context) {
		if comment(ctx, st.Out(), over) {
			s.counted(chat.SessionEnded)
			st.Finish(func(dst []byte) []byte { return wire.AppendSSEEnded(dst, account.ErrSessionEnded) })
		}
	})
	return nil
}

// describeStream sets the header of an event stream.
func describeStream(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // makes nginx forward each event at once
}

// comment sends comments on a stream until ctx ends or the session does. It returns
// true if the session has ended.
func comment(ctx context.Context, out *link.Outbound, over <-chan struct{}) (ended bool) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return true
		case <-tick.C:
			out.QueueAnswer(func(dst []byte) []byte { return append(dst, ":\n\n"...) })
			out.Flush()
		}
	}
}

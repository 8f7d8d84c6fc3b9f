package server

import (
	"context"
	"net/http"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/room"
	"parley/internal/wire"
)

const sseType = "text/event-stream"

// roomSSE answers GET /api/rooms/{room}/events: a room as server-sent events.
func (s *Server) roomSSE(w http.ResponseWriter, r *http.Request) {
	s.openStream(w, r, sseType, func(o openRequest) error { return s.writeSSE(w, r, o) })
}

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
func (s *Server) writeSSE(w http.ResponseWriter, r *http.Request, o openRequest) error {
	st := s.links.NewStream()
	defer st.Wait()
	j := o.from
	j.Sink, j.Encoder = st.Out(), wire.SSE{Epoch: s.hub.Epoch()}
	reader, err := s.hub.Join(r.Context(), o.who, o.room, j, func(found room.JoinResult) {
		st.Out().QueueAnswer(func(dst []byte) []byte {
			if found.Behind {
				return wire.AppendSSEBehind(dst, o.room, s.hub.Epoch(), found.Head, found.At, found.Reset)
			}
			// A stream that is cut before its first event resumes here, not after later events.
			return append(wire.AppendSSEID(dst, s.hub.Epoch(), found.From, found.FromAt), '\n')
		})
	})
	if err != nil {
		return err
	}
	defer reader.Leave()
	describeStream(w.Header(), sseType)
	st.Run(w, r, func(ctx context.Context) {
		if awaitSessionEnd(ctx, st.Out(), o.over, func() string { return ":\n\n" }) {
			s.counted(chat.SessionEnded)
			st.Finish(func(dst []byte) []byte { return wire.AppendSSEEnded(dst, account.ErrSessionEnded) })
		}
	})
	return nil
}

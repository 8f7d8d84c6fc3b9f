package server

import (
	"context"
	"net/http"
	"time"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/link"
	"parley/internal/room"
)

// keepAlive is how often a stream sends something without a meaning. It keeps proxies
// from closing the stream, and shows whether the client is still connected.
const keepAlive = 25 * time.Second

// An openRequest is a request for a room's events as a response without an end.
type openRequest struct {
	who  chat.Who
	room chat.RoomName
	from room.JoinRequest // its position in the log
	over <-chan struct{}  // closed when the session of the request ends
}

// openStream answers a request for a stream of a content type. It checks the request,
// counts the connection, and calls write, which writes the stream. An error of write
// means that nothing has been written.
func (s *Server) openStream(
	w http.ResponseWriter, r *http.Request, contentType string, write func(openRequest) error,
) {
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
		describeStream(w.Header(), contentType)
		return
	}
	address := s.door.Address(r)
	if err := s.admit(address); err != nil {
		s.door.Refuse(w, r, err)
		return
	}
	defer s.release(address)
	o := openRequest{who: s.door.UnknownCaller(r), room: name, from: from}
	live := streamRegistration{over: make(chan struct{})}
	if session, ok := s.door.StreamSession(w, r); !ok {
		return
	} else if session != "" {
		live.Owner, o.over = &live, live.over
		if o.who.Person, err = s.accounts.Enter(r.Context(), &live.Registration, session); err != nil {
			s.door.Refuse(w, r, err)
			return
		}
		defer s.accounts.Remove(&live.Registration)
	}
	if err := write(o); err != nil {
		s.door.Refuse(w, r, err)
	}
}

// A streamRegistration is the registration of a stream whose request has a session.
type streamRegistration struct {
	account.Registration
	over chan struct{} // closed when the session ends
}

func (l *streamRegistration) SessionEnded() { close(l.over) }

// describeStream sets the header of a stream.
func describeStream(h http.Header, contentType string) {
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // makes nginx forward each event at once
}

// awaitSessionEnd waits until ctx ends or the session does. It returns true if the
// session has ended. Meanwhile it sends what filler returns, if anything, to keep the
// stream alive.
func awaitSessionEnd(
	ctx context.Context, out *link.Outbound, over <-chan struct{}, filler func() string,
) (ended bool) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return true
		case <-tick.C:
			if text := filler(); text != "" {
				out.QueueAnswer(func(dst []byte) []byte { return append(dst, text...) })
				out.Flush()
			}
		}
	}
}

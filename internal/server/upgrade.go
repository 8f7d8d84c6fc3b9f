package server

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/gobwas/ws"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/link"
)

// upgrade makes a request a WebSocket that speaks the protocol that
// newProtocol returns, or refuses it. The WebSocket goes on after the request's
// handler has returned.
func (s *Server) upgrade(
	w http.ResponseWriter, r *http.Request, subprotocol string, newProtocol func(*link.Conn) link.Protocol,
) {
	if !s.shakesHands(w, r) {
		return
	}
	if err := s.door.OriginAllowed(r); err != nil {
		s.door.Refuse(w, r, err)
		return
	}
	from := s.door.Address(r)
	if err := s.admit(from); err != nil {
		s.door.Refuse(w, r, err)
		return
	}
	up := ws.HTTPUpgrader{Timeout: writeTimeout, Protocol: func(p string) bool { return p == subprotocol }}
	nc, rw, _, err := up.Upgrade(r, w)
	if err != nil { // the upgrader has answered
		if nc != nil {
			nc.Close()
		}
		s.release(from)
		return
	}
	nc.SetDeadline(time.Time{}) // an error shows at the first read
	first, _ := rw.Reader.Peek(rw.Reader.Buffered())
	s.links.Start(nc, first, from, newProtocol)
}

// admit counts a connection from an address until release. It refuses a
// connection beyond the limit per address, and every connection once the server
// is stopping.
func (s *Server) admit(from netip.Addr) error {
	if s.stopping.Load() {
		return errStopping()
	}
	if err := s.addresses.enter(httpdoor.Network(from)); err != nil {
		return err
	}
	if !s.links.Enter() {
		s.addresses.leave(httpdoor.Network(from))
		return errStopping()
	}
	return nil
}

func (s *Server) release(from netip.Addr) {
	s.addresses.leave(httpdoor.Network(from))
	s.links.Leave()
}

func errStopping() error {
	return &chat.Error{Code: chat.Stopping, Message: "The server is going down.", RetryAfter: time.Second}
}

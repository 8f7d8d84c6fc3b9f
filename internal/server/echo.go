package server

import (
	"context"
	"net/http"

	"parley/internal/link"
	"parley/internal/wire"
)

// echo answers GET /debug/echo, if --debug-echo is set.
func (s *Server) echo(w http.ResponseWriter, r *http.Request) {
	s.upgrade(w, r, "", func(c *link.Conn) link.Protocol {
		c.AcceptBinary()
		return echo{c}
	})
}

// An echo is a connection that sends each message back. It shares the reader, the
// limits and the outbound buffer with the other doors, so what a conformance suite
// finds out about it holds for them.
type echo struct{ *link.Conn }

func (echo) Begin(context.Context) error { return nil }

func (e echo) Receive(_ context.Context, m wire.WSMessage) {
	e.Out().QueueAnswer(func(dst []byte) []byte { return wire.AppendWSMessage(dst, m) })
}

func (echo) End() {}

package server

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"parley/internal/wire"
)

// echo answers GET /debug/echo, where there is that address.
func (s *Server) echo(w http.ResponseWriter, r *http.Request) {
	s.upgrade(w, r, "", func(c *conn) talk {
		c.parser.Binary = true
		return echo{c}
	})
}

// An echo is a connection on which each message comes back as it was. It has
// its reader, limits and writer in common with the doors, so that what a
// conformance suite finds out about it holds for them.
type echo struct{ *conn }

func (echo) begin(context.Context) error { return nil }

func (e echo) hear(_ context.Context, m wire.Message) {
	e.out.answer(func(dst []byte) []byte { return wire.AppendMessage(dst, m) })
}

func (echo) end() {}

// MayListen refuses sockets that can be reached from elsewhere where the
// configuration is one for tests only. A nil socket is none.
func (c Config) MayListen(sockets ...net.Listener) error {
	if !c.DebugEcho {
		return nil
	}
	for _, ln := range sockets {
		if ln == nil {
			continue
		}
		if addr, ok := ln.Addr().(*net.TCPAddr); !ok || !addr.IP.IsLoopback() {
			return fmt.Errorf("--debug-echo answers whoever asks, so it needs a --listen that only this machine can reach, such as 127.0.0.1:8080, not %s", ln.Addr())
		}
	}
	return nil
}

package server

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"parley/internal/chat"
)

// recoverConn is deferred wherever a mistake of ours must end one connection and
// nothing else: around what a connection has done on goroutines that serve
// others too, and on its way out. A panic is counted, logged with its stack and
// has end called.
func (s *Server) recoverConn(end func()) {
	if cause := recover(); cause != nil {
		s.reportPanic(cause)
		end()
	}
}

// reportPanic counts and logs a panic. The stack is the panic's own while the
// deferred function that has recovered runs.
func (s *Server) reportPanic(cause any) {
	s.counted(chat.Internal)
	s.logger.LogAttrs(context.Background(), slog.LevelError, "connection panicked",
		slog.Any("err", fmt.Errorf("panic: %v\n%s", cause, debug.Stack())))
}

package link

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"parley/internal/chat"
)

// contain is deferred wherever a mistake of ours must end one connection and
// nothing else: around what a connection has done on goroutines that serve
// others too, and on its way out. A panic is counted, logged with its stack and
// has end called.
func (l *Links) recoverConn(end func()) {
	if cause := recover(); cause != nil {
		l.ReportPanic(cause)
		end()
	}
}

// panicked counts and logs a panic. The stack is the panic's own while the
// deferred function that has recovered runs.
func (l *Links) ReportPanic(cause any) {
	l.cfg.Counted(chat.Internal)
	l.cfg.Logger.LogAttrs(context.Background(), slog.LevelError, "connection panicked",
		slog.Any("err", fmt.Errorf("panic: %v\n%s", cause, debug.Stack())))
}

// recover is recoverConn for what is done on behalf of a connection: a panic
// aborts it.
func (c *Conn) Recover() {
	if cause := recover(); cause != nil {
		c.links.ReportPanic(cause)
		c.abort()
	}
}

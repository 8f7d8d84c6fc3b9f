package link

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"parley/internal/chat"
)

// recoverConn is deferred where a panic must end one connection and nothing else:
// where a goroutine that serves many connections works for one of them, and where
// a connection ends. It reports the panic and calls end. It has to be the deferred
// function itself, or recover returns nil.
func (l *Links) recoverConn(end func()) {
	if cause := recover(); cause != nil {
		l.ReportPanic(cause)
		end()
	}
}

// ReportPanic counts a panic and logs it with its stack. The deferred function
// that has recovered must call it: after its return the stack is lost.
func (l *Links) ReportPanic(cause any) {
	l.cfg.Counted(chat.Internal)
	l.cfg.Logger.LogAttrs(context.Background(), slog.LevelError, "connection panicked",
		slog.Any("err", fmt.Errorf("panic: %v\n%s", cause, debug.Stack())))
}

// Recover is deferred where a goroutine that is not the runner works for the
// connection. It reports a panic and aborts the connection.
func (c *Conn) Recover() {
	if cause := recover(); cause != nil {
		c.links.ReportPanic(cause)
		c.abort()
	}
}

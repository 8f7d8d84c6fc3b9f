package room

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"parley/internal/chat"
)

// A panic on a goroutine that serves many readers ends only the reader, or drops only the room's bytes, in which it
// happened. It is recovered while the locks are still held, so that the state is repaired before others see it.

// asError turns the value of recover into an error with the stack. The deferred function itself must call it.
func asError(cause any) error { return fmt.Errorf("panic: %v\n%s", cause, debug.Stack()) }

// logPanic logs a panic.
func (h *Hub) logPanic(message string, room chat.RoomName, cause any) {
	h.logger.LogAttrs(context.Background(), slog.LevelError, message,
		slog.String("room", string(room)), slog.Any("err", asError(cause)))
}

// notify calls f, of a door or a follower. A panic in it must not end the log's goroutine.
func (h *Hub) notify(f func(chat.Commit), c chat.Commit) {
	defer func() {
		if cause := recover(); cause != nil {
			h.logPanic("answer panicked", c.Event.Room, cause)
		}
	}()
	f(c)
}

// fail ends a reader after a panic. The caller holds shard.mu.
func (rd *Reader) fail(cause any) {
	rd.hub.logPanic("reader panicked", rd.room.name, cause)
	rd.setState(closed)
	rd.sink.Close(chat.Internal)
}

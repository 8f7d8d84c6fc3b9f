package torture_test

import (
	"bytes"
	"context"
	"net"
	"regexp"
	"sync"
	"time"

	"parley/internal/chat"
)

// Breakages of streams, heads and of servers that are set back.
const (
	noCursor    breakage = "has streams begin without an id"
	headsAsGets breakage = "answers a HEAD as if it were another request"
	trustPlaces breakage = "believes whoever comes back with a place of another log"
)

// firstTimes knows when each event was stored that ever had its number, over all lives of a
// server.
type firstTimes struct {
	mu    sync.Mutex
	times map[messageRef]time.Time
}

// of returns the first time that was known of an event.
func (f *firstTimes) of(at messageRef, now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times == nil {
		f.times = map[messageRef]time.Time{}
	}
	if first, ok := f.times[at]; ok && !now.IsZero() {
		return first
	}
	f.times[at] = now
	return now
}

// At is when an event was stored; of a log that was set back, when the event was
// that had its number before.
func (l *brokenLog) At(ctx context.Context, name chat.RoomName, seq chat.Seq) (time.Time, error) {
	at, err := l.Store.At(ctx, name, seq)
	if err == nil && l.breaks == trustPlaces {
		at = l.kept.first.of(messageRef{name, seq}, at)
	}
	return at, err
}

// A headsConn reads each HEAD as something else.
type headsConn struct{ net.Conn }

func (c headsConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if bytes.HasPrefix(b[:n], []byte("HEAD /")) {
		copy(b, "GET //")
	}
	return n, err
}

// bareID is the id that a stream begins with, without an event.
var bareID = regexp.MustCompile(`(^|\n)id: ([^\n]*\n\n)`)

// withoutCursor is what the server writes with such an id as a comment of the same
// length.
func withoutCursor(b []byte) []byte { return bareID.ReplaceAll(b, []byte("${1}:d: ${2}")) }

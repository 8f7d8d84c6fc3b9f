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

// Faults of streams, of HEAD requests, and of servers that are reset.
const (
	noCursor    breakage = "has streams begin without an id"
	headsAsGets breakage = "answers a HEAD as if it were another request"
	trustPlaces breakage = "believes whoever comes back with a place of another log"
)

// firstTimes records when the first event with each number was stored, over all starts of a server.
type firstTimes struct {
	mu    sync.Mutex
	times map[messageRef]time.Time
}

// of returns the first known time of an event.
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

// At returns when an event was stored. In a log that was reset, it returns the time of the event
// that had this number before.
func (l *brokenLog) At(ctx context.Context, name chat.RoomName, seq chat.Seq) (time.Time, error) {
	at, err := l.Store.At(ctx, name, seq)
	if err == nil && l.breaks == trustPlaces {
		at = l.kept.first.of(messageRef{name, seq}, at)
	}
	return at, err
}

// A headsConn reads each HEAD as another method.
type headsConn struct{ net.Conn }

func (c headsConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if bytes.HasPrefix(b[:n], []byte("HEAD /")) {
		copy(b, "GET //")
	}
	return n, err
}

// bareID matches the id with which a stream begins, without an event.
var bareID = regexp.MustCompile(`(^|\n)id: ([^\n]*\n\n)`)

// withoutCursor replaces such an id by a comment of the same length.
func withoutCursor(b []byte) []byte { return bareID.ReplaceAll(b, []byte("${1}:d: ${2}")) }

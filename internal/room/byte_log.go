package room

import (
	"sort"

	"parley/internal/chat"
)

// A byteLog holds a room's recent events in one encoding, as the bytes that go
// to a socket: what a reader still needs is one slice of it. Bytes once
// written are never changed, so a slice stays good after the log has moved on.
// It is guarded by its room's mu.
type byteLog struct {
	enc     Encoder
	index   int // in its room's logs
	readers int

	first chat.Seq // the first event in buf; head+1 if there is none
	buf   []byte
	ends  []uint32 // where each event ends in buf

	ephemeral     []byte // encoded events of the moment
	ephemeralBase int64  // where moment begins among all such bytes ever said
}

// Bounds of one room's log in one encoding. A busy room's log has to hold more
// than one commit of the store, or its readers would be behind before they were
// first written to.
const (
	maxLogBytes       = 2 << 20
	maxEphemeralBytes = 64 << 10
)

func (l *byteLog) append(e chat.Event) {
	if len(l.buf) >= maxLogBytes {
		l.halve()
	}
	l.buf = l.enc.Append(l.buf, e)
	l.ends = append(l.ends, uint32(len(l.buf)))
}

// halve drops the older half of the bytes.
func (l *byteLog) halve() {
	l.drop(sort.Search(len(l.ends), func(i int) bool { return l.ends[i] >= uint32(len(l.buf)/2) })+1, maxLogBytes+maxLogBytes/8)
}

// drop drops the first n events. It copies to a buffer of size bytes, because
// readers may hold slices of the old one.
func (l *byteLog) drop(n, size int) {
	cut := l.ends[n-1]
	buf := make([]byte, 0, size)
	ends := make([]uint32, 0, cap(l.ends))
	l.buf = append(buf, l.buf[cut:]...)
	for _, end := range l.ends[n:] {
		ends = append(ends, end-cut)
	}
	l.ends = ends
	l.first += chat.Seq(n)
}

// cut drops the bytes of all events up to through.
func (l *byteLog) cut(through chat.Seq) {
	switch n := through - l.first + 1; {
	case n <= 0:
	case int(n) >= len(l.ends):
		l.forget(l.first + chat.Seq(len(l.ends)) - 1)
	default:
		l.drop(int(n), len(l.buf))
	}
}

// forget drops all bytes; the next event will be head+1.
func (l *byteLog) forget(head chat.Seq) {
	l.buf, l.ends, l.first = nil, nil, head+1
}

func (l *byteLog) appendEphemeral(e chat.Event) {
	if len(l.ephemeral) > maxEphemeralBytes { // whoever has not had it by now lags
		l.ephemeralBase += int64(len(l.ephemeral))
		l.ephemeral = nil
	}
	l.ephemeral = l.enc.Append(l.ephemeral, e)
}

// dropEphemeral drops the bytes of the moment, which every reader has been offered.
func (l *byteLog) dropEphemeral() {
	l.ephemeralBase += int64(len(l.ephemeral))
	l.ephemeral = nil
}

// A window is what a byteLog held at one time: good without the room's lock.
type window struct {
	first      chat.Seq
	head       chat.Seq // newest event in buf; first-1 if there is none
	buf        []byte
	ends       []uint32
	moment     []byte
	momentBase int64
}

func (l *byteLog) window() window {
	return window{
		first: l.first, head: l.first + chat.Seq(len(l.ends)) - 1, buf: l.buf, ends: l.ends,
		moment: l.ephemeral, momentBase: l.ephemeralBase,
	}
}

func (l *byteLog) ephemeralEnd() int64 { return l.ephemeralBase + int64(len(l.ephemeral)) }
func (w *window) momentEnd() int64     { return w.momentBase + int64(len(w.moment)) }

// from returns the bytes of next and all later events; next is not less than
// first.
func (w *window) from(next chat.Seq) []byte { return w.buf[w.offset(next):] }

// offset returns where an event begins in buf.
func (w *window) offset(seq chat.Seq) int {
	if seq == w.first {
		return 0
	}
	return int(w.ends[seq-w.first-1])
}

// after returns the event that follows the first n bytes of from(next). Sinks
// take whole events, so n is the end of one; if a sink breaks its word the
// event that it cut is given again, whole.
func (w *window) after(next chat.Seq, n int) chat.Seq {
	return next + chat.Seq(eventsIn(w.ends[next-w.first:], w.offset(next)+n))
}

// eventsIn returns how many of the events that end at ends lie within the
// first n bytes.
func eventsIn(ends []uint32, n int) int {
	return sort.Search(len(ends), func(i int) bool { return int(ends[i]) > n })
}

package room

import (
	"sort"

	"parley/internal/chat"
)

// A byteLog holds a room's recent events in one encoding. The bytes that a reader still needs are one slice of it.
// Written bytes never change, so a slice stays valid after the log has moved on. It is guarded by its room's mu.
type byteLog struct {
	enc     Encoder
	index   int // index in its room's logs
	readers int

	first chat.Seq // the first event in buf; head+1 if buf is empty
	buf   []byte
	ends  []uint32 // the end of each event in buf

	ephemeral     []byte // encoded ephemeral events
	ephemeralBase int64  // position of ephemeral[0] among all ephemeral bytes since the log began
}

// Bounds of one room's byte log in one encoding. It must hold more than one transaction of the store, or readers of a
// busy room would fall behind before they are first written to.
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
	half := sort.Search(len(l.ends), func(i int) bool { return l.ends[i] >= uint32(len(l.buf)/2) })
	l.drop(half+1, maxLogBytes+maxLogBytes/8)
}

// drop drops the first n events. It copies the rest into a new buffer of size bytes, because readers may hold slices of
// the old one.
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
	if len(l.ephemeral) > maxEphemeralBytes { // a reader that has not taken these bytes yet misses them
		l.ephemeralBase += int64(len(l.ephemeral))
		l.ephemeral = nil
	}
	l.ephemeral = l.enc.Append(l.ephemeral, e)
}

// dropEphemeral drops the ephemeral bytes, which every reader has been offered.
func (l *byteLog) dropEphemeral() {
	l.ephemeralBase += int64(len(l.ephemeral))
	l.ephemeral = nil
}

// A window is a copy of a byteLog's slices. It is valid without the room's lock.
type window struct {
	first         chat.Seq
	head          chat.Seq // the newest event in buf; first-1 if buf is empty
	buf           []byte
	ends          []uint32
	ephemeral     []byte
	ephemeralBase int64
}

func (l *byteLog) window() window {
	return window{
		first: l.first, head: l.first + chat.Seq(len(l.ends)) - 1, buf: l.buf, ends: l.ends,
		ephemeral: l.ephemeral, ephemeralBase: l.ephemeralBase,
	}
}

func (l *byteLog) ephemeralEnd() int64 { return l.ephemeralBase + int64(len(l.ephemeral)) }
func (w *window) ephemeralEnd() int64  { return w.ephemeralBase + int64(len(w.ephemeral)) }

// from returns the bytes of next and all later events; next is at least first.
func (w *window) from(next chat.Seq) []byte { return w.buf[w.offset(next):] }

// offset returns where an event begins in buf.
func (w *window) offset(seq chat.Seq) int {
	if seq == w.first {
		return 0
	}
	return int(w.ends[seq-w.first-1])
}

// after returns the event that follows the first n bytes of from(next). Sinks take whole events, so n is the end of
// one. If a sink takes part of an event, that event is sent again as a whole.
func (w *window) after(next chat.Seq, n int) chat.Seq {
	return next + chat.Seq(eventsIn(w.ends[next-w.first:], w.offset(next)+n))
}

// eventsIn returns how many of the events that end at ends lie within the first n bytes.
func eventsIn(ends []uint32, n int) int {
	return sort.Search(len(ends), func(i int) bool { return int(ends[i]) > n })
}

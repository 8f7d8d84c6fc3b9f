package bench

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// A protocol is spoken on a server's WebSockets. The generator only needs to send messages and to
// distinguish frames.
type protocol interface {
	// path is the path at which a member of a room connects.
	path(room string) string
	// greet appends the frames with which a member joins.
	greet(dst []byte, m member) []byte
	// message appends the frame with which c sends text.
	message(dst []byte, c *conn, text string) []byte
	// kind returns the kind of a line from the server.
	kind(line []byte) kind
}

type kind int

const (
	other   kind = iota
	event        // a member's message: a delivery
	ack          // the answer to an own message
	joined       // the answer to a join: the connection is in the room
	refused      // an error
	askedForPong
)

// A member describes a connection to be opened.
type member struct {
	who     int
	room    string // "" joins none
	after   int64  // the last seq that it has; -1: only new events
	slow    bool   // gets a small receive buffer, like that of a stalling device
	sampled bool   // its deliveries' latencies are recorded
}

// parleyProtocol is docs/protocol.md on /ws.
type parleyProtocol struct{}

func (parleyProtocol) path(string) string { return "/ws" }

func (parleyProtocol) greet(dst []byte, m member) []byte {
	dst, start := openFrame(dst, textFrame)
	dst = append(dst, `{"op":"hello","id":1,"name":"`...)
	dst = closeTheFrame(append(appendGuest(dst, m.who), `"}`...), start)
	if m.room == "" {
		return dst
	}
	dst, start = openFrame(dst, textFrame)
	dst = append(append(append(dst, `{"op":"join","id":2,"room":"`...), m.room...), '"')
	if m.after >= 0 {
		dst = strconv.AppendInt(append(dst, `,"after":`...), m.after, 10)
	}
	return closeTheFrame(append(dst, '}'), start)
}

func (parleyProtocol) message(dst []byte, c *conn, text string) []byte {
	c.sent++
	dst, start := openFrame(dst, textFrame)
	dst = strconv.AppendUint(append(dst, `{"op":"send","id":`...), c.sent+9, 10)
	dst = append(append(append(dst, `,"room":"`...), c.room...), `","nonce":"`...)
	dst = appendNonce(dst, time.Now().UnixMilli(), c.who, c.sent)
	return closeTheFrame(append(append(append(dst, `","text":"`...), text...), `"}`...), start)
}

func (parleyProtocol) kind(line []byte) kind {
	switch {
	case has(line, `{"op":"event",`):
		return event
	case has(line, `{"op":"ok","id":2,`), has(line, `{"op":"behind",`):
		return joined
	case has(line, `{"op":"ok","id":1,`):
		return other
	case has(line, `{"op":"ok",`):
		return ack
	case has(line, `{"op":"error",`):
		return refused
	}
	return other
}

// plainProtocol is the protocol of the peers in bench/: a client that connects to /?room=NAME gets
// {"op":"ok"} when it is in the room, and each text frame that a member sends goes to every member,
// including the sender. The frames look like Parley's events, so they have the same size.
type plainProtocol struct{}

func (plainProtocol) path(room string) string { return "/?room=" + room }

func (plainProtocol) greet(dst []byte, _ member) []byte { return dst }

func (plainProtocol) message(dst []byte, c *conn, text string) []byte {
	dst, start := openFrame(dst, textFrame)
	return closeTheFrame(appendEvent(dst, c, text), start)
}

func (plainProtocol) kind(line []byte) kind {
	if has(line, `{"op":"ok"`) {
		return joined
	}
	return event
}

// centrifugeProtocol is the JSON protocol of that library's clients: several objects in a frame,
// one per line.
type centrifugeProtocol struct{}

func (centrifugeProtocol) path(string) string { return "/connection/websocket" }

func (centrifugeProtocol) greet(dst []byte, m member) []byte {
	dst = appendFrame(dst, textFrame, []byte(`{"id":1,"connect":{}}`))
	if m.room == "" {
		return dst
	}
	return appendFrame(dst, textFrame, []byte(`{"id":2,"subscribe":{"channel":"`+m.room+`"}}`))
}

func (centrifugeProtocol) message(dst []byte, c *conn, text string) []byte {
	c.sent++
	dst, start := openFrame(dst, textFrame)
	dst = strconv.AppendUint(append(dst, `{"id":`...), c.sent+9, 10)
	dst = append(append(append(dst, `,"publish":{"channel":"`...), c.room...), `","data":`...)
	return closeTheFrame(append(appendEvent(dst, c, text), `}}`...), start)
}

func (centrifugeProtocol) kind(line []byte) kind {
	switch {
	case has(line, `{"push":{`):
		return event
	case has(line, `{"id":2,"subscribe"`):
		return joined
	case has(line, `{}`):
		return askedForPong
	case bytes.Contains(line, []byte(`"publish":`)):
		return ack
	case bytes.Contains(line, []byte(`"error":`)), bytes.Contains(line, []byte(`"disconnect":`)):
		return refused
	}
	return other
}

func has(line []byte, prefix string) bool {
	return len(line) >= len(prefix) && string(line[:len(prefix)]) == prefix
}

// appendEvent appends an object that looks like an event of Parley.
func appendEvent(dst []byte, c *conn, text string) []byte {
	c.sent++
	dst = append(append(dst, `{"op":"event","room":"`...), c.room...)
	dst = strconv.AppendUint(append(dst, `","seq":`...), c.sent, 10)
	dst = append(dst,
		`,"at":"2026-01-01T00:00:00.000Z","kind":"message","from":{"id":"0123456789abcdef01234567","name":"`...)
	dst = append(appendGuest(dst, c.who), `"},"text":"`...)
	return append(append(dst, text...), `"}`...)
}

func appendGuest(dst []byte, who int) []byte {
	return strconv.AppendInt(append(dst, "Guest "...), int64(who), 10)
}

// appendNonce appends a UUIDv7 (RFC 9562 §5.7) of a time, a member and a number. The nonces are
// ordered by time, like those of real clients.
func appendNonce(dst []byte, ms int64, who int, n uint64) []byte {
	dst = append(appendHex(dst, uint64(ms)>>16, 8), '-')
	dst = append(appendHex(dst, uint64(ms), 4), "-7"...)
	dst = append(appendHex(dst, uint64(who)>>12, 3), "-8"...)
	dst = append(appendHex(dst, uint64(who), 3), '-')
	return appendHex(dst, n, 12)
}

func appendHex(dst []byte, v uint64, digits int) []byte {
	for i := digits - 1; i >= 0; i-- {
		dst = append(dst, "0123456789abcdef"[v>>(4*i)&15])
	}
	return dst
}

// stampMark begins a stamp, the time of sending within the text, so that each delivery shows its
// latency with every protocol.
const stampMark = '^'

func stamped(text string, at time.Duration) string {
	return string(appendHex(append([]byte(text), ' ', stampMark), uint64(at), 16))
}

// stampOf returns the time in a line that has a stamp.
func stampOf(line []byte) (at time.Duration, ok bool) {
	i := bytes.LastIndexByte(line, stampMark)
	if i < 0 || len(line) < i+17 {
		return 0, false
	}
	for _, c := range line[i+1 : i+17] {
		v := strings.IndexByte("0123456789abcdef", c)
		if v < 0 {
			return 0, false
		}
		at = at<<4 | time.Duration(v)
	}
	return at, true
}

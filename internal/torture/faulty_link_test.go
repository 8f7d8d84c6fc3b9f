package torture_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"sync"
	"time"
)

// A brokenListener returns connections on which the server's frames are wrong.
type brokenListener struct {
	net.Listener
	breaks breakage
}

func (l brokenListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if err := c.(*net.TCPConn).SetWriteBuffer(4 << 10); err != nil { // soon full
		return nil, err
	}
	if l.breaks == headsAsGets {
		return headsConn{c}, nil
	}
	return &brokenConn{Conn: c, breaks: l.breaks}, nil
}

// A brokenConn is a faulty outbound buffer: the server writes whole frames, and waits when it must.
type brokenConn struct {
	net.Conn
	breaks breakage

	mu     sync.Mutex
	last   []byte // the last event that was written
	parked bool   // writing it had to wait
	seen   int
}

func (c *brokenConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames := framesIn(b)
	out := b
	switch {
	case c.breaks == noCursor:
		out = withoutCursor(b)
	case len(frames) == 0:
	case c.breaks == swapEvents:
		out = c.swapped(frames)
	case c.breaks == repeatParked && c.parked && isEvent(frames[0]):
		out = append(bytes.Clone(c.last), b...)
	}
	began := time.Now()
	if _, err := c.Conn.Write(out); err != nil {
		return 0, err
	}
	c.parked = false
	for _, f := range frames {
		if isEvent(f) {
			c.last, c.parked = bytes.Clone(f), time.Since(began) > 20*time.Millisecond
		}
	}
	return len(b), nil
}

// swapped returns frames with two events of one room in the wrong order, from time to time.
func (c *brokenConn) swapped(frames [][]byte) []byte {
	for i := range len(frames) - 1 {
		if a, b := frames[i], frames[i+1]; isEvent(a) && isEvent(b) && bytes.Equal(roomOf(a), roomOf(b)) {
			if c.seen++; c.seen%5 == 0 {
				frames[i], frames[i+1] = b, a
				break
			}
		}
	}
	return bytes.Join(frames, nil)
}

// framesIn splits the bytes that the server writes; it returns nil if they are not complete frames.
func framesIn(b []byte) (frames [][]byte) {
	for len(b) > 0 {
		if len(b) < 4 || b[0]&0xf0 != 0x80 {
			return nil
		}
		head, n := 2, int(b[1])
		switch n {
		case 126:
			head, n = 4, int(binary.BigEndian.Uint16(b[2:]))
		case 127:
			return nil
		}
		if len(b) < head+n {
			return nil
		}
		frames = append(frames, b[:head+n])
		b = b[head+n:]
	}
	return frames
}

func isEvent(f []byte) bool { return bytes.Contains(f[:min(len(f), 24)], []byte(`{"op":"event"`)) }

func roomOf(f []byte) []byte {
	_, rest, _ := bytes.Cut(f, []byte(`"room":"`))
	name, _, _ := bytes.Cut(rest, []byte(`"`))
	return name
}

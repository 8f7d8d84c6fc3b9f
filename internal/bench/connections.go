package bench

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// bufferSize is how much is read at once, in bytes: large enough for few system calls, small enough
// for the processor's cache.
const bufferSize = 256 << 10

// connections are the connections of one measurement. A few loops read them and only count frames.
type connections struct {
	protocol protocol
	ctx      context.Context // ends when a connection fails, with the reason
	fail     context.CancelCauseFunc
	born     time.Time
	loops    []*loop
	wg       sync.WaitGroup
	all      []*conn

	events, acks, joins *counter
	recording           atomic.Bool  // whether latencies are recorded
	heard               atomic.Int64 // bytes received by all
}

// A conn is one connection.
type conn struct {
	member
	index int
	conns *connections
	sock  socket
	rest  []byte // the beginning of an incomplete frame; owned by the loop
	sent  uint64 // messages; owned by the writer

	events int64         // deliveries; owned by the loop while bytes come
	last   time.Duration // when the latest delivery was read; owned like events

	answered time.Duration // when the latest answer to an own message was read; owned like events
	acks     *counter      // answers to own messages; nil if nobody waits only for these
	began    time.Duration // when it began to connect
}

// A loop reads some of the connections into one buffer.
type loop struct {
	conns   *connections
	poller  poller
	buf     []byte
	mu      sync.Mutex // guards samples
	samples []time.Duration
	now     time.Duration // when the latest bytes were read, since the start of the measurement
}

// newConnections starts the loops: one for every two processors, so that the server has some too.
func newConnections(ctx context.Context, p protocol, size int) (*connections, error) {
	c := &connections{
		protocol: p, born: time.Now(), all: make([]*conn, size),
		events: newCounter("deliveries"), acks: newCounter("answers"), joins: newCounter("joins"),
	}
	c.ctx, c.fail = context.WithCancelCause(ctx)
	for range max(1, runtime.NumCPU()/2) {
		l := &loop{conns: c, buf: make([]byte, bufferSize)}
		if err := l.poller.open(); err != nil {
			c.close()
			return nil, err
		}
		c.loops = append(c.loops, l)
		c.wg.Go(l.run)
	}
	return c, nil
}

func (c *connections) since() time.Duration { return time.Since(c.born) }

// close ends the connections and waits for the loops.
func (c *connections) close() {
	c.fail(errors.New("the measurement has ended"))
	for _, l := range c.loops {
		l.poller.wake()
	}
	c.wg.Wait()
	for _, o := range c.all {
		if o != nil {
			o.sock.close()
		}
	}
	for _, l := range c.loops {
		l.poller.close()
	}
}

// attach reads nc's bytes from now on, as connection index. early are bytes that came together with
// the handshake's answer.
func (c *connections) attach(index int, m member, nc net.Conn, early []byte, began time.Duration) (*conn, error) {
	o := &conn{member: m, index: index, conns: c, began: began}
	var err error
	if o.sock, err = newSocket(c.ctx, nc); err != nil {
		return nil, err
	}
	l := c.loopOf(o)
	l.mu.Lock()
	defer l.mu.Unlock()
	c.all[index] = o // from here on close closes its socket
	if err := o.took(l, early); err != nil {
		return nil, err
	}
	l.readHeld(o)
	return o, l.poller.add(l, o)
}

func (c *connections) loopOf(o *conn) *loop { return c.loops[o.index%len(c.loops)] }

// stall stops reading o.
func (c *connections) stall(o *conn) error { return c.loopOf(o).poller.remove(o) }

// arrived handles n bytes that were read from o. They are at the end of b, which begins with
// o.rest. The caller holds l.mu.
func (l *loop) arrived(o *conn, b []byte, n int) {
	l.now = l.conns.since()
	l.conns.heard.Add(int64(n))
	if err := o.took(l, b); err != nil {
		l.conns.fail(fmt.Errorf("member %d: %w", o.who, err))
	}
}

// seen counts what one read brought.
type seen struct{ events, acks, joins int }

// took handles bytes of o's server, which begin with o.rest. The caller holds l.mu.
func (o *conn) took(l *loop, b []byte) (err error) {
	var s seen
	rest := split(b, func(opcode byte, payload []byte) {
		switch opcode {
		case textFrame:
			for i := bytes.IndexByte(payload, '\n'); i >= 0; i = bytes.IndexByte(payload, '\n') {
				err = cmp.Or(o.handleLine(l, &s, payload[:i]), err)
				payload = payload[i+1:]
			}
			err = cmp.Or(o.handleLine(l, &s, payload), err)
		case pingFrame:
			err = o.write(appendFrame(nil, pongFrame, payload))
		case closeFrame:
			err = fmt.Errorf("the server closes the connection: %q", payload)
		}
	})
	if len(rest) >= bufferSize {
		err = errFrame
	}
	o.rest = append(o.rest[:0], rest...)
	o.count(l, s)
	return err
}

func (o *conn) handleLine(l *loop, s *seen, line []byte) error {
	if len(line) == 0 {
		return nil
	}
	switch o.conns.protocol.kind(line) {
	case event:
		s.events++
		if o.sampled && o.conns.recording.Load() {
			if at, ok := stampOf(line); ok {
				l.samples = append(l.samples, l.now-at)
			}
		}
	case ack:
		s.acks++
	case joined:
		s.joins++
	case askedForPong:
		return o.write(appendFrame(nil, textFrame, []byte(`{}`)))
	case refused:
		return fmt.Errorf("the server refuses: %.200s", line)
	}
	return nil
}

// count adds what one read brought, once for all its frames.
func (o *conn) count(l *loop, s seen) {
	if s.events > 0 {
		o.events += int64(s.events)
		o.last = l.now
		o.conns.events.add(s.events)
	}
	if s.acks > 0 {
		o.answered = l.now
		o.conns.acks.add(s.acks)
		if o.acks != nil {
			o.acks.add(s.acks)
		}
	}
	if s.joins > 0 {
		o.conns.joins.add(s.joins)
	}
}

// write sends frames. Only one goroutine writes to a connection, except for the loop, which answers
// pings between messages.
func (o *conn) write(p []byte) error {
	if err := o.sock.write(o.conns.ctx, p); err != nil {
		return fmt.Errorf("member %d writes: %w", o.who, err)
	}
	return nil
}

// latencies returns the recorded latencies and clears them.
func (c *connections) latencies() (all []time.Duration) {
	for _, l := range c.loops {
		l.mu.Lock()
		all = append(all, l.samples...)
		l.samples = nil
		l.mu.Unlock()
	}
	slices.Sort(all)
	return all
}

// quiet waits until nothing has been received for a while, so that all presence frames have come.
func (c *connections) quiet(ctx context.Context) error {
	for last := int64(-1); ; {
		now := c.heard.Load()
		if now == last {
			return nil
		}
		last = now
		if err := sleep(ctx, 1300*time.Millisecond); err != nil {
			return err
		}
	}
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

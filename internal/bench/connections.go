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

// bufferSize is how much is read at once: much for few calls, and little enough
// to stay in the processor's cache.
const bufferSize = 256 << 10

// A connections is the connections of one measurement. They are read by a few loops,
// which count what comes and do nothing else.
type connections struct {
	protocol protocol
	ctx      context.Context // ends when a connection fails, with the reason
	fail     context.CancelCauseFunc
	born     time.Time
	loops    []*loop
	wg       sync.WaitGroup
	conns    []*conn

	events, acks, joins *counter
	recording           atomic.Bool  // whether latencies are
	heard               atomic.Int64 // bytes, of whatever
}

// A conn is one connection of the crowd.
type conn struct {
	member
	index int
	crowd *connections
	sock  socket
	rest  []byte // the beginning of a frame whose end has not come; owned by the loop
	sent  uint64 // messages; owned by who writes

	events int64         // deliveries; owned by the loop until the crowd is still
	last   time.Duration // when the latest delivery was read; likewise
	acks   *counter      // answers to own messages; nil if nobody waits for them alone
	began  time.Duration // when it began to connect
}

// A loop reads some of the connections into one buffer.
type loop struct {
	crowd   *connections
	poller  poller
	buf     []byte
	mu      sync.Mutex // guards samples
	samples []time.Duration
	now     time.Duration // since the crowd's birth, when the latest bytes were read
}

// newCrowd starts the loops. One for every two processors leaves the server room.
func newCrowd(ctx context.Context, p protocol, size int) (*connections, error) {
	c := &connections{
		protocol: p, born: time.Now(), conns: make([]*conn, size),
		events: newTally("deliveries"), acks: newTally("answers"), joins: newTally("joins"),
	}
	c.ctx, c.fail = context.WithCancelCause(ctx)
	for range max(1, runtime.NumCPU()/2) {
		l := &loop{crowd: c, buf: make([]byte, bufferSize)}
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
	c.fail(errors.New("the crowd has gone home"))
	for _, l := range c.loops {
		l.poller.wake()
	}
	c.wg.Wait()
	for _, o := range c.conns {
		if o != nil {
			o.sock.close()
		}
	}
	for _, l := range c.loops {
		l.poller.close()
	}
}

// attach has nc's bytes read from now on, as those of connection index; early
// are those that came with the handshake's.
func (c *connections) attach(index int, m member, nc net.Conn, early []byte, began time.Duration) (*conn, error) {
	o := &conn{member: m, index: index, crowd: c, began: began}
	var err error
	if o.sock, err = newSocket(c.ctx, nc); err != nil {
		return nil, err
	}
	l := c.loopOf(o)
	l.mu.Lock()
	defer l.mu.Unlock()
	c.conns[index] = o // whose socket the crowd closes, come what may
	if err := o.took(l, early); err != nil {
		return nil, err
	}
	l.readHeld(o)
	return o, l.poller.add(l, o)
}

func (c *connections) loopOf(o *conn) *loop { return c.loops[o.index%len(c.loops)] }

// stall has nobody read o any more.
func (c *connections) stall(o *conn) error { return c.loopOf(o).poller.remove(o) }

// arrived passes on n bytes that were read from o, at the end of b, which begins
// with o.rest. The caller holds l.mu.
func (l *loop) arrived(o *conn, b []byte, n int) {
	l.now = l.crowd.since()
	l.crowd.heard.Add(int64(n))
	if err := o.took(l, b); err != nil {
		l.crowd.fail(fmt.Errorf("member %d: %w", o.who, err))
	}
}

// seen is what one read brought.
type seen struct{ events, acks, joins int }

// took looks at what o's server sent, which begins with o.rest. The caller holds
// l.mu.
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
	switch o.crowd.protocol.kind(line) {
	case event:
		s.events++
		if o.sampled && o.crowd.recording.Load() {
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
		o.crowd.events.add(s.events)
	}
	if s.acks > 0 {
		o.crowd.acks.add(s.acks)
		if o.acks != nil {
			o.acks.add(s.acks)
		}
	}
	if s.joins > 0 {
		o.crowd.joins.add(s.joins)
	}
}

// write sends frames. Only one goroutine writes to a connection, but for the
// loop, which answers pings between messages.
func (o *conn) write(p []byte) error {
	if err := o.sock.write(o.crowd.ctx, p); err != nil {
		return fmt.Errorf("member %d writes: %w", o.who, err)
	}
	return nil
}

// latencies returns what was recorded, and forgets it.
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

// quiet waits until nothing has been sent to anybody for a while: until the
// comings and goings have been told.
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

package server

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"parley/internal/chat"
	"parley/internal/wire"
)

// A conn is one WebSocket connection. What the frames mean is its talk's
// business. Its runner is the goroutine that reads and carries out: there is
// none while nothing comes, and never a second one.
type conn struct {
	outbound  outbound
	links     *Links
	transport transport
	inbound   inbound
	parser    wire.Parser
	protocol  protocol
	from      netip.Addr // the client's address

	state   atomic.Int32 // whether there is a runner
	begun   bool         // the runner's: talk has begun
	leaving bool         // the runner's: goodbye has been said

	lastReceived atomic.Int64 // when bytes came last, in nanoseconds since born
	draining     atomic.Bool  // the server is going down: nothing more is read
	closing      atomic.Bool  // the last word has been chosen

	bucket     int  // guarded by the wheel
	inAckQueue bool // guarded by the ackQueue
}

// What turn can be.
const (
	idle     = iota // nobody runs; wake starts a runner
	running         // there is a runner
	runAgain        // there is, and it looks once more before it goes
	finished        // it will not run any more
)

// A talk is a protocol spoken on a connection.
type protocol interface {
	// begin is called first. An error, a *wire.CloseError, ends the connection.
	begin(ctx context.Context) error
	// hear is called for each message, in order: text and, where the parser
	// takes it, binary. Its data is good until hear returns.
	receive(ctx context.Context, m wire.WSMessage)
	// end is called last, when nothing more can be sent.
	end()
}

// lingerTime is how long a connection that is being closed may take to read
// the last bytes.
const lingerTime = 2 * time.Second

// start makes nc a connection from an address, of which first has been read
// already. enter has counted it. Other goroutines (the poller, the transport's,
// the wheel's, those of newProtocol) see the connection only once it is complete.
func (l *Links) start(nc net.Conn, first []byte, from netip.Addr, newProtocol func(*conn) protocol) {
	c := &conn{links: l, parser: wire.Parser{Limit: l.cfg.FrameSize}, from: from}
	c.state.Store(running)
	c.lastReceived.Store(int64(time.Since(processStart)))
	t, ok := l.poller.transport(c, nc)
	if !ok {
		t = newBlockingTransport(nc, c.goGuarded, c.outbound.fail)
	}
	c.use(t, first)
	c.protocol = newProtocol(c)
	if err := t.open(nc); err != nil { // the system watches no more sockets
		c.use(newBlockingTransport(nc, c.goGuarded, c.outbound.fail), first)
		c.transport.open(nc)
	}
	l.wheel.add(c)
	if l.draining.Err() != nil { // close may have missed it
		c.drain()
	}
	go c.run()
}

// use has the connection read from l, behind first, and write to it.
func (c *conn) use(l transport, first []byte) {
	c.transport = l
	c.inbound.init(l, first)
	c.outbound.init(l, c.closeFor)
	c.outbound.frameEnd = nil
	if !l.waits() {
		c.outbound.frameEnd = wire.WholeFrames
	}
}

// aside calls f on a goroutine that closeConns waits for; a panic there ends the
// connection.
func (c *conn) goGuarded(f func()) {
	c.links.conns.Go(func() {
		defer c.recover()
		f()
	})
}

// wake has a runner look at the connection, now or once more.
func (c *conn) wake() {
	for {
		switch c.state.Load() {
		case idle:
			if c.state.CompareAndSwap(idle, running) {
				go c.run()
				return
			}
		case running:
			if c.state.CompareAndSwap(running, runAgain) {
				return
			}
		default:
			return
		}
	}
}

// run is the runner: it goes on until nothing more has come or the connection
// has ended.
func (c *conn) run() {
	for {
		err := errEnded
		c.unlessPanic(func() { err = c.step(context.Background()) }) // the request's ended with its handler
		switch {
		case err == nil:
		case !errors.Is(err, errNothing):
			c.finish()
			return
		case c.state.CompareAndSwap(running, idle):
			return
		default:
			c.state.Store(running) // it was poked
		}
	}
}

// step does what there is to do and returns errNothing if that is all for now;
// another error means that the connection has ended.
func (c *conn) step(ctx context.Context) error {
	if c.leaving {
		return c.linger()
	}
	err := c.guarded(ctx)
	if errors.Is(err, errNothing) {
		return err
	}
	c.leaving = true
	return c.closeAfter(err)
}

// guarded hears what comes, but a panic ends this connection and nothing else.
func (c *conn) guarded(ctx context.Context) (err error) {
	if c.unlessPanic(func() { err = c.serve(ctx) }) {
		return err
	}
	return &wire.CloseError{Code: wire.CloseInternal, Reason: "our fault"}
}

// unlessPanic calls f and reports whether it returned.
func (c *conn) unlessPanic(f func()) (returned bool) {
	defer func() {
		if cause := recover(); cause != nil {
			c.links.reportPanic(cause)
		}
	}()
	f()
	return true
}

// hearing begins, if that has not been done, and carries out what comes until
// nothing more does.
func (c *conn) serve(ctx context.Context) error {
	if !c.begun {
		c.begun = true
		if err := c.protocol.begin(ctx); err != nil {
			return err
		}
	}
	for {
		if err := c.receiveAll(ctx); err != nil {
			return err
		}
		c.outbound.flush()
		if c.ending() {
			return nil
		}
		if err := c.inbound.fill(c.parser.MaxFrame()); err != nil {
			return err
		}
		c.lastReceived.Store(int64(time.Since(processStart)))
	}
}

// ending reports whether somebody else has decided that the connection ends.
func (c *conn) ending() bool { return c.draining.Load() || c.closing.Load() }

// hearAll handles the messages that are whole in what has been read.
func (c *conn) receiveAll(ctx context.Context) error {
	for !c.ending() {
		m, n, err := c.parser.Next(c.inbound.unused())
		if err != nil {
			return err
		}
		if m.Op == wire.OpNone {
			c.inbound.used(n)
			return nil
		}
		c.outbound.awaitRoom()
		switch m.Op {
		case wire.OpText, wire.OpBinary:
			c.protocol.receive(ctx, m)
		case wire.OpPing:
			c.outbound.queueAnswer(func(dst []byte) []byte { return wire.AppendControl(dst, wire.OpPong, m.Data) })
		case wire.OpClose:
			return &wire.CloseError{Code: wire.CodeIn(m.Data)}
		}
		c.inbound.used(n)
	}
	return nil
}

// born is when the program began. How long ago something was is counted from
// there, since the time of day may be set.
var processStart = time.Now()

// look is called by the wheel: it pings a silent client and ends one that has
// been silent for too long.
func (c *conn) checkAlive(now time.Time, idle time.Duration) {
	defer c.recover()
	silent := now.Sub(processStart) - time.Duration(c.lastReceived.Load())
	switch {
	case silent >= idle:
		c.closeAsync(wire.CloseIdle, "nothing came from you")
	case silent >= idle/checksPerTimeout/2: // at the last look it was answered, a moment after it was asked
		c.outbound.queueAnswer(func(dst []byte) []byte { return wire.AppendControl(dst, wire.OpPing, nil) })
		c.outbound.flush()
	}
}

// goAway has the connection read nothing more, answer what it has accepted,
// and end with 1001.
func (c *conn) drain() {
	c.draining.Store(true)
	c.transport.wake(c)
}

// cutOff is called by each room that will not serve this connection any more.
func (c *conn) closeFor(code chat.Code) {
	dismissed := false
	if code == chat.Stalled {
		dismissed = c.closeAsync(wire.CloseStalled, "stalled")
	} else {
		dismissed = c.closeAsync(wire.CloseInternal, "our fault")
	}
	if dismissed {
		c.links.cfg.Counted(code)
	}
}

// dismiss ends the connection, without waiting for it, unless its end has been
// decided already. It may be called by anybody.
func (c *conn) closeAsync(code wire.CloseCode, reason string) bool {
	if !c.queueClose(code, reason) {
		return false
	}
	c.transport.wake(c)
	return true
}

// lastWord puts a close frame behind what waits and gives the client
// lingerTime to take it and to answer, unless that has been done already.
func (c *conn) queueClose(code wire.CloseCode, reason string) bool {
	if c.closing.Swap(true) {
		return false
	}
	c.outbound.appendClose(func(dst []byte) []byte { return wire.AppendClose(dst, code, reason) })
	time.AfterFunc(lingerTime, c.abort) // finds nothing to do, most often
	return true
}

// sayGoodbye ends what has ended by err, or by what somebody else has decided.
// If it returns nil, the rest is up to the client, which is given a moment, as
// a socket that is closed with unread bytes takes back what it has sent.
func (c *conn) closeAfter(err error) error {
	if c.draining.Load() {
		err = &wire.CloseError{Code: wire.CloseGoingAway, Reason: "the server is going down"}
	}
	if e, ok := errors.AsType[*wire.CloseError](err); ok {
		c.outbound.awaitAnswers()
		c.queueClose(e.Code, e.Reason)
	}
	if !c.closing.Load() {
		return errEnded // it broke
	}
	c.outbound.awaitEmpty()
	return c.transport.shut()
}

// linger drops what still comes.
func (c *conn) linger() error {
	for {
		c.inbound.used(len(c.inbound.unused()))
		if err := c.inbound.fill(inBuffer); err != nil {
			return err
		}
	}
}

// finish is called by the last runner, last.
func (c *conn) finish() {
	c.outbound.fail()
	c.unlessPanic(c.protocol.end)
	c.links.wheel.remove(c)
	c.inbound.giveBack()
	c.transport.close()
	c.state.Store(finished)
	c.links.cfg.Ended(c.from)
	c.links.leave()
}

// cut ends the connection at once. Its runner learns of it.
func (c *conn) abort() {
	c.outbound.fail()
	c.transport.cut()
	c.transport.wake(c)
}

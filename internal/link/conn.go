package link

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
type Conn struct {
	out       Outbound
	links     *Links
	transport transport
	in        inbound
	parser    wire.Parser
	protocol  Protocol
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
	stateIdle     = iota // nobody runs; wake starts a runner
	stateRunning         // there is a runner
	stateRunAgain        // there is, and it looks once more before it goes
	stateFinished        // it will not run any more
)

// A talk is a protocol spoken on a connection.
type Protocol interface {
	// begin is called first. An error, a *wire.CloseError, ends the connection.
	Begin(ctx context.Context) error
	// hear is called for each message, in order: text and, where the parser
	// takes it, binary. Its data is good until hear returns.
	Receive(ctx context.Context, m wire.WSMessage)
	// end is called last, when nothing more can be sent.
	End()
}

// lingerTime is how long a connection that is being closed may take to read
// the last bytes.
const lingerTime = 2 * time.Second

// start makes nc a connection from an address, of which first has been read
// already. enter has counted it. Other goroutines (the poller, the transport's,
// the wheel's, those of newProtocol) see the connection only once it is complete.
func (l *Links) Start(nc net.Conn, first []byte, from netip.Addr, newProtocol func(*Conn) Protocol) {
	c := &Conn{links: l, parser: wire.Parser{Limit: l.cfg.FrameSize}, from: from}
	c.state.Store(stateRunning)
	c.lastReceived.Store(int64(time.Since(processStart)))
	t, ok := l.poller.transport(c, nc)
	if !ok {
		t = newBlockingTransport(nc, c.goGuarded, c.out.fail)
	}
	c.use(t, first)
	c.protocol = newProtocol(c)
	if err := t.open(nc); err != nil { // the system watches no more sockets
		c.use(newBlockingTransport(nc, c.goGuarded, c.out.fail), first)
		c.transport.open(nc)
	}
	l.wheel.add(c)
	if l.draining.Err() != nil { // close may have missed it
		c.drain()
	}
	go c.run()
}

// Out returns what goes out on the connection.
func (c *Conn) Out() *Outbound { return &c.out }

// From returns the client's address.
func (c *Conn) From() netip.Addr { return c.from }

// AcceptBinary makes the connection take binary messages, too. It is called
// by the function that makes its protocol.
func (c *Conn) AcceptBinary() { c.parser.Binary = true }

// use has the connection read from l, behind first, and write to it.
func (c *Conn) use(l transport, first []byte) {
	c.transport = l
	c.in.init(l, first)
	c.out.init(l, c.CloseFor)
	c.out.frameEnd = nil
	if !l.waits() {
		c.out.frameEnd = wire.WholeFrames
	}
}

// aside calls f on a goroutine that closeConns waits for; a panic there ends the
// connection.
func (c *Conn) goGuarded(f func()) {
	c.links.conns.Go(func() {
		defer c.Recover()
		f()
	})
}

// wake has a runner look at the connection, now or once more.
func (c *Conn) wake() {
	for {
		switch c.state.Load() {
		case stateIdle:
			if c.state.CompareAndSwap(stateIdle, stateRunning) {
				go c.run()
				return
			}
		case stateRunning:
			if c.state.CompareAndSwap(stateRunning, stateRunAgain) {
				return
			}
		default:
			return
		}
	}
}

// run is the runner: it goes on until nothing more has come or the connection
// has ended.
func (c *Conn) run() {
	for {
		err := errEnded
		c.unlessPanic(func() { err = c.step(context.Background()) }) // the request's ended with its handler
		switch {
		case err == nil:
		case !errors.Is(err, errNothing):
			c.finish()
			return
		case c.state.CompareAndSwap(stateRunning, stateIdle):
			return
		default:
			c.state.Store(stateRunning) // it was poked
		}
	}
}

// step does what there is to do and returns errNothing if that is all for now;
// another error means that the connection has ended.
func (c *Conn) step(ctx context.Context) error {
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
func (c *Conn) guarded(ctx context.Context) (err error) {
	if c.unlessPanic(func() { err = c.serve(ctx) }) {
		return err
	}
	return &wire.CloseError{Code: wire.CloseInternal, Reason: "our fault"}
}

// unlessPanic calls f and reports whether it returned.
func (c *Conn) unlessPanic(f func()) (returned bool) {
	defer func() {
		if cause := recover(); cause != nil {
			c.links.ReportPanic(cause)
		}
	}()
	f()
	return true
}

// hearing begins, if that has not been done, and carries out what comes until
// nothing more does.
func (c *Conn) serve(ctx context.Context) error {
	if !c.begun {
		c.begun = true
		if err := c.protocol.Begin(ctx); err != nil {
			return err
		}
	}
	for {
		if err := c.receiveAll(ctx); err != nil {
			return err
		}
		c.out.Flush()
		if c.ending() {
			return nil
		}
		if err := c.in.fill(c.parser.MaxFrame()); err != nil {
			return err
		}
		c.lastReceived.Store(int64(time.Since(processStart)))
	}
}

// ending reports whether somebody else has decided that the connection ends.
func (c *Conn) ending() bool { return c.draining.Load() || c.closing.Load() }

// hearAll handles the messages that are whole in what has been read.
func (c *Conn) receiveAll(ctx context.Context) error {
	for !c.ending() {
		m, n, err := c.parser.Next(c.in.unused())
		if err != nil {
			return err
		}
		if m.Op == wire.OpNone {
			c.in.used(n)
			return nil
		}
		c.out.awaitRoom()
		switch m.Op {
		case wire.OpText, wire.OpBinary:
			c.protocol.Receive(ctx, m)
		case wire.OpPing:
			c.out.QueueAnswer(func(dst []byte) []byte { return wire.AppendControl(dst, wire.OpPong, m.Data) })
		case wire.OpClose:
			return &wire.CloseError{Code: wire.CodeIn(m.Data)}
		}
		c.in.used(n)
	}
	return nil
}

// born is when the program began. How long ago something was is counted from
// there, since the time of day may be set.
var processStart = time.Now()

// look is called by the wheel: it pings a silent client and ends one that has
// been silent for too long.
func (c *Conn) checkAlive(now time.Time, idle time.Duration) {
	defer c.Recover()
	silent := now.Sub(processStart) - time.Duration(c.lastReceived.Load())
	switch {
	case silent >= idle:
		c.Close(wire.CloseIdle, "nothing came from you")
	case silent >= idle/checksPerTimeout/2: // at the last look it was answered, a moment after it was asked
		c.out.QueueAnswer(func(dst []byte) []byte { return wire.AppendControl(dst, wire.OpPing, nil) })
		c.out.Flush()
	}
}

// goAway has the connection read nothing more, answer what it has accepted,
// and end with 1001.
func (c *Conn) drain() {
	c.draining.Store(true)
	c.transport.wake(c)
}

// cutOff is called by each room that will not serve this connection any more.
func (c *Conn) CloseFor(code chat.Code) {
	dismissed := false
	if code == chat.Stalled {
		dismissed = c.Close(wire.CloseStalled, "stalled")
	} else {
		dismissed = c.Close(wire.CloseInternal, "our fault")
	}
	if dismissed {
		c.links.cfg.Counted(code)
	}
}

// dismiss ends the connection, without waiting for it, unless its end has been
// decided already. It may be called by anybody.
func (c *Conn) Close(code wire.CloseCode, reason string) bool {
	if !c.queueClose(code, reason) {
		return false
	}
	c.transport.wake(c)
	return true
}

// lastWord puts a close frame behind what waits and gives the client
// lingerTime to take it and to answer, unless that has been done already.
func (c *Conn) queueClose(code wire.CloseCode, reason string) bool {
	if c.closing.Swap(true) {
		return false
	}
	c.out.appendClose(func(dst []byte) []byte { return wire.AppendClose(dst, code, reason) })
	time.AfterFunc(lingerTime, c.abort) // finds nothing to do, most often
	return true
}

// sayGoodbye ends what has ended by err, or by what somebody else has decided.
// If it returns nil, the rest is up to the client, which is given a moment, as
// a socket that is closed with unread bytes takes back what it has sent.
func (c *Conn) closeAfter(err error) error {
	if c.draining.Load() {
		err = &wire.CloseError{Code: wire.CloseGoingAway, Reason: "the server is going down"}
	}
	if e, ok := errors.AsType[*wire.CloseError](err); ok {
		c.out.AwaitAnswers()
		c.queueClose(e.Code, e.Reason)
	}
	if !c.closing.Load() {
		return errEnded // it broke
	}
	c.out.awaitEmpty()
	return c.transport.shut()
}

// linger drops what still comes.
func (c *Conn) linger() error {
	for {
		c.in.used(len(c.in.unused()))
		if err := c.in.fill(inBuffer); err != nil {
			return err
		}
	}
}

// finish is called by the last runner, last.
func (c *Conn) finish() {
	c.out.fail()
	c.unlessPanic(c.protocol.End)
	c.links.wheel.remove(c)
	c.in.giveBack()
	c.transport.close()
	c.state.Store(stateFinished)
	c.links.cfg.Ended(c.from)
	c.links.Leave()
}

// cut ends the connection at once. Its runner learns of it.
func (c *Conn) abort() {
	c.out.fail()
	c.transport.cut()
	c.transport.wake(c)
}

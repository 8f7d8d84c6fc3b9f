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

// A Conn is one WebSocket connection. It passes the client's messages to its
// Protocol. Its runner is the goroutine that reads and handles messages: at most
// one at a time, and none while the client sends nothing.
type Conn struct {
	out       Outbound
	links     *Links
	transport transport
	in        inbound
	parser    wire.Parser
	protocol  Protocol
	from      netip.Addr // the client's address

	state   atomic.Int32 // whether there is a runner
	begun   bool         // used by the runner only: Begin has been called
	leaving bool         // used by the runner only: the close frame is queued or sent

	lastReceived atomic.Int64 // time of the last read that returned bytes, in nanoseconds since processStart
	goingAway    atomic.Bool  // the server is stopping: no further command is read
	closing      atomic.Bool  // a close frame is queued; no other will be

	bucket     int  // guarded by the keep-alive wheel
	inAckQueue bool // guarded by the ackQueue
}

// The states of a connection's runner.
const (
	stateIdle     = iota // there is no runner; wake starts one
	stateRunning         // there is a runner
	stateRunAgain        // there is a runner, and it steps once more before it ends
	stateFinished        // the last runner has ended
)

// A Protocol handles the messages of one connection.
type Protocol interface {
	// Begin is called first. After an error, a *wire.CloseError, the connection is closed.
	Begin(ctx context.Context) error
	// Receive is called for each text message, in order, and for binary messages
	// after AcceptBinary. m.Data is valid until Receive returns.
	Receive(ctx context.Context, m wire.WSMessage)
	// End is called last, when nothing more can be sent.
	End()
}

// lingerTime is how long a client may take to read what is sent before a close.
const lingerTime = 2 * time.Second

// Start makes nc, from which first has been read already, a connection of the
// client at an address. Enter must have counted it. Goroutines other than the
// runner (the poller, the transport, the wheel, those of newProtocol) see the
// connection only once all its fields are set.
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
	if err := t.open(nc); err != nil { // the poller cannot watch another socket
		c.use(newBlockingTransport(nc, c.goGuarded, c.out.fail), first)
		c.transport.open(nc)
	}
	l.wheel.add(c)
	if l.closed() { // Close may have missed it
		c.goAway()
	}
	go c.run()
}

// Out returns the connection's outbound buffer.
func (c *Conn) Out() *Outbound { return &c.out }

// From returns the client's address.
func (c *Conn) From() netip.Addr { return c.from }

// AcceptBinary makes the connection take binary messages, too. Only the
// function that makes the connection's protocol may call it.
func (c *Conn) AcceptBinary() { c.parser.Binary = true }

// use makes t the connection's transport. first is what has been read from it.
func (c *Conn) use(t transport, first []byte) {
	c.transport = t
	c.in.init(t, first)
	c.out.init(t, c.CloseFor)
	c.out.frameEnd = nil
	if !t.waits() {
		c.out.frameEnd = wire.WholeFrames
	}
}

// goGuarded calls f on a goroutine for which Links.Close waits. A panic in f
// aborts the connection.
func (c *Conn) goGuarded(f func()) {
	c.links.conns.Go(func() {
		defer c.Recover()
		f()
	})
}

// wake starts a runner, or makes the running one step once more.
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

// run is the runner. It returns when there is nothing to read for now, or when
// the connection has ended.
func (c *Conn) run() {
	for {
		err := errEnded
		// The request's context has ended with its handler.
		c.unlessPanic(func() { err = c.step(context.Background()) })
		switch {
		case err == nil:
		case !errors.Is(err, errNothing):
			c.finish()
			return
		case c.state.CompareAndSwap(stateRunning, stateIdle):
			return
		default:
			c.state.Store(stateRunning) // wake was called during the step
		}
	}
}

// step handles what has come. It returns nil if there is more to do, errNothing
// if there is nothing to read for now, and another error if the connection has
// ended.
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

// guarded calls serve. A panic there closes this connection with 1011.
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

// serve handles messages until there is nothing to read for now (errNothing), the
// connection breaks, the client closes it, or its end has been decided (nil).
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

// ending reports whether a goroutine other than the runner has decided that the
// connection ends.
func (c *Conn) ending() bool { return c.goingAway.Load() || c.closing.Load() }

// receiveAll handles each message that has been read completely.
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

// processStart is the origin of lastReceived. Durations since then are monotonic:
// setting the clock does not change them.
var processStart = time.Now()

// checkAlive pings a client that has sent nothing for a while, and closes the
// connection if it has sent nothing for the duration idle. The keep-alive wheel
// calls it.
func (c *Conn) checkAlive(now time.Time, idle time.Duration) {
	defer c.Recover()
	silent := now.Sub(processStart) - time.Duration(c.lastReceived.Load())
	switch {
	case silent >= idle:
		c.Close(wire.CloseIdle, "nothing came from you")
	case silent >= idle/checksPerTimeout/2: // an answer to the last check's ping came just after that check
		c.out.QueueAnswer(func(dst []byte) []byte { return wire.AppendControl(dst, wire.OpPing, nil) })
		c.out.Flush()
	}
}

// goAway makes the connection read no further command, answer those that it has
// accepted, and close with 1001.
func (c *Conn) goAway() {
	c.goingAway.Store(true)
	c.transport.wake(c)
}

// CloseFor closes the connection because of an error: with 4008 if the client has
// stalled, else with 1011. Rooms call it when they stop serving the connection.
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

// Close queues a close frame and returns without waiting for the end. It returns
// false if the connection is being closed already. Any goroutine may call it.
func (c *Conn) Close(code wire.CloseCode, reason string) bool {
	if !c.queueClose(code, reason) {
		return false
	}
	c.transport.wake(c)
	return true
}

// queueClose queues a close frame, unless one is queued already. If the client
// has not taken it and answered after lingerTime, the connection is aborted.
func (c *Conn) queueClose(code wire.CloseCode, reason string) bool {
	if c.closing.Swap(true) {
		return false
	}
	c.out.appendClose(func(dst []byte) []byte { return wire.AppendClose(dst, code, reason) })
	time.AfterFunc(lingerTime, c.abort) // usually the connection has ended before
	return true
}

// closeAfter closes the connection after serve has returned err. If it returns
// nil, linger has to read until the client closes, too: closing a socket with
// unread bytes resets it, and the client would lose what was sent last.
func (c *Conn) closeAfter(err error) error {
	if c.goingAway.Load() {
		within := max(minRetryWithin, time.Duration(c.links.retryWithin.Load()))
		err = &wire.CloseError{Code: wire.CloseGoingAway, Reason: wire.StoppingReason(within)}
	}
	if e, ok := errors.AsType[*wire.CloseError](err); ok {
		c.out.AwaitAnswers()
		c.queueClose(e.Code, e.Reason)
	}
	if !c.closing.Load() {
		return errEnded // the transport failed
	}
	c.out.awaitEmpty()
	return c.transport.shut()
}

// linger discards what the client still sends, until it closes.
func (c *Conn) linger() error {
	for {
		c.in.used(len(c.in.unused()))
		if err := c.in.fill(inBuffer); err != nil {
			return err
		}
	}
}

// finish frees the connection. The last runner calls it when it ends.
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

// abort ends the connection at once and wakes the runner, which then finishes it.
func (c *Conn) abort() {
	c.out.fail()
	c.transport.cut()
	c.transport.wake(c)
}

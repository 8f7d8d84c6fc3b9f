package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"parley/internal/chat"
	"parley/internal/wire"
)

// A conn is one WebSocket connection. What the frames mean is its talk's
// business. Its runner is the goroutine that reads and carries out: there is
// none while nothing comes, and never a second one.
type conn struct {
	out    outlet
	s      *Server
	line   line
	in     intake
	parser wire.Parser
	talk   talk
	from   netip.Addr // the client's address

	turn    atomic.Int32 // whether there is a runner
	begun   bool         // the runner's: talk has begun
	leaving bool         // the runner's: goodbye has been said

	heard atomic.Int64 // when bytes came last, in nanoseconds since born
	away  atomic.Bool  // the server is going down: nothing more is read
	over  atomic.Bool  // the last word has been chosen

	bucket int  // guarded by the wheel
	acked  bool // guarded by the ackQueue
}

// What turn can be.
const (
	parked   = iota // nobody runs; wake starts a runner
	running         // there is a runner
	poked           // there is, and it looks once more before it goes
	finished        // it will not run any more
)

// A talk is a protocol spoken on a connection.
type talk interface {
	// begin is called first. An error, a *wire.CloseError, ends the connection.
	begin(ctx context.Context) error
	// hear is called for each message, in order: text and, where the parser
	// takes it, binary. Its data is good until hear returns.
	hear(ctx context.Context, m wire.Message)
	// end is called last, when nothing more can be sent.
	end()
}

// lingerTime is how long a connection that is being closed may take to read
// the last bytes.
const lingerTime = 2 * time.Second

// upgrade makes a WebSocket of a request, which has a goroutine of its own, so
// that the HTTP server's can go.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, protocol string, newTalk func(*conn) talk) {
	if !s.shakesHands(w, r) {
		return
	}
	if err := s.originAllowed(r); err != nil {
		s.refuse(w, r, err)
		return
	}
	from := s.address(r)
	if err := s.admit(from); err != nil {
		s.refuse(w, r, err)
		return
	}
	up := ws.HTTPUpgrader{Timeout: writeTimeout, Protocol: func(p string) bool { return p == protocol }}
	nc, rw, _, err := up.Upgrade(r, w)
	if err != nil { // the upgrader has answered
		if nc != nil {
			nc.Close()
		}
		s.release(from)
		return
	}
	nc.SetDeadline(time.Time{}) // an error shows at the first read
	first, _ := rw.Reader.Peek(rw.Reader.Buffered())
	c := &conn{s: s, parser: wire.Parser{Limit: s.cfg.FrameSize}, from: from}
	c.start(nc, first, newTalk)
}

// start gives the connection its line, of which first has been read already,
// its talk and its first runner. Others (the poller, a line's goroutine, the
// wheel, whoever newTalk tells) see the connection only when all that they use
// is set.
func (c *conn) start(nc net.Conn, first []byte, newTalk func(*conn) talk) {
	c.turn.Store(running)
	c.heard.Store(int64(time.Since(born)))
	l, ok := c.s.poller.socket(c, nc)
	if !ok {
		l = newStream(nc, c.aside, c.out.kill)
	}
	c.use(l, first)
	c.talk = newTalk(c)
	if err := l.open(nc); err != nil { // the system watches no more sockets
		c.use(newStream(nc, c.aside, c.out.kill), first)
		c.line.open(nc)
	}
	c.s.wheel.add(c)
	if c.s.away.Err() != nil { // closeConns may have missed it
		c.goAway()
	}
	go c.run()
}

// use has the connection read from l, behind first, and write to it.
func (c *conn) use(l line, first []byte) {
	c.line = l
	c.in.init(l, first)
	c.out.init(l, c.cutOff)
	c.out.whole = nil
	if !l.waits() {
		c.out.whole = wire.WholeFrames
	}
}

// aside calls f on a goroutine that closeConns waits for; a panic there ends the
// connection.
func (c *conn) aside(f func()) {
	c.s.conns.Go(func() {
		defer c.s.contain(c.cut)
		f()
	})
}

// wake has a runner look at the connection, now or once more.
func (c *conn) wake() {
	for {
		switch c.turn.Load() {
		case parked:
			if c.turn.CompareAndSwap(parked, running) {
				go c.run()
				return
			}
		case running:
			if c.turn.CompareAndSwap(running, poked) {
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
		case c.turn.CompareAndSwap(running, parked):
			return
		default:
			c.turn.Store(running) // it was poked
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
	return c.sayGoodbye(err)
}

// guarded hears what comes, but a panic ends this connection and nothing else.
func (c *conn) guarded(ctx context.Context) (err error) {
	if c.unlessPanic(func() { err = c.hearing(ctx) }) {
		return err
	}
	return &wire.CloseError{Code: wire.CloseInternal, Reason: "our fault"}
}

// unlessPanic calls f and reports whether it returned.
func (c *conn) unlessPanic(f func()) (returned bool) {
	defer func() {
		if cause := recover(); cause != nil {
			c.s.panicked(cause)
		}
	}()
	f()
	return true
}

// hearing begins, if that has not been done, and carries out what comes until
// nothing more does.
func (c *conn) hearing(ctx context.Context) error {
	if !c.begun {
		c.begun = true
		if err := c.talk.begin(ctx); err != nil {
			return err
		}
	}
	for {
		if err := c.hearAll(ctx); err != nil {
			return err
		}
		c.out.flush()
		if c.ending() {
			return nil
		}
		if err := c.in.more(c.parser.MaxFrame()); err != nil {
			return err
		}
		c.heard.Store(int64(time.Since(born)))
	}
}

// ending reports whether somebody else has decided that the connection ends.
func (c *conn) ending() bool { return c.away.Load() || c.over.Load() }

// hearAll handles the messages that are whole in what has been read.
func (c *conn) hearAll(ctx context.Context) error {
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
			c.talk.hear(ctx, m)
		case wire.OpPing:
			c.out.answer(func(dst []byte) []byte { return wire.AppendControl(dst, wire.OpPong, m.Data) })
		case wire.OpClose:
			return &wire.CloseError{Code: wire.CodeIn(m.Data)}
		}
		c.in.used(n)
	}
	return nil
}

// born is when the program began. How long ago something was is counted from
// there, since the time of day may be set.
var born = time.Now()

// look is called by the wheel: it pings a silent client and ends one that has
// been silent for too long.
func (c *conn) look(now time.Time, idle time.Duration) {
	defer c.s.contain(c.cut)
	silent := now.Sub(born) - time.Duration(c.heard.Load())
	switch {
	case silent >= idle:
		c.dismiss(wire.CloseIdle, "nothing came from you")
	case silent >= idle/looks/2: // at the last look it was answered, a moment after it was asked
		c.out.answer(func(dst []byte) []byte { return wire.AppendControl(dst, wire.OpPing, nil) })
		c.out.flush()
	}
}

// goAway has the connection read nothing more, answer what it has accepted,
// and end with 1001.
func (c *conn) goAway() {
	c.away.Store(true)
	c.line.wake(c)
}

// cutOff is called by each room that will not serve this connection any more.
func (c *conn) cutOff(code chat.Code) {
	dismissed := false
	if code == chat.Stalled {
		dismissed = c.dismiss(wire.CloseStalled, "stalled")
	} else {
		dismissed = c.dismiss(wire.CloseInternal, "our fault")
	}
	if dismissed {
		c.s.counted(code)
	}
}

// dismiss ends the connection, without waiting for it, unless its end has been
// decided already. It may be called by anybody.
func (c *conn) dismiss(code wire.CloseCode, reason string) bool {
	if !c.lastWord(code, reason) {
		return false
	}
	c.line.wake(c)
	return true
}

// lastWord puts a close frame behind what waits and gives the client
// lingerTime to take it and to answer, unless that has been done already.
func (c *conn) lastWord(code wire.CloseCode, reason string) bool {
	if c.over.Swap(true) {
		return false
	}
	c.out.seal(func(dst []byte) []byte { return wire.AppendClose(dst, code, reason) })
	time.AfterFunc(lingerTime, c.cut) // finds nothing to do, most often
	return true
}

// sayGoodbye ends what has ended by err, or by what somebody else has decided.
// If it returns nil, the rest is up to the client, which is given a moment, as
// a socket that is closed with unread bytes takes back what it has sent.
func (c *conn) sayGoodbye(err error) error {
	if c.away.Load() {
		err = &wire.CloseError{Code: wire.CloseGoingAway, Reason: "the server is going down"}
	}
	if e, ok := errors.AsType[*wire.CloseError](err); ok {
		c.out.awaitAnswers()
		c.lastWord(e.Code, e.Reason)
	}
	if !c.over.Load() {
		return errEnded // it broke
	}
	c.out.awaitEmpty()
	return c.line.shut()
}

// linger drops what still comes.
func (c *conn) linger() error {
	for {
		c.in.used(len(c.in.unused()))
		if err := c.in.more(inBuffer); err != nil {
			return err
		}
	}
}

// finish is called by the last runner, last.
func (c *conn) finish() {
	c.out.kill()
	c.unlessPanic(c.talk.end)
	c.s.wheel.remove(c)
	c.in.giveBack()
	c.line.close()
	c.turn.Store(finished)
	c.s.release(c.from)
}

// cut ends the connection at once. Its runner learns of it.
func (c *conn) cut() {
	c.out.kill()
	c.line.cut()
	c.line.wake(c)
}

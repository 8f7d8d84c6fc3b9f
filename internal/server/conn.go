package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gobwas/ws"

	"parley/internal/chat"
	"parley/internal/wire"
)

// A conn is one WebSocket connection: a goroutine that reads, and an outlet.
// What the frames mean is its talk's business.
type conn struct {
	s      *Server
	nc     net.Conn
	in     *intake
	out    *outlet
	parser wire.Parser
	talk   talk
	from   netip.Addr // the client's address

	heard atomic.Int64 // when bytes came last, in Unix nanoseconds
	away  atomic.Bool  // the server is going down: nothing more is read
	over  atomic.Bool  // it has been dismissed

	bucket int  // guarded by the wheel
	acked  bool // guarded by the ackQueue
}

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

// upgrade makes a WebSocket of a request, and serves it on a goroutine of its
// own, so that the HTTP server's can go.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, protocol string, newTalk func(*conn) talk) {
	if !s.shakesHands(w, r) {
		return
	}
	if err := s.originAllowed(r); err != nil {
		s.refuse(w, r, err)
		return
	}
	release, err := s.hold(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	up := ws.HTTPUpgrader{Timeout: writeTimeout, Protocol: func(p string) bool { return p == protocol }}
	nc, rw, _, err := up.Upgrade(r, w)
	if err != nil { // the upgrader has answered
		if nc != nil {
			nc.Close()
		}
		release()
		return
	}
	nc.SetDeadline(time.Time{}) // an error shows at the first read
	first, _ := rw.Reader.Peek(rw.Reader.Buffered())
	c := s.newConn(nc, first)
	c.from = s.address(r)
	c.talk = newTalk(c)
	// The request's context ends with its handler; its values are not needed.
	go func() {
		defer release()
		c.serve(context.Background())
	}()
}

func (s *Server) newConn(nc net.Conn, first []byte) *conn {
	c := &conn{s: s, nc: nc, parser: wire.Parser{Limit: s.cfg.FrameSize}}
	var p egress
	var raw syscall.RawConn
	if sock, ok := plainSocket(nc); ok {
		p, raw = sock, sock.raw
	} else {
		p = newPipe()
	}
	c.in = newIntake(nc, raw, first)
	c.out = newOutlet(p, &s.conns, c.cutOff)
	c.out.whole = wire.WholeFrames
	c.heard.Store(time.Now().UnixNano())
	return c
}

// serve reads until the connection ends.
func (c *conn) serve(ctx context.Context) {
	c.s.wheel.add(c)
	defer c.s.wheel.remove(c)
	defer c.cut()
	if p, ok := c.out.port.(*pipe); ok {
		c.s.conns.Go(func() {
			p.run(func(b []byte) error { _, err := c.nc.Write(b); return err })
			c.out.kill()
		})
	}
	if c.s.away.Err() != nil { // closeConns may have missed it
		c.goAway()
	}
	defer c.talk.end()
	err := c.guarded(ctx)
	if c.away.Load() {
		err = &wire.CloseError{Code: wire.CloseGoingAway, Reason: "the server is going down"}
	}
	if e, ok := errors.AsType[*wire.CloseError](err); ok {
		c.out.awaitAnswers()
		c.sayGoodbye(e.Code, e.Reason)
	}
}

// guarded is read, but a panic ends this connection and nothing else.
func (c *conn) guarded(ctx context.Context) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			c.s.counted(chat.Internal)
			c.s.logger.LogAttrs(ctx, slog.LevelError, "connection panicked",
				slog.Any("err", cause), slog.String("stack", string(debug.Stack())))
			err = &wire.CloseError{Code: wire.CloseInternal, Reason: "our fault"}
		}
	}()
	if err := c.talk.begin(ctx); err != nil {
		return err
	}
	for {
		if err := c.hearAll(ctx); err != nil {
			return err
		}
		c.out.flush()
		if c.away.Load() {
			return nil
		}
		if err := c.in.more(c.parser.MaxFrame()); err != nil {
			return err
		}
		c.heard.Store(time.Now().UnixNano())
	}
}

// hearAll handles the messages that are whole in what has been read.
func (c *conn) hearAll(ctx context.Context) error {
	for !c.away.Load() {
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

// look is called by the wheel: it pings a silent client and ends one that has
// been silent for too long.
func (c *conn) look(now time.Time, idle time.Duration) {
	silent := now.Sub(time.Unix(0, c.heard.Load()))
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
	c.nc.SetReadDeadline(time.Now()) // wakes its reader; a dead connection is awake
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

// dismiss ends the connection from outside its own goroutine, without waiting
// for it, unless that has been done already.
func (c *conn) dismiss(code wire.CloseCode, reason string) bool {
	if c.over.Swap(true) || !c.s.enter() {
		return false // it, or everybody, is being dismissed
	}
	go func() {
		defer c.s.conns.Done()
		c.sayGoodbye(code, reason)
		c.cut()
	}()
	return true
}

// sayGoodbye sends a close frame behind what waits and gives the client
// lingerTime to take it and to answer, as a socket that is closed with unread
// bytes takes back what it has sent.
func (c *conn) sayGoodbye(code wire.CloseCode, reason string) {
	timer := time.AfterFunc(lingerTime, c.cut)
	defer timer.Stop()
	c.out.seal(func(dst []byte) []byte { return wire.AppendClose(dst, code, reason) })
	c.out.awaitEmpty()
	if p, ok := c.out.port.(*pipe); ok {
		p.wait() // an error ends it too
	}
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.nc.SetReadDeadline(time.Now().Add(lingerTime))
	var rest [512]byte
	for {
		if n, err := c.nc.Read(rest[:]); err != nil || n == 0 {
			return
		}
	}
}

// cut ends the connection at once.
func (c *conn) cut() {
	c.out.kill()
	if p, ok := c.out.port.(*pipe); ok {
		p.end()
	}
	if t, ok := c.nc.(*tls.Conn); ok {
		t.NetConn().Close() // a TLS goodbye would wait for a full socket
		return
	}
	c.nc.Close() // whoever reads or writes it learns of it there
}

package link

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits of the handshakes that are under way. When all slots are taken, the next
// connection ends the oldest handshake once that has lasted for handshakePatience.
// So clients that never finish take a limited amount of memory and do not keep
// others out.
const (
	maxHandshakes     = 1024
	handshakePatience = time.Second

	handshakeIdle = time.Second // how long a goroutine waits for its next handshake
)

// A TLSListener accepts connections and returns them when their TLS handshake is
// done. It makes the handshakes on goroutines of its own.
type TLSListener struct {
	net.Listener
	links   *Links
	config  *tls.Config
	timeout time.Duration // of a handshake; 0: no limit

	next   chan net.Conn // to goroutines that have made a handshake and wait for another
	done   chan accepted
	slots  chan struct{} // holds one element for each handshake that is under way
	closed chan struct{}
	close  func() error
	wg     sync.WaitGroup // waits for run and the handshakes

	mu       sync.Mutex
	underWay list.List // of pendingHandshake, the oldest first
}

// accepted is a result of Accept.
type accepted struct {
	conn net.Conn
	err  error
}

type pendingHandshake struct {
	conn  net.Conn
	began time.Time
}

// listenTLS is ListenTLS with at most so many handshakes under way at a time.
func (l *Links) listenTLS(ln net.Listener, config *tls.Config, handshakes int) *TLSListener {
	config = config.Clone()
	for _, protocol := range []string{"h2", "http/1.1"} {
		if !slices.Contains(config.NextProtos, protocol) {
			config.NextProtos = append(config.NextProtos, protocol)
		}
	}
	tl := &TLSListener{
		Listener: ln, links: l, config: config, timeout: l.cfg.HandshakeTimeout,
		next: make(chan net.Conn), done: make(chan accepted),
		slots: make(chan struct{}, handshakes), closed: make(chan struct{}),
	}
	tl.close = sync.OnceValue(func() error {
		close(tl.closed)
		err := ln.Close()
		tl.cutAll()
		return err
	})
	tl.wg.Go(tl.run)
	return tl
}

// ListenTLS returns a listener that makes TLS handshakes with the connections of
// ln. HTTP/2 and HTTP/1.1 can be spoken on them.
func (l *Links) ListenTLS(ln net.Listener, config *tls.Config) *TLSListener {
	return l.listenTLS(ln, config, maxHandshakes)
}

// Config returns a copy of the configuration of the handshakes.
func (l *TLSListener) Config() *tls.Config { return l.config.Clone() }

// Wait waits for the listener's goroutines, after Close.
func (l *TLSListener) Wait() { l.wg.Wait() }

// Accept returns the next connection whose handshake is done, or an error of the
// listener below.
func (l *TLSListener) Accept() (net.Conn, error) {
	select {
	case a := <-l.done:
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close closes the listener below and ends the handshakes that are under way.
func (l *TLSListener) Close() error { return l.close() }

// run accepts connections until Close.
func (l *TLSListener) run() {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			if !l.deliver(accepted{err: err}) {
				return
			}
			continue
		}
		if !l.awaitSlot() {
			conn.Close()
			return
		}
		select {
		case l.next <- conn:
		default:
			l.wg.Go(func() { l.work(conn) })
		}
	}
}

// work makes the handshake with conn, and then others as long as they come soon:
// the stack of a new goroutine would have to grow for each.
func (l *TLSListener) work(conn net.Conn) {
	idle := time.NewTimer(handshakeIdle)
	defer idle.Stop()
	for {
		l.handle(conn)
		idle.Reset(handshakeIdle)
		select {
		case conn = <-l.next:
		case <-idle.C:
			return
		case <-l.closed:
			return
		}
	}
}

// handle makes one handshake and frees its slot.
func (l *TLSListener) handle(conn net.Conn) {
	defer func() { <-l.slots }()
	defer l.links.recoverConn(func() { conn.Close() })
	l.shakeHands(conn)
}

// deliver waits until Accept returns a. It returns false if the listener has been
// closed.
func (l *TLSListener) deliver(a accepted) bool {
	select {
	case l.done <- a:
		return true
	case <-l.closed:
		return false
	}
}

// awaitSlot waits for a free slot and takes it. It ends old handshakes to free one.
// It returns false if the listener has been closed.
func (l *TLSListener) awaitSlot() bool {
	for {
		select {
		case l.slots <- struct{}{}:
			return true
		default:
		}
		wait := time.NewTimer(l.untilOldestMayEnd())
		select {
		case l.slots <- struct{}{}:
			wait.Stop()
			return true
		case <-l.closed:
			wait.Stop()
			return false
		case <-wait.C:
			l.endOldest()
		}
	}
}

func (l *TLSListener) untilOldestMayEnd() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	oldest := l.underWay.Front()
	if oldest == nil { // connections that wait for Accept hold all slots
		return handshakePatience
	}
	return handshakePatience - time.Since(oldest.Value.(pendingHandshake).began)
}

// endOldest ends the oldest handshake if it has lasted for handshakePatience. The
// goroutine of that handshake frees its slot.
func (l *TLSListener) endOldest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	oldest := l.underWay.Front()
	if oldest == nil {
		return
	}
	if h := oldest.Value.(pendingHandshake); time.Since(h.began) >= handshakePatience {
		h.conn.Close()
		l.underWay.Remove(oldest)
	}
}

func (l *TLSListener) cutAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := l.underWay.Front(); e != nil; e = e.Next() {
		e.Value.(pendingHandshake).conn.Close()
	}
}

// shakeHands makes a handshake and delivers the connection.
func (l *TLSListener) shakeHands(conn net.Conn) {
	began := time.Now()
	l.mu.Lock()
	e := l.underWay.PushBack(pendingHandshake{conn, began})
	l.mu.Unlock()
	select {
	case <-l.closed: // cutAll may have missed it
		conn.Close()
	default:
	}
	if l.timeout > 0 {
		conn.SetDeadline(began.Add(l.timeout)) // an error shows in the handshake
	}
	t := tls.Server(&rawConn{Conn: conn}, l.config)
	err := t.Handshake()
	l.mu.Lock()
	l.underWay.Remove(e)
	l.mu.Unlock()
	if err != nil {
		l.failed(conn, err)
		return
	}
	conn.SetDeadline(time.Time{})
	if !l.deliver(accepted{conn: t}) {
		conn.Close()
	}
}

// failed closes a connection whose handshake failed. A client that speaks HTTP
// without TLS gets an answer that says so.
func (l *TLSListener) failed(conn net.Conn, err error) {
	defer conn.Close()
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && e.Conn != nil && speaksHTTP(e.RecordHeader) {
		io.WriteString(conn, "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n"+
			"This address speaks HTTPS: begin it with https://\n")
	}
	l.links.cfg.Logger.LogAttrs(context.Background(), slog.LevelDebug, "TLS handshake failed", slog.Any("err", err))
}

// speaksHTTP reports whether the client has sent an HTTP request instead of a TLS
// record.
func speaksHTTP(header [5]byte) bool {
	return slices.ContainsFunc([]string{"GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO"},
		func(method string) bool { return strings.HasPrefix(string(header[:]), method) })
}

// A rawConn is the connection that crypto/tls reads and writes: the TCP connection,
// which waits, until a poller watches its descriptor, and then the tlsTransport.
type rawConn struct {
	net.Conn
	polled io.ReadWriter // the tlsTransport; nil before. Set while nothing reads or writes
}

func (r *rawConn) Read(p []byte) (int, error) {
	if r.polled != nil {
		return r.polled.Read(p)
	}
	return r.Conn.Read(p)
}

func (r *rawConn) Write(p []byte) (int, error) {
	if r.polled != nil {
		return r.polled.Write(p)
	}
	return r.Conn.Write(p)
}

// SetDeadline and its halves do nothing once a poller watches the connection: then
// no call waits.
func (r *rawConn) SetDeadline(t time.Time) error {
	if r.polled != nil {
		return nil
	}
	return r.Conn.SetDeadline(t)
}

func (r *rawConn) SetReadDeadline(t time.Time) error {
	if r.polled != nil {
		return nil
	}
	return r.Conn.SetReadDeadline(t)
}

func (r *rawConn) SetWriteDeadline(t time.Time) error {
	if r.polled != nil {
		return nil
	}
	return r.Conn.SetWriteDeadline(t)
}

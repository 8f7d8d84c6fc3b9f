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

// Bounds of the handshakes that are under way. When all places are taken, one
// that has lasted for handshakePatience is ended for the next that comes, so that
// clients who never finish cost a bounded amount of memory and keep nobody out.
const (
	maxHandshakes     = 1024
	handshakePatience = time.Second

	handshakeIdle = time.Second // how long a goroutine waits for another handshake
)

// A tlsListener returns connections whose TLS handshake is done. It does the
// handshakes on goroutines of its own.
type TLSListener struct {
	net.Listener
	links   *Links
	config  *tls.Config
	timeout time.Duration // of a handshake; 0: none

	next   chan net.Conn // to goroutines that have done a handshake and wait for another
	done   chan accepted
	slots  chan struct{} // holds one for each handshake under way
	closed chan struct{}
	close  func() error
	wg     sync.WaitGroup // run and the handshakes

	mu       sync.Mutex
	underWay list.List // of halfDone, the oldest first
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

type pendingHandshake struct {
	conn  net.Conn
	began time.Time
}

// listenTLS returns ln with TLS, on which HTTP/2 and HTTP/1.1 can be spoken. At most
// so many handshakes are under way at a time.
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

// ListenTLS returns ln with TLS, on which HTTP/2 and HTTP/1.1 can be spoken.
func (l *Links) ListenTLS(ln net.Listener, config *tls.Config) *TLSListener {
	return l.listenTLS(ln, config, maxHandshakes)
}

// Config returns a copy of the configuration of the handshakes.
func (l *TLSListener) Config() *tls.Config { return l.config.Clone() }

// Wait waits for the listener's goroutines, after Close.
func (l *TLSListener) Wait() { l.wg.Wait() }

// Accept returns the next connection whose handshake is done. An error is one of
// the listener beneath.
func (l *TLSListener) Accept() (net.Conn, error) {
	select {
	case a := <-l.done:
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the handshakes that are under way, too.
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

// work does the handshake with conn, and then others for as long as they come soon:
// a new goroutine's stack would have to grow for each.
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

// handle does one handshake and gives its place up.
func (l *TLSListener) handle(conn net.Conn) {
	defer func() { <-l.slots }()
	defer l.links.recoverConn(func() { conn.Close() })
	l.shakeHands(conn)
}

// deliver has Accept return a; false means that nobody accepts any more.
func (l *TLSListener) deliver(a accepted) bool {
	select {
	case l.done <- a:
		return true
	case <-l.closed:
		return false
	}
}

// awaitPlace waits until there is a place for one more handshake. It ends old
// ones to make one; false means that the listener is closed.
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
	if oldest == nil { // all places are held by connections that are being delivered
		return handshakePatience
	}
	return handshakePatience - time.Since(oldest.Value.(pendingHandshake).began)
}

// endOldest ends the oldest handshake if it has lasted for handshakePatience. Its
// goroutine then gives its place up.
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

// shakeHands does a handshake and delivers the connection.
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

// failed ends a connection whose handshake failed. One that speaks HTTP without
// TLS is told so.
func (l *TLSListener) failed(conn net.Conn, err error) {
	defer conn.Close()
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && e.Conn != nil && speaksHTTP(e.RecordHeader) {
		io.WriteString(conn, "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nThis address speaks HTTPS: begin it with https://\n")
	}
	l.links.cfg.Logger.LogAttrs(context.Background(), slog.LevelDebug, "TLS handshake failed", slog.Any("err", err))
}

// speaksHTTP reports whether what came instead of a TLS record is a request.
func speaksHTTP(header [5]byte) bool {
	return slices.ContainsFunc([]string{"GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO"},
		func(method string) bool { return strings.HasPrefix(string(header[:]), method) })
}

// A rawConn is what lies beneath a TLS connection: a TCP connection that waits,
// and, once a poller watches its descriptor, what reads and writes that.
type rawConn struct {
	net.Conn
	polled io.ReadWriter // nil until then; set while nobody reads or writes
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

// SetDeadline and its halves do nothing once nobody waits.
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

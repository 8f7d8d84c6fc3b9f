package torture

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"parley/internal/netns"
)

// A proxy stands between clients and a server, or several. Its address stays while servers behind it
// come and go, and it can degrade connections. Its buffers are small, so that a slow connection is
// soon full.
type proxy struct {
	machine   *netns.Machine // on which it runs; nil: this one
	ln        net.Listener
	wg        sync.WaitGroup
	newFilter func() func([]byte) []byte // changes the bytes of one direction; nil: they pass as they are
	tls       *tls.Config                // of both connections, so that newFilter sees what is said; nil: as they are

	mu        sync.Mutex
	upstreams []string // the servers' addresses, the next one first
	blocked   direction
	links     map[*proxyConn]bool
}

// A direction is that of bytes through a proxy, or both.
type direction int

const (
	toServer direction = 1 << iota
	toClient
)

const proxyBuffer = 4 << 10 // bytes in each socket buffer of the proxy

// A proxyConn is one connection through the proxy.
type proxyConn struct {
	client, server net.Conn
	done           chan struct{} // closed by end
	ended          sync.Once

	mu     sync.Mutex
	stuck  direction     // in which nothing passes
	thawed chan struct{} // closed when that changes
	delay  time.Duration // before each chunk
	rate   int           // bytes per second; 0: no limit
	cutIn  int           // bytes from the server until the connection is cut; -1: never
}

// newProxy returns a proxy on the loopback interface of a machine.
func newProxy(m *netns.Machine) (*proxy, error) {
	p := &proxy{machine: m, links: map[*proxyConn]bool{}}
	return p, m.Do(func() (err error) {
		p.ln, err = net.Listen("tcp", "127.0.0.1:0")
		return err
	})
}

func (p *proxy) url() string { return "http://" + p.ln.Addr().String() }

func (p *proxy) address() string { return p.ln.Addr().String() }

// forwardTo directs later connections to servers, in turn; to none without addresses.
func (p *proxy) forwardTo(addresses ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstreams = addresses
}

// next returns the address for a new connection, "" if there is none, and in which direction nothing passes.
func (p *proxy) next() (string, direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.upstreams) == 0 {
		return "", p.blocked
	}
	address := p.upstreams[0]
	p.upstreams = append(p.upstreams[1:len(p.upstreams):len(p.upstreams)], address)
	return address, p.blocked
}

// block lets nothing pass in a direction, on present and later connections, as a network does that
// is cut: nobody is told.
func (p *proxy) block(d direction) {
	p.mu.Lock()
	p.blocked = d
	p.mu.Unlock()
	for _, l := range p.some(nil, -1) {
		l.block(d)
	}
}

// run accepts until ctx ends, and returns when no connection is left.
func (p *proxy) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		p.ln.Close() // connections that were not accepted lose nothing
		for _, l := range p.some(nil, -1) {
			l.end()
		}
	})
	defer stop()
	for {
		c, err := p.ln.Accept()
		if err != nil {
			break
		}
		p.wg.Go(func() { p.serve(ctx, c) })
	}
	p.wg.Wait()
}

func (p *proxy) serve(ctx context.Context, client net.Conn) {
	defer client.Close()
	upstream, blocked := p.next()
	if upstream == "" {
		return
	}
	server, err := p.dial(ctx, upstream)
	if err != nil {
		return // the client notices
	}
	l := &proxyConn{
		client: client, server: server, done: make(chan struct{}), stuck: blocked, thawed: make(chan struct{}),
		cutIn: -1,
	}
	_ = client.(*net.TCPConn).SetWriteBuffer(proxyBuffer) // larger ones would only hide more
	_ = server.(*net.TCPConn).SetReadBuffer(proxyBuffer)
	if p.tls != nil {
		l.client, l.server = tls.Server(client, p.tls), tls.Client(server, p.tls)
	}
	p.mu.Lock()
	p.links[l] = true
	p.mu.Unlock()
	if ctx.Err() != nil {
		l.end()
	}
	var pumps sync.WaitGroup
	pumps.Go(func() { l.pump(l.server, l.client, toServer, p.filter()) })
	pumps.Go(func() { l.pump(l.client, l.server, toClient, p.filter()) })
	pumps.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// dialLimit is how long to try to connect to another machine. Its packets may be lost, so later is soon enough for the
// next try.
const dialLimit = 2 * time.Second

// dial connects to a server.
func (p *proxy) dial(ctx context.Context, address string) (c net.Conn, err error) {
	dialer := net.Dialer{Timeout: waitLimit, Control: smallSegments}
	if p.machine != nil {
		dialer.Timeout = dialLimit
	}
	err = p.machine.Do(func() error {
		c, err = dialer.DialContext(ctx, "tcp", address)
		return err
	})
	return c, err
}

// filter returns what changes the bytes of one direction of a new connection.
func (p *proxy) filter() func([]byte) []byte {
	if p.newFilter == nil {
		return func(b []byte) []byte { return b }
	}
	return p.newFilter()
}

// some returns a share of the present connections, chosen by rnd; all of them if share is negative.
func (p *proxy) some(rnd *rand.Rand, share float64) []*proxyConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	var chosen []*proxyConn
	for l := range p.links {
		if share < 0 || rnd.Float64() < share {
			chosen = append(chosen, l)
		}
	}
	return chosen
}

func (l *proxyConn) end() {
	l.ended.Do(func() {
		close(l.done)
		l.client.Close()
		l.server.Close()
	})
}

// degrade changes how the connection behaves from now on.
func (l *proxyConn) degrade(change func(*proxyConn)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

// freeze keeps the connection open and passes nothing on until it ends.
func (l *proxyConn) freeze() { l.block(toServer | toClient) }

// block lets nothing pass in a direction; with 0 everything passes again, also what waits.
func (l *proxyConn) block(d direction) {
	l.degrade(func(l *proxyConn) {
		l.stuck = d
		close(l.thawed)
		l.thawed = make(chan struct{})
	})
}

// pump copies in one direction, with the present degradation.
func (l *proxyConn) pump(dst, src net.Conn, d direction, filter func([]byte) []byte) {
	defer l.end()
	buf := make([]byte, proxyBuffer)
	for {
		n, err := src.Read(buf)
		if !l.pass(dst, filter(buf[:n]), d) || err != nil {
			return
		}
	}
}

func (l *proxyConn) pass(dst io.Writer, chunk []byte, d direction) bool {
	for len(chunk) > 0 {
		l.mu.Lock()
		stuck, thawed, delay, n, cut := l.stuck&d != 0, l.thawed, l.delay, len(chunk), false
		if stuck {
			l.mu.Unlock()
			select {
			case <-thawed:
				continue
			case <-l.done:
				return false
			}
		}
		if l.rate > 0 {
			n = min(n, max(1, l.rate/8))
			delay += time.Duration(n) * time.Second / time.Duration(l.rate)
		}
		if l.cutIn >= 0 && d == toClient {
			n = min(n, l.cutIn)
			l.cutIn -= n
			cut = l.cutIn == 0
		}
		l.mu.Unlock()
		if delay > 0 {
			select {
			case <-time.After(delay):
			case <-l.done:
				return false
			}
		}
		if _, err := dst.Write(chunk[:n]); err != nil || cut {
			return errors.Is(err, io.ErrShortWrite)
		}
		chunk = chunk[n:]
	}
	return true
}

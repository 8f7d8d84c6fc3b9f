package torture

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// A proxy stands between clients and a server. Its address stays while servers behind it come and
// go, and it can degrade connections. Its buffers are small, so that a slow connection is soon
// full.
type proxy struct {
	ln net.Listener
	wg sync.WaitGroup

	mu       sync.Mutex
	upstream string // the server's address; "": none
	links    map[*proxyConn]bool
}

const proxyBuffer = 4 << 10 // bytes in each socket buffer of the proxy

// A proxyConn is one connection through the proxy.
type proxyConn struct {
	client, server net.Conn
	done           chan struct{} // closed by end
	ended          sync.Once

	mu     sync.Mutex
	frozen chan struct{} // nil, or closed at the thaw
	delay  time.Duration // before each chunk
	rate   int           // bytes per second; 0: no limit
	cutIn  int           // bytes from the server until the connection is cut; -1: never
}

func newProxy() (*proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &proxy{ln: ln, links: map[*proxyConn]bool{}}, nil
}

func (p *proxy) url() string { return "http://" + p.ln.Addr().String() }

// forwardTo sets the server to which later connections are forwarded; "" refuses them.
func (p *proxy) forwardTo(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = address
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
	p.mu.Lock()
	upstream := p.upstream
	p.mu.Unlock()
	if upstream == "" {
		return
	}
	dialer := net.Dialer{Timeout: waitLimit, Control: smallSegments}
	server, err := dialer.DialContext(ctx, "tcp", upstream)
	if err != nil {
		return // the client notices
	}
	l := &proxyConn{client: client, server: server, done: make(chan struct{}), cutIn: -1}
	_ = client.(*net.TCPConn).SetWriteBuffer(proxyBuffer) // larger ones would only hide more
	_ = server.(*net.TCPConn).SetReadBuffer(proxyBuffer)
	p.mu.Lock()
	p.links[l] = true
	p.mu.Unlock()
	if ctx.Err() != nil {
		l.end()
	}
	var pumps sync.WaitGroup
	pumps.Go(func() { l.pump(server, client, false) })
	pumps.Go(func() { l.pump(client, server, true) })
	pumps.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
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
func (l *proxyConn) freeze() {
	l.degrade(func(l *proxyConn) { l.frozen = make(chan struct{}) })
}

// pump copies in one direction, with the present degradation.
func (l *proxyConn) pump(dst, src net.Conn, fromClient bool) {
	defer l.end()
	buf := make([]byte, proxyBuffer)
	for {
		n, err := src.Read(buf)
		if !l.pass(dst, buf[:n], fromClient) || err != nil {
			return
		}
	}
}

func (l *proxyConn) pass(dst io.Writer, chunk []byte, fromClient bool) bool {
	for len(chunk) > 0 {
		l.mu.Lock()
		frozen, delay, n, cut := l.frozen, l.delay, len(chunk), false
		if l.rate > 0 {
			n = min(n, max(1, l.rate/8))
			delay += time.Duration(n) * time.Second / time.Duration(l.rate)
		}
		if l.cutIn >= 0 && !fromClient {
			n = min(n, l.cutIn)
			l.cutIn -= n
			cut = l.cutIn == 0
		}
		l.mu.Unlock()
		if frozen != nil {
			select {
			case <-frozen:
			case <-l.done:
				return false
			}
		}
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

//go:build !linux

package bench

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
)

// A socket is a connection with a goroutine that reads it. This is good enough for a few hundred
// members; use Linux to measure thousands.
type socket struct {
	nc      net.Conn
	stalled *atomic.Bool
}

func newSocket(_ context.Context, nc net.Conn) (socket, error) {
	return socket{nc, new(atomic.Bool)}, nil
}

func (s socket) write(_ context.Context, p []byte) error {
	_, err := s.nc.Write(p)
	return err
}

func (s socket) close() { s.nc.Close() }

// beneathTLS returns nc: goroutines need nothing else below TLS.
func beneathTLS(nc net.Conn) net.Conn { return nc }

type poller struct{ wg sync.WaitGroup }

func (p *poller) open() error { return nil }

func (p *poller) wake() {}

func (p *poller) close() { p.wg.Wait() }

// add starts o's goroutine, which ends when its socket is closed.
func (p *poller) add(l *loop, o *conn) error {
	p.wg.Go(func() {
		buf := make([]byte, 64<<10)
		for !o.sock.stalled.Load() {
			n, err := o.sock.nc.Read(buf)
			if err != nil {
				l.conns.fail(fmt.Errorf("member %d reads: %w", o.who, err))
				return
			}
			l.mu.Lock()
			b := slices.Concat(o.rest, buf[:n])
			l.arrived(o, b, n)
			l.mu.Unlock()
		}
	})
	return nil
}

func (p *poller) remove(o *conn) error {
	o.sock.stalled.Store(true)
	return nil
}

// readHeld does nothing: a goroutine reads everything.
func (l *loop) readHeld(*conn) {}

func (l *loop) run() { <-l.conns.ctx.Done() }

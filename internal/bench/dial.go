package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

const (
	dialers      = 64   // connections opened at once
	perAddress   = 2000 // connections from one source address, which has some 28,000 ports
	slowReceives = 4096 // bytes of a stalling member's receive buffer
	dialTimeout  = 30 * time.Second
)

// gather connects members and waits until each is in its room.
func (s *testbed) gather(ctx context.Context, members []member) (*connections, error) {
	c, err := newConnections(ctx, s.peer.protocol, len(members))
	if err != nil {
		return nil, err
	}
	joining := 0
	for _, m := range members {
		if m.room != "" {
			joining++
		}
	}
	if err = s.dialAll(c, members); err == nil {
		err = c.joins.await(c.ctx, int64(joining))
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (s *testbed) dialAll(c *connections, members []member) error {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(dialers, len(members)) {
		wg.Go(func() {
			for i := range next {
				if err := s.dial(c, i, members[i]); err != nil {
					c.fail(fmt.Errorf("connection %d of %d: %w", i+1, len(members), err))
				}
			}
		})
	}
	for i := range members {
		if c.ctx.Err() != nil {
			break
		}
		next <- i
		s.progress("%d of %d connected", i, len(members))
	}
	close(next)
	wg.Wait()
	return context.Cause(c.ctx)
}

func (s *testbed) dial(c *connections, index int, m member) error {
	ctx, cancel := context.WithTimeout(c.ctx, dialTimeout)
	defer cancel()
	began := c.since()
	d := ws.Dialer{NetDial: func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: s.source(index)}
		if m.slow {
			d.Control = smallBuffer
		}
		nc, err := d.DialContext(ctx, network, address)
		if s.cfg.tlsFiles != nil && err == nil {
			nc = beneathTLS(nc)
		}
		return nc, err
	}}
	if s.cfg.tlsFiles != nil {
		d.TLSConfig = s.cfg.tlsFiles.config
	}
	nc, br, _, err := d.Dial(ctx, s.cfg.tlsFiles.scheme("ws")+"://"+s.node(index)+s.peer.protocol.path(m.room))
	if err != nil {
		return err
	}
	o, err := c.attach(index, m, nc, leftOver(br), began)
	if err != nil {
		return err
	}
	return o.write(s.peer.protocol.greet(nil, m))
}

// source returns the source address of a connection: 127.0.0.1, 127.0.0.2, …, so that there are
// enough ports. Only Linux has more than the first.
func (s *testbed) source(index int) net.Addr {
	host, _, err := net.SplitHostPort(s.address)
	if err != nil || runtime.GOOS != "linux" || host != "127.0.0.1" {
		return nil
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+index/perAddress))}
}

func smallBuffer(_, _ string, raw syscall.RawConn) (err error) {
	if e := raw.Control(func(fd uintptr) { err = setReceiveBuffer(fd, slowReceives) }); e != nil {
		return e
	}
	return err
}

// leftOver returns the bytes that the server sent directly after its handshake.
func leftOver(br *bufio.Reader) []byte {
	if br == nil {
		return nil
	}
	b, _ := br.Peek(br.Buffered()) // they are buffered
	return b
}

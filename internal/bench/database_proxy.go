package bench

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A databaseProxy passes on connections to a database server, and watches what goes over them.
type databaseProxy struct {
	ln    net.Listener
	watch func() (asked, answered func([]byte))
	wg    sync.WaitGroup
}

// newDatabaseProxy starts a proxy. It calls watch for each connection, and what watch returns with the bytes of the
// client and of the server before it passes them on. Both may be called at once.
func newDatabaseProxy(upstream string, watch func() (asked, answered func([]byte))) (*databaseProxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &databaseProxy{ln: ln, watch: watch}
	p.wg.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(client, upstream) })
		}
	})
	return p, nil
}

// serve passes on the bytes of one connection until one side closes it.
func (p *databaseProxy) serve(client net.Conn, upstream string) {
	defer client.Close()
	server, err := net.Dial("tcp", upstream)
	if err != nil {
		return // the client notices
	}
	defer server.Close()
	asked, answered := p.watch()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer client.Close()
		copyEach(client, server, answered)
	}()
	copyEach(server, client, asked)
	server.Close()
	<-done
}

// copyEach copies until an end or an error, and calls seen with what it has read before it passes that on.
func copyEach(dst io.Writer, src io.Reader, seen func([]byte)) {
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			seen(buf[:n])
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// address returns where the proxy listens.
func (p *databaseProxy) address() string { return p.ln.Addr().String() }

// close ends the proxy when its connections have ended.
func (p *databaseProxy) close() {
	p.ln.Close()
	p.wg.Wait()
}

// A commitClock is a proxy before a database server that notes when the server answers what had greeting in it: then a
// message has been committed, and nobody knows yet.
type commitClock struct {
	*databaseProxy
	latest atomic.Pointer[time.Time]
}

func newCommitClock(upstream string) (c *commitClock, err error) {
	c = &commitClock{}
	c.databaseProxy, err = newDatabaseProxy(upstream, func() (asked, answered func([]byte)) {
		var stores atomic.Bool
		asked = func(p []byte) {
			if bytes.Contains(p, []byte(greeting)) {
				stores.Store(true)
			}
		}
		return asked, func([]byte) {
			if stores.Swap(false) {
				now := time.Now()
				c.latest.Store(&now)
			}
		}
	})
	return c, err
}

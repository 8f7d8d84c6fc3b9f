package client

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/coder/websocket"
)

// run reads one connection after another until the client ends.
func (c *Client) run(cn *conn) {
	for cn != nil {
		err := c.use(cn)
		if websocket.CloseStatus(err) == codeSignedOut {
			c.signedOut()
		}
		c.lost(cn)
		c.failedAt(cn.at)
		delay := c.backoff(0)
		if within, ok := retryWithin(err); ok {
			delay = rand.N(min(within, c.opts.MaxBackoff) + 1)
		}
		cn = c.reconnect(closeReason(err), delay)
	}
}

// use reads a connection until it ends, and returns the error that ended it.
func (c *Client) use(cn *conn) error {
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	c.wg.Go(func() { cn.keepAlive(ctx) })
	c.wg.Go(func() { c.watch(ctx, cn) })
	c.rejoin(cn)
	return cn.read(ctx, c.receive)
}

// lost removes cn as c's connection, and then ends the calls that wait on it: their
// retries must not find it any more.
func (c *Client) lost(cn *conn) {
	c.mu.Lock()
	c.conn = nil
	c.notify()
	c.mu.Unlock()
	cn.fail()
}

// reconnect returns the next connection, for which it begins to try after delay. It
// returns nil if the client has ended or all servers have refused it for good.
func (c *Client) reconnect(err error, delay time.Duration) *conn {
	for attempt := 1; ; attempt++ {
		if c.ended() {
			return nil
		}
		c.logger.LogAttrs(c.ctx, slog.LevelInfo, "connection lost", slog.Any("err", err), slog.Duration("took", delay))
		c.queue.offer(Disconnected{Err: err, Retry: delay})
		if sleep(c.ctx, delay) != nil {
			return nil
		}
		var cn *conn
		if cn, err = c.connectAny(c.ctx, ""); err == nil {
			return cn
		}
		if !isTemporary(err) && c.ctx.Err() == nil {
			c.fail(err)
			return nil
		}
		delay = max(c.backoff(attempt), retryAfter(err))
	}
}

// backoff returns the wait before an attempt. It doubles with each, and half of it
// is random, so that the clients of a restarted server do not all return at once.
func (c *Client) backoff(attempt int) time.Duration {
	d := min(c.opts.MinBackoff<<min(attempt, 16), c.opts.MaxBackoff)
	return d/2 + rand.N(d/2+1)
}

// connect opens a connection and says hello: as the same person, under a new name
// if name is set, or as a new guest if the server does not know the session. A server
// that does not answer holds up those at the other addresses.
func (c *Client) connect(ctx context.Context, at *address, name string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, max(minConnectTimeout, connectTimeout/time.Duration(len(c.addresses))))
	defer cancel()
	cn, err := c.dialConn(ctx, at)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	session, known := c.session, c.person.Name
	c.mu.Unlock()
	if session == "" {
		name = known
	}
	f, err := cn.hello(ctx, name, session)
	if codeOf(err) == BadSession && known != "" {
		f, err = cn.hello(ctx, known, "")
	}
	if err != nil {
		cn.ws.CloseNow()
		return nil, err
	}
	c.setConn(cn, f)
	return cn, nil
}

// setConn makes cn the connection that commands are sent on.
func (c *Client) setConn(cn *conn, hello frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.person, c.epoch, c.limits = hello.Person, hello.Epoch, hello.Limits
	if hello.Session != "" {
		c.session = hello.Session
	}
	cn.person = c.person.ID
	c.conn, c.at, cn.at.url = cn, cn.at, cn.base
	c.queue.offer(Connected{Person: c.person})
	c.notify()
}

// fail ends the client with the server's error.
func (c *Client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end == nil {
		c.end = err
	}
	c.notify()
	c.queue.end(err)
}

// signedOut forgets the session and ends the client. A caller that receives
// ErrSessionEnded finds no session any more.
func (c *Client) signedOut() {
	c.mu.Lock()
	c.session = ""
	c.mu.Unlock()
	c.fail(ErrSessionEnded)
}

func (c *Client) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end != nil
}

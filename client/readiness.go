package client

import (
	"context"
	"net/http"
	"time"
)

// A server that cannot store may refuse messages or leave them unanswered while others of
// the same rooms can store them. After so long, a client looks whether there is one.
const (
	movePatience    = 2 * time.Second // if the client knows several addresses
	balancePatience = 4 * time.Second // if it knows one, which may be a balancer's: that has noticed by then
	readyTimeout    = 2 * time.Second // of one question
)

// patience returns how long a message may stay unstored before the client looks for
// another server.
func (c *Client) patience() time.Duration {
	if len(c.addresses) > 1 {
		return movePatience
	}
	return balancePatience
}

// moveOn ends a connection if a server at another address, or at the only one, says that
// it is ready for new clients. The client then goes on there.
func (c *Client) moveOn(ctx context.Context, cn *conn) (moved bool) {
	for _, a := range c.inTurn() {
		if (a != cn.at || len(c.addresses) == 1) && c.isReady(ctx, a) {
			cn.ws.CloseNow()
			return true
		}
	}
	return false
}

// isReady reports what GET /readyz says.
func (c *Client) isReady(ctx context.Context, a *address) bool {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.urlOf(a).JoinPath("readyz").String(), nil)
	if err != nil {
		return false
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// watch ends a connection whose server leaves a command unanswered while another one is
// ready. It returns when the connection has ended.
func (c *Client) watch(ctx context.Context, cn *conn) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-cn.done:
			return
		}
		if cn.unansweredFor() >= c.patience() && c.moveOn(ctx, cn) {
			return
		}
	}
}

// unansweredFor returns how long the oldest command has been waiting for its answer; 0 if
// none is.
func (cn *conn) unansweredFor() (longest time.Duration) {
	cn.mu.Lock()
	defer cn.mu.Unlock()
	for _, waiting := range cn.calls {
		longest = max(longest, time.Since(waiting.since))
	}
	return longest
}

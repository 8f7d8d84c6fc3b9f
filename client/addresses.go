package client

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// An address is where a server is. Client.mu guards it.
type address struct {
	url    *url.URL  // http or https, without a path; after a redirect to HTTPS, there
	failed time.Time // when a connection or an attempt to connect failed last; zero: never
}

func newAddresses(rawURLs []string) ([]*address, error) {
	var all []*address
	for _, raw := range rawURLs {
		u, err := baseURL(raw)
		if err != nil {
			return nil, err
		}
		all = append(all, &address{url: u})
	}
	return all, nil
}

func baseURL(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("address of a server: %w", err)
	}
	scheme, ok := map[string]string{"http": "http", "ws": "http", "https": "https", "wss": "https"}[u.Scheme]
	if !ok || u.Host == "" {
		return nil, fmt.Errorf("%q is no address of a server, such as https://chat.example.org", rawURL)
	}
	return &url.URL{Scheme: scheme, Host: u.Host}, nil
}

// server returns where the client is connected, or was last.
func (c *Client) server() *url.URL {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at.url
}

func (c *Client) urlOf(a *address) *url.URL {
	c.mu.Lock()
	defer c.mu.Unlock()
	return a.url
}

// failedAt notes that a connection to a, or an attempt, has failed.
func (c *Client) failedAt(a *address) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.failed = time.Now()
}

// inTurn returns the addresses in the order in which to try them: first those that never
// failed, then those that failed the longest ago.
func (c *Client) inTurn() []*address {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Clone(c.addresses)
	slices.SortStableFunc(all, func(a, b *address) int { return a.failed.Compare(b.failed) })
	return all
}

// connectAny tries each address once, and returns the first connection. If there is
// none, its error is the first one that may pass, or else the last one.
func (c *Client) connectAny(ctx context.Context, name string) (cn *conn, err error) {
	for _, a := range c.inTurn() {
		cn, failed := c.connect(ctx, a, name)
		if failed == nil {
			return cn, nil
		}
		c.failedAt(a)
		if err == nil || !isTemporary(err) {
			err = fmt.Errorf("connect to %s: %w", c.urlOf(a).Host, failed)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// Package client talks to a Parley server: it joins rooms, sends messages and
// delivers what happens, over connections that come and go. Start reading at
// Dial.
//
// It keeps the protocol's promises on its side. A message is sent with the same
// nonce until it is answered, so that it is stored once. Each room is read with
// a cursor, so that every message is delivered once and in order, whether it
// comes live, after a reconnect, or page by page after a long absence or for a
// consumer that lags.
//
// It knows the protocol as docs/protocol.md describes it, and nothing of how
// the server is made.
package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Options say who speaks and how. The zero value of a field means its default.
type Options struct {
	// Name is the display name of a new guest or, beside Session, the person's
	// new name.
	Name string
	// Session is what Client.Session returned in an earlier life: its owner
	// comes back. If the server does not know it and Name is given, a new guest does.
	Session string

	HTTPClient  *http.Client  // for everything; default: http.DefaultClient
	IdleTimeout time.Duration // without a word for so long a connection is taken for lost; default 90 s
	MinBackoff  time.Duration // before the first attempt to reconnect; default 250 ms
	MaxBackoff  time.Duration // between attempts; default 20 s
	Logger      *slog.Logger  // default: discard
}

// A Person is somebody who talks. Two people may have the same name; the ID
// tells them apart.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Limits are the server's; 0 is none.
type Limits struct {
	MessageLength int `json:"message_length"` // characters of a message
	FrameSize     int `json:"frame_size"`     // bytes of a frame
	Rooms         int `json:"rooms"`          // rooms of a connection
}

// ErrClosed is what calls return after Close.
var ErrClosed = errors.New("the client is closed")

// ErrSessionEnded is what calls return once somebody has signed this client's
// session out. The client does not come back with it: dial anew, with a name.
var ErrSessionEnded = &Error{Code: SessionEnded, Message: "This session has been signed out."}

// errLost says that a connection ended before an answer came.
var errLost = errors.New("the connection was lost")

// errOutcomeUnknown says that nobody can find out any more whether a message was stored.
var errOutcomeUnknown = &Error{
	Code:    BadSession,
	Message: "The server has forgotten who sent this; whether it was stored is not known.",
}

// A Client is one person's connection to a server, renewed whenever it breaks.
// Its methods may be called from several goroutines.
type Client struct {
	opts   Options
	http   *http.Client
	logger *slog.Logger
	queue  *queue

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	base    *url.URL      // http or https, without a path
	end     error         // why there will be no further connection; nil while there may be
	conn    *conn         // nil while there is none
	changed chan struct{} // closed and replaced when conn or end changes
	person  Person
	session string
	epoch   string
	limits  Limits
	rooms   map[string]*room  // joined, by the server's name for them
	aliases map[string]string // the name that Join was given to the server's
}

// Dial connects to the server at rawURL (http, https, ws or wss; its path does
// not matter) and says hello. ctx is for this alone: afterwards the client lives,
// and reconnects, until Close. An error that is the server's word is an *Error.
func Dial(ctx context.Context, rawURL string, o Options) (*Client, error) {
	base, err := baseURL(rawURL)
	if err != nil {
		return nil, err
	}
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 90*time.Second)
	o.MinBackoff = cmp.Or(o.MinBackoff, 250*time.Millisecond)
	o.MaxBackoff = max(cmp.Or(o.MaxBackoff, 20*time.Second), o.MinBackoff)
	c := &Client{
		opts:    o,
		base:    base,
		http:    cmp.Or(o.HTTPClient, http.DefaultClient),
		logger:  cmp.Or(o.Logger, slog.New(slog.DiscardHandler)),
		queue:   newQueue(),
		changed: make(chan struct{}),
		session: o.Session,
		person:  Person{Name: o.Name},
		rooms:   map[string]*room{},
		aliases: map[string]string{},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	conn, err := c.connect(ctx, o.Name)
	if err != nil {
		c.cancel()
		return nil, fmt.Errorf("connect to %s: %w", base.Host, err)
	}
	c.wg.Go(func() { c.run(conn) })
	return c, nil
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

// Close says goodbye. It returns when nothing of the client runs any more.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.end == nil {
		c.end = ErrClosed
	}
	conn := c.conn
	c.notify()
	c.mu.Unlock()
	if conn != nil {
		conn.closeNormally()
	}
	c.cancel()
	c.wg.Wait()
	c.queue.end(ErrClosed)
	return nil
}

// Person returns who the server says this is.
func (c *Client) Person() Person {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.person
}

// Session returns the secret to come back with as the same person.
func (c *Client) Session() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

func (c *Client) server() *url.URL {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base
}

// Limits returns what the server allows.
func (c *Client) Limits() Limits {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.limits
}

// notify wakes whoever waits for another state. The caller holds c.mu.
func (c *Client) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// current returns the connection; nil if there is none.
func (c *Client) current() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// connection waits until there is one, or there never will be again.
func (c *Client) connection(ctx context.Context) (*conn, error) {
	for {
		c.mu.Lock()
		conn, end, changed := c.conn, c.end, c.changed
		c.mu.Unlock()
		switch {
		case end != nil:
			return nil, end
		case conn != nil:
			return conn, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// do sends a command until it is answered: on one connection after another,
// and again when the server says that waiting helps. answered is called on the
// goroutine that reads, before anything that came after the answer is looked at.
func (c *Client) do(ctx context.Context, cmd command, answered func(frame)) (frame, error) {
	var by string // who sent it so far
	for attempt := 0; ; {
		conn, err := c.connection(ctx)
		if err != nil {
			return frame{}, err
		}
		if by != "" && by != conn.person && cmd.Nonce != "" {
			return frame{}, errOutcomeUnknown // a nonce holds for one person: this could be a second message
		}
		by = conn.person
		f, err := conn.call(ctx, cmd, answered)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, errLost):
			attempt = 0 // it is the reconnecting that backs off
		case isTemporary(err):
			if err := c.pause(ctx, conn, max(retryAfter(err), c.backoff(attempt))); err != nil {
				return frame{}, err
			}
			attempt++
		default:
			return frame{}, err
		}
	}
}

// pause waits as long as a server asked for, but no longer than until there is
// another connection than conn: that may be to a server which has been restarted,
// and what its predecessor said no longer holds.
func (c *Client) pause(ctx context.Context, conn *conn, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		c.mu.Lock()
		now, end, changed := c.conn, c.end, c.changed
		c.mu.Unlock()
		if end != nil || now != nil && now != conn {
			return nil
		}
		select {
		case <-changed:
		case <-t.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Package client talks to a Parley server: it joins rooms, sends messages and
// delivers events, and it reconnects by itself. Start reading at Dial.
//
// It sends a message with the same nonce until it is answered, so that the
// message is stored once. It reads each room with a cursor, so that every message
// is delivered once and in order: live, after a reconnect, or page by page after
// a long absence or for a slow consumer.
//
// It knows the protocol as docs/protocol.md describes it, and nothing about the
// server's code.
package client

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Options configure a Client. The zero value of a field means its default.
type Options struct {
	// Name is the display name of a new guest or, beside Session, the person's
	// new name.
	Name string
	// Session is what Session returned for an earlier Client; this one is then the
	// same person. If the server does not know the session and Name is set, the
	// client becomes a new guest.
	Session string

	// More are further addresses of the same rooms, such as the nodes of a cluster.
	// When a connection ends, or a server does not answer or cannot store for some
	// seconds, the client goes on at another one: first at those that never failed, in
	// the order given, then at the one that failed the longest ago.
	More []string

	HTTPClient  *http.Client  // for all requests; default: http.DefaultClient
	IdleTimeout time.Duration // a connection that is silent for this long is closed; default 90 s
	MinBackoff  time.Duration // before the first attempt to reconnect; default 250 ms
	MaxBackoff  time.Duration // between attempts; default 20 s
	Logger      *slog.Logger  // default: discard
}

// A Person is the author of events. Two people may have the same name; the ID
// tells them apart.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Limits are what the server allows; 0 means no limit.
type Limits struct {
	MessageLength int `json:"message_length"` // characters of a message
	FrameSize     int `json:"frame_size"`     // bytes of a frame
	Rooms         int `json:"rooms"`          // rooms of a connection
}

// ErrClosed is the error of calls after Close.
var ErrClosed = errors.New("the client is closed")

// ErrSessionEnded is the error of calls after this client's session was signed
// out. The client does not reconnect; call Dial again, with a name.
var ErrSessionEnded = &Error{Code: SessionEnded, Message: "This session has been signed out."}

// errLost means that the connection ended before the answer came.
var errLost = errors.New("the connection was lost")

// errStopping means that the server ended the connection because it stops.
var errStopping = &Error{Code: Stopping, Message: "The server is going down."}

// errOutcomeUnknown means that the message may or may not be stored: the server
// has lost the session that could tell.
var errOutcomeUnknown = &Error{
	Code:    BadSession,
	Message: "The server has forgotten who sent this; whether it was stored is not known.",
}

// A Client is one person's connection to a server. It reconnects when the
// connection breaks. Its methods may be called from several goroutines.
type Client struct {
	opts   Options
	http   *http.Client
	logger *slog.Logger
	queue  *queue

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu        sync.Mutex
	addresses []*address // at least one
	at        *address   // where conn is, or was last

	end     error         // set: there will be no further connection
	conn    *conn         // nil while there is none
	changed chan struct{} // closed and replaced when conn or end changes
	person  Person
	session string
	epoch   string
	limits  Limits
	rooms   map[string]*room  // joined, by the server's name for them
	aliases map[string]string // names that Join was called with, to the server's form
}

// Dial connects to the server at rawURL (http, https, ws or wss; its path is
// ignored), or to the first of Options.More that answers, and says hello. ctx limits
// only this call: the client then runs, and reconnects, until Close. If the server
// refuses, the error is an *Error.
func Dial(ctx context.Context, rawURL string, o Options) (*Client, error) {
	addresses, err := newAddresses(append([]string{rawURL}, o.More...))
	if err != nil {
		return nil, err
	}
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 90*time.Second)
	o.MinBackoff = cmp.Or(o.MinBackoff, 250*time.Millisecond)
	o.MaxBackoff = max(cmp.Or(o.MaxBackoff, 20*time.Second), o.MinBackoff)
	c := &Client{
		opts:      o,
		addresses: addresses,
		at:        addresses[0],
		http:      cmp.Or(o.HTTPClient, http.DefaultClient),
		logger:    cmp.Or(o.Logger, slog.New(slog.DiscardHandler)),
		queue:     newQueue(),
		changed:   make(chan struct{}),
		session:   o.Session,
		person:    Person{Name: o.Name},
		rooms:     map[string]*room{},
		aliases:   map[string]string{},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	conn, err := c.connectAny(ctx, o.Name)
	if err != nil {
		c.cancel()
		return nil, err
	}
	c.wg.Go(func() { c.run(conn) })
	return c, nil
}

// Close closes the connection and waits for all goroutines of the client.
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

// Person returns this client's person, as the server knows them.
func (c *Client) Person() Person {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.person
}

// Session returns the secret with which a later Client is the same person.
func (c *Client) Session() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// Limits returns what the server allows.
func (c *Client) Limits() Limits {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.limits
}

// notify wakes the goroutines that wait for conn or end to change. The caller
// holds c.mu.
func (c *Client) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// current returns the connection, or nil while there is none.
func (c *Client) current() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// connection returns the connection, after waiting for one if there is none. It
// fails when ctx or the client ends.
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

// do sends a command until it is answered: again on each new connection, and
// again after a temporary error. The reading goroutine calls answered before it
// handles the frames after the answer.
func (c *Client) do(ctx context.Context, cmd command, answered func(frame)) (frame, error) {
	var by string             // the id of the person who sent it last
	var unavailable time.Time // since when the server says so; zero if it does not
	for attempt := 0; ; {
		conn, err := c.connection(ctx)
		if err != nil {
			return frame{}, err
		}
		if by != "" && by != conn.person && cmd.Nonce != "" {
			return frame{}, errOutcomeUnknown // a nonce belongs to one person: sending again could store it twice
		}
		by = conn.person
		f, err := conn.call(ctx, cmd, answered)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, errLost):
			attempt = 0 // reconnect has its own back-off
		case isTemporary(err):
			if codeOf(err) != Unavailable {
				unavailable = time.Time{}
			} else if unavailable.IsZero() {
				unavailable = time.Now()
			} else if time.Since(unavailable) >= c.patience() && c.moveOn(ctx, conn) {
				unavailable = time.Time{}
			}
			if err := c.pause(ctx, conn, max(retryAfter(err), c.backoff(attempt))); err != nil {
				return frame{}, err
			}
			attempt++
		default:
			return frame{}, err
		}
	}
}

// pause waits for d, which the server asked for, or until there is another
// connection than conn: the server may have been restarted then, and the time that
// it asked for before no longer counts.
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

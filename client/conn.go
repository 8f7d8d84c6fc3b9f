package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	connectTimeout    = 20 * time.Second // of all addresses together
	minConnectTimeout = 5 * time.Second  // of one of several
	writeTimeout      = 15 * time.Second
	readLimit         = 4 << 20 // bytes of a frame: the longest are rendered messages and lists of people
	protocolName      = "parley.v1"
)

// A command is what a client sends; empty fields are left out.
type command struct {
	Op      string `json:"op"`
	ID      int64  `json:"id"`
	Name    string `json:"name,omitempty"`
	Session string `json:"session,omitempty"`
	Room    string `json:"room,omitempty"`
	After   *int64 `json:"after,omitempty"`
	Epoch   string `json:"epoch,omitempty"`
	At      string `json:"at,omitempty"` // when the event After was stored
	Text    string `json:"text,omitempty"`
	Seq     int64  `json:"seq,omitempty"`
	Emoji   string `json:"emoji,omitempty"`

	SendOptions // of a send; the nonce also of other commands
}

// A frame is anything that the server sends; its fields depend on Op.
type frame struct {
	Op string `json:"op"`
	ID int64  `json:"id"`

	Code         Code   `json:"code"`
	Refusal      string `json:"message"` // a sentence for people
	RetryAfterMS int64  `json:"retry_after_ms"`

	Person  Person `json:"person"`
	Session string `json:"session"`
	Epoch   string `json:"epoch"`
	Reset   bool   `json:"reset"`
	Limits  Limits `json:"limits"`

	Message           // the fields that events have in common with messages
	Kind     string   `json:"kind"`
	Target   int64    `json:"target"`
	Emoji    string   `json:"emoji"`
	Mentions mentions `json:"mentions"` // instead of those of Message

	Count  int     `json:"count"`
	Joined *Person `json:"joined"`
	Left   *Person `json:"left"`

	Read   int64 `json:"read"`
	Unread int   `json:"unread"`

	Here []Person `json:"here"`
}

// mentions are the people that an event names or, in other frames, how many
// messages name this person.
type mentions struct {
	people []Person
	count  int
}

// UnmarshalJSON never fails, as a later protocol may have another type here.
func (m *mentions) UnmarshalJSON(b []byte) error {
	for _, into := range []any{&m.people, &m.count} {
		if json.Unmarshal(b, into) == nil {
			return nil
		}
	}
	*m = mentions{}
	return nil
}

func (f frame) err() error {
	if f.Op != "error" {
		return nil
	}
	return &Error{Code: f.Code, Message: f.Refusal, RetryAfter: time.Duration(f.RetryAfterMS) * time.Millisecond}
}

// A conn is one WebSocket connection. The goroutine in read hands answers to the
// calls that wait for them.
type conn struct {
	ws     *websocket.Conn
	at     *address
	base   *url.URL // of at; after a redirect to HTTPS, there
	idle   time.Duration
	person string        // the id of its person; set by setConn
	done   chan struct{} // closed by fail

	mu     sync.Mutex
	lastID int64
	calls  map[int64]call
}

// A call is a command that waits for its answer.
type call struct {
	since    time.Time
	answered func(frame) // may be nil
	answer   chan frame  // holds one
}

// dialConn opens a connection. If the server refuses, the error is an *Error.
func (c *Client) dialConn(ctx context.Context, at *address) (*conn, error) {
	base := c.urlOf(at)
	ws, resp, err := websocket.Dial(ctx, base.JoinPath("ws").String(), &websocket.DialOptions{
		HTTPClient:   c.http,
		Subprotocols: []string{protocolName},
	})
	if err != nil {
		if resp != nil && resp.StatusCode >= 400 {
			return nil, problem(resp)
		}
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the caller's message has the URL already
		}
		return nil, err
	}
	ws.SetReadLimit(readLimit)
	if u := resp.Request.URL; u.Scheme == "https" && u.Hostname() == base.Hostname() {
		base = &url.URL{Scheme: u.Scheme, Host: u.Host}
	}
	return &conn{
		ws: ws, at: at, base: base, idle: c.opts.IdleTimeout, done: make(chan struct{}), calls: map[int64]call{},
	}, nil
}

// hello sends the first command and reads its answer. It is called before read.
func (cn *conn) hello(ctx context.Context, name, session string) (frame, error) {
	cn.lastID++
	id := cn.lastID
	if err := cn.write(ctx, command{Op: "hello", ID: id, Name: name, Session: session}); err != nil {
		return frame{}, fmt.Errorf("hello: %w", err)
	}
	for {
		f, err := cn.readFrame(ctx)
		if err != nil {
			return frame{}, fmt.Errorf("answer to hello: %w", err)
		}
		if f.ID == id {
			return f, f.err()
		}
	}
}

// call sends a command and waits for its answer. The error is the server's *Error,
// errLost if the connection ended before the answer came, or ctx's error. With the
// last two the server may have carried out the command.
func (cn *conn) call(ctx context.Context, cmd command, answered func(frame)) (frame, error) {
	waiting := call{since: time.Now(), answered: answered, answer: make(chan frame, 1)}
	cn.mu.Lock()
	cn.lastID++
	cmd.ID = cn.lastID
	cn.calls[cmd.ID] = waiting
	cn.mu.Unlock()
	// Not the caller's context: if it ended in the middle of a frame, the connection
	// would end for all calls.
	wctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	err := cn.write(wctx, cmd)
	cancel()
	if err != nil {
		cn.ws.CloseNow() // then read returns, and fail is called
	}
	select {
	case f := <-waiting.answer:
		return f, f.err()
	case <-cn.done:
		select {
		case f := <-waiting.answer:
			return f, f.err()
		default:
			return frame{}, errLost
		}
	case <-ctx.Done():
		return frame{}, ctx.Err()
	}
}

func (cn *conn) write(ctx context.Context, cmd command) error {
	b, err := json.Marshal(cmd)
	if err != nil {
		return err
	}
	return cn.ws.Write(ctx, websocket.MessageText, b)
}

func (cn *conn) readFrame(ctx context.Context) (frame, error) {
	for {
		_, b, err := cn.ws.Read(ctx)
		if err != nil {
			return frame{}, err
		}
		var f frame
		if json.Unmarshal(b, &f) == nil {
			return f, nil
		} // else a later protocol has another type here: skip the frame
	}
}

// read reads frames until the connection ends. It hands answers to their calls and
// passes everything else to receive.
func (cn *conn) read(ctx context.Context, receive func(frame)) error {
	for {
		f, err := cn.readFrame(ctx)
		if err != nil {
			return err
		}
		switch f.Op {
		case "ok", "behind", "error":
			cn.answer(f)
		default:
			receive(f)
		}
	}
}

func (cn *conn) answer(f frame) {
	cn.mu.Lock()
	waiting, ok := cn.calls[f.ID]
	delete(cn.calls, f.ID)
	cn.mu.Unlock()
	if !ok {
		return
	}
	if waiting.answered != nil && f.Op != "error" {
		waiting.answered(f)
	}
	waiting.answer <- f
}

// keepAlive pings the server, and closes the connection if no pong comes within
// the idle time-out.
func (cn *conn) keepAlive(ctx context.Context) {
	tick := time.NewTicker(cn.idle / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-cn.done:
			return
		}
		pctx, cancel := context.WithTimeout(ctx, cn.idle*2/3)
		err := cn.ws.Ping(pctx)
		cancel()
		if err != nil {
			cn.ws.CloseNow()
			return
		}
	}
}

// fail ends all waiting calls with errLost. It is called once.
func (cn *conn) fail() {
	close(cn.done)
	cn.ws.CloseNow()
}

// closeNormally sends a close frame and closes the connection, whether or not
// the server answers.
func (cn *conn) closeNormally() { _ = cn.ws.Close(websocket.StatusNormalClosure, "") }

// retryWithin returns within which time a server that stops asks its clients to come
// back. It returns false if err is not the end of a connection that says so.
func retryWithin(err error) (time.Duration, bool) {
	e, ok := errors.AsType[websocket.CloseError](err)
	var says struct {
		RetryWithinMS *int64 `json:"retry_within_ms"`
	}
	if !ok || json.Unmarshal([]byte(e.Reason), &says) != nil || says.RetryWithinMS == nil {
		return 0, false
	}
	return time.Duration(max(0, *says.RetryWithinMS)) * time.Millisecond, true
}

// codeSignedOut is the close code of a connection whose session has been ended.
const codeSignedOut = 4001

// closeReason returns the error of a connection that ended, for logs and people: a
// close frame's reason, if there was one.
func closeReason(err error) error {
	if _, ok := retryWithin(err); ok {
		return errStopping
	}
	if e, ok := errors.AsType[websocket.CloseError](err); ok {
		if e.Reason != "" {
			return fmt.Errorf("the server closed the connection: %s (%d)", e.Reason, int(e.Code))
		}
		return fmt.Errorf("the server closed the connection (%d)", int(e.Code))
	}
	return err
}

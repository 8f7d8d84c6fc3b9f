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
	connectTimeout = 20 * time.Second
	writeTimeout   = 15 * time.Second
	readLimit      = 4 << 20 // bytes of a frame from the server: a long message, formatted, or who is here
	protocolName   = "parley.v1"
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
	At      string `json:"at,omitempty"` // of the event After
	Nonce   string `json:"nonce,omitempty"`
	Text    string `json:"text,omitempty"`
	Seq     int64  `json:"seq,omitempty"`
	Emoji   string `json:"emoji,omitempty"`
	ReplyTo int64  `json:"reply_to,omitempty"`
	Thread  int64  `json:"thread,omitempty"`
	Echo    bool   `json:"echo,omitempty"`
}

// A frame is anything that the server sends; Op says which fields it has.
type frame struct {
	Op string `json:"op"`
	ID int64  `json:"id"`

	Code         Code   `json:"code"`
	Message      string `json:"message"`
	RetryAfterMS int64  `json:"retry_after_ms"`

	Person  Person `json:"person"`
	Session string `json:"session"`
	Epoch   string `json:"epoch"`
	Reset   bool   `json:"reset"`
	Limits  Limits `json:"limits"`

	Room    string    `json:"room"`
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	From    Person    `json:"from"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
	Gone    bool      `json:"gone"`
	Target  int64     `json:"target"`
	Emoji   string    `json:"emoji"`
	Thread  int64     `json:"thread"`
	ReplyTo int64     `json:"reply_to"`
	Quote   *Quote    `json:"quote"`
	Action  bool      `json:"action"`
	Forward *Forward  `json:"forward"`

	Count  int     `json:"count"`
	Joined *Person `json:"joined"`
	Left   *Person `json:"left"`

	Read   int64 `json:"read"`
	Unread int   `json:"unread"`

	Here     []Person `json:"here"`
	AtHere   bool     `json:"at_here"`
	Mentions mentions `json:"mentions"`
}

// Mentions are whom an event names or, in other frames, how often one is named.
type mentions struct {
	people []Person
	count  int
}

// UnmarshalJSON takes what it can: a later protocol may have something else here.
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
	return &Error{Code: f.Code, Message: f.Message, RetryAfter: time.Duration(f.RetryAfterMS) * time.Millisecond}
}

// A conn is one WebSocket connection. Its commands are answered by the
// goroutine in read.
type conn struct {
	ws     *websocket.Conn
	base   *url.URL // where the server is; after a redirect to HTTPS, there
	idle   time.Duration
	person string        // the id of whose connection it is; set by adopt
	done   chan struct{} // closed by fail

	mu     sync.Mutex
	lastID int64
	calls  map[int64]call
}

// A call waits for its one answer.
type call struct {
	answered func(frame) // may be nil
	answer   chan frame  // holds one
}

// dialConn opens a connection; an error that is the server's word is an *Error.
func (c *Client) dialConn(ctx context.Context) (*conn, error) {
	base := c.server()
	ws, resp, err := websocket.Dial(ctx, base.JoinPath("ws").String(), &websocket.DialOptions{
		HTTPClient:   c.http,
		Subprotocols: []string{protocolName},
	})
	if err != nil {
		if resp != nil && resp.StatusCode >= 400 {
			return nil, problem(resp)
		}
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the rest of the sentence says where
		}
		return nil, err
	}
	ws.SetReadLimit(readLimit)
	if u := resp.Request.URL; u.Scheme == "https" && u.Hostname() == base.Hostname() {
		base = &url.URL{Scheme: u.Scheme, Host: u.Host}
	}
	return &conn{ws: ws, base: base, idle: c.opts.IdleTimeout, done: make(chan struct{}), calls: map[int64]call{}}, nil
}

// hello says who this is, before read has begun.
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

// call sends a command and waits for its answer. What it returns is the
// server's *Error, errLost when no answer will come, or ctx's error: then the
// command may still be carried out.
func (cn *conn) call(ctx context.Context, cmd command, answered func(frame)) (frame, error) {
	waiting := call{answered: answered, answer: make(chan frame, 1)}
	cn.mu.Lock()
	cn.lastID++
	cmd.ID = cn.lastID
	cn.calls[cmd.ID] = waiting
	cn.mu.Unlock()
	// Not the caller's context: one that ends in the middle of a frame would
	// end the connection for everybody.
	wctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	err := cn.write(wctx, cmd)
	cancel()
	if err != nil {
		cn.ws.CloseNow() // read finds out, and fail is called
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
		} // else it is something that a later protocol has
	}
}

// read takes what comes until the connection ends: answers for those who wait,
// everything else for receive.
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

// keepAlive pings, so that a connection that is dead without a word is found
// out after the idle time-out at the latest.
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

// fail lets those who wait know that no answer will come. It is called once.
func (cn *conn) fail() {
	close(cn.done)
	cn.ws.CloseNow()
}

func (cn *conn) closeNormally() { _ = cn.ws.Close(websocket.StatusNormalClosure, "") } // it is gone either way

// codeSignedOut is the close code of a connection whose session has been ended.
const codeSignedOut = 4001

// closeReason says in few words why a connection ended.
func closeReason(err error) error {
	if e, ok := errors.AsType[websocket.CloseError](err); ok {
		if e.Reason != "" {
			return fmt.Errorf("the server closed the connection: %s (%d)", e.Reason, int(e.Code))
		}
		return fmt.Errorf("the server closed the connection (%d)", int(e.Code))
	}
	return err
}

package client

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Receipt says where something is stored.
type Receipt struct {
	Seq  int64
	At   time.Time
	Kind string // what it has become: what is sent is a "message", a "reply" in a thread or, with a command at its start, perhaps a "topic"
}

func (f frame) receipt() Receipt { return Receipt{Seq: f.Seq, At: f.At, Kind: f.Kind} }

// SendOptions say more about a message. The zero value is a plain one.
type SendOptions struct {
	ReplyTo int64 // the message that it answers
	Thread  int64 // the message in whose thread it is said, and only there
	Echo    bool  // with Thread: in the room, too

	// Nonce is the caller's to keep: however often the same person sends it to the
	// same room, in this process or a later one, there is one message. Default: a
	// new one.
	Nonce string
}

// Send stores a message in a room, which need not have been joined. It returns
// when the message is on the server's disk, and until then tries again, across
// reconnects and restarts of the server, without ever storing it twice. An
// *Error says that it was not stored; only when ctx ends is that not known:
// SendNonce with the same nonce finds out.
//
// A text that begins with a slash may be a command, such as "/me waves", which
// the server carries out.
func (c *Client) Send(ctx context.Context, room, text string) (Receipt, error) {
	return c.SendWith(ctx, room, text, SendOptions{})
}

// SendNonce is Send with a nonce that the caller keeps.
func (c *Client) SendNonce(ctx context.Context, room, nonce, text string) (Receipt, error) {
	return c.SendWith(ctx, room, text, SendOptions{Nonce: nonce})
}

// SendWith is Send of an answer, or of what is said in a thread.
func (c *Client) SendWith(ctx context.Context, room, text string, o SendOptions) (Receipt, error) {
	cmd := command{Op: "send", Room: room, Nonce: o.Nonce, Text: text, ReplyTo: o.ReplyTo, Thread: o.Thread, Echo: o.Echo}
	if cmd.Nonce == "" {
		var err error
		if cmd.Nonce, err = NewNonce(); err != nil {
			return Receipt{}, err
		}
	}
	f, err := c.do(ctx, cmd, nil)
	if err != nil {
		return Receipt{}, fmt.Errorf("send to %s: %w", room, err)
	}
	f.Kind = cmp.Or(f.Kind, "message")
	return f.receipt(), nil
}

// NewNonce returns a nonce for one message. It begins with the time, so that
// the server's index of them grows at its end.
func NewNonce() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make a nonce: %w", err)
	}
	return id.String(), nil
}

// Typing tells a room that was joined that this person types. Say so at most
// every 3 seconds. Without a connection it does nothing.
func (c *Client) Typing(ctx context.Context, room string) error {
	c.mu.Lock()
	cn, end := c.conn, c.end
	c.mu.Unlock()
	if end != nil {
		return end
	}
	if cn == nil {
		return nil
	}
	if _, err := cn.call(ctx, command{Op: "typing", Room: room}, nil); err != nil && codeOf(err) != "" {
		return fmt.Errorf("typing in %s: %w", room, err)
	}
	return ctx.Err()
}

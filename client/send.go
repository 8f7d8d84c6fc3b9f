package client

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Receipt identifies a stored event.
type Receipt struct {
	Seq  int64
	At   time.Time
	Kind string // of Send: "message", "reply" in a thread or, for a text like "/topic tea", "topic"
}

func (f frame) receipt() Receipt { return Receipt{Seq: f.Seq, At: f.At, Kind: f.Kind} }

// SendOptions are the optional fields of a message. The zero value sends a plain
// message.
type SendOptions struct {
	ReplyTo int64 `json:"reply_to,omitempty"` // the message that it answers
	Thread  int64 `json:"thread,omitempty"`   // the root of the thread in which it is sent, and only there
	Echo    bool  `json:"echo,omitempty"`     // with Thread: in the room, too

	// Nonce identifies the message: however often the same person sends the same
	// nonce to the same room, in this process or a later one, one message is stored.
	// Default: a new one.
	Nonce string `json:"nonce,omitempty"`
}

// Send stores a message in a room, which need not be joined. It returns when the
// message is on the server's disk. Until then it retries, across reconnects and
// restarts of the server, and never stores the message twice. An *Error means that
// it was not stored. If ctx ends, that is not known; SendNonce with the same nonce
// finds out.
//
// A text that begins with a slash may be a command that the server carries out,
// such as "/me waves".
func (c *Client) Send(ctx context.Context, room, text string) (Receipt, error) {
	return c.SendWith(ctx, room, text, SendOptions{})
}

// SendNonce is Send with a nonce that the caller chooses.
func (c *Client) SendNonce(ctx context.Context, room, nonce, text string) (Receipt, error) {
	return c.SendWith(ctx, room, text, SendOptions{Nonce: nonce})
}

// SendWith is Send with options.
func (c *Client) SendWith(ctx context.Context, room, text string, o SendOptions) (Receipt, error) {
	cmd := command{Op: "send", Room: room, Text: text, SendOptions: o}
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

// NewNonce returns a nonce for one message. It begins with the time, so that the
// server's index of nonces grows at its end.
func NewNonce() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make a nonce: %w", err)
	}
	return id.String(), nil
}

// Typing tells the members of a joined room that this person is typing. Call it at
// most every 3 seconds. Without a connection it does nothing.
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

package client

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Receipt says where a message is stored.
type Receipt struct {
	Seq int64
	At  time.Time
}

// Send stores a message in a room, which need not have been joined. It returns
// when the message is on the server's disk, and until then tries again, across
// reconnects and restarts of the server, without ever storing it twice. An
// *Error says that it was not stored; only when ctx ends is that not known:
// SendNonce with the same nonce finds out.
func (c *Client) Send(ctx context.Context, room, text string) (Receipt, error) {
	nonce, err := NewNonce()
	if err != nil {
		return Receipt{}, err
	}
	return c.SendNonce(ctx, room, nonce, text)
}

// SendNonce is Send with a nonce that the caller keeps: however often the same
// person sends it to the same room, in this process or a later one, there is
// one message.
func (c *Client) SendNonce(ctx context.Context, room, nonce, text string) (Receipt, error) {
	f, err := c.do(ctx, command{Op: "send", Room: room, Nonce: nonce, Text: text}, nil)
	if err != nil {
		return Receipt{}, fmt.Errorf("send to %s: %w", room, err)
	}
	return Receipt{Seq: f.Seq, At: f.At}, nil
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

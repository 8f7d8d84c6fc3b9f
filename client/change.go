package client

import (
	"context"
	"fmt"
)

// The methods in this file change a room, which need not be joined. Like Send,
// each retries until it is answered, and the server carries it out once. A change
// that is already in effect is no error and stores nothing.

// Edit replaces the text of a message that this person wrote.
func (c *Client) Edit(ctx context.Context, room string, seq int64, text string) (Receipt, error) {
	return c.change(ctx, command{Op: "edit", Room: room, Seq: seq, Text: text})
}

// Delete deletes a message that this person wrote, with all its versions.
func (c *Client) Delete(ctx context.Context, room string, seq int64) (Receipt, error) {
	return c.change(ctx, command{Op: "delete", Room: room, Seq: seq})
}

// React adds an emoji to a message.
func (c *Client) React(ctx context.Context, room string, seq int64, emoji string) (Receipt, error) {
	return c.change(ctx, command{Op: "react", Room: room, Seq: seq, Emoji: emoji})
}

// Unreact removes this person's emoji from a message.
func (c *Client) Unreact(ctx context.Context, room string, seq int64, emoji string) (Receipt, error) {
	return c.change(ctx, command{Op: "unreact", Room: room, Seq: seq, Emoji: emoji})
}

// Pin adds a message to the room's pins.
func (c *Client) Pin(ctx context.Context, room string, seq int64) (Receipt, error) {
	return c.change(ctx, command{Op: "pin", Room: room, Seq: seq})
}

// Unpin removes a message from the room's pins.
func (c *Client) Unpin(ctx context.Context, room string, seq int64) (Receipt, error) {
	return c.change(ctx, command{Op: "unpin", Room: room, Seq: seq})
}

// SetTopic sets the topic of a room; "" removes it.
func (c *Client) SetTopic(ctx context.Context, room, text string) (Receipt, error) {
	return c.change(ctx, command{Op: "topic", Room: room, Text: text})
}

func (c *Client) change(ctx context.Context, cmd command) (Receipt, error) {
	nonce, err := NewNonce()
	if err != nil {
		return Receipt{}, err
	}
	cmd.Nonce = nonce
	f, err := c.do(ctx, cmd, nil)
	if err != nil {
		return Receipt{}, fmt.Errorf("%s in %s: %w", cmd.Op, cmd.Room, err)
	}
	return f.receipt(), nil
}

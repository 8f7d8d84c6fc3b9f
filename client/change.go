package client

import (
	"context"
	"fmt"
)

// What follows changes what is in a room, which need not have been joined. Like
// Send, each tries until it is answered, and is carried out once however often it
// was tried. To ask for what is so already is no error and changes nothing.

// Edit has one's own message say something else.
func (c *Client) Edit(ctx context.Context, room string, seq int64, text string) (Receipt, error) {
	return c.change(ctx, command{Op: "edit", Room: room, Seq: seq, Text: text})
}

// Delete takes away what one's own message says, and said before.
func (c *Client) Delete(ctx context.Context, room string, seq int64) (Receipt, error) {
	return c.change(ctx, command{Op: "delete", Room: room, Seq: seq})
}

// React puts an emoji on a message.
func (c *Client) React(ctx context.Context, room string, seq int64, emoji string) (Receipt, error) {
	return c.change(ctx, command{Op: "react", Room: room, Seq: seq, Emoji: emoji})
}

// Unreact takes one's emoji back.
func (c *Client) Unreact(ctx context.Context, room string, seq int64, emoji string) (Receipt, error) {
	return c.change(ctx, command{Op: "unreact", Room: room, Seq: seq, Emoji: emoji})
}

// Pin puts a message among the room's pins.
func (c *Client) Pin(ctx context.Context, room string, seq int64) (Receipt, error) {
	return c.change(ctx, command{Op: "pin", Room: room, Seq: seq})
}

// Unpin takes it from there.
func (c *Client) Unpin(ctx context.Context, room string, seq int64) (Receipt, error) {
	return c.change(ctx, command{Op: "unpin", Room: room, Seq: seq})
}

// SetTopic says what a room is about; "" is nothing.
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

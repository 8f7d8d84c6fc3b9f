package client

import (
	"context"
	"fmt"
	"time"
)

// Unread says how far somebody has read a room. Of what is unread at most 100 are
// counted.
type Unread struct {
	Read     int64 `json:"read"`     // the last event that they have read
	Messages int   `json:"unread"`   // of others after that
	Mentions int   `json:"mentions"` // messages after that which name them
}

// A Listed is a room that this person has been in, and what it is to them.
type Listed struct {
	Room  string    `json:"room"`
	Topic string    `json:"topic"` // what it is about; "": nothing
	Seq   int64     `json:"seq"`   // the newest in its log
	At    time.Time `json:"at"`    // of its newest message; zero if there is none
	Unread
	Notify    string `json:"notify"` // "all", "mentions" or "none"
	Muted     bool   `json:"muted"`
	Favourite bool   `json:"favourite"`
}

// Read says that this person has read a room up to seq. That never goes back. It
// returns, once that is safe, what is unread; nothing of a room that nobody wrote
// to.
func (c *Client) Read(ctx context.Context, room string, seq int64) (Unread, error) {
	f, err := c.do(ctx, command{Op: "read", Room: room, Seq: seq}, nil)
	if err != nil {
		return Unread{}, fmt.Errorf("read %s up to %d: %w", room, seq, err)
	}
	return Unread{Read: f.Read, Messages: f.Unread, Mentions: f.Mentions.count}, nil
}

// Rooms returns the rooms that this person has been in, in no order. It tries once.
func (c *Client) Rooms(ctx context.Context) ([]Listed, error) {
	var answer struct {
		Rooms []Listed `json:"rooms"`
	}
	if err := c.get(ctx, "/api/me/rooms", "", nil, &answer); err != nil {
		return nil, fmt.Errorf("one's rooms: %w", err)
	}
	return answer.Rooms, nil
}

package client

import (
	"context"
	"fmt"
	"time"
)

// Unread is the read mark of a person in a room, and how much is unread. The
// counts stop at 100.
type Unread struct {
	Read     int64 `json:"read"`     // seq of the newest event that they have read
	Messages int   `json:"unread"`   // messages of others after that
	Mentions int   `json:"mentions"` // messages after that which mention them
}

// A Listed is an entry of this person's room list: a room that they have been in.
type Listed struct {
	Room  string    `json:"room"`
	Topic string    `json:"topic"` // "" if it has none
	Seq   int64     `json:"seq"`   // of its newest event
	At    time.Time `json:"at"`    // when its newest message was sent; zero if there is none
	Unread
	Notify    string `json:"notify"` // "all", "mentions" or "none"
	Muted     bool   `json:"muted"`
	Favourite bool   `json:"favourite"`
}

// Read moves this person's read mark in a room to seq. It never moves back. Read
// returns, once that is stored, what is unread; a room without events has nothing.
func (c *Client) Read(ctx context.Context, room string, seq int64) (Unread, error) {
	f, err := c.do(ctx, command{Op: "read", Room: room, Seq: seq}, nil)
	if err != nil {
		return Unread{}, fmt.Errorf("read %s up to %d: %w", room, seq, err)
	}
	return Unread{Read: f.Read, Messages: f.Unread, Mentions: f.Mentions.count}, nil
}

// Rooms returns this person's room list, in no particular order. It does not
// retry.
func (c *Client) Rooms(ctx context.Context) ([]Listed, error) {
	var answer struct {
		Rooms []Listed `json:"rooms"`
	}
	if err := c.get(ctx, "/api/me/rooms", "", nil, &answer); err != nil {
		return nil, fmt.Errorf("one's rooms: %w", err)
	}
	return answer.Rooms, nil
}

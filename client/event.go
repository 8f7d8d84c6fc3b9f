package client

import (
	"context"
	"iter"
	"time"
)

// An Event is something that happened: a Message, Presence, Typing, Reset, Left,
// Connected or Disconnected.
type Event interface{ event() }

// A Message was stored. Each comes once, and those of a room in the order of Seq.
type Message struct {
	Room string    `json:"room"`
	Seq  int64     `json:"seq"` // 1, 2, 3 … in the room
	At   time.Time `json:"at"`
	From Person    `json:"from"`
	Text string    `json:"text"`
	HTML string    `json:"html,omitempty"` // Text's formatting, sanitised by the server; "" if it has none
}

// Presence says how the people in a room have changed. In rooms of more than
// 100 people there is only Count.
type Presence struct {
	Room   string
	Count  int
	Joined *Person  // is here now, perhaps under a new name
	Left   *Person  // is gone
	Here   []Person // everybody; after a reconnect, or when a room has become small
}

// Typing says that somebody types; a few seconds later it is no longer true.
type Typing struct {
	Room string
	From Person
}

// A Reset says that a room is no longer the one that was read: the server was
// restored from a back-up. Forget what came before; Seq is its newest message,
// what was up to it is in History, and what follows comes as ever.
type Reset struct {
	Room  string
	Seq   int64
	Epoch string
}

// Left says that a room could not be joined again after a reconnect.
type Left struct {
	Room string
	Err  error
}

// Connected says that there is a connection again. Person is another than
// before if the server has forgotten the session.
type Connected struct {
	Person Person
}

// Disconnected says that there is no connection, and when the next attempt is made.
type Disconnected struct {
	Err   error
	Retry time.Duration
}

func (Message) event()      {}
func (Presence) event()     {}
func (Typing) event()       {}
func (Reset) event()        {}
func (Left) event()         {}
func (Connected) event()    {}
func (Disconnected) event() {}

// Next returns the next event and waits for it if need be. After Close, or when
// the server no longer wants this client, it returns an error.
//
// A consumer may take its time: what does not fit in memory stays on the
// server and is fetched again; of presence and typing it gets less.
func (c *Client) Next(ctx context.Context) (Event, error) { return c.queue.next(ctx) }

// Events returns the events as they come, until ctx or the client ends; the
// last pair then holds the error that Next returned.
func (c *Client) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := c.Next(ctx)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

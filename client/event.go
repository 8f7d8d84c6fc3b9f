package client

import (
	"context"
	"iter"
	"time"
)

// An Event is one thing that happened. A Message, Reply, Edit, Delete, Reaction,
// Pin or Topic is in the room's log: each is delivered once, and those of a room in
// the order of Seq. Presence, Typing, Reset, Left, Connected and Disconnected are
// ephemeral.
type Event interface{ event() }

// A Message is a text that a person wrote in a room. As an event it is as it was
// sent, and later changes are events of their own. On a page of history the
// changes are applied to it.
type Message struct {
	Room string    `json:"room"`
	Seq  int64     `json:"seq"` // its number in the room, among all events of the log
	At   time.Time `json:"at"`
	From Person    `json:"from"`
	Text string    `json:"text"`           // "" once it is deleted
	HTML string    `json:"html,omitempty"` // Text rendered and sanitised by the server; "" if Text is plain
	Gone bool      `json:"gone,omitempty"` // it is deleted

	Action   bool     `json:"action,omitempty"`   // sent with /me: Text is what From does, such as "waves"
	ReplyTo  int64    `json:"reply_to,omitempty"` // the message that it answers
	Quote    *Quote   `json:"quote,omitempty"`    // the beginning of that message; nil if that is deleted
	Thread   int64    `json:"thread,omitempty"`   // the root of its thread
	Forward  *Forward `json:"forward,omitempty"`  // of a copy: the author of the original
	Mentions []Person `json:"mentions,omitempty"` // the people that it names
	AtHere   bool     `json:"at_here,omitempty"`  // it mentions all who were in the room

	// Only on a page of history.
	Edited    *Edited  `json:"edited,omitempty"` // its newest edit
	Reactions []Emoji  `json:"reactions,omitempty"`
	Replies   *Replies `json:"replies,omitempty"` // its thread
	Pinned    bool     `json:"pinned,omitempty"`
}

// A Reply is a message in a thread that the room does not show. One that the room
// shows too is a Message with a Thread.
type Reply struct{ Message }

// A Quote is the beginning of a message that another one answers.
type Quote struct {
	From Person `json:"from"`
	Text string `json:"text"`
}

// A Forward is the author of a message that was copied from another room, and when
// they wrote it.
type Forward struct {
	From Person    `json:"from"`
	At   time.Time `json:"at"`
}

// Edited identifies the newest edit of a message.
type Edited struct {
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"`
}

// An Emoji is one emoji on a message, and the people who reacted with it.
type Emoji struct {
	Emoji  string   `json:"emoji"`
	People []Person `json:"people"` // in the order of their reactions
}

// Replies summarise a thread.
type Replies struct {
	Count int       `json:"count"`
	Seq   int64     `json:"seq"` // of the newest reply
	At    time.Time `json:"at"`
	From  Person    `json:"from"`
}

// An Edit replaces the text of the message Target. Of several edits of one message
// the one with the greatest Seq counts.
type Edit struct {
	Room     string
	Seq      int64
	At       time.Time
	From     Person
	Target   int64
	Text     string // "" if Target was deleted later
	HTML     string
	Gone     bool // Target was deleted later
	Mentions []Person
	AtHere   bool
}

// A Delete removes the text of the message Target in all its versions, its
// reactions and its pin. Drop its text also where other messages quote it.
type Delete struct {
	Room   string
	Seq    int64
	At     time.Time
	From   Person
	Target int64
}

// A Reaction is an emoji that From added to the message Target, or removed.
type Reaction struct {
	Room    string
	Seq     int64
	At      time.Time
	From    Person
	Target  int64
	Emoji   string
	Removed bool // From removed it
}

// A Pin adds the message Target to the room's pins, or removes it.
type Pin struct {
	Room    string
	Seq     int64
	At      time.Time
	From    Person
	Target  int64
	Removed bool // From removed it
}

// A Topic is a new topic of a room; "" means none.
type Topic struct {
	Room string
	Seq  int64
	At   time.Time
	From Person
	Text string
}

// Presence is a change of the people in a room. In rooms of more than 100 people
// it has only Count.
type Presence struct {
	Room   string
	Count  int
	Joined *Person  // joined, or has a new name
	Left   *Person  // left
	Here   []Person // all people; after a reconnect, or when a room has shrunk to 100 people
}

// Typing means that a person is typing. It holds for a few seconds.
type Typing struct {
	Room string
	From Person
}

// A Reset means that a room's log is another one: the server was restored from a
// back-up, or its machine was set back to a snapshot. Drop the events that came
// before. Seq is the newest event of the new log: History has the messages up to
// it, and events after it are delivered as usual.
type Reset struct {
	Room  string
	Seq   int64
	At    time.Time // when Seq was stored; zero if the room has no events
	Epoch string
}

// Left means that a room could not be joined again after a reconnect.
type Left struct {
	Room string
	Err  error
}

// Connected means that there is a connection again. Person is another one than
// before if the server has lost the session.
type Connected struct {
	Person Person
}

// Disconnected means that the connection was lost.
type Disconnected struct {
	Err   error
	Retry time.Duration // until the next attempt
}

func (Message) event()      {}
func (Edit) event()         {}
func (Delete) event()       {}
func (Reaction) event()     {}
func (Pin) event()          {}
func (Topic) event()        {}
func (Presence) event()     {}
func (Typing) event()       {}
func (Reset) event()        {}
func (Left) event()         {}
func (Connected) event()    {}
func (Disconnected) event() {}

// event decodes an event of a room's log. It returns nil if the kind is unknown.
func (f frame) event() Event {
	switch f.Kind {
	case "message":
		return f.message()
	case "reply":
		return Reply{f.message()}
	case "edit":
		return Edit{
			Room: f.Room, Seq: f.Seq, At: f.At, From: f.From, Target: f.Target,
			Text: f.Text, HTML: f.HTML, Gone: f.Gone, Mentions: f.Mentions.people, AtHere: f.AtHere,
		}
	case "delete":
		return Delete{Room: f.Room, Seq: f.Seq, At: f.At, From: f.From, Target: f.Target}
	case "react", "unreact":
		return Reaction{
			Room: f.Room, Seq: f.Seq, At: f.At, From: f.From, Target: f.Target,
			Emoji: f.Emoji, Removed: f.Kind == "unreact",
		}
	case "pin", "unpin":
		return Pin{Room: f.Room, Seq: f.Seq, At: f.At, From: f.From, Target: f.Target, Removed: f.Kind == "unpin"}
	case "topic":
		return Topic{Room: f.Room, Seq: f.Seq, At: f.At, From: f.From, Text: f.Text}
	}
	return nil
}

func (f frame) message() Message {
	m := f.Message
	m.Mentions = f.Mentions.people
	return m
}

// Next returns the next event. It blocks until there is one, and fails after Close
// or when the server has refused this client for good.
//
// A consumer may be slow: events that do not fit in memory are fetched again
// later, but some presence and typing is skipped.
func (c *Client) Next(ctx context.Context) (Event, error) { return c.queue.next(ctx) }

// Events yields events until ctx or the client ends. The last pair holds the error
// of Next.
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

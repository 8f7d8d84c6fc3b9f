package client

import (
	"context"
	"iter"
	"time"
)

// An Event is something that happened. A Message, Reply, Edit, Delete, Reaction,
// Pin or Topic is in the room's log: each comes once, and those of a room in the
// order of Seq. Presence, Typing, Reset, Left, Connected and Disconnected are of
// the moment.
type Event interface{ event() }

// A Message was said in a room. As an event it is as it was said, and what is
// done to it later are events too; on a page of history it is as it stands.
type Message struct {
	Room string    `json:"room"`
	Seq  int64     `json:"seq"` // its number in the room, among all that is in the log
	At   time.Time `json:"at"`
	From Person    `json:"from"`
	Text string    `json:"text"`           // "" once it has been deleted
	HTML string    `json:"html,omitempty"` // Text's formatting, sanitised by the server; "" if it has none
	Gone bool      `json:"gone,omitempty"` // it has been deleted

	Action   bool     `json:"action,omitempty"`   // it is what From does: "waves"
	ReplyTo  int64    `json:"reply_to,omitempty"` // the message that it answers
	Quote    *Quote   `json:"quote,omitempty"`    // what that one says, if it is still there
	Thread   int64    `json:"thread,omitempty"`   // the message in whose thread it was said
	Forward  *Forward `json:"forward,omitempty"`  // who said it first, elsewhere
	Mentions []Person `json:"mentions,omitempty"` // whom it names
	AtHere   bool     `json:"at_here,omitempty"`  // it is for everybody who was here

	// On a page of history alone.
	Edited    *Edited  `json:"edited,omitempty"` // its newest edit
	Reactions []Emoji  `json:"reactions,omitempty"`
	Replies   *Replies `json:"replies,omitempty"` // its thread
	Pinned    bool     `json:"pinned,omitempty"`
}

// A Reply was said in a thread and only there: it is no part of the room's own
// talk. One that is shown in the room too is a Message with a Thread.
type Reply struct{ Message }

// A Quote is the beginning of a message that another one answers.
type Quote struct {
	From Person `json:"from"`
	Text string `json:"text"`
}

// A Forward says who said first what is repeated here, and when.
type Forward struct {
	From Person    `json:"from"`
	At   time.Time `json:"at"`
}

// Edited says when a message came to say what it says now.
type Edited struct {
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"`
}

// An Emoji is one that people have reacted with.
type Emoji struct {
	Emoji  string   `json:"emoji"`
	People []Person `json:"people"` // in the order in which they came
}

// Replies sum up a thread.
type Replies struct {
	Count int       `json:"count"`
	Seq   int64     `json:"seq"` // the newest
	At    time.Time `json:"at"`
	From  Person    `json:"from"`
}

// An Edit has the message Target say something else. Of several edits of one
// message that with the greatest Seq holds.
type Edit struct {
	Room     string
	Seq      int64
	At       time.Time
	From     Person
	Target   int64
	Text     string // "" if Target has been deleted since
	HTML     string
	Gone     bool // Target has been deleted since
	Mentions []Person
	AtHere   bool
}

// A Delete takes away what the message Target says and said, its reactions and
// its pin. Drop its text also where other messages quote it.
type Delete struct {
	Room   string
	Seq    int64
	At     time.Time
	From   Person
	Target int64
}

// A Reaction is an emoji that From has put on the message Target.
type Reaction struct {
	Room    string
	Seq     int64
	At      time.Time
	From    Person
	Target  int64
	Emoji   string
	Removed bool // or rather taken back
}

// A Pin puts the message Target among a room's pins.
type Pin struct {
	Room    string
	Seq     int64
	At      time.Time
	From    Person
	Target  int64
	Removed bool // or rather takes it from there
}

// A Topic says what a room is about from now on; "" is nothing.
type Topic struct {
	Room string
	Seq  int64
	At   time.Time
	From Person
	Text string
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
// restored from a back-up, or its machine was set back to a snapshot. Forget what
// came before; Seq is its newest event, what was up to it is in History, and what
// follows comes as ever.
type Reset struct {
	Room  string
	Seq   int64
	At    time.Time // when Seq was stored; zero if nobody has written there
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

// event returns what of a room's log a frame tells; nil if that is nothing that
// this client knows.
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
		return Reaction{Room: f.Room, Seq: f.Seq, At: f.At, From: f.From, Target: f.Target, Emoji: f.Emoji, Removed: f.Kind == "unreact"}
	case "pin", "unpin":
		return Pin{Room: f.Room, Seq: f.Seq, At: f.At, From: f.From, Target: f.Target, Removed: f.Kind == "unpin"}
	case "topic":
		return Topic{Room: f.Room, Seq: f.Seq, At: f.At, From: f.From, Text: f.Text}
	}
	return nil
}

func (f frame) message() Message {
	return Message{
		Room: f.Room, Seq: f.Seq, At: f.At, From: f.From, Text: f.Text, HTML: f.HTML, Gone: f.Gone,
		Action: f.Action, ReplyTo: f.ReplyTo, Quote: f.Quote, Thread: f.Thread, Forward: f.Forward,
		Mentions: f.Mentions.people, AtHere: f.AtHere,
	}
}

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

package room

import (
	"context"
	"log/slog"
	"time"

	"parley/internal/chat"
)

// Config says how a Hub behaves. Its tagged fields are flags of the command
// line, where their defaults stand; here their zero value means no limit.
type Config struct {
	MessageRate   float64 `default:"5" help:"Messages per second that one person may send, in the long run; 0 for no limit."`
	MessageBurst  int     `default:"20" help:"Messages that one person may send at once before --message-rate holds."`
	MessageLength int     `default:"4000" help:"Characters of a message at most; 0 for no limit but --frame-size."`

	PeoplePerAddress int     `default:"10" help:"As how many people one address counts: the limits of one person, such as --message-rate, hold so many times for all who come from it; 0 for no limit."`
	ReadRate         float64 `default:"100" help:"Pages of history, resumes and lists per second from one address in the long run, and twenty times as many at once; each 16 KiB count as one more; 0 for no limit."`

	StallTimeout time.Duration `kong:"-"` // a reader that takes nothing for so long is closed; default 30 s
	LeaveGrace   time.Duration `kong:"-"` // how long after their last reader a person has left; default 3 s
	Memory       int           `kong:"-"` // bytes of recent events kept for all rooms together; default 64 MiB

	NewBatch func() Batch `kong:"-"` // returns what a flusher writes with, nil for none; default: none

	Format    Formatter                `kong:"-"` // default: none
	Followers []Follower               `kong:"-"` // called in this order
	Flushed   func(took time.Duration) `kong:"-"` // called once a room's events have been offered to all its readers
	Logger    *slog.Logger             `kong:"-"` // default: discard
}

// A Formatter returns a message's formatting as safe HTML, "" for none. It takes
// the time that it uses from left, and does without when that is used up.
type Formatter func(text string, left *Budget) (html string)

// A Log keeps the events of all rooms: the store, or memory in tests.
type Log interface {
	// Append takes a draft and returns at once. done is called exactly once,
	// after the event is safe or has been given up: on one goroutine for the
	// whole log, in the order of commits, so that for one room it sees seq
	// ascending by 1. It must not block.
	Append(d chat.Draft, done func(chat.Commit))
	// Head returns a room's newest seq and when that event was stored; zeros for a
	// room that nobody wrote to.
	Head(ctx context.Context, room chat.RoomName) (chat.Seq, time.Time, error)
	// After returns a room's events with a greater seq, oldest first, at most
	// limit, each as it happened; but what was deleted says nothing.
	After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error)
	// At returns when an event was stored, the zero time if there is no such event.
	At(ctx context.Context, room chat.RoomName, seq chat.Seq) (time.Time, error)
}

// An Archive has what became of a log's messages: the store, or memory in tests.
type Archive interface {
	// Page returns some of a room's messages as they stand, all at one moment.
	Page(ctx context.Context, room chat.RoomName, which chat.PageQuery) (chat.Page, error)
	// Versions returns what a message has said, the oldest first; none if it has
	// been deleted. The error is an *chat.Error with code NotFound if there is no
	// such message.
	Versions(ctx context.Context, room chat.RoomName, seq chat.Seq) ([]chat.Event, error)
	// Copies returns deletions of forwarded copies that are to be made, because the
	// messages that they repeat are deleted; at most limit.
	Copies(ctx context.Context, limit int) ([]chat.Draft, error)
}

// An Encoder turns events into the bytes of one door. Its result for an event
// is never empty for a message; for a kind that the door does not know it
// returns dst as it is. It has to be comparable: rooms keep one byte log for
// each Encoder in use.
type Encoder interface {
	Append(dst []byte, e chat.Event) []byte
	// Formatted reports whether events' HTML is among the bytes.
	Formatted() bool
}

// A Sink is where a reader's bytes go: a socket, a response, a slice in tests.
// Its methods do not block and may be called from several goroutines.
type Sink interface {
	// TryWrite takes as much of p as it can without waiting, a whole number of
	// encoded events, and returns how many bytes that is. p stays valid and is
	// never changed, so it may be kept. After an error the sink is dead.
	TryWrite(p []byte) (n int, err error)
	// OnWritable has ready called, once, when TryWrite may take bytes again. It is
	// called after a TryWrite that took less than it was given.
	OnWritable(ready func())
	// Close ends the connection and tells it why.
	Close(code chat.Code)
}

// A Batch writes to several sinks at once, for less than writing to each costs. It
// belongs to one flusher.
type Batch interface {
	// Add has Send do what sink.TryWrite(p) would do. It reports false, and does
	// nothing, if the batch is full or holds something that the sink needs, or if
	// p has to be written by TryWrite. Until Send no other method of the sink may
	// be called by the flusher.
	Add(sink Sink, p []byte) bool
	// Send returns what each TryWrite would have returned, in the order of Add, and
	// empties the batch. What it returns is good until the next Send. A mistake in
	// one sink must not keep others from being written to.
	Send() []Written
	// Close frees an empty batch.
	Close()
}

// Written is what TryWrite returns, or what it panicked with.
type Written struct {
	N     int
	Err   error
	Panic any
}

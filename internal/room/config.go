package room

import (
	"context"
	"log/slog"
	"time"

	"parley/internal/chat"
	"parley/internal/rates"
)

// Config configures a Hub. The tagged fields are flags of the command line and have their defaults there; here zero
// means no limit.
type Config struct {
	MessageRate   float64 `default:"5" help:"Messages per second that one person may send, in the long run; 0 for no limit."`
	MessageBurst  int     `default:"20" help:"Messages that one person may send at once before --message-rate holds."`
	MessageLength int     `default:"4000" help:"Characters of a message at most; 0 for no limit but --frame-size."`

	PeoplePerAddress int     `default:"10" help:"As how many people one address counts: the limits of one person, such as --message-rate, hold so many times for all who come from it; 0 for no limit."`
	ReadRate         float64 `default:"100" help:"Pages of history, resumes and lists per second from one address in the long run, and twenty times as many at once; each 16 KiB count as one more; 0 for no limit."`

	StallTimeout time.Duration `kong:"-"` // a blocked reader is closed after this time; default 30 s
	LeaveGrace   time.Duration `kong:"-"` // how long a person stays a member after their last reader; default 3 s
	Memory       int           `kong:"-"` // bytes of recent events in memory, for all rooms together; default 64 MiB

	NewBatch func() Batch `kong:"-"` // called once per flusher; may return nil; default: no batches

	Format    Formatter                `kong:"-"` // default: none
	Followers []Follower               `kong:"-"` // called in this order
	Ledger    *rates.Ledger            `kong:"-"` // tells other nodes what is counted; nil: none
	Flushed   func(took time.Duration) `kong:"-"` // called once new events have been offered to all readers of their room
	Logger    *slog.Logger             `kong:"-"` // default: discard
}

// A Formatter renders a message's text as safe HTML. It returns "" for a text without formatting. It subtracts the time
// that it uses from left, and leaves out formatting once that is used up.
type Formatter func(text string, left *Budget) (html string)

// A Log stores the events of all rooms: a database, or memory in tests.
type Log interface {
	// Append queues a draft and returns at once. done is called exactly once, when the event is stored or has failed:
	// on one goroutine for the whole log, in the order of commits, so that the seqs of a room ascend by 1. done must
	// not block.
	Append(d chat.Draft, done func(chat.Commit))
	// Head returns a room's newest seq and when that event was stored; zeros for a room without events.
	Head(ctx context.Context, room chat.RoomName) (chat.Seq, time.Time, error)
	// After returns a room's events with a greater seq, oldest first, at most limit, as they happened; deleted texts
	// are empty.
	After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error)
	// At returns when an event was stored, the zero time if there is no such event.
	At(ctx context.Context, room chat.RoomName, seq chat.Seq) (time.Time, error)
}

// An Archive has the messages of a log in their newest state: a database, or memory in tests.
type Archive interface {
	// Page returns messages of a room, read in one snapshot.
	Page(ctx context.Context, room chat.RoomName, which chat.PageQuery) (chat.Page, error)
	// Versions returns the versions of a message, oldest first; none if it is deleted. The error is an *chat.Error with
	// code NotFound if there is no such message.
	Versions(ctx context.Context, room chat.RoomName, seq chat.Seq) ([]chat.Event, error)
	// Copies returns the deletions of due copies, at most limit: copies of messages that are deleted.
	Copies(ctx context.Context, limit int) ([]chat.Draft, error)
}

// An Encoder encodes events for one door. For a message it always appends something; for a kind that the door does not
// know it returns dst unchanged. It must be comparable: a room has one byte log for each Encoder in use.
type Encoder interface {
	Append(dst []byte, e chat.Event) []byte
	// Formatted reports whether the bytes contain the events' HTML.
	Formatted() bool
}

// A Sink takes a reader's bytes: a socket, an HTTP response, a slice in tests. Its methods do not block and may be
// called from several goroutines.
type Sink interface {
	// TryWrite takes as much of p as it can without waiting, a whole number of encoded events, and returns how many
	// bytes it took. The bytes of p never change, so the sink may hold on to them. After an error the sink is dead.
	TryWrite(p []byte) (n int, err error)
	// OnWritable makes the sink call ready once, as soon as TryWrite may take bytes again. It is called after a
	// TryWrite that took less than all of p.
	OnWritable(ready func())
	// Close ends the connection and tells the client why.
	Close(code chat.Code)
}

// A Batch writes to several sinks at once, which costs less than writing to each. It belongs to one flusher.
type Batch interface {
	// Add queues sink.TryWrite(p) for Send. It reports false, and queues nothing, if the batch is full, if it already
	// holds something that the sink needs, or if p can only be written by TryWrite. Until Send, the flusher calls no
	// method of sink.
	Add(sink Sink, p []byte) bool
	// Send writes, empties the batch, and returns the result of each TryWrite in the order of Add. The results are
	// valid until the next Send. A panic in one sink does not keep others from being written to.
	Send() []Written
	// Close frees an empty batch.
	Close()
}

// Written is the result of a TryWrite, or the value that it panicked with.
type Written struct {
	N     int
	Err   error
	Panic any
}

// Package room is the live side of a chat: each room's recent bytes, its
// readers' cursors, its members, and the rules that every door obeys. Start
// reading at Hub.Post.
//
// It knows no SQL, no HTTP and no sockets: the store is a Log, a connection is
// a Sink, a wire format is an Encoder.
package room

import (
	"context"

	"parley/internal/chat"
)

// A Hub holds every room that somebody is in.
type Hub struct{}

// New returns a Hub on top of log, whose events belong to epoch. It does
// nothing until Run.
func New(log Log, epoch string, cfg Config) *Hub { panic("soon") }

// Run writes to readers until ctx ends.
func (h *Hub) Run(ctx context.Context) error { panic("soon") }

// Epoch returns the log's epoch.
func (h *Hub) Epoch() string { panic("soon") }

// Post checks a draft against the rules and gives it to the log. An error, an
// *chat.Error, says why it was refused, and done is never called; otherwise
// done is called as Log.Append says, before any reader is given the event.
// Post does not wait. It fills in Draft.HTML.
func (h *Hub) Post(d chat.Draft, done func(chat.Commit)) error { panic("soon") }

// A Page asks for part of a room's history: the oldest Limit events after
// After if that is set, else the newest Limit before Before (if that is set).
type Page struct {
	Before *chat.Seq
	After  *chat.Seq
	Limit  int // 0: 50; at most chat.MaxPage
}

// History returns a page of a room's events, oldest first, and the room's
// newest seq.
func (h *Hub) History(ctx context.Context, room chat.RoomName, p Page) ([]chat.Event, chat.Seq, error) {
	panic("soon")
}

// State says what a room is now: its newest seq (0 if nobody wrote to it) and how many
// people are here.
func (h *Hub) State(ctx context.Context, room chat.RoomName) (head chat.Seq, here int, err error) {
	panic("soon")
}

// Stats are counts for an operator.
type Stats struct {
	Rooms      int    // rooms in memory
	Readers    int    // cursors: one per connection and room
	Members    int    // people in rooms, each counted once per room
	Lagging    int    // readers that are parked or read from the store
	Bytes      int    // of recent events in memory
	Posted     uint64 // messages accepted since the start
	Deliveries uint64 // events given to readers since the start
}

// Stats returns the present counts.
func (h *Hub) Stats() Stats { panic("soon") }

// Rename tells the rooms that a person is in that they have a new name.
func (h *Hub) Rename(p chat.Person) { panic("soon") }

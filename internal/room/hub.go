// Package room is the live side of a chat: each room's recent bytes, its
// readers' cursors, its members, and the rules that every door obeys. Start
// reading at Hub.Post.
//
// It knows no SQL, no HTTP and no sockets: the store is a Log, a connection is
// a Sink, a wire format is an Encoder.
//
// Locks are taken in this order: directory shard, reader shard, room, flush
// queue, sink.
package room

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/internal/chat"
	"parley/internal/rates"
)

// A Hub holds every room that somebody is in.
type Hub struct {
	log     Log
	archive Archive
	epoch   string
	cfg     Config
	logger  *slog.Logger

	rooms        directory
	rates        *rates.Shared[chat.PersonID, netip.Addr] // of messages
	costs        readLimits
	flushes      flushQueue
	catchUpQueue readerQueue   // readers that the store has to serve
	dirtyRooms   []*liveRoom   // owned by the log's goroutine: rooms with events since the last wake-up
	copiesWake   chan struct{} // holds one value while a deletion may have left copies

	bytes      atomic.Int64
	readers    atomic.Int64
	members    atomic.Int64
	notLive    atomic.Int64
	posted     atomic.Uint64
	deliveries atomic.Uint64
}

// catchUpWorkers is how many readers are served from the store at a time.
const catchUpWorkers = 4

// New returns a Hub on top of log, whose events belong to epoch and whose
// messages are in kept. It does nothing until Run.
func New(log Log, kept Archive, epoch string, cfg Config) *Hub {
	cfg.StallTimeout = cmp.Or(cfg.StallTimeout, 30*time.Second)
	cfg.LeaveGrace = cmp.Or(cfg.LeaveGrace, 3*time.Second)
	cfg.Memory = cmp.Or(cfg.Memory, 64<<20)
	h := &Hub{
		log:     log,
		archive: kept,
		epoch:   epoch,
		cfg:     cfg,
		logger:  cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		rates:   rates.NewShared[chat.PersonID, netip.Addr](cfg.MessageRate, cfg.MessageBurst, cfg.PeoplePerAddress),
		costs:   newCosts(cfg.ReadRate),

		copiesWake: make(chan struct{}, 1),
	}
	h.rooms.init()
	h.flushes.init()
	h.catchUpQueue.init()
	return h
}

// Run writes to readers until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range h.flushes.flushers {
		g.Go(h.flushLoop)
	}
	for range catchUpWorkers {
		g.Go(func() error { return h.catchUpLoop(ctx) })
	}
	g.Go(func() error { return h.trimLoop(ctx) })
	g.Go(func() error { return h.copiesLoop(ctx) })
	g.Go(func() error {
		<-ctx.Done()
		h.flushes.close()
		h.catchUpQueue.close()
		return nil
	})
	return g.Wait()
}

// Epoch returns the log's epoch.
func (h *Hub) Epoch() string { return h.epoch }

// Stats are counts for an operator.
type Stats struct {
	Rooms      int    // rooms in memory
	Readers    int    // cursors: one per connection and room
	Members    int    // people in rooms, each counted once per room
	NotLive    int    // readers that are parked or read from the store
	Bytes      int    // of recent events in memory
	Posted     uint64 // drafts accepted since the start
	Deliveries uint64 // events given to readers since the start
}

// Stats returns the present counts.
func (h *Hub) Stats() Stats {
	return Stats{
		Rooms:      h.rooms.len(),
		Readers:    int(h.readers.Load()),
		Members:    int(h.members.Load()),
		NotLive:    int(h.notLive.Load()),
		Bytes:      int(h.bytes.Load()),
		Posted:     h.posted.Load(),
		Deliveries: h.deliveries.Load(),
	}
}

// trimLoop keeps what has no end of its own within bounds.
func (h *Hub) trimLoop(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if h.bytes.Load() > int64(h.cfg.Memory) {
				h.trimByteLogs()
			}
		}
	}
}

// PeoplePerAddress returns as how many people one address counts; 0: as any number.
func (h *Hub) PeoplePerAddress() int { return h.cfg.PeoplePerAddress }

// MessageLength returns how many characters a message may have; 0: any number.
func (h *Hub) MessageLength() int { return h.cfg.MessageLength }

// Package room is the live side of chat rooms: recent events as bytes, the position of every reader, members and
// presence, and the rules that all doors share. Start reading at Hub.Post and Hub.Arrive.
//
// It knows no SQL, no HTTP and no sockets: the store is a Log, a connection is a Sink, a wire format is an Encoder.
//
// Locks are taken in this order: silent nodes, directory shard, reader shard, room, others, flush queue, sink.
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

// A Hub holds every room that has readers.
type Hub struct {
	log     Log
	archive Archive
	epoch   string
	cfg     Config
	logger  *slog.Logger

	rooms        directory
	rates        *rates.Shared[chat.PersonID, netip.Addr] // of drafts
	costs        readLimits
	flushes      flushQueue
	catchUpQueue workQueue[*Reader] // readers that catch up from the store
	dirtyRooms   []*liveRoom        // rooms with events since the last wake-up; owned by Arrive's goroutine
	copiesWake   chan struct{}      // holds a value after a deletion, until copiesLoop has looked for copies

	others    Others // nil: there are no other nodes, and the following fields are not used
	heads     func(context.Context, []chat.RoomName) (map[chat.RoomName]chat.Seq, error)
	stored    []chat.Commit // new events since the last wake-up; owned by Arrive's goroutine
	answers   answers
	gaps      workQueue[*liveRoom] // rooms that read events of other nodes from the store
	gapsFail  atomic.Bool          // the last fill failed
	pollFails atomic.Bool          // the last poll failed
	pollWake  chan struct{}        // holds a value after Poll, until pollLoop has read the heads
	nodes     nodes

	bytes      atomic.Int64
	readers    atomic.Int64
	members    atomic.Int64
	notLive    atomic.Int64
	posted     atomic.Uint64
	deliveries atomic.Uint64
}

// catchUpWorkers is how many readers are served from the store at a time.
const catchUpWorkers = 4

// New returns a Hub on top of log and archive, whose events belong to epoch. It does nothing before Run.
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
		pollWake:   make(chan struct{}, 1),
	}
	rates.ShareBoth(cfg.Ledger, "messages", h.rates)
	rates.ShareByAddress(cfg.Ledger, "reads", h.costs.reads) // work is of this node's processors
	h.rooms.init()
	h.flushes.init()
	h.catchUpQueue.init()
	h.gaps.init()
	return h
}

// Run serves readers until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range h.flushes.flushers {
		g.Go(h.flushLoop)
	}
	for range catchUpWorkers {
		g.Go(func() error { return h.catchUpLoop(ctx) })
	}
	if h.others != nil {
		for range gapFillers {
			g.Go(func() error { return h.gapLoop(ctx) })
		}
		g.Go(func() error { return h.pollLoop(ctx) })
	}
	g.Go(func() error { return h.trimLoop(ctx) })
	g.Go(func() error { return h.copiesLoop(ctx) })
	g.Go(func() error {
		<-ctx.Done()
		h.flushes.close()
		h.catchUpQueue.close()
		h.gaps.close()
		return nil
	})
	return g.Wait()
}

// Epoch returns the log's epoch.
func (h *Hub) Epoch() string { return h.epoch }

// Stats are the figures that an operator sees.
type Stats struct {
	Rooms      int    // rooms in memory
	Readers    int    // one per connection and room
	Members    int    // people in rooms, each counted once per room
	NotLive    int    // readers that are blocked or catching up
	Bytes      int    // size of the byte logs
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

// trimLoop keeps the byte logs of all rooms together within Config.Memory, until ctx ends.
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

// PeoplePerAddress returns Config.PeoplePerAddress: how many people's limits one address has; 0: no limit.
func (h *Hub) PeoplePerAddress() int { return h.cfg.PeoplePerAddress }

// MessageLength returns how many characters a message may have; 0: no limit.
func (h *Hub) MessageLength() int { return h.cfg.MessageLength }

package room

import (
	"cmp"
	"context"
	"hash/maphash"
	"slices"
	"sync"

	"parley/internal/chat"
)

// directory finds the rooms in memory by name. It is split into shards, so that rooms do not wait for each other's
// lock.
type directory struct {
	seed   maphash.Seed
	shards [64]dirShard
}

type dirShard struct {
	mu    sync.Mutex
	rooms map[chat.RoomName]*liveRoom
}

func (d *directory) init() {
	d.seed = maphash.MakeSeed()
	for i := range d.shards {
		d.shards[i].rooms = map[chat.RoomName]*liveRoom{}
	}
}

func (d *directory) shard(name chat.RoomName) *dirShard {
	return &d.shards[maphash.String(d.seed, string(name))%uint64(len(d.shards))]
}

// find returns the room if it is in memory, nil if not.
func (d *directory) find(name chat.RoomName) *liveRoom {
	s := d.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[name]
}

// all returns the rooms in memory, in no order.
func (d *directory) all() []*liveRoom {
	var rooms []*liveRoom
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		for _, r := range s.rooms {
			rooms = append(rooms, r)
		}
		s.mu.Unlock()
	}
	return rooms
}

func (d *directory) len() int {
	n := 0
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		n += len(s.rooms)
		s.mu.Unlock()
	}
	return n
}

// enter returns the room, loaded, and counts one more reader of it. The caller must add that reader or call exit.
func (h *Hub) enter(ctx context.Context, name chat.RoomName) (*liveRoom, error) {
	s := h.rooms.shard(name)
	s.mu.Lock()
	r, found := s.rooms[name]
	if !found {
		r = newRoom(h, name)
		s.rooms[name] = r
	}
	r.refs++
	s.mu.Unlock()

	if !found {
		r.load(ctx)
	}
	select {
	case <-r.loaded:
	case <-ctx.Done():
		h.exit(r)
		return nil, ctx.Err()
	}
	if r.loadErr != nil {
		h.exit(r)
		return nil, r.loadErr
	}
	return r, nil
}

// hold keeps a room that has readers in memory until exit.
func (h *Hub) hold(r *liveRoom) {
	s := h.rooms.shard(r.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.refs++
}

// exit counts one reader less. With the last one the room leaves memory.
func (h *Hub) exit(r *liveRoom) {
	s := h.rooms.shard(r.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.refs--; r.refs == 0 {
		delete(s.rooms, r.name)
		r.drop()
		if h.others != nil {
			h.others.Ignore(r.name)
		}
	}
}

// trimByteLogs drops the byte logs' contents of the rooms that have been quiet longest, until three quarters of
// Config.Memory are in use. Readers that still need them catch up from the store.
func (h *Hub) trimByteLogs() {
	type quiet struct {
		room *liveRoom
		used int64
	}
	var rooms []quiet
	for _, r := range h.rooms.all() {
		rooms = append(rooms, quiet{r, r.lastUsed()})
	}
	slices.SortFunc(rooms, func(a, b quiet) int { return cmp.Compare(a.used, b.used) })
	for _, q := range rooms {
		if h.bytes.Load() <= int64(h.cfg.Memory)*3/4 {
			return
		}
		q.room.dropBytes()
	}
}

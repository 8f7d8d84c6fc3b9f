package httpdoor

import (
	"context"
	"hash/maphash"
	"net/http"
	"net/netip"
	"sync"

	"parley/internal/chat"
	"parley/internal/rates"
)

// probes limits how many different rooms are asked for from one network. Knowing a
// room's name is what lets people in, and any answer about a room tells whether it
// exists. Without a limit, names could be guessed. The limit also counts rooms that do
// not exist; otherwise a refusal would show that a room exists.
type probes struct {
	rate *rates.Rates[netip.Addr]
	seed maphash.Seed

	mu         sync.Mutex
	young, old map[uint64]struct{} // hashes of network and room, in two generations
}

// mostProbes is how many hashes one generation holds: some megabytes.
const mostProbes = 1 << 17

// init sets how many new rooms per minute a network may ask for. As many may come
// at once.
func (p *probes) init(perMinute float64) {
	p.rate = rates.New[netip.Addr](perMinute/60, int(perMinute))
	p.seed = maphash.MakeSeed()
	p.young = map[uint64]struct{}{}
}

// seen reports whether a network has asked for a room lately.
func (p *probes) seen(from netip.Addr, name chat.RoomName) bool {
	key := p.key(from, name)
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.young[key]; ok {
		return true
	}
	_, ok := p.old[key]
	if ok {
		p.add(key)
	}
	return ok
}

// note remembers that a network has asked for a room.
func (p *probes) note(from netip.Addr, name chat.RoomName) {
	key := p.key(from, name)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(key)
}

func (p *probes) key(from netip.Addr, name chat.RoomName) uint64 {
	return maphash.Comparable(p.seed, struct {
		from netip.Addr
		name chat.RoomName
	}{from, name})
}

// add adds a hash. If the young generation is full, it replaces the old one. The
// caller holds mu.
func (p *probes) add(key uint64) {
	if len(p.young) >= mostProbes {
		p.old, p.young = p.young, make(map[uint64]struct{}, mostProbes)
	}
	p.young[key] = struct{}{}
}

// ResolveRoom returns the room that a client at an address names, at any door. listed
// reports whether a room is in the client's list; nil: none is. It is called only if
// the client is over the limit, which does not hold for rooms of the list. The error
// has code BadRoom or RateLimited.
func (d *Door) ResolveRoom(from netip.Addr, given string, listed func(chat.RoomName) bool) (chat.RoomName, error) {
	name, err := chat.ParseRoomName(given)
	if err != nil || d.cfg.RoomRate <= 0 {
		return name, err
	}
	from = Network(from)
	if d.probes.seen(from, name) {
		return name, nil
	}
	if wait := d.probes.rate.Take(from); wait > 0 && (listed == nil || !listed(name)) {
		return "", &chat.Error{
			Code: chat.RateLimited,
			Message: "Too many different rooms have been looked at from your address. " +
				"It will be possible again in a moment.",
			RetryAfter: wait,
		}
	}
	d.probes.note(from, name)
	return name, nil
}

// ListChecker returns a function that reports whether a room is in the list of the
// person who makes a request.
func (d *Door) ListChecker(ctx context.Context, r *http.Request) func(chat.RoomName) bool {
	return func(name chat.RoomName) bool {
		me, known, err := d.Identify(r)
		return err == nil && known && d.accounts.IsListed(ctx, me.ID, name)
	}
}

package server

import (
	"net/netip"
	"sync"

	"parley/internal/chat"
)

// addresses counts connections by where they come from.
type addresses struct {
	limit int // 0: none

	mu    sync.Mutex
	open  map[netip.Addr]int
	total int
}

// enter counts one connection until leave. It refuses one too many from one
// address with code TooManyConnections.
func (a *addresses) enter(from netip.Addr) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limit > 0 && a.open[from] >= a.limit {
		return &chat.Error{Code: chat.TooManyConnections, Message: "There are enough connections from this address."}
	}
	if a.open == nil {
		a.open = map[netip.Addr]int{}
	}
	a.open[from]++
	a.total++
	return nil
}

func (a *addresses) leave(from netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total--
	if a.open[from]--; a.open[from] == 0 {
		delete(a.open, from)
	}
}

func (a *addresses) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total
}

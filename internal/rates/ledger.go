package rates

import (
	"encoding/binary"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
)

// A Ledger holds what limits have counted on this node and the other nodes have not
// been told yet. It lets limits hold for all nodes together: each node counts what
// happens there at once, and what happens elsewhere when it is told.
//
// Until then a key can have its burst on each node. What was too much has to be made
// up for by time on every node, so in the long run the rate is that of one node.
type Ledger struct {
	mu     sync.Mutex
	limits map[string]limit // by names that are the same on all nodes
}

// A limit is a Rates with keys that can be sent.
type limit interface {
	// drain calls f with each key that something was counted for since the last time.
	drain(f func(key string, n int))
	// charge counts n events that happened elsewhere.
	charge(key string, n int) error
}

// ShareByAddress lets l tell what r counts. name must not be used for another limit.
// It does nothing if l is nil. It must be called before r is used.
func ShareByAddress(l *Ledger, name string, r *Rates[netip.Addr]) {
	write := func(a netip.Addr) string {
		b, _ := a.MarshalBinary() // never fails
		return string(b)
	}
	share(l, name, r, write, func(key string) (netip.Addr, error) {
		var a netip.Addr
		err := a.UnmarshalBinary([]byte(key))
		return a, err
	})
}

// ShareBoth does for the members and groups of s what ShareByAddress does for a Rates.
func ShareBoth[M ~string](l *Ledger, name string, s *Shared[M, netip.Addr]) {
	share(l, name+" each", s.each, func(m M) string { return string(m) },
		func(key string) (M, error) { return M(key), nil })
	ShareByAddress(l, name, s.groups)
}

func share[K comparable](
	l *Ledger, name string, r *Rates[K], write func(K) string, read func(string) (K, error),
) {
	if l == nil {
		return
	}
	for i := range r.shards {
		r.shards[i].counted = map[K]int{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limits == nil {
		l.limits = map[string]limit{}
	}
	l.limits[name] = &sharedLimit[K]{r, write, read}
}

// Drain returns what has been counted since the last Drain, as messages of about size
// bytes at most; nil if nothing has.
func (l *Ledger) Drain(size int) (messages [][]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var m []byte
	for _, name := range slices.Sorted(maps.Keys(l.limits)) {
		l.limits[name].drain(func(key string, n int) {
			if len(m) >= size {
				messages, m = append(messages, m), nil
			}
			m = appendString(appendString(m, name), key)
			m = binary.AppendUvarint(m, uint64(n))
		})
	}
	if m != nil {
		messages = append(messages, m)
	}
	return messages
}

// Charge counts what another node's Drain has returned. It passes over limits that
// this node does not know, as the other may run a newer program.
func (l *Ledger) Charge(message []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(message) > 0 {
		var name, key string
		var ok bool
		if name, message, ok = cutString(message); !ok {
			return errGarbled
		}
		if key, message, ok = cutString(message); !ok {
			return errGarbled
		}
		n, size := binary.Uvarint(message)
		if size <= 0 || n > 1<<31 {
			return errGarbled
		}
		message = message[size:]
		if r := l.limits[name]; r != nil {
			if err := r.charge(key, int(n)); err != nil {
				return err
			}
		}
	}
	return nil
}

var errGarbled = errors.New("what another node has counted cannot be read")

type sharedLimit[K comparable] struct {
	*Rates[K]
	write func(K) string
	read  func(string) (K, error)
}

func (s *sharedLimit[K]) drain(f func(key string, n int)) {
	for i := range s.shards {
		for key, n := range s.shards[i].takeCounted() {
			f(s.write(key), n)
		}
	}
}

// takeCounted returns what was counted since the last time; nil if nothing was.
func (s *shard[K]) takeCounted() map[K]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counted := s.counted
	if len(counted) == 0 {
		return nil
	}
	s.counted = map[K]int{}
	return counted
}

func (s *sharedLimit[K]) charge(key string, n int) error {
	k, err := s.read(key)
	if err == nil {
		s.chargeElsewhere(k, n)
	}
	return err
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func cutString(b []byte) (s string, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return "", nil, false
	}
	return string(b[size:][:n]), b[size:][n:], true
}

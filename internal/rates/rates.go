// Package rates limits how many events each of many keys (a person, an address) may
// cause per second. It holds only keys that have recently used some of their burst.
// Start reading at Rates. It knows nothing about the meaning of keys and events, nor
// how nodes talk.
package rates

import (
	"hash/maphash"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rates has a token bucket for each key.
type Rates[K comparable] struct {
	limit  rate.Limit
	burst  int
	seed   maphash.Seed
	shards [16]shard[K]
	mu     sync.Mutex
	swept  time.Time
}

type shard[K comparable] struct {
	mu      sync.Mutex
	buckets map[K]*rate.Limiter
	counted map[K]int // since the last drain, for a Ledger; nil: there is none
}

// sweepEvery is how often full buckets are removed.
const sweepEvery = 30 * time.Second

// New returns Rates that allow each key perSecond events per second in the long
// run, and burst events at once. A rate of 0 means no limit.
func New[K comparable](perSecond float64, burst int) *Rates[K] {
	r := &Rates[K]{limit: rate.Limit(perSecond), burst: max(burst, 1), seed: maphash.MakeSeed(), swept: time.Now()}
	if perSecond <= 0 {
		r.limit = rate.Inf
	}
	for i := range r.shards {
		r.shards[i].buckets = map[K]*rate.Limiter{}
	}
	return r
}

// Take counts an event of key and returns 0. If key has reached its limit, Take
// counts nothing and returns how long to wait.
func (r *Rates[K]) Take(key K) (wait time.Duration) {
	r.with(key, func(s *shard[K], bucket *rate.Limiter, now time.Time) {
		reserved := bucket.ReserveN(now, 1)
		if wait = reserved.DelayFrom(now); wait > 0 {
			reserved.CancelAt(now)
			return
		}
		s.count(key, 1)
	})
	return wait
}

// Charge counts n events of key that have happened already, at most a burst. They
// may exceed the limit; Take then refuses events until the bucket has refilled.
func (r *Rates[K]) Charge(key K, n int) {
	if n <= 0 {
		return
	}
	n = min(n, r.burst)
	r.with(key, func(s *shard[K], bucket *rate.Limiter, now time.Time) {
		bucket.ReserveN(now, n)
		s.count(key, n)
	})
}

// mostBursts is how many bursts another node can have counted since it last told:
// more than it allows within a second, however it is charged.
const mostBursts = 16

// chargeElsewhere counts n events of key that another node has counted already.
func (r *Rates[K]) chargeElsewhere(key K, n int) {
	r.with(key, func(_ *shard[K], bucket *rate.Limiter, now time.Time) {
		for i := 0; n > 0 && i < mostBursts; i++ { // a bucket takes a burst at a time
			bucket.ReserveN(now, min(n, r.burst))
			n -= r.burst
		}
	})
}

// count records events for a Ledger. The caller holds mu.
func (s *shard[K]) count(key K, n int) {
	if s.counted != nil {
		s.counted[key] += n
	}
}

// Left returns how many events of key may happen now. It is negative after Charge
// has exceeded the limit.
func (r *Rates[K]) Left(key K) int {
	left := math.MaxInt
	r.with(key, func(_ *shard[K], bucket *rate.Limiter, now time.Time) { left = int(math.Floor(bucket.TokensAt(now))) })
	return left
}

// with calls f with the bucket of key, and the shard that it is in. Without a limit it does nothing.
func (r *Rates[K]) with(key K, f func(s *shard[K], bucket *rate.Limiter, now time.Time)) {
	if r.limit == rate.Inf {
		return
	}
	now := time.Now()
	r.sweep(now)
	s := &r.shards[maphash.Comparable(r.seed, key)%uint64(len(r.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	bucket := s.buckets[key]
	if bucket == nil {
		bucket = rate.NewLimiter(r.limit, r.burst)
		s.buckets[key] = bucket
	}
	f(s, bucket, now)
}

// Len returns the number of buckets.
func (r *Rates[K]) Len() int {
	n := 0
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		n += len(s.buckets)
		s.mu.Unlock()
	}
	return n
}

// sweep removes the buckets that are full again, at most once per sweepEvery.
func (r *Rates[K]) sweep(now time.Time) {
	r.mu.Lock()
	due := now.Sub(r.swept) >= sweepEvery
	if due {
		r.swept = now
	}
	r.mu.Unlock()
	if !due {
		return
	}
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		for key, bucket := range s.buckets {
			if bucket.TokensAt(now) >= float64(r.burst) {
				delete(s.buckets, key)
			}
		}
		s.mu.Unlock()
	}
}

package room

import (
	"hash/maphash"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"parley/internal/chat"
)

// rates limits how fast each person sends, whatever door and room they use.
type rates struct {
	limit  rate.Limit
	burst  int
	seed   maphash.Seed
	shards [16]struct {
		mu     sync.Mutex
		people map[chat.PersonID]*rate.Limiter
	}
	swept time.Time // owned by Hub.tidyLoop
}

// sweepEvery is how often limiters are dropped whose people have been quiet
// for long enough to have their whole burst again.
const sweepEvery = 30 * time.Second

func (rs *rates) init(perSecond float64, burst int) {
	rs.limit, rs.burst = rate.Limit(perSecond), max(burst, 1)
	if perSecond <= 0 {
		rs.limit = rate.Inf
	}
	rs.seed = maphash.MakeSeed()
	for i := range rs.shards {
		rs.shards[i].people = map[chat.PersonID]*rate.Limiter{}
	}
}

// take takes one message off what a person may send now, or returns an *Error
// with code RateLimited that says when there is one again.
func (rs *rates) take(id chat.PersonID) error {
	if rs.limit == rate.Inf {
		return nil
	}
	s := &rs.shards[maphash.String(rs.seed, string(id))%uint64(len(rs.shards))]
	s.mu.Lock()
	l := s.people[id]
	if l == nil {
		l = rate.NewLimiter(rs.limit, rs.burst)
		s.people[id] = l
	}
	s.mu.Unlock()

	now := time.Now()
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return &chat.Error{
		Code:       chat.RateLimited,
		Message:    "That was too fast. The message can be sent again in a moment.",
		RetryAfter: wait,
	}
}

func (rs *rates) sweep(now time.Time) {
	if rs.limit == rate.Inf || now.Sub(rs.swept) < sweepEvery {
		return
	}
	rs.swept = now
	for i := range rs.shards {
		s := &rs.shards[i]
		s.mu.Lock()
		for id, l := range s.people {
			if l.TokensAt(now) >= float64(rs.burst) {
				delete(s.people, id)
			}
		}
		s.mu.Unlock()
	}
}

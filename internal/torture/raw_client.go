package torture

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// A rawClient is a person on raw frames, so that nothing of what the server sends
// is put right on the way: it says numbered messages in its rooms, edits and
// deletes some of them and reacts to those of others, several things before the
// first is answered, and again with the same nonces after a broken connection; and
// it writes down all that it is told.
type rawClient struct {
	s     *round
	name  string
	rooms []string
	runs  map[string]*Observed
	proxy *proxy // what it connects through
	mute  bool   // does nothing of its own

	misbehaves bool // and is not measured

	twin *rawClient // does the same, at the same time, on a connection of its own

	mu      sync.Mutex
	known   chan struct{} // closed when person and session are set
	person  string
	session string
	did     int
	waiting []*operation // not acknowledged yet, in the order of doing
	planner
	asleep      time.Time // until when nothing is read
	isForgotten bool
}

const (
	window    = 16                     // things that a member does before the first is answered
	silence   = 6 * time.Second        // without a word for so long a connection is taken for lost
	pingEvery = 1 * time.Second        // so that there are words
	comeBack  = 150 * time.Millisecond // at most, before the next connection
	readEvery = 10                     // deeds, of which it says how far it has read
)

func (s *round) newMember(name string) *rawClient {
	m := &rawClient{s: s, name: name, proxy: s.proxy, rooms: s.rooms, runs: map[string]*Observed{}, known: make(chan struct{}), planner: planner{retries: true}}
	for _, room := range m.rooms {
		m.runs[room] = s.ledger.run(name, room)
	}
	return m
}

// sister is the same person again, with nothing to say of its own.
func (m *rawClient) sister(name string) *rawClient {
	other := m.s.newMember(name)
	other.mute = true
	return other
}

// live connects again and again until ctx ends.
func (m *rawClient) live(ctx context.Context) {
	for ctx.Err() == nil {
		err := m.visit(ctx)
		m.s.count(func(r *Report) { r.Connections++ })
		m.lost()
		m.s.progress(m.name, err)
		if errors.Is(err, errForgotten) {
			m.giveUp()
			return
		}
		sleep(ctx, rand.N(comeBack))
	}
}

// giveUp is all that somebody can do whom the server does not know any more.
func (m *rawClient) giveUp() {
	m.s.ledger.forgets(m.name)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting, m.isForgotten = nil, true
}

// lost makes what has no answer be said again.
func (m *rawClient) lost() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.waiting {
		d.flying, d.notBefore = nil, time.Time{}
	}
}

// identity waits until the member is somebody.
func (m *rawClient) identity(ctx context.Context) (person, session string) {
	select {
	case <-m.known:
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.person, m.session
}

// is makes the member somebody.
func (m *rawClient) is(person, session string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.person == "" {
		m.person, m.session = person, session
		close(m.known)
	}
}

// due returns what is to be done now: what has to be done again and, if fresh,
// something new.
func (m *rawClient) due(fresh bool) []*operation {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []*operation
	now := time.Now()
	for _, d := range m.waiting {
		if d.flying == nil && now.After(d.notBefore) {
			due = append(due, d)
		}
	}
	if fresh && !m.mute && len(m.waiting) < window && !m.s.hushed.Load() {
		m.did++
		d := m.next(m.name, m.rooms, m.did, m.waiting)
		m.waiting = append(m.waiting, d)
		due = append(due, d)
		if m.twin != nil {
			m.twin.add(d)
		}
	}
	return due
}

func (m *rawClient) add(deeds ...*operation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isForgotten {
		return
	}
	for _, d := range deeds {
		m.waiting = append(m.waiting, d.retryCopy())
	}
}

// unanswered returns copies of what waits.
func (m *rawClient) unanswered() []*operation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.waiting)
}

// call writes an attempt down; it is about to be made.
func (m *rawClient) call(d *operation, conn int) *Attempt {
	person, _ := m.identity(context.Background())
	a := m.s.ledger.calls(d.attempt(person, conn))
	m.mu.Lock()
	defer m.mu.Unlock()
	d.flying = a
	return a
}

// answer takes the answer to an attempt. What was refused is done again when that
// makes sense, or soon; but not what cannot be done any more.
func (m *rawClient) answer(d *operation, a *Attempt, f frame) {
	refused := f.Op == "error"
	if refused {
		m.s.ledger.answered(a, 0, f.Code)
		m.s.count(func(r *Report) { r.Refusals++ })
	} else {
		m.s.ledger.answered(a, f.Seq, "")
		m.s.count(func(r *Report) { r.Acks++ })
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if refused && !slices.Contains(finalCodes, f.Code) {
		wait := cmp.Or(time.Duration(f.RetryAfterMS)*time.Millisecond, 200*time.Millisecond)
		d.flying, d.notBefore = nil, time.Now().Add(min(wait, time.Second))
		return
	}
	m.waiting = slices.DeleteFunc(m.waiting, func(other *operation) bool { return other == d })
	if !refused {
		m.done(d, f.Seq)
	}
}

// stall has the member read nothing for a while.
func (m *rawClient) stall(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asleep = time.Now().Add(d)
}

func (m *rawClient) awake(ctx context.Context) {
	m.mu.Lock()
	d := time.Until(m.asleep)
	m.mu.Unlock()
	sleep(ctx, d)
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

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

// A rawClient is a person who speaks raw frames, so that no library corrects anything on the way.
// It posts numbered messages in its rooms, edits and deletes some of them, and reacts to those of
// others. It sends several commands before the first is answered, and after a broken connection
// sends them again with the same nonces. It records everything that the server sends.
type rawClient struct {
	s     *round
	name  string
	rooms []string
	runs  map[string]*Observed
	doors []*proxy // through which it connects, one after the other
	mute  bool     // sends nothing of its own

	misbehaves bool // and is not measured
	wanders    bool // to another node after every operation

	twin *rawClient // does the same, at the same time, on its own connection

	visits int // counts its connections

	mu      sync.Mutex
	known   chan struct{} // closed when person and session are set
	person  string
	session string
	did     int
	waiting []*operation // not acknowledged yet, in the order of sending
	planner
	asleep      time.Time // until when nothing is read
	isForgotten bool
}

const (
	window    = 16                     // commands that a client sends before the first is answered
	silence   = 6 * time.Second        // after this time without a frame, a connection is treated as lost
	pingEvery = 1 * time.Second        // so that there are frames
	comeBack  = 150 * time.Millisecond // at most, before the next connection
	readEvery = 10                     // after this many operations it sets its read mark
	patience  = 1 * time.Second        // at most, before somebody who wanders goes on without an answer
)

func (s *round) newMember(name string) *rawClient {
	m := &rawClient{
		s: s, name: name, doors: s.doors, rooms: s.rooms, runs: map[string]*Observed{}, known: make(chan struct{}),
		planner: planner{retries: true},
	}
	for _, room := range m.rooms {
		m.runs[room] = s.ledger.run(name, room)
	}
	m.visits = s.nextExtra() // so that not all begin on the same node
	return m
}

// secondTab is a second client of the same person, which sends nothing of its own.
func (m *rawClient) secondTab(name string) *rawClient {
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

// giveUp ends a client whose session the server no longer knows.
func (m *rawClient) giveUp() {
	m.s.ledger.forgets(m.name)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting, m.isForgotten = nil, true
}

// lost marks operations without an answer to be sent again.
func (m *rawClient) lost() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.waiting {
		d.flying, d.notBefore = nil, time.Time{}
	}
}

// identity waits until the person's id and session are known.
func (m *rawClient) identity(ctx context.Context) (person, session string) {
	select {
	case <-m.known:
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.person, m.session
}

// is sets the person's id and session.
func (m *rawClient) is(person, session string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.person == "" {
		m.person, m.session = person, session
		close(m.known)
	}
}

// awaitAnswers waits until everything is answered, but sometimes not for long.
func (m *rawClient) awaitAnswers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, rand.N(patience))
	defer cancel()
	for len(m.unanswered()) > 0 && ctx.Err() == nil {
		sleep(ctx, 2*time.Millisecond)
	}
}

// due returns the operations to send now: those to be repeated and, if fresh, a new one.
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

func (m *rawClient) add(operations ...*operation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isForgotten {
		return
	}
	for _, op := range operations {
		m.waiting = append(m.waiting, op.retryCopy())
	}
}

// unanswered returns copies of the waiting operations.
func (m *rawClient) unanswered() []*operation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.waiting)
}

// call records an attempt that is about to be made.
func (m *rawClient) call(d *operation, conn, node int) *Attempt {
	person, _ := m.identity(context.Background())
	a := m.s.ledger.calls(d.attempt(person, conn, node))
	m.mu.Lock()
	defer m.mu.Unlock()
	d.flying = a
	return a
}

// answer handles the answer to an attempt. A refused operation is repeated at once or later, unless
// its code is final.
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

// stall makes the client read nothing for a while.
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

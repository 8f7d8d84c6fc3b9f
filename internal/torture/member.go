package torture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// A member is a person on raw frames, so that nothing of what the server sends
// is put right on the way: it says numbered messages in its rooms, several
// before the first is answered, and again with the same nonces after a broken
// connection; and it writes down all that it is told.
type member struct {
	s     *storm
	name  string
	rooms []string
	runs  map[string]*Reading
	line  *proxy // what it connects through
	mute  bool   // says nothing of its own

	misbehaves bool // and is not measured

	twin *member // says the same, at the same time, on a connection of its own

	mu          sync.Mutex
	known       chan struct{} // closed when person and session are set
	person      string
	session     string
	said        int
	waiting     []*message // not acknowledged yet, in the order of saying
	asleep      time.Time  // until when nothing is read
	isForgotten bool
}

// A message is something that a member says until it is acknowledged.
type message struct {
	room, nonce, text string
	flying            *Attempt  // set while an answer may come
	notBefore         time.Time // when to try again
}

const (
	window    = 16                     // messages that a member says before the first is answered
	silence   = 6 * time.Second        // without a word for so long a connection is taken for lost
	pingEvery = 1 * time.Second        // so that there are words
	comeBack  = 150 * time.Millisecond // at most, before the next connection
)

func (s *storm) newMember(name string) *member {
	m := &member{s: s, name: name, line: s.proxy, rooms: s.rooms, runs: map[string]*Reading{}, known: make(chan struct{})}
	for _, room := range m.rooms {
		m.runs[room] = s.ledger.run(name, room)
	}
	return m
}

// sister is the same person again, with nothing to say of its own.
func (m *member) sister(name string) *member {
	other := m.s.newMember(name)
	other.mute = true
	return other
}

// live connects again and again until ctx ends.
func (m *member) live(ctx context.Context) {
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
func (m *member) giveUp() {
	m.s.ledger.forgets(m.name)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting, m.isForgotten = nil, true
}

// lost makes what has no answer be said again.
func (m *member) lost() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, msg := range m.waiting {
		msg.flying, msg.notBefore = nil, time.Time{}
	}
}

// identity waits until the member is somebody.
func (m *member) identity(ctx context.Context) (person, session string) {
	select {
	case <-m.known:
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.person, m.session
}

// is makes the member somebody.
func (m *member) is(person, session string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.person == "" {
		m.person, m.session = person, session
		close(m.known)
	}
}

// due returns what is to be said now: what has to be said again and, if fresh,
// something new.
func (m *member) due(fresh bool) []*message {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []*message
	now := time.Now()
	for _, msg := range m.waiting {
		if msg.flying == nil && now.After(msg.notBefore) {
			due = append(due, msg)
		}
	}
	if fresh && !m.mute && len(m.waiting) < window && !m.s.hushed.Load() {
		m.said++
		msg := m.compose(m.said)
		m.waiting = append(m.waiting, msg)
		due = append(due, msg)
		if m.twin != nil {
			m.twin.add(msg)
		}
	}
	return due
}

// compose makes a member's nth message: most are short, some are not.
func (m *member) compose(n int) *message {
	text := fmt.Sprintf("%s says %d", m.name, n)
	if n%7 == 0 {
		for len(text) < 100*(1+n%20) {
			text += " and so on"
		}
	}
	return &message{room: m.rooms[n%len(m.rooms)], nonce: fmt.Sprintf("%s-%d", m.name, n), text: text}
}

func (m *member) add(messages ...*message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isForgotten {
		return
	}
	for _, msg := range messages {
		m.waiting = append(m.waiting, &message{room: msg.room, nonce: msg.nonce, text: msg.text})
	}
}

// unanswered returns copies of what waits.
func (m *member) unanswered() []*message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.waiting)
}

// call writes an attempt down; it is about to be made.
func (m *member) call(msg *message, conn int) *Attempt {
	person, _ := m.identity(context.Background())
	a := m.s.ledger.calls(Attempt{Author: person, Room: msg.room, Nonce: msg.nonce, Conn: conn, Kind: Message, Text: msg.text})
	m.mu.Lock()
	defer m.mu.Unlock()
	msg.flying = a
	return a
}

// answer takes the answer to an attempt. A message that was refused is said
// again when that makes sense, or soon.
func (m *member) answer(msg *message, a *Attempt, f frame) {
	if f.Op == "error" {
		m.s.ledger.answered(a, 0, f.Code)
		m.s.count(func(r *Report) { r.Refusals++ })
		m.mu.Lock()
		defer m.mu.Unlock()
		wait := cmp.Or(time.Duration(f.RetryAfterMS)*time.Millisecond, 200*time.Millisecond)
		msg.flying, msg.notBefore = nil, time.Now().Add(min(wait, time.Second))
		return
	}
	m.s.ledger.answered(a, f.Seq, "")
	m.s.count(func(r *Report) { r.Acks++ })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = slices.DeleteFunc(m.waiting, func(other *message) bool { return other == msg })
}

// stall has the member read nothing for a while.
func (m *member) stall(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asleep = time.Now().Add(d)
}

func (m *member) awake(ctx context.Context) {
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

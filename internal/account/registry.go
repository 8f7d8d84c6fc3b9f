package account

import (
	"context"
	"encoding/binary"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/chat"
)

// A registry has a Registration for each connection with a session, and for each
// request that changes something while it is carried out, by person. The delivery of
// events does not use it.
type registry struct {
	ending  sync.Mutex    // held while a session is ended
	changes atomic.Uint64 // how many sessions were ended and people renamed

	mu       sync.Mutex
	byPerson map[chat.PersonID]*Registration // the first of each person's
}

// A Registration stands for one live connection, or one request, of one session. It
// is a field of the connection or request, so that it costs no allocation.
//
// A command of the session is carried out between Begin and Done. EndSession waits for
// Done.
type Registration struct {
	Owner Owner // told when the session has ended; nil: nobody is. Set before Enter

	person  atomic.Pointer[chat.Person] // nil: not registered
	session sessionKey
	feed    *listFeed // nil: no list is open. Guarded by registry.mu; only the owner's goroutine sets it

	next, prev *Registration // guarded by registry.mu: others of the same person

	gate   sync.Mutex // held between Begin and Done
	isOver bool       // guarded by gate: the session has ended
}

// An Owner is the connection that a Registration stands for.
type Owner interface {
	// SessionEnded is called once, after the session has ended. It must not block. It
	// may be called after Remove.
	SessionEnded()
}

// A sessionKey tells the sessions of one person apart.
type sessionKey uint64

func keyOf(session chat.SessionHash) sessionKey {
	return sessionKey(binary.BigEndian.Uint64(session[:]))
}

// Person returns whose session it is, under the name that they have now; the zero
// Person if r is not registered.
func (r *Registration) Person() chat.Person {
	if p := r.person.Load(); p != nil {
		return *p
	}
	return chat.Person{}
}

// Begin reports whether the session still stands. If it does, the session is not
// ended before Done.
func (r *Registration) Begin() bool {
	r.gate.Lock()
	if r.isOver {
		r.gate.Unlock()
		return false
	}
	return true
}

// Done ends what Begin began.
func (r *Registration) Done() { r.gate.Unlock() }

// slowEnter is how long the store may take to tell whose session it is, so that a node
// that listens to the person only then is still told what has changed meanwhile.
const slowEnter = 2 * time.Second

// Enter registers r for a session and returns the session's person. The error has
// code BadSession if the session is unknown. If a session ends or a person is
// renamed while Enter looks the person up, it looks again: either that change
// finds r registered, or Enter sees the counter moved.
func (a *Accounts) Enter(ctx context.Context, r *Registration, session string) (chat.Person, error) {
	for {
		changes, began := a.registry.changes.Load(), time.Now()
		p, err := a.stores.People.Person(ctx, session)
		if err != nil {
			return p, err
		}
		a.Add(r, p, session)
		if a.registry.changes.Load() == changes {
			if a.others != nil && time.Since(began) > slowEnter {
				a.Changed(p.ID, "")
			}
			return p, nil
		}
		a.registry.remove(r)
	}
}

// Add registers r for a session that only the caller knows yet.
func (a *Accounts) Add(r *Registration, p chat.Person, session string) {
	a.registry.add(r, p, keyOf(chat.HashSession(session)))
	if a.others != nil && r.Owner != nil { // a request is over before it could be told anything
		a.others.Listen(p.ID)
	}
}

// Remove undoes Enter and Add, and closes the list that r has open. It does
// nothing if r is not registered.
func (a *Accounts) Remove(r *Registration) {
	if feed := a.registry.remove(r); feed != nil {
		feed.close()
	}
}

// EndSession ends a session: it waits for what has begun, forgets the session, and
// then has all connections of the session end. Once it has returned, nothing more
// is accepted from the session. An unknown session is no error.
func (a *Accounts) EndSession(ctx context.Context, session string) error {
	ctx = context.WithoutCancel(ctx) // half of it would leave connections of a forgotten session
	who, err := a.stores.People.Person(ctx, session)
	if chat.CodeOf(err) == chat.BadSession {
		return nil
	}
	if err != nil {
		return err
	}
	a.registry.ending.Lock()
	defer a.registry.ending.Unlock()
	key := keyOf(chat.HashSession(session))
	held := a.registry.of(who.ID, key)
	for _, r := range held {
		r.gate.Lock()
	}
	if err := a.stores.People.Forget(ctx, session); err != nil {
		for _, r := range held {
			r.gate.Unlock()
		}
		return err
	}
	a.registry.changes.Add(1)
	for _, r := range held {
		r.end()
	}
	for _, r := range a.registry.of(who.ID, key) { // registered since held was read
		r.gate.Lock()
		r.end()
	}
	a.tellOthers(who.ID, "")
	return nil
}

// end marks the session as ended, opens the gate, which the caller has locked, and
// tells the owner unless that has been done.
func (r *Registration) end() {
	told := r.isOver
	r.isOver = true
	owner := r.Owner
	r.gate.Unlock()
	if owner != nil && !told {
		owner.SessionEnded()
	}
}

// ErrSessionEnded is what a client is told whose session has ended.
var ErrSessionEnded = &chat.Error{
	Code:    chat.SessionEnded,
	Message: "This session has been signed out. Give a name to come in again.",
}

// add registers r for a person's session.
func (l *registry) add(r *Registration, p chat.Person, session sessionKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byPerson == nil {
		l.byPerson = map[chat.PersonID]*Registration{}
	}
	r.person.Store(&p)
	r.session = session
	if r.next = l.byPerson[p.ID]; r.next != nil {
		r.next.prev = r
	}
	l.byPerson[p.ID] = r
}

// remove undoes add and returns the feed that r had, or nil.
func (l *registry) remove(r *Registration) *listFeed {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := r.person.Load()
	switch {
	case p == nil:
		return nil
	case r.prev != nil:
		r.prev.next = r.next
	case r.next != nil:
		l.byPerson[p.ID] = r.next
	default:
		delete(l.byPerson, p.ID)
	}
	if r.next != nil {
		r.next.prev = r.prev
	}
	feed := r.feed
	r.person.Store(nil)
	r.next, r.prev, r.feed = nil, nil, nil
	return feed
}

// of returns the registrations of a person's session.
func (l *registry) of(who chat.PersonID, session sessionKey) (all []*Registration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := l.byPerson[who]; r != nil; r = r.next {
		if r.session == session {
			all = append(all, r)
		}
	}
	return all
}

// rename gives all registrations of a person the person's new name.
func (l *registry) rename(p chat.Person) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := l.byPerson[p.ID]; r != nil; r = r.next {
		r.person.Store(&p)
	}
	l.changes.Add(1)
}

// live returns those of the people who have a registration, with the sessions of
// their registrations.
func (l *registry) live(ids iter.Seq[chat.PersonID]) map[chat.PersonID]livePerson {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := map[chat.PersonID]livePerson{}
	for id := range ids {
		first := l.byPerson[id]
		if first == nil {
			continue
		}
		p := livePerson{name: first.Person().Name}
		for r := first; r != nil; r = r.next {
			if !slices.Contains(p.sessions, r.session) {
				p.sessions = append(p.sessions, r.session)
			}
		}
		found[id] = p
	}
	return found
}

// A livePerson is somebody with a registration, as the registry knows them.
type livePerson struct {
	name     string
	sessions []sessionKey
}

// ids returns who has a registration.
func (l *registry) ids() []chat.PersonID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.byPerson))
}

// has reports whether a person has a registration.
func (l *registry) has(who chat.PersonID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byPerson[who] != nil
}

// feedOf returns the feed of r, or nil.
func (l *registry) feedOf(r *Registration) *listFeed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return r.feed
}

// setFeed sets the feed of r; nil: it has none any more.
func (l *registry) setFeed(r *Registration, feed *listFeed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.feed = feed
}

// feeds returns the feeds of a person's connections, without that of the
// registration except, which may be nil.
func (l *registry) feeds(who chat.PersonID, except *Registration) (all []*listFeed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := l.byPerson[who]; r != nil; r = r.next {
		if r.feed != nil && r != except {
			all = append(all, r.feed)
		}
	}
	return all
}

// people returns how many people have a registration.
func (l *registry) people() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.byPerson)
}

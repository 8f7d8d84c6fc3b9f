package server

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"sync"
	"sync/atomic"

	"parley/internal/chat"
)

// A registry knows what is live of everybody who has a session: their connections
// and the requests that change something, by person and session. So a session that
// is ended is over everywhere at once. Nothing of it is on the way of an event to
// its readers.
type registry struct {
	ending sync.Mutex    // held by the one who ends a session
	ends   atomic.Uint64 // how many sessions have been ended

	mu       sync.Mutex
	byPerson map[chat.PersonID]*registration // the first of each person's
}

// A registration is one live connection, or one request, of one session. It is
// part of what it stands for, so that it costs no allocation.
//
// Whoever carries something out for the session does it between begin and done.
// Whoever ends the session waits until that is over.
type registration struct {
	person  chat.PersonID // "": not registered
	session sessionKey
	owner   sessionListener // nil: nobody needs to be told

	next, prev *registration // guarded by registry.mu: the person's others

	gate   sync.Mutex // held while something is carried out
	isOver bool       // guarded by gate: the session has been ended
}

// A sessionListener is told that its session has been ended. It must not wait. It may
// be told after it has gone.
type sessionListener interface{ sessionEnded() }

// A sessionKey tells the sessions of one person apart.
type sessionKey uint64

func keyOf(token string) sessionKey {
	sum := sha256.Sum256([]byte(token))
	return sessionKey(binary.BigEndian.Uint64(sum[:]))
}

// begin reports whether something may be carried out for the session. If so the
// caller calls done when it has been.
func (r *registration) begin() bool {
	r.gate.Lock()
	if r.isOver {
		r.gate.Unlock()
		return false
	}
	return true
}

func (r *registration) done() { r.gate.Unlock() }

// add registers what is of a person's session.
func (l *registry) add(r *registration, who chat.PersonID, session sessionKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byPerson == nil {
		l.byPerson = map[chat.PersonID]*registration{}
	}
	r.person, r.session = who, session
	if r.next = l.byPerson[who]; r.next != nil {
		r.next.prev = r
	}
	l.byPerson[who] = r
}

// remove undoes add. It does nothing for what is not registered.
func (l *registry) remove(r *registration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case r.person == "":
		return
	case r.prev != nil:
		r.prev.next = r.next
	case r.next != nil:
		l.byPerson[r.person] = r.next
	default:
		delete(l.byPerson, r.person)
	}
	if r.next != nil {
		r.next.prev = r.prev
	}
	r.person, r.next, r.prev = "", nil, nil
}

// of returns what is registered of a person's session.
func (l *registry) of(who chat.PersonID, session sessionKey) (all []*registration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := l.byPerson[who]; r != nil; r = r.next {
		if r.session == session {
			all = append(all, r)
		}
	}
	return all
}

// enter registers r as of a session, and returns whose that is; an *chat.Error with
// code BadSession if nobody's. A session that is ended meanwhile is not missed:
// either endSession finds r, or enter finds that some session has been ended, and
// looks again.
func (s *Server) enter(ctx context.Context, r *registration, session string) (chat.Person, error) {
	for {
		ends := s.registry.ends.Load()
		p, err := s.stores.Person(ctx, session)
		if err != nil {
			return p, err
		}
		s.registry.add(r, p.ID, keyOf(session))
		if s.registry.ends.Load() == ends {
			return p, nil
		}
		s.registry.remove(r)
	}
}

// endSession ends a session: what is being carried out for it is finished, then it
// is forgotten, and then all its connections end. Once endSession has returned,
// nothing is accepted from the session any more. One that is nobody's is no error.
func (s *Server) endSession(ctx context.Context, session string) error {
	ctx = context.WithoutCancel(ctx) // half of it would leave connections of a session that is no more
	who, err := s.stores.Person(ctx, session)
	if chat.CodeOf(err) == chat.BadSession {
		return nil
	}
	if err != nil {
		return err
	}
	s.registry.ending.Lock()
	defer s.registry.ending.Unlock()
	held := s.registry.of(who.ID, keyOf(session))
	for _, r := range held {
		r.gate.Lock()
	}
	if err := s.stores.Forget(ctx, session); err != nil {
		for _, r := range held {
			r.gate.Unlock()
		}
		return err
	}
	s.registry.ends.Add(1)
	for _, r := range held {
		r.over()
	}
	for _, r := range s.registry.of(who.ID, keyOf(session)) { // those that came meanwhile
		r.gate.Lock()
		r.over()
	}
	return nil
}

// over is called by endSession, which holds the gate.
func (r *registration) over() {
	told := r.isOver
	r.isOver = true
	owner := r.owner
	r.gate.Unlock()
	if owner != nil && !told {
		owner.sessionEnded()
	}
}

// errSessionEnded is what somebody is told whose session has been ended.
var errSessionEnded = &chat.Error{
	Code:    chat.SessionEnded,
	Message: "This session has been signed out. Give a name to come in again.",
}

// streamSession returns the session that a request brings to a door which needs none, or
// "". The connection ends with that session. One that is nobody's is refused, and
// ok is false: it may have been ended a moment ago. The browser is told to forget
// it, so that the next attempt brings none.
func (s *Server) streamSession(w http.ResponseWriter, r *http.Request) (session string, ok bool) {
	if session = s.sessionOf(r); session == "" {
		return "", true
	}
	if _, err := s.stores.Person(r.Context(), session); err != nil {
		if chat.CodeOf(err) == chat.BadSession && sessionBearer(r) == "" {
			for _, line := range s.dropCookie(r, session) {
				w.Header().Add("Set-Cookie", line)
			}
		}
		s.refuse(w, r, err)
		return "", false
	}
	return session, true
}

// requestScope is what a request that may change something has of a session.
type requestScope struct {
	registration
	isHeld bool
}

type callScopeKey struct{}

// scoped gives each request that may change something a callScope, so that no
// session is ended while something is being done for it.
func (s *Server) scoped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reads(r.Method) {
			next.ServeHTTP(w, r)
			return
		}
		scope := &requestScope{}
		ctx := context.WithValue(r.Context(), callScopeKey{}, scope)
		defer s.leaveScope(ctx)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// personOf returns whose session it is that a request brings. If the request may
// change something, the session is not ended before leaveScope.
func (s *Server) personOf(ctx context.Context, session string) (chat.Person, error) {
	scope, _ := ctx.Value(callScopeKey{}).(*requestScope)
	if scope == nil || scope.isHeld {
		return s.stores.Person(ctx, session)
	}
	p, err := s.enter(ctx, &scope.registration, session)
	if err != nil {
		return p, err
	}
	if !scope.begin() {
		return chat.Person{}, &chat.Error{Code: chat.BadSession, Message: errSessionEnded.Message}
	}
	scope.isHeld = true
	return p, nil
}

// leaveScope says that all has been done for a request's session. The answer may
// take its time.
func (s *Server) leaveScope(ctx context.Context) {
	scope, _ := ctx.Value(callScopeKey{}).(*requestScope)
	if scope == nil {
		return
	}
	if scope.isHeld {
		scope.isHeld = false
		scope.done()
	}
	s.registry.remove(&scope.registration)
}

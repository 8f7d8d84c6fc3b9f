package server

import (
	"context"
	"net/http"
	"strings"

	"parley/internal/account"
	"parley/internal/chat"
)

// identify is whose for all but taking another name: somebody whose name is one
// that nobody may have any more has to do that first.
func (s *Server) identify(r *http.Request) (p chat.Person, ok bool, err error) {
	p, ok, err = s.personOfSession(r)
	if ok {
		err = chat.CheckName(p.Name)
	}
	return p, ok && err == nil, err
}

// personOfSession says whose request it is. ok is false if it brings no session; one
// that is nobody's is an error with code BadSession. A bearer token counts
// before the cookie, as only a program can have put it there.
func (s *Server) personOfSession(r *http.Request) (p chat.Person, ok bool, err error) {
	session := s.sessionOf(r)
	if session == "" {
		return chat.Person{}, false, nil
	}
	p, err = s.personOf(r.Context(), session)
	return p, err == nil, err
}

// unknownCaller returns who makes a request that needs no session. The session that the request may bring is not looked
// up, so a request with a session that has ended is answered like one without.
func (s *Server) unknownCaller(r *http.Request) chat.Who {
	return chat.Who{Network: network(s.address(r))}
}

// sessionOf returns the session that a request brings, or "".
func (s *Server) sessionOf(r *http.Request) string {
	if session := sessionBearer(r); session != "" {
		return session
	}
	return s.sessionCookie(r)
}

// identifyOrNew is whose for requests that may bring a name instead of a
// session. A cookie that has become nobody's is then as good as none: a page
// cannot throw it away, but it can ask its person for a name again.
func (s *Server) identifyOrNew(r *http.Request, name string) (p chat.Person, ok bool, err error) {
	p, ok, err = s.personOfSession(r)
	if chat.CodeOf(err) == chat.BadSession && name != "" && sessionBearer(r) == "" {
		return chat.Person{}, false, nil
	}
	return p, ok, err
}

// sessionBearer returns the session of an Authorization header (RFC 6750
// §2.1), or "". Other schemes are left to whoever is before us.
func sessionBearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// streamSession returns the session that a request brings to a door which needs none, or
// "". The connection ends with that session. One that is nobody's is refused, and
// ok is false: it may have been ended a moment ago. The browser is told to forget
// it, so that the next attempt brings none.
func (s *Server) streamSession(w http.ResponseWriter, r *http.Request) (session string, ok bool) {
	if session = s.sessionOf(r); session == "" {
		return "", true
	}
	if _, err := s.accounts.Person(r.Context(), session); err != nil {
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
	account.Registration
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
		return s.accounts.Person(ctx, session)
	}
	p, err := s.accounts.Enter(ctx, &scope.Registration, session)
	if err != nil {
		return p, err
	}
	if !scope.Begin() {
		return chat.Person{}, &chat.Error{Code: chat.BadSession, Message: account.ErrSessionEnded.Message}
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
		scope.Done()
	}
	s.accounts.Remove(&scope.Registration)
}

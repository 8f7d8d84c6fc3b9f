package httpdoor

import (
	"context"
	"net/http"
	"strings"

	"parley/internal/account"
	"parley/internal/chat"
)

// Identify returns the person who makes a request, like personOfRequest. It also
// refuses a person whose name is not allowed any more, with code BadName: they have
// to take another name first.
func (d *Door) Identify(r *http.Request) (p chat.Person, ok bool, err error) {
	p, ok, err = d.personOfRequest(r)
	if ok {
		err = chat.CheckName(p.Name)
	}
	return p, ok && err == nil, err
}

// personOfRequest returns the person who makes a request. ok is false if the request
// has no session. An unknown session is an error with code BadSession. A bearer token
// counts before the cookie, as only a program can have set it.
func (d *Door) personOfRequest(r *http.Request) (p chat.Person, ok bool, err error) {
	session := d.sessionOf(r)
	if session == "" {
		return chat.Person{}, false, nil
	}
	p, err = d.personOf(r.Context(), session)
	return p, err == nil, err
}

// UnknownCaller returns who makes a request that needs no session: a network without
// a person. If the request has a session, it is not looked up, so a request with a
// session that has ended is answered like one without.
func (d *Door) UnknownCaller(r *http.Request) chat.Who {
	return chat.Who{Network: Network(d.Address(r))}
}

// sessionOf returns the session of a request, or "".
func (d *Door) sessionOf(r *http.Request) string {
	if session := SessionBearer(r); session != "" {
		return session
	}
	return d.SessionCookie(r)
}

// IdentifyOrNew is personOfRequest for requests that may have a name instead of a
// session. With a name, a cookie whose session is unknown is ignored: a page cannot
// remove the cookie, but it can ask its person for a name again.
func (d *Door) IdentifyOrNew(r *http.Request, name string) (p chat.Person, ok bool, err error) {
	p, ok, err = d.personOfRequest(r)
	if chat.CodeOf(err) == chat.BadSession && name != "" && SessionBearer(r) == "" {
		return chat.Person{}, false, nil
	}
	return p, ok, err
}

// SessionBearer returns the session of an Authorization header (RFC 6750 §2.1), or
// "". Other schemes are for a proxy in front of the server.
func SessionBearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// StreamSession returns the session of a request to a door that needs none, or "". The
// connection ends when the session does. An unknown session may have ended just now,
// so it is refused: StreamSession answers the request, and ok is false. It removes the
// browser's cookie, so that the next attempt has no session.
func (d *Door) StreamSession(w http.ResponseWriter, r *http.Request) (session string, ok bool) {
	if session = d.sessionOf(r); session == "" {
		return "", true
	}
	if _, err := d.accounts.Person(r.Context(), session); err != nil {
		if chat.CodeOf(err) == chat.BadSession && SessionBearer(r) == "" {
			for _, line := range d.DropCookie(r, session) {
				w.Header().Add("Set-Cookie", line)
			}
		}
		d.Refuse(w, r, err)
		return "", false
	}
	return session, true
}

// requestScope holds the session of a request that may change something.
type requestScope struct {
	account.Registration
	isHeld bool
}

type requestScopeKey struct{}

// Scoped gives each request that may change something a requestScope, so that its
// session does not end before the change is made.
func (d *Door) Scoped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reads(r.Method) {
			next.ServeHTTP(w, r)
			return
		}
		scope := &requestScope{}
		ctx := context.WithValue(r.Context(), requestScopeKey{}, scope)
		defer d.LeaveScope(ctx)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// personOf returns the person of a request's session. If the request may change
// something, the session does not end before leaveScope.
func (d *Door) personOf(ctx context.Context, session string) (chat.Person, error) {
	scope, _ := ctx.Value(requestScopeKey{}).(*requestScope)
	if scope == nil || scope.isHeld {
		return d.accounts.Person(ctx, session)
	}
	p, err := d.accounts.Enter(ctx, &scope.Registration, session)
	if err != nil {
		return p, err
	}
	if !scope.Begin() {
		return chat.Person{}, &chat.Error{Code: chat.BadSession, Message: account.ErrSessionEnded.Message}
	}
	scope.isHeld = true
	return p, nil
}

// LeaveScope lets a request's session end: the change has been made. The answer may
// take longer.
func (d *Door) LeaveScope(ctx context.Context) {
	scope, _ := ctx.Value(requestScopeKey{}).(*requestScope)
	if scope == nil {
		return
	}
	if scope.isHeld {
		scope.isHeld = false
		scope.Done()
	}
	d.accounts.Remove(&scope.Registration)
}

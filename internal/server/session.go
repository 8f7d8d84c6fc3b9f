package server

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

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

// Bounds of the key that a guest may choose as their session: whoever guesses it
// is that guest.
const (
	minKey = 32
	maxKey = 128
)

// guest returns the guest whose key it is or, without a key or a guest who has it,
// a new one, and then their session.
func (s *Server) guest(ctx context.Context, r *http.Request, name, key string) (p chat.Person, session string, err error) {
	if key == "" {
		return s.newGuest(ctx, s.address(r), name, "")
	}
	if len(key) < minKey || len(key) > maxKey || strings.ContainsFunc(key, func(c rune) bool { return c < 0x21 || c > 0x7e }) {
		return p, "", &chat.Error{
			Code:    chat.BadRequest,
			Message: fmt.Sprintf("A guest_key is a secret of %d to %d printable ASCII characters; make one at random and keep it.", minKey, maxKey),
		}
	}
	if p, err = s.stores.Person(ctx, key); chat.CodeOf(err) != chat.BadSession {
		return p, "", err
	}
	return s.newGuest(ctx, s.address(r), name, key)
}

// newGuest makes a person for somebody at an address: not too many, as each is
// kept for good and has a message rate of its own. Their session is key unless
// that is empty.
func (s *Server) newGuest(ctx context.Context, from netip.Addr, name, key string) (p chat.Person, session string, err error) {
	if wait := s.guests.Take(network(from)); wait > 0 {
		return p, "", &chat.Error{
			Code:       chat.RateLimited,
			Message:    "Too many new guests have come from your address. It will be possible again in a moment.",
			RetryAfter: wait,
		}
	}
	if p, session, err = s.stores.NewGuest(ctx, name, key); err != nil {
		return p, "", fmt.Errorf("a new guest: %w", err)
	}
	return p, session, nil
}

// How often a person may take another name, per second and at once: each is
// told to everybody in the rooms that they are in.
const (
	renameRate  = 0.1
	renameBurst = 10
)

// renamed gives p, who comes from an address, another name, in normal form, unless
// that is "", theirs already, or was given with the same nonce before.
func (s *Server) renamed(ctx context.Context, p chat.Person, name, nonce string, from netip.Addr) (chat.Person, error) {
	if name == "" {
		return p, chat.CheckName(p.Name) // it may be older than a rule
	}
	if name == p.Name && nonce == "" {
		return p, nil
	}
	if wait, _ := s.renames.Take(p.ID, network(from)); wait > 0 {
		return p, &chat.Error{Code: chat.RateLimited, Message: "That is enough of new names for now.", RetryAfter: wait}
	}
	now, err := s.stores.Rename(ctx, p.ID, name, nonce)
	if err != nil {
		return p, fmt.Errorf("rename %s: %w", p.ID, err)
	}
	if now != p.Name {
		p.Name = now
		s.hub.Rename(p)
	}
	return p, nil
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

package server

import (
	"net/http"
	"strings"
	"time"

	"parley/internal/chat"
)

// plainCookie is the cookie in which browsers held their session before it had
// a name for each port. Whoever still has it is known by it and gets the other.
const plainCookie = "parley_session"

// secureCookie is the cookie's name by HTTPS. Browsers take a cookie with this
// prefix only from the host itself and by HTTPS, so that no other name of the
// same domain, and nobody on the way, can set it (RFC 6265bis §4.1.3.2).
const secureCookie = "__Host-" + plainCookie

// cookieAge is as long as browsers keep any cookie (RFC 6265bis §5.5).
const cookieAge = 400 * 24 * time.Hour

// maxOldCookies is how many cookies with another name are looked at.
const maxOldCookies = 8

// cookieName returns the name of the cookie in which the browser that sends r
// holds its session. Browsers keep no ports apart, so without HTTPS the port is
// part of the name: two servers on one host have one cookie each.
func (s *Server) cookieName(r *http.Request) string {
	if s.secure(r) {
		return secureCookie
	}
	_, port, _ := splitHost(r.Host)
	if port == "" {
		port = "80"
	}
	return plainCookie + "_" + port
}

// holdsSession reports whether a cookie has one of the names that a session's
// cookie can have, or could have once.
func holdsSession(name string) bool {
	return name == secureCookie || name == plainCookie || strings.HasPrefix(name, plainCookie+"_")
}

// sessionCookie returns the session that a browser brings, or "". Without a
// cookie of the right name one from before counts (before an upgrade, or when
// the server had another port or no HTTPS), if the session is known here: on one
// host other servers have such cookies too.
func (s *Server) sessionCookie(r *http.Request) string {
	name := s.cookieName(r)
	var old []string
	for _, c := range r.Cookies() {
		switch {
		case c.Value == "":
		case c.Name == name:
			return c.Value
		case holdsSession(c.Name) && len(old) < maxOldCookies:
			old = append(old, c.Value)
		}
	}
	for _, session := range old {
		if _, err := s.accounts.Person(r.Context(), session); chat.CodeOf(err) != chat.BadSession {
			return session // if the store could not say, whoever asks next is told so
		}
	}
	return ""
}

// setCookie returns the Set-Cookie lines that have a browser hold a session
// under the right name, and no longer under one that is out of use.
func (s *Server) setCookie(r *http.Request, session string) []string {
	name := s.cookieName(r)
	lines := []string{s.cookie(r, name, session)}
	for _, c := range r.Cookies() {
		// Without HTTPS the server may be in use at another port too.
		outOfUse := c.Name == plainCookie || name == secureCookie && c.Name != name && holdsSession(c.Name)
		if outOfUse && c.Value == session {
			lines = append(lines, s.cookie(r, c.Name, ""))
		}
	}
	return lines
}

// dropCookie returns the Set-Cookie lines that have a browser forget a session,
// under whatever names it holds it.
func (s *Server) dropCookie(r *http.Request, session string) []string {
	name := s.cookieName(r)
	lines := []string{s.cookie(r, name, "")}
	for _, c := range r.Cookies() {
		if c.Name != name && c.Value == session && holdsSession(c.Name) {
			lines = append(lines, s.cookie(r, c.Name, ""))
		}
	}
	return lines
}

// cookie returns the Set-Cookie that has a browser hold a session, or forget it
// if it is "".
func (s *Server) cookie(r *http.Request, name, session string) string {
	c := &http.Cookie{
		Name:     name,
		Value:    session,
		Path:     "/",
		MaxAge:   int(cookieAge / time.Second),
		HttpOnly: true,
		Secure:   s.secure(r),
		SameSite: http.SameSiteLaxMode,
	}
	if session == "" {
		c.MaxAge = -1
	}
	return c.String()
}

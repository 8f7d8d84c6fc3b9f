package httpdoor

import (
	"net/http"
	"strings"
	"time"

	"parley/internal/chat"
)

// plainCookie is the cookie that held a browser's session before the name had the
// port in it. A browser that still sends it is known by it, and gets the new one.
const plainCookie = "parley_session"

// SecureCookie is the cookie's name by HTTPS. Browsers take a cookie with this
// prefix only from the host itself and by HTTPS, so that no other name of the
// same domain, and nobody on the way, can set it (RFC 6265bis §4.1.3.2).
const SecureCookie = "__Host-" + plainCookie

// cookieAge is as long as browsers keep any cookie (RFC 6265bis §5.5).
const cookieAge = 400 * 24 * time.Hour

// maxOldCookies is how many cookies with an old name are looked up per request.
const maxOldCookies = 8

// cookieName returns the name of the session's cookie for the browser that sends r.
// A browser sends a cookie to all ports of a host. So without HTTPS the name has the
// port in it, and two servers on one host have one cookie each.
func (d *Door) cookieName(r *http.Request) string {
	if d.Secure(r) {
		return SecureCookie
	}
	_, port, _ := SplitHost(r.Host)
	if port == "" {
		port = "80"
	}
	return plainCookie + "_" + port
}

// holdsSession reports whether a cookie's name is, or was once, that of a session.
func holdsSession(name string) bool {
	return name == SecureCookie || name == plainCookie || strings.HasPrefix(name, plainCookie+"_")
}

// SessionCookie returns the session in the request's cookies, or "". If none has
// the right name, it takes one with an old name, which the browser got before an
// upgrade, at another port or without HTTPS. Another server on the host may have
// set that one, so its session must be known here.
func (d *Door) SessionCookie(r *http.Request) string {
	name := d.cookieName(r)
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
		if _, err := d.accounts.Person(r.Context(), session); chat.CodeOf(err) != chat.BadSession {
			return session // also if the lookup failed: the next lookup reports the error
		}
	}
	return ""
}

// SetCookie returns the Set-Cookie lines that store a session in the browser under
// the right name, and remove it under names that are not used any more.
func (d *Door) SetCookie(r *http.Request, session string) []string {
	name := d.cookieName(r)
	lines := []string{d.cookie(r, name, session)}
	for _, c := range r.Cookies() {
		// Without HTTPS, a cookie named for another port may be in use there.
		outOfUse := c.Name == plainCookie || name == SecureCookie && c.Name != name && holdsSession(c.Name)
		if outOfUse && c.Value == session {
			lines = append(lines, d.cookie(r, c.Name, ""))
		}
	}
	return lines
}

// DropCookie returns the Set-Cookie lines that remove a session from the browser,
// under all names that it has there.
func (d *Door) DropCookie(r *http.Request, session string) []string {
	name := d.cookieName(r)
	lines := []string{d.cookie(r, name, "")}
	for _, c := range r.Cookies() {
		if c.Name != name && c.Value == session && holdsSession(c.Name) {
			lines = append(lines, d.cookie(r, c.Name, ""))
		}
	}
	return lines
}

// cookie returns the Set-Cookie line that stores a session in the browser under a
// name. If session is "", the line removes the cookie.
func (d *Door) cookie(r *http.Request, name, session string) string {
	c := &http.Cookie{
		Name:     name,
		Value:    session,
		Path:     "/",
		MaxAge:   int(cookieAge / time.Second),
		HttpOnly: true,
		Secure:   d.Secure(r),
		SameSite: http.SameSiteLaxMode,
	}
	if session == "" {
		c.MaxAge = -1
	}
	return c.String()
}

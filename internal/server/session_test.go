package server

import (
	"net/http"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

func TestASessionIsKeptByACookie(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"  Ada  Lovelace "}`)
	opened := decode[guestBody](t, a)
	if a.StatusCode != http.StatusCreated || opened.Person.Name != "Ada Lovelace" || opened.Session == "" ||
		opened.Epoch != ts.store.Epoch() {
		t.Fatalf("status %d: %s", a.StatusCode, a.body)
	}
	want := cookieOf(ts) + "=" + opened.Session + "; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax"
	if got := a.Header.Get("Set-Cookie"); got != want {
		t.Errorf("Set-Cookie %q, want %q", got, want)
	}
	cookie := []string{"Cookie", cookieOf(ts) + "=" + opened.Session}

	who := ts.ask(t, http.MethodGet, "/api/session", "", cookie...)
	if p := decode[guestBody](t, who); p.Person != opened.Person || p.Session != "" {
		t.Errorf("who am I: %s", who.body)
	}
	if got := who.Header.Get("Set-Cookie"); got != want {
		t.Errorf("the cookie is not prolonged: %q", got)
	}

	renamed := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Augusta"}`, cookie...)
	if p := decode[guestBody](t, renamed).Person; renamed.StatusCode != http.StatusOK || p.ID != opened.Person.ID ||
		p.Name != "Augusta" {
		t.Errorf("renamed: status %d: %s", renamed.StatusCode, renamed.body)
	}
	if p := decode[guestBody](t,
		ts.ask(t, http.MethodGet, "/api/session", "", cookie...)).Person; p.Name != "Augusta" {
		t.Errorf("after renaming: %v", p)
	}
	if bad := ts.ask(t, http.MethodPost, "/api/session", `{"name":"\u202eAda"}`, cookie...); decode[httpdoor.Problem](t,
		bad).Code != chat.BadName {
		t.Errorf("a bidi override in a name: %s", bad.body)
	}

	gone := ts.ask(t, http.MethodDelete, "/api/session", "", cookie...)
	if gone.StatusCode != http.StatusNoContent || !strings.Contains(gone.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("forgotten: status %d, Set-Cookie %q", gone.StatusCode, gone.Header.Get("Set-Cookie"))
	}
	after := ts.ask(t, http.MethodGet, "/api/session", "", cookie...)
	if after.StatusCode != http.StatusUnauthorized || decode[httpdoor.Problem](t, after).Code != chat.BadSession ||
		after.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("after forgetting: status %d: %s", after.StatusCode, after.body)
	}
}

func TestABearerIsNoCookie(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	opened := ts.guest(t, "Ada")
	for _, scheme := range []string{"Bearer ", "bearer "} {
		a := ts.ask(t, http.MethodGet, "/api/session", "", "Authorization", scheme+opened.Session)
		if decode[guestBody](t, a).Person != opened.Person || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %s, Set-Cookie %q", scheme, a.body, a.Header.Get("Set-Cookie"))
		}
	}
	other := ts.guest(t, "Grace")
	a := ts.ask(t, http.MethodGet, "/api/session", "", "Authorization", "Bearer "+opened.Session, "Cookie",
		cookieOf(ts)+"="+other.Session)
	if decode[guestBody](t, a).Person != opened.Person {
		t.Errorf("bearer and cookie: %s", a.body)
	}
}

// A page cannot remove its cookie. If the server does not know the session, a name
// makes a new guest.
func TestAStaleCookieIsReplaced(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	stale := []string{"Cookie", cookieOf(ts) + "=gone"}
	if a := ts.ask(t, http.MethodGet, "/api/session", "", stale...); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
	a := ts.ask(t, http.MethodPost, "/api/session", `{}`, stale...)
	if decode[httpdoor.Problem](t, a).Code != chat.BadSession {
		t.Errorf("without a name: %s", a.body)
	}
	a = ts.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`, stale...)
	if a.StatusCode != http.StatusCreated ||
		!strings.HasPrefix(a.Header.Get("Set-Cookie"), cookieOf(ts)+"="+decode[guestBody](t, a).Session) {
		t.Errorf("with a name: status %d: %s", a.StatusCode, a.body)
	}
}

func TestTheCookieIsSecureBehindTLS(t *testing.T) {
	ts := startServer(t, Config{TrustedProxy: prefixes("127.0.0.0/8")}, room.Config{})
	a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`, "X-Forwarded-Proto", "https")
	if got := a.Header.Get("Set-Cookie"); !strings.Contains(got, "; Secure") {
		t.Errorf("Set-Cookie %q", got)
	}
	direct := startServer(t, Config{}, room.Config{})
	a = direct.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`, "X-Forwarded-Proto", "https")
	if got := a.Header.Get("Set-Cookie"); strings.Contains(got, "; Secure") {
		t.Errorf("a claim by nobody we trust: Set-Cookie %q", got)
	}
}

package server

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// cookieOf returns the name of the session's cookie in a browser that connects to ts
// directly.
func cookieOf(ts *testServer) string {
	if ts.certs != nil {
		return "__Host-parley_session"
	}
	return "parley_session_" + ts.url[strings.LastIndex(ts.url, ":")+1:]
}

// setBy returns the cookies that an answer sets, by name; "" for one that it removes.
func setBy(a answer) map[string]string {
	set := map[string]string{}
	for _, c := range a.Cookies() {
		set[c.Name] = c.Value
		if c.MaxAge < 0 {
			set[c.Name] = ""
		}
	}
	return set
}

func TestTheCookiesNameKeepsServersApart(t *testing.T) {
	ts := startServer(t, Config{TrustedProxy: prefixes("127.0.0.1/32")}, room.Config{})
	tests := map[string]struct {
		host, proto string
		name        string
	}{
		"a port":             {host: "box:8080", name: "parley_session_8080"},
		"another port":       {host: "box:9090", name: "parley_session_9090"},
		"the usual port":     {host: "box", name: "parley_session_80"},
		"an address":         {host: "[::1]:8080", name: "parley_session_8080"},
		"HTTPS":              {host: "chat.example.org", proto: "https", name: "__Host-parley_session"},
		"HTTPS, with a port": {host: "chat.example.org:8443", proto: "https", name: "__Host-parley_session"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`, "Host", tt.host, "X-Forwarded-Proto",
				tt.proto)
			if len(a.Cookies()) != 1 {
				t.Fatalf("Set-Cookie %q", a.Header.Values("Set-Cookie"))
			}
			c := a.Cookies()[0]
			if c.Name != tt.name || c.Secure != (tt.proto == "https") || !c.HttpOnly || c.Path != "/" ||
				c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
				t.Errorf("Set-Cookie %q, want %s", a.Header.Get("Set-Cookie"), tt.name)
			}
		})
	}
}

func TestACookieFromBeforeStillCountsAndIsRenamed(t *testing.T) {
	ts := startServer(t, Config{TrustedProxy: prefixes("127.0.0.1/32")}, room.Config{})
	ada := ts.guest(t, "Ada")
	other := "AAAAAAAAAAAAAAAAAAAAAA" // of another server on this host
	own := cookieOf(ts)
	const secure = "__Host-parley_session"
	tests := map[string]struct {
		brings []string // NAME=VALUE
		proto  string
		set    map[string]string
	}{
		"its own": {
			brings: []string{own + "=" + ada.Session}, set: map[string]string{own: ada.Session},
		},
		"an upgrade": {
			brings: []string{"parley_session=" + ada.Session},
			set:    map[string]string{own: ada.Session, "parley_session": ""},
		},
		"an upgrade, with HTTPS": {
			brings: []string{"parley_session=" + ada.Session}, proto: "https",
			set: map[string]string{secure: ada.Session, "parley_session": ""},
		},
		"HTTPS is new": {
			brings: []string{"parley_session_8080=" + ada.Session}, proto: "https",
			set: map[string]string{secure: ada.Session, "parley_session_8080": ""},
		},
		"another port before": {
			brings: []string{"parley_session_8080=" + ada.Session}, set: map[string]string{own: ada.Session},
		},
		"the proxy is no longer trusted": {
			brings: []string{secure + "=" + ada.Session}, set: map[string]string{own: ada.Session},
		},
		"beside another server's": {
			brings: []string{"parley_session_9090=" + other, "parley_session=" + ada.Session},
			set:    map[string]string{own: ada.Session, "parley_session": ""},
		},
		"beside another server's old one": {
			brings: []string{"parley_session=" + other, own + "=" + ada.Session},
			set:    map[string]string{own: ada.Session},
		},
		"HTTPS, beside another server's": {
			brings: []string{"parley_session_9090=" + other, secure + "=" + ada.Session}, proto: "https",
			set: map[string]string{secure: ada.Session},
		},
		"HTTPS beats what anybody can set": {
			brings: []string{"parley_session=" + other, secure + "=" + ada.Session}, proto: "https",
			set: map[string]string{secure: ada.Session},
		},
		"twice under both": {
			brings: []string{"parley_session=" + ada.Session, own + "=" + ada.Session},
			set:    map[string]string{own: ada.Session, "parley_session": ""},
		},
		"a name that only begins like ours": {
			brings: []string{"parley_sessions=" + other, own + "=" + ada.Session},
			set:    map[string]string{own: ada.Session},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			header := []string{"Cookie", strings.Join(tt.brings, "; "), "X-Forwarded-Proto", tt.proto}
			a := ts.ask(t, http.MethodGet, "/api/session", "", header...)
			if a.StatusCode != http.StatusOK || decode[guestBody](t, a).Person.ID != ada.Person.ID {
				t.Fatalf("status %d: %s", a.StatusCode, a.body)
			}
			got := setBy(a)
			if len(got) != len(tt.set) {
				t.Errorf("cookies %v, want %v", got, tt.set)
			}
			for name, value := range tt.set {
				if v, ok := got[name]; !ok || v != value {
					t.Errorf("cookies %v, want %v", got, tt.set)
				}
			}
			c := ts.dial(t, "/ws", header...)
			if answer := c.ask(`"op":"hello"`); answer.Person.ID != ada.Person.ID {
				t.Errorf("/ws: %+v", answer)
			}
		})
	}
}

// A cookie of another server on this host is left alone, and is no session here.
func TestAnotherServersCookieIsLeftAlone(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	foreign := []string{"Cookie", "parley_session=elsewhere; parley_session_1=elsewhere; parley_session_2=elsewhere"}
	a := ts.ask(t, http.MethodGet, "/api/session", "", foreign...)
	if a.StatusCode != http.StatusUnauthorized || decode[httpdoor.Problem](t, a).Code != chat.BadSession ||
		len(a.Cookies()) > 0 {
		t.Errorf("status %d, %v: %s", a.StatusCode, a.Header["Set-Cookie"], a.body)
	}
	opened := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`, foreign...)
	if got := setBy(opened); opened.StatusCode != http.StatusCreated || len(got) != 1 || got[cookieOf(ts)] == "" {
		t.Errorf("status %d, cookies %v", opened.StatusCode, got)
	}
	gone := ts.ask(t, http.MethodDelete, "/api/session", "", foreign...)
	if got := setBy(gone); len(got) != 1 || got[cookieOf(ts)] != "" {
		t.Errorf("forgetting takes away %v", got)
	}
}

func TestForgettingTakesAwayEveryCookieOfTheSession(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada := ts.guest(t, "Ada")
	a := ts.ask(t, http.MethodDelete, "/api/session", "", "Cookie",
		"parley_session="+ada.Session+"; parley_session_1="+ada.Session+"; parley_session_2=elsewhere")
	var names []string
	for name, value := range setBy(a) {
		if value != "" {
			t.Errorf("%s is set", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"parley_session", "parley_session_1", cookieOf(ts)}
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("taken away: %v, want %v", names, want)
	}
}

package server

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"parley/internal/chat"
	"parley/internal/room"
)

var allowed = []string{"https://chat.example.org", "https://*.example.net", "http://localhost:3000"}

// originTests hold for upgrades and for requests that change something.
var originTests = map[string]struct {
	host, origin string
	ok           bool
}{
	"no browser":              {host: "chat.local", ok: true},
	"our own":                 {host: "chat.local", origin: "http://chat.local", ok: true},
	"our own, by TLS":         {host: "chat.local", origin: "https://chat.local", ok: true},
	"our own, with a port":    {host: "chat.local:8080", origin: "http://chat.local:8080", ok: true},
	"another port":            {host: "chat.local:8080", origin: "http://chat.local:9090"},
	"another host":            {host: "chat.local", origin: "http://evil.example"},
	"our name as sub-domain":  {host: "chat.local", origin: "http://chat.local.evil.example"},
	"null":                    {host: "chat.local", origin: "null"},
	"rubbish":                 {host: "chat.local", origin: "::"},
	"listed":                  {host: "chat.local", origin: "https://chat.example.org", ok: true},
	"listed, with its port":   {host: "chat.local", origin: "https://chat.example.org:443", ok: true},
	"listed, another scheme":  {host: "chat.local", origin: "http://chat.example.org"},
	"listed, another port":    {host: "chat.local", origin: "https://chat.example.org:444"},
	"below a listed host":     {host: "chat.local", origin: "https://x.chat.example.org"},
	"wildcard":                {host: "chat.local", origin: "https://a.example.net", ok: true},
	"wildcard, deeper":        {host: "chat.local", origin: "https://a.b.example.net", ok: true},
	"wildcard, not itself":    {host: "chat.local", origin: "https://example.net"},
	"wildcard, only the end":  {host: "chat.local", origin: "https://evilexample.net"},
	"wildcard, wrong scheme":  {host: "chat.local", origin: "http://a.example.net"},
	"listed, with port 3000":  {host: "chat.local", origin: "http://localhost:3000", ok: true},
	"listed, without port":    {host: "chat.local", origin: "http://localhost"},
	"nothing before the dots": {host: "chat.local", origin: "https://.example.net"},
}

func TestOriginsOfUpgrades(t *testing.T) {
	list, err := parseOrigins(allowed)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{origins: list}
	for name, tt := range originTests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/ws", nil)
			r.Host = tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			err := s.originAllowed(r)
			if tt.ok && err != nil || !tt.ok && chat.CodeOf(err) != chat.ForbiddenOrigin {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestOriginsOfRequestsThatChangeSomething(t *testing.T) {
	ts := startServer(t, Config{AllowOrigin: allowed}, room.Config{})
	for name, tt := range originTests {
		t.Run(name, func(t *testing.T) {
			header := []string{"Host", tt.host}
			if tt.origin != "" {
				header = append(header, "Origin", tt.origin)
			}
			a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`, header...)
			if tt.ok && a.StatusCode != http.StatusCreated || !tt.ok && a.StatusCode != http.StatusForbidden {
				t.Fatalf("status %d: %s", a.StatusCode, a.body)
			}
			if !tt.ok && decode[Problem](t, a).Code != chat.ForbiddenOrigin {
				t.Errorf("body %s", a.body)
			}
		})
	}
	t.Run("another site, by what the browser says", func(t *testing.T) {
		a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`, "Sec-Fetch-Site", "cross-site")
		if a.StatusCode != http.StatusForbidden {
			t.Errorf("status %d", a.StatusCode)
		}
	})
	t.Run("upgrades are asked too", func(t *testing.T) {
		for _, path := range []string{"/ws", "/chatroom/lobby"} {
			a := ts.ask(t, http.MethodGet, path, "", "Origin", "http://evil.example", "Connection", "Upgrade", "Upgrade", "websocket",
				"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
			if a.StatusCode != http.StatusForbidden || decode[Problem](t, a).Code != chat.ForbiddenOrigin {
				t.Errorf("%s: status %d: %s", path, a.StatusCode, a.body)
			}
		}
	})
}

func TestListedOriginsGetWhatCORSAsksFor(t *testing.T) {
	ts := startServer(t, Config{AllowOrigin: allowed}, room.Config{})
	const here = "https://a.example.net"
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type", "Origin"}

	a := ts.ask(t, http.MethodOptions, "/api/rooms/lobby/messages", "", append(preflight, here)...)
	want := map[string]string{
		"Access-Control-Allow-Origin":      here,
		"Access-Control-Allow-Credentials": "true",
		"Access-Control-Allow-Methods":     "GET, POST, DELETE",
		"Access-Control-Allow-Headers":     "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
		"Vary":                             "Origin",
	}
	for name, value := range want {
		if got := a.Header.Get(name); got != value {
			t.Errorf("preflight: %s = %q, want %q", name, got, value)
		}
	}
	if a.StatusCode != http.StatusNoContent {
		t.Errorf("preflight: status %d", a.StatusCode)
	}
	if a := ts.ask(t, http.MethodOptions, "/api/session", "", append(preflight, "https://evil.example")...); a.StatusCode != http.StatusForbidden || a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight from elsewhere: status %d, %v", a.StatusCode, a.Header)
	}
	for _, path := range []string{"/api/rooms/lobby", "/api/rooms/a%20b", "/api/nothing"} { // problems have to be readable too
		if got := ts.ask(t, http.MethodGet, path, "", "Origin", here).Header.Get("Access-Control-Allow-Origin"); got != here {
			t.Errorf("%s: Access-Control-Allow-Origin = %q", path, got)
		}
		elsewhere := ts.ask(t, http.MethodGet, path, "", "Origin", "https://evil.example")
		if got := elsewhere.Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s from elsewhere: Access-Control-Allow-Origin = %q", path, got)
		}
	}
}

func TestAnOriginThatIsNoneIsRefusedAtTheStart(t *testing.T) {
	for _, v := range []string{"", "*", "example.org", "https://", "https://*", "https://*.", "https://a.*.org", "https://example.org/path", "https://u@example.org", "null"} {
		if list, err := parseOrigins([]string{v}); err == nil {
			t.Errorf("%q is taken as %v", v, list)
		}
	}
}

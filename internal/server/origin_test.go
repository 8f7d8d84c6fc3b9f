package server

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

var allowed = []string{"https://chat.example.org", "https://*.example.net", "http://localhost:3000"}

func TestOriginsAreCheckedAtEveryDoor(t *testing.T) {
	ts := startServer(t, Config{AllowOrigin: allowed}, room.Config{})
	t.Run("by what the browser says, without an Origin", func(t *testing.T) {
		a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`, "Sec-Fetch-Site", "cross-site")
		if a.StatusCode != http.StatusForbidden {
			t.Errorf("status %d", a.StatusCode)
		}
	})
	t.Run("upgrades are asked too", func(t *testing.T) {
		for _, path := range []string{"/ws", "/chatroom/lobby"} {
			a := ts.ask(t, http.MethodGet, path, "", "Origin", "http://evil.example", "Connection", "Upgrade",
				"Upgrade", "websocket",
				"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
			if a.StatusCode != http.StatusForbidden || decode[httpdoor.Problem](t, a).Code != chat.ForbiddenOrigin {
				t.Errorf("%s: status %d: %s", path, a.StatusCode, a.body)
			}
		}
	})
}

func TestListedOriginsGetWhatCORSAsksFor(t *testing.T) {
	ts := startServer(t, Config{AllowOrigin: allowed}, room.Config{})
	const here = "https://a.example.net"
	preflight := []string{
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type", "Origin",
	}

	a := ts.ask(t, http.MethodOptions, "/api/rooms/lobby/messages", "", append(preflight, here)...)
	want := map[string]string{
		"Access-Control-Allow-Origin":      here,
		"Access-Control-Allow-Credentials": "true",
		"Access-Control-Allow-Methods":     "POST",
		"Access-Control-Allow-Headers":     "content-type",
		"Access-Control-Max-Age":           "600",
		"Vary":                             "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
	}
	for name, value := range want {
		if got := a.Header.Get(name); got != value {
			t.Errorf("preflight: %s = %q, want %q", name, got, value)
		}
	}
	if a.StatusCode != http.StatusNoContent {
		t.Errorf("preflight: status %d", a.StatusCode)
	}
	if a := ts.ask(t, http.MethodOptions, "/api/session", "",
		append(preflight, "https://evil.example")...); a.StatusCode != http.StatusForbidden ||
		a.Header.Get("Access-Control-Allow-Origin") != "" ||
		decode[httpdoor.Problem](t, a).Code != chat.ForbiddenOrigin {
		t.Errorf("preflight from elsewhere: status %d, %v: %s", a.StatusCode, a.Header, a.body)
	}
	// problems must be readable too
	for _, path := range []string{"/api/rooms/lobby", "/api/rooms/%3F", "/api/nothing"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			h := ts.ask(t, method, path, "", "Origin", here).Header
			if h.Get("Access-Control-Allow-Origin") != here || h.Get("Access-Control-Allow-Credentials") != "true" ||
				h.Get("Access-Control-Expose-Headers") != "Retry-After" || h.Get("Vary") != "Origin" {
				t.Errorf("%s %s: %v", method, path, h)
			}
			h = ts.ask(t, method, path, "", "Origin", "https://evil.example").Header
			if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Vary") != "Origin" {
				t.Errorf("%s %s from elsewhere: %v", method, path, h)
			}
		}
	}
}

func TestPreflightsAllowNoMoreThanThePageNeeds(t *testing.T) {
	const here = "https://chat.example.org"
	tests := map[string]struct {
		allowed         []string // --allow-origin
		method, headers string   // of the request that the browser asks about
		origin          string
		status          int
		granted         bool
	}{
		"all headers": {
			allowed: allowed, method: "PUT", headers: "authorization,content-type,idempotency-key,last-event-id",
			origin: here, status: http.StatusNoContent, granted: true,
		},
		"no headers": {
			allowed: allowed, method: "DELETE", origin: here, status: http.StatusNoContent, granted: true,
		},
		"another header": {
			allowed: allowed, method: "POST", headers: "x-other", origin: here, status: http.StatusNoContent,
		},
		"another method": {allowed: allowed, method: "LINK", origin: here, status: http.StatusNoContent},
		"no origin":      {allowed: allowed, method: "POST", status: http.StatusForbidden},
		"nobody listed":  {method: "POST", origin: here, status: http.StatusForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ts := startServer(t, Config{AllowOrigin: tt.allowed}, room.Config{})
			header := []string{"Access-Control-Request-Method", tt.method}
			if tt.headers != "" {
				header = append(header, "Access-Control-Request-Headers", tt.headers)
			}
			if tt.origin != "" {
				header = append(header, "Origin", tt.origin)
			}
			a := ts.ask(t, http.MethodOptions, "/api/session", "", header...)
			granted := a.Header.Get("Access-Control-Allow-Origin") != ""
			if a.StatusCode != tt.status || granted != tt.granted {
				t.Errorf("status %d, granted %v; want %d, %v", a.StatusCode, granted, tt.status, tt.granted)
			}
		})
	}
}

func TestWithoutListedOriginsNothingSpeaksOfCORS(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	a := ts.ask(t, http.MethodGet, "/api/rooms/lobby", "", "Origin", "https://chat.example.org")
	for name := range a.Header {
		if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
			t.Errorf("%s: %q", name, a.Header.Get(name))
		}
	}
}

// The OpenAPI document lists the methods.
func TestCORSAllowsTheMethodsOfTheRoutes(t *testing.T) {
	ts := startServer(t, Config{AllowOrigin: allowed}, room.Config{})
	doc := decode[struct{ Paths map[string]map[string]any }](t, ts.ask(t, http.MethodGet, "/api/openapi.json", ""))
	methods := map[string]bool{}
	for _, operations := range doc.Paths {
		for method := range operations {
			methods[strings.ToUpper(method)] = true
		}
	}
	if len(methods) < 5 {
		t.Errorf("the document has only %v", slices.Sorted(maps.Keys(methods)))
	}
	for method := range methods {
		a := ts.ask(t, http.MethodOptions, "/api/session", "", "Origin", "https://a.example.net",
			"Access-Control-Request-Method", method)
		if got := a.Header.Get("Access-Control-Allow-Methods"); got != method {
			t.Errorf("%s: allowed is %q", method, got)
		}
	}
}

// A page of a listed origin can do everything that the server's own page can; the browser asks
// first.
func TestAPageOfAListedOriginCanDoWhatOursCan(t *testing.T) {
	ts := startServer(t, Config{AllowOrigin: allowed}, room.Config{})
	const here = "https://chat.example.org"
	bearer := []string{
		"Authorization", "Bearer " + ts.guest(t, "Ada").Session, "Origin", here, "Sec-Fetch-Site", "cross-site",
	}
	ts.ask(t, http.MethodPost, "/api/rooms/lobby/messages", `{"text":"one"}`, bearer...)
	for _, c := range [][]string{
		{"PATCH", "/messages/1", `{"text":"two"}`},
		{"PUT", "/messages/1/reactions/%F0%9F%91%8D", ""},
		{"PUT", "/pins/1", ""},
		{"PUT", "/topic", `{"text":"ships"}`},
		{"DELETE", "/messages/1", ""},
	} {
		pre := ts.ask(t, http.MethodOptions, "/api/rooms/lobby"+c[1], "", "Origin", here,
			"Access-Control-Request-Method", c[0])
		if method := pre.Header.Get("Access-Control-Allow-Methods"); method != c[0] {
			t.Errorf("%s %s: the browser is allowed %q", c[0], c[1], method)
		}
		if a := ts.ask(t, c[0], "/api/rooms/lobby"+c[1], c[2], bearer...); a.StatusCode >= http.StatusBadRequest ||
			a.Header.Get("Access-Control-Allow-Origin") != here {
			t.Errorf("%s %s: status %d: %s", c[0], c[1], a.StatusCode, a.body)
		}
	}
}

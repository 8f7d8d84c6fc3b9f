package server

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/room"
)

var allowed = []string{"https://chat.example.org", "https://*.example.net", "http://localhost:3000"}

// originTests apply to upgrades and to requests that change something.
var originTests = map[string]struct {
	host, origin, site string
	ok                 bool
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

	"the usual port in Host":          {host: "chat.local:80", origin: "http://chat.local", ok: true},
	"the usual port of HTTPS":         {host: "chat.local:443", origin: "https://chat.local", ok: true},
	"the usual port in Origin":        {host: "chat.local", origin: "http://chat.local:80", ok: true},
	"the usual port of another":       {host: "chat.local:443", origin: "http://chat.local"},
	"capitals in Host":                {host: "Chat.LOCAL", origin: "http://chat.local", ok: true},
	"capitals in Origin":              {host: "chat.local", origin: "HTTP://CHAT.local", ok: true},
	"a dot at the end of Host":        {host: "chat.local.:8080", origin: "http://chat.local:8080", ok: true},
	"a dot at the end of Origin":      {host: "chat.local", origin: "https://chat.local.", ok: true},
	"no port behind the colon":        {host: "chat.local:", origin: "http://chat.local", ok: true},
	"an address":                      {host: "192.168.1.20:8080", origin: "http://192.168.1.20:8080", ok: true},
	"another address":                 {host: "192.168.1.20:8080", origin: "http://192.168.1.21:8080"},
	"IPv6":                            {host: "[::1]:8080", origin: "http://[::1]:8080", ok: true},
	"IPv6, written out":               {host: "[0:0:0:0:0:0:0:1]:8080", origin: "http://[::1]:8080", ok: true},
	"IPv6, the usual port":            {host: "[FE80::1]:80", origin: "http://[fe80::1]", ok: true},
	"letters beyond ASCII":            {host: "büro.local", origin: "http://xn--bro-hoa.local", ok: true},
	"a name in the Origin's path":     {host: "chat.local", origin: "http://evil.example/chat.local"},
	"a name before an @":              {host: "chat.local", origin: "http://chat.local@evil.example"},
	"listed, in capitals, with a dot": {host: "chat.local", origin: "https://Chat.Example.org.", ok: true},
	"wildcard, with a port":           {host: "chat.local", origin: "https://a.example.net:8443"},

	"says the browser: our own": {
		host: "chat.local", origin: "http://chat.local", site: "same-origin", ok: true,
	},
	"says the browser: another site": {host: "chat.local", origin: "http://chat.local", site: "cross-site"},
	"says the browser: a neighbour":  {host: "chat.local:8080", origin: "http://chat.local:9090", site: "same-site"},
	"another site, but listed": {
		host: "chat.local", origin: "https://chat.example.org", site: "cross-site", ok: true,
	},
	"the proxy has changed Host": {
		host: "127.0.0.1:8080", origin: "https://chat.example.com", site: "same-origin", ok: true,
	},
	"the proxy has, in an old browser":  {host: "127.0.0.1:8080", origin: "https://chat.example.com"},
	"a word that the browser never has": {host: "chat.local", origin: "http://chat.local", site: "trust-me"},
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
			if tt.site != "" {
				r.Header.Set("Sec-Fetch-Site", tt.site)
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
			if tt.site != "" {
				header = append(header, "Sec-Fetch-Site", tt.site)
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
			if a.StatusCode != http.StatusForbidden || decode[Problem](t, a).Code != chat.ForbiddenOrigin {
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
		a.Header.Get("Access-Control-Allow-Origin") != "" || decode[Problem](t, a).Code != chat.ForbiddenOrigin {
		t.Errorf("preflight from elsewhere: status %d, %v: %s", a.StatusCode, a.Header, a.body)
	}
	// problems must be readable too
	for _, path := range []string{"/api/rooms/lobby", "/api/rooms/a%20b", "/api/nothing"} {
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

func TestAllowOriginTakesOriginsOnly(t *testing.T) {
	for _, v := range []string{
		"", "*", "null", "example.org", "https://", "https://*", "https://*.", "https://a.*.org",
		"https://*a.example.org", "//example.org",
		"https://example.org/path", "https://example.org//", "https://example.org/?", "https://example.org?x",
		"https://example.org#x",
		"https://u@example.org", "https://u:p@example.org", "https://example.org:port", "https://example.org:99999",
		"https://ex ample.org",
		"javascript://x", "ftp://example.org", "file:///", "data://x", "ws://example.org", "https:example.org",
		"https//example.org",
		"https://*.com", "https://*.co.uk", "https://*.github.io", "https://*.uk", "https://*.lan", "https://*.1.2.3.4",
		"https://*.COM.",
		"https://-\u2603.example.org/", "https://a..example.org",
	} {
		list, err := parseOrigins([]string{v})
		if err == nil {
			t.Errorf("%q is taken as %v", v, list)
		} else if !strings.HasPrefix(err.Error(), "--allow-origin: ") ||
			!strings.Contains(err.Error(), "such as https://") && !strings.Contains(err.Error(), "name a domain") &&
				!strings.Contains(err.Error(), "write http://") && !strings.Contains(err.Error(), "leave it out") {
			t.Errorf("%q: %v does not say what to write", v, err)
		}
	}
	for v, want := range map[string]string{
		"https://chat.example.org":      "https://chat.example.org",
		"https://chat.example.org/":     "https://chat.example.org",
		"HTTPS://Chat.Example.ORG.:443": "https://chat.example.org",
		"http://localhost:3000":         "http://localhost:3000",
		"https://*.example.org":         "https://.example.org",
		"https://*.example.co.uk":       "https://.example.co.uk",
		"http://*.localhost:3000":       "http://.localhost:3000",
		"https://bücher.example":        "https://xn--bcher-kva.example",
		"http://192.168.1.20:8080":      "http://192.168.1.20:8080",
		"http://[::1]:8080":             "http://[::1]:8080",
	} {
		list, err := parseOrigins([]string{v})
		if err != nil || list[0].scheme+"://"+list[0].host != want {
			t.Errorf("%q is %v (%v), want %s", v, list, err, want)
		}
	}
}

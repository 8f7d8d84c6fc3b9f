package server

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// A page of a name that points here for a moment has the same origin, so only the host reveals it.
func TestNoDoorAnswersForAnotherHost(t *testing.T) {
	ts := startServer(t, Config{DebugEcho: true}, room.Config{})
	ada := ts.guest(t, "Ada")
	const evil = "rebound.example"
	port := ts.url[strings.LastIndex(ts.url, ":"):]
	upgrade := []string{
		"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", sampleKey,
	}
	for _, c := range []struct {
		method, path, body string
		header             []string
	}{
		{http.MethodGet, "/", "", nil},
		{http.MethodHead, "/", "", nil},
		{http.MethodGet, "/r/lobby", "", nil},
		{http.MethodGet, "/r/Lobby", "", nil},
		{http.MethodGet, "/assets/x.js", "", nil},
		{http.MethodGet, "/sw.js", "", nil},
		{http.MethodGet, "/nowhere", "", nil},
		{http.MethodGet, "/ws", "", upgrade},
		{http.MethodGet, "/chatroom/lobby", "", upgrade},
		{http.MethodGet, "/debug/echo", "", upgrade},
		{http.MethodGet, "/api/rooms/lobby/events", "", nil},
		{http.MethodGet, "/api/rooms/lobby/text", "", nil},
		{http.MethodGet, "/api/rooms/lobby/messages", "", nil},
		{http.MethodGet, "/api/openapi.json", "", nil},
		{http.MethodGet, "/api/docs", "", nil},
		{http.MethodGet, "/api/search?q=x", "", nil},
		{http.MethodGet, "/api/me/rooms", "", nil},
		{http.MethodPost, "/api/session", `{"name":"Eve"}`, nil},
		{http.MethodPost, "/api/rooms/lobby/messages", `{"name":"Eve","text":"hi"}`, nil},
		{http.MethodDelete, "/api/session", "", nil},
		{http.MethodOptions, "/api/session", "", []string{"Access-Control-Request-Method", "POST"}},
		{http.MethodGet, "/healthz/", "", nil},
		{http.MethodGet, "/readyz/", "", nil},
		{http.MethodGet, "/metrics/x", "", nil},
	} {
		header := append([]string{
			"Host", evil + port, "Origin", "http://" + evil + port, "Sec-Fetch-Site", "same-origin", "Cookie",
			cookieOf(ts) + "=" + ada.Session,
		}, c.header...)
		a := ts.ask(t, c.method, c.path, c.body, header...)
		if a.StatusCode != http.StatusMisdirectedRequest || len(a.Cookies()) > 0 {
			t.Errorf("%s %s: status %d: %s", c.method, c.path, a.StatusCode, a.body)
			continue
		}
		if c.method == http.MethodHead {
			continue
		}
		if p := decode[httpdoor.Problem](t, a); p.Code != chat.UnknownHost || !strings.Contains(p.Detail, evil) ||
			!strings.Contains(p.Detail, "--allow-host") || !strings.Contains(p.Detail, "--trusted-proxy") {
			t.Errorf("%s %s: %s", c.method, c.path, a.body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if a := ts.ask(t, http.MethodGet, path, "", "Host", evil); a.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, a.StatusCode)
		}
	}
	if head, _, err := ts.store.Head(t.Context(), "lobby"); head != 0 || err != nil {
		t.Errorf("the lobby is at %d (%v)", head, err)
	}
}

func TestPageForAnotherHostNamesTheFlag(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	for host, want := range map[string]string{
		"chat.example.org:8080": "parley serve --allow-host chat.example.org</pre>",
		"<script>alert(1)":      "parley serve --allow-host chat.example.org</pre>",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/r/lobby", nil)
		r.Host = host
		r.Header.Set("Accept", "text/html,*/*")
		ts.ServeHTTP(w, r)
		page := w.Body.String()
		if w.Code != http.StatusMisdirectedRequest || !strings.Contains(page, want) ||
			!strings.Contains(page, "--trusted-proxy") || strings.Contains(page, "<script") {
			t.Errorf("%s: status %d: %s", host, w.Code, page)
		}
		if h := w.Header(); h.Get("Cache-Control") != "no-store" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %v", host, h)
		}
	}
}

// A browser connects by TLS only under a name for which the certificate is valid.
func TestTheNamesOfTheCertificateCount(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, 1, "chat.example.org", "*.example.net")
	ts := startServer(t, Config{TLSCert: cert, TLSKey: key, HSTS: time.Hour}, room.Config{})
	client := tlsClient(t)
	for host, want := range map[string]int{
		"chat.example.org":      http.StatusOK,
		"chat.example.org:8443": http.StatusOK,
		"a.example.net":         http.StatusOK,
		"a.b.example.net":       http.StatusMisdirectedRequest,
		"example.org":           http.StatusMisdirectedRequest,
		"localhost":             http.StatusOK,
	} {
		r, err := http.NewRequest(http.MethodGet, strings.Replace(ts.url, "http", "https", 1)+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != want {
			t.Errorf("%s: status %d, want %d", host, a.StatusCode, want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "http://chat.example.org/", nil)
	w := httptest.NewRecorder()
	if ts.ServeHTTP(w, r); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("without TLS: status %d", w.Code)
	}
}

func TestTheSocketWithoutTLSAnswersForTheSameHosts(t *testing.T) {
	cfg := Config{Domain: []string{"chat.example.org"}}
	s := &Server{cfg: cfg}
	doorConfig := cfg.door()
	doorConfig.Counted = func(chat.Code) {}
	var err error
	if s.door, err = httpdoor.New(doorConfig, nil, nil); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]struct {
		status   int
		location string
	}{
		"chat.example.org":     {http.StatusPermanentRedirect, "https://chat.example.org/r/lobby"},
		"Chat.Example.Org.:80": {http.StatusPermanentRedirect, "https://chat.example.org/r/lobby"},
		"203.0.113.9":          {http.StatusPermanentRedirect, "https://chat.example.org/r/lobby"},
		"evil.example":         {http.StatusMisdirectedRequest, ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/r/lobby", nil)
		r.Host = host
		w := httptest.NewRecorder()
		s.door.KnownHosts(s.toTLS(443)).ServeHTTP(w, r)
		if w.Code != want.status || w.Header().Get("Location") != want.location {
			t.Errorf("%s: status %d to %q, want %d to %q", host, w.Code, w.Header().Get("Location"), want.status,
				want.location)
		}
	}
}

func TestPagesAreAloneInTheirWindow(t *testing.T) {
	ts := startServer(t, Config{TrustedProxy: prefixes("127.0.0.1/32")}, room.Config{})
	for _, tt := range []struct{ host, proto, want string }{
		{"chat.example.org", "https", "same-origin"},
		{"localhost:8080", "", "same-origin"},
		{"chat.localhost:8080", "", "same-origin"},
		{"192.168.1.20:8080", "", ""}, // browsers ignore it there, and say so in their console
		{"chat.example.org", "", ""},
	} {
		a := ts.ask(t, http.MethodGet, "/r/lobby", "", "Host", tt.host, "X-Forwarded-Proto", tt.proto)
		if got := a.Header.Get("Cross-Origin-Opener-Policy"); got != tt.want {
			t.Errorf("%s %s: Cross-Origin-Opener-Policy %q, want %q", tt.proto, tt.host, got, tt.want)
		}
	}
}

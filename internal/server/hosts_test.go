package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/room"
)

func TestTheHostsThatAServerAnswersFor(t *testing.T) {
	named := Config{
		Domain:      []string{"chat.example.org"},
		AllowOrigin: []string{"https://app.example.net:8443", "https://*.example.com"},
		AllowHost:   []string{"Talk.Example.ORG", "*.example.dev", "bücher.example"},
		OwnNames:    []string{"box", "box.fritz.box"},
	}
	tests := map[string]struct {
		host string
		ok   bool
		cfg  Config // nothing else is set
	}{
		"an address":                {host: "127.0.0.1:8080", ok: true},
		"one in a local network":    {host: "192.168.1.20", ok: true},
		"a public one":              {host: "203.0.113.9:8080", ok: true},
		"IPv6":                      {host: "[::1]:8080", ok: true},
		"IPv6 with a zone":          {host: "[fe80::1%25eth0]:8080", ok: true},
		"IPv4 in IPv6":              {host: "[::ffff:10.0.0.1]", ok: true},
		"a short address":           {host: "127.1:8080", ok: true},
		"localhost":                 {host: "localhost:8080", ok: true},
		"localhost, in capitals":    {host: "LocalHost.", ok: true},
		"below localhost":           {host: "chat.localhost:8080", ok: true},
		"a single label":            {host: "chat:8080", ok: true},
		"below .local":              {host: "pi.local:8080", ok: true},
		"far below .local":          {host: "parley.default.svc.cluster.local", ok: true},
		"none, as HTTP/1.0 has it":  {host: "", ok: true},
		"a name of the Internet":    {host: "evil.example"},
		"with a port":               {host: "evil.example:8080"},
		"localhost as a beginning":  {host: "localhost.evil.example"},
		"an address as a beginning": {host: "127.0.0.1.evil.example"},
		"an address in a name":      {host: "127-0-0-1.evil.example"},
		"local as a beginning":      {host: "local.evil.example"},
		"the end of a label":        {host: "evil.notlocal"},
		"a router's name":           {host: "box.fritz.box"},
		"rubbish":                   {host: "a b.local"},
		"a path in it":              {host: "localhost/.evil.example"},
		"userinfo":                  {host: "localhost@evil.example"},
		"a port that is none":       {host: "localhost:evil"},
		"two ports":                 {host: "localhost:80:80"},
		"IPv6 without brackets":     {host: "::1"},
		"half a bracket":            {host: "[::1"},
		"an empty label":            {host: "evil..local"},

		"--domain":                   {host: "chat.example.org", cfg: named, ok: true},
		"--domain, written anyhow":   {host: "CHAT.example.org.:443", cfg: named, ok: true},
		"below --domain":             {host: "evil.chat.example.org", cfg: named},
		"--allow-origin":             {host: "app.example.net", cfg: named, ok: true},
		"--allow-origin, below":      {host: "a.b.example.com", cfg: named, ok: true},
		"--allow-origin, not itself": {host: "example.com", cfg: named},
		"--allow-host":               {host: "talk.example.org:8080", cfg: named, ok: true},
		"--allow-host, below":        {host: "a.example.dev", cfg: named, ok: true},
		"--allow-host, not itself":   {host: "example.dev", cfg: named},
		"--allow-host, only the end": {host: "evilexample.dev", cfg: named},
		"--allow-host, by the DNS":   {host: "xn--bcher-kva.example", cfg: named, ok: true},
		"--allow-host, as written":   {host: "BÜCHER.example", cfg: named, ok: true},
		"the machine's own name":     {host: "box.fritz.box:8080", cfg: named, ok: true},
		"another name of its kind":   {host: "other.fritz.box", cfg: named},
		"what a trusted proxy says": {
			host: "evil.example", cfg: Config{TrustedProxy: prefixes("192.0.2.0/24")}, ok: true,
		},
		"what another proxy says": {host: "evil.example", cfg: Config{TrustedProxy: prefixes("10.0.0.0/8")}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			origins, err := parseOrigins(tt.cfg.AllowOrigin)
			if err != nil {
				t.Fatal(err)
			}
			s := &Server{cfg: tt.cfg}
			if s.hosts, err = newHosts(tt.cfg, origins); err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, "/", nil) // it comes from 192.0.2.1
			r.Host = tt.host
			if got := s.answersFor(r); got != tt.ok {
				t.Errorf("it answers for %q: %v", tt.host, got)
			}
		})
	}
}

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
		if p := decode[Problem](t, a); p.Code != chat.UnknownHost || !strings.Contains(p.Detail, evil) ||
			!strings.Contains(p.Detail, "--allow-host") || !strings.Contains(p.Detail, "--trusted-proxy") {
			t.Errorf("%s %s: %s", c.method, c.path, a.body)
		}
	}
	for _, path := range []string{"/healthz", "/metrics"} {
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

func TestRefusedHostIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	s := &Server{metrics: NewMetrics(), logger: slog.New(slog.NewTextHandler(&log, nil)), hosts: &hosts{}}
	ask := func(host string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		s.misdirected(httptest.NewRecorder(), r)
	}
	for _, host := range []string{"chat.example.org", "Chat.example.org:8080", "chat.example.org."} {
		ask(host)
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "host=chat.example.org") ||
		!strings.Contains(got, "addr=192.0.2.1") || !strings.Contains(got, "--allow-host") {
		t.Errorf("log:\n%s", got)
	}
	for i := range 10 * maxLoggedHosts {
		ask(fmt.Sprintf("h%d.example", i))
		ask(strings.Repeat("x y", 10_000) + fmt.Sprint(i))
	}
	if lines := strings.Count(log.String(), "\n"); lines != maxLoggedHosts || len(s.hosts.logged) != maxLoggedHosts ||
		log.Len() > maxLoggedHosts*500 {
		t.Errorf("%d lines, %d bytes, %d hosts are remembered", lines, log.Len(), len(s.hosts.logged))
	}
	if later := time.Now().Add(relogHostsAfter); !s.hosts.shouldLog("chat.example.org", later) ||
		len(s.hosts.logged) != 1 {
		t.Error("it is not told again later")
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
	s := &Server{cfg: cfg, metrics: NewMetrics(), logger: slog.New(slog.DiscardHandler)}
	var err error
	if s.hosts, err = newHosts(cfg, nil); err != nil {
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
		s.knownHosts(s.toTLS(443)).ServeHTTP(w, r)
		if w.Code != want.status || w.Header().Get("Location") != want.location {
			t.Errorf("%s: status %d to %q, want %d to %q", host, w.Code, w.Header().Get("Location"), want.status,
				want.location)
		}
	}
}

func TestAllowHostTakesNamesOnly(t *testing.T) {
	for _, v := range []string{
		"*", "*.", "", ".", ".example.org", "https://chat.example.org", "chat.example.org/", "chat.example.org:8080",
		"a b.example", "a..example",
		"*.com", "*.co.uk", "*.github.io", "*.lan", "*.10.0.0.1", "a.*.org", "*a.example.org", "*.*.example.org",
		"u@example.org", "null:",
	} {
		if name, err := parseAllowedHost(v); err == nil {
			t.Errorf("%q is taken as %q", v, name)
		} else if !strings.HasPrefix(err.Error(), "--allow-host: ") {
			t.Errorf("%q: %v", v, err)
		}
	}
	for v, want := range map[string]string{
		"chat.example.org": "chat.example.org", "CHAT.example.org.": "chat.example.org",
		"*.example.org":  ".example.org",
		"bücher.example": "xn--bcher-kva.example", "chat.lan": "chat.lan", "10.0.0.1": "10.0.0.1", "[::1]": "::1",
	} {
		if name, err := parseAllowedHost(v); err != nil || name != want {
			t.Errorf("%q is %q (%v), want %q", v, name, err, want)
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

package httpdoor

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
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
			d, err := New(tt.cfg, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, "/", nil) // it comes from 192.0.2.1
			r.Host = tt.host
			if got := d.answersFor(r); got != tt.ok {
				t.Errorf("it answers for %q: %v", tt.host, got)
			}
		})
	}
}

func TestRefusedHostIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	d := &Door{
		cfg: Config{Counted: func(chat.Code) {}}, logger: slog.New(slog.NewTextHandler(&log, nil)), hosts: &hosts{},
	}
	ask := func(host string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		d.misdirected(httptest.NewRecorder(), r)
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
	if lines := strings.Count(log.String(), "\n"); lines != maxLoggedHosts || len(d.hosts.logged) != maxLoggedHosts ||
		log.Len() > maxLoggedHosts*500 {
		t.Errorf("%d lines, %d bytes, %d hosts are remembered", lines, log.Len(), len(d.hosts.logged))
	}
	if later := time.Now().Add(relogHostsAfter); !d.hosts.shouldLog("chat.example.org", later) ||
		len(d.hosts.logged) != 1 {
		t.Error("it is not told again later")
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

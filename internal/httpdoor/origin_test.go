package httpdoor

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/internal/chat"
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
	d := &Door{origins: list}
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
			err := d.OriginAllowed(r)
			if tt.ok && err != nil || !tt.ok && chat.CodeOf(err) != chat.ForbiddenOrigin {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestOriginsOfRequestsThatChangeSomething(t *testing.T) {
	d, err := New(Config{AllowOrigin: allowed, Counted: func(chat.Code) {}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := d.CORS([]string{http.MethodPost}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
	}))
	for name, tt := range originTests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/api/session", nil)
			r.Host = tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if tt.site != "" {
				r.Header.Set("Sec-Fetch-Site", tt.site)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if tt.ok && w.Code != http.StatusCreated || !tt.ok && w.Code != http.StatusForbidden {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if !tt.ok && !strings.Contains(w.Body.String(), `"code":"forbidden_origin"`) {
				t.Errorf("body %s", w.Body)
			}
		})
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

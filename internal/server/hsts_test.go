package server

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/room"
)

// tlsClient returns a client that takes any certificate.
func tlsClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func TestBrowsersRememberHTTPSForNamesOnly(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, 1, "chat.example.org")
	for _, hsts := range []time.Duration{0, 24 * time.Hour} {
		ts := startServer(t, Config{TLSCert: cert, TLSKey: key, HSTS: hsts, AllowHost: []string{"chat.example.org"}},
			room.Config{})
		for host, remembered := range map[string]bool{
			"chat.example.org": true, "chat.example.org:8443": true, "nas.local": true,
			"127.0.0.1": false, "192.168.1.20:8443": false, "[::1]": false, "localhost": false, "chat.localhost": false,
			"127.1": false,
		} {
			r, err := http.NewRequest(http.MethodGet, strings.Replace(ts.url, "http", "https", 1)+"/healthz", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			a, err := tlsClient(t).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			a.Body.Close()
			want := ""
			if hsts > 0 && remembered {
				want = fmt.Sprintf("max-age=%d", int(hsts.Seconds()))
			}
			if got := a.Header.Get("Strict-Transport-Security"); got != want {
				t.Errorf("--hsts %v, %s: Strict-Transport-Security %q, want %q", hsts, host, got, want)
			}
		}
	}
	plain := startServer(t,
		Config{HSTS: time.Hour, AllowHost: []string{"chat.example.org"}, TrustedProxy: prefixes("127.0.0.1/32")},
		room.Config{})
	a := plain.ask(t, http.MethodGet, "/", "", "Host", "chat.example.org", "X-Forwarded-Proto", "https")
	if got := a.Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("without TLS of our own: %q", got)
	}
}

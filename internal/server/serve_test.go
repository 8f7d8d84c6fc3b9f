package server

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/room"
)

// slowPeople hold a request up until they are let go.
type slowPeople struct {
	account.People
	asked chan struct{} // one for each NewGuest that waits
	letGo chan struct{} // closed by the test
}

func (p slowPeople) NewGuest(ctx context.Context, name, key string) (chat.Person, string, error) {
	p.asked <- struct{}{}
	<-p.letGo
	return p.People.NewGuest(ctx, name, key)
}

func TestWhatWasAcceptedIsAnsweredBeforeTheEnd(t *testing.T) {
	kept := openStore(t)
	people := slowPeople{kept, make(chan struct{}), make(chan struct{})}
	ts := startServerWith(t, Config{}, room.Config{}, kept, people, kept.Healthy)
	var a answer
	answered := make(chan error, 1)
	go func() {
		var err error
		a, err = ts.try(t.Context(), http.MethodPost, "/api/rooms/lobby/messages", `{"name":"Ada","text":"last words"}`)
		answered <- err
	}()
	<-people.asked

	stopped := make(chan error, 1)
	go func() { stopped <- ts.stop() }()
	for !ts.stopping.Load() {
		runtime.Gosched()
	}
	select {
	case err := <-stopped:
		t.Fatalf("the server did not wait: %v", err)
	default:
	}
	close(people.letGo)
	if err := <-answered; err != nil || a.StatusCode != http.StatusCreated {
		t.Errorf("the last answer: %s, %v", a.body, err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(ts.url, "http://"), time.Second); err == nil {
		t.Error("the socket is still open")
	}
}

func TestAHeaderThatDoesNotComeEndsTheConnection(t *testing.T) {
	ts := startServer(t, Config{HeaderTimeout: 50 * time.Millisecond}, room.Config{})
	c, err := net.Dial("tcp", strings.TrimPrefix(ts.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); err != nil {
		t.Errorf("after the time-out: %q, %v", b, err)
	}
}

func TestAHeaderThatIsTooLargeIsRefused(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	if a := ts.ask(t, http.MethodGet, "/", "", "X-Filler",
		strings.Repeat("x", 24<<10)); a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", a.StatusCode)
	}
}

func TestACertificateIsReadAgainWhenItsFilesChange(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, certFile, keyFile, 1)
	kept := openStore(t)
	read := make(chan string, 10)
	logger := slog.New(messages{read})
	ts := startServerWith(t, Config{TLSCert: certFile, TLSKey: keyFile, Logger: logger}, room.Config{}, kept, kept,
		kept.Healthy)
	address := strings.TrimPrefix(ts.url, "http://")
	if got := serial(t, address); got != 1 {
		t.Fatalf("certificate %d, want 1", got)
	}
	writeCertificate(t, certFile, keyFile, 2)
	wantSaid(t, read, "certificate read again")
	if got := serial(t, address); got != 2 {
		t.Errorf("after the files changed: certificate %d, want 2", got)
	}

	if err := os.WriteFile(certFile, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	ts.ReloadCertificate()
	wantSaid(t, read, "certificate kept as it was")
	if got := serial(t, address); got != 2 {
		t.Errorf("after a broken file: certificate %d, want 2", got)
	}

	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true,
	}}
	defer client.CloseIdleConnections()
	a, err := client.Post("https://"+address+"/api/session", "application/json", strings.NewReader(`{"name":"Ada"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if a.ProtoMajor != 2 || !strings.Contains(a.Header.Get("Set-Cookie"), "; Secure") {
		t.Errorf("%s, Set-Cookie %q", a.Proto, a.Header.Get("Set-Cookie"))
	}
}

// messages is a logger that passes on what is said at Info and above.
type messages struct{ to chan<- string }

func (m messages) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (m messages) WithAttrs([]slog.Attr) slog.Handler           { return m }
func (m messages) WithGroup(string) slog.Handler                { return m }

func (m messages) Handle(_ context.Context, r slog.Record) error {
	select {
	case m.to <- r.Message:
	default:
	}
	return nil
}

// wantSaid waits for a message of the log.
func wantSaid(t *testing.T, said <-chan string, want string) {
	t.Helper()
	late, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for {
		select {
		case got := <-said:
			if got == want {
				return
			}
		case <-late.Done():
			t.Fatalf("nobody said %q", want)
		}
	}
}

// serial returns the serial number of the certificate that is served.
func serial(t *testing.T, address string) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func writeCertificate(t testing.TB, certFile, keyFile string, serial int64, names ...string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: append(names, "localhost"), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPlainHTTPIsSentToHTTPS(t *testing.T) {
	s := &Server{cfg: Config{Domain: []string{"chat.example.org", "talk.example.org"}}}
	tests := map[string]struct {
		port   int
		target string
		want   string
	}{
		"the usual port":  {443, "http://chat.example.org/r/lobby?x=1", "https://chat.example.org/r/lobby?x=1"},
		"its port goes":   {443, "http://chat.example.org:80/", "https://chat.example.org/"},
		"the second name": {443, "http://talk.example.org/", "https://talk.example.org/"},
		"another port":    {8443, "http://chat.example.org/", "https://chat.example.org:8443/"},
		"nobody's name":   {443, "http://evil.example/r/lobby", "https://chat.example.org/r/lobby"},
		"escapes stay":    {443, "http://chat.example.org/r/a%2Fb", "https://chat.example.org/r/a%2Fb"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			s.toTLS(tt.port).ServeHTTP(w, httptest.NewRequest(http.MethodGet, tt.target, nil))
			if w.Code != http.StatusPermanentRedirect || w.Header().Get("Location") != tt.want {
				t.Errorf("status %d to %q, want %q", w.Code, w.Header().Get("Location"), tt.want)
			}
		})
	}
}

func TestMetricsTellWhatHappens(t *testing.T) {
	m := NewMetrics()
	ts := startServer(t, Config{Metrics: m}, room.Config{Flushed: m.Flushed})
	m.Committed(3, 2*time.Millisecond)
	m.Flushed(time.Millisecond)
	m.Cluster(func() int { return 2 }, func() bool { return true },
		func() (sent, received, missed uint64) { return 3, 4, 5 })
	ts.guest(t, "Ada")
	ts.ask(t, http.MethodPost, "/api/rooms/lobby/messages", `{"name":"Ada","text":"hi"}`)
	ts.ask(t, http.MethodGet, "/nothing", "")
	var nobody netip.Addr
	if err := ts.admit(nobody); err != nil {
		t.Fatal(err)
	}
	defer ts.release(nobody)

	a := ts.ask(t, http.MethodGet, "/metrics", "")
	lines := map[string]bool{}
	for scanner := bufio.NewScanner(strings.NewReader(a.body)); scanner.Scan(); {
		lines[scanner.Text()] = true
	}
	for _, want := range []string{
		"parley_connections 1",
		"parley_members 0",
		"parley_cluster_peers 2",
		"parley_cluster_cut_off 1",
		"parley_cluster_sent_total 3",
		"parley_cluster_received_total 4",
		"parley_cluster_missed_total 5",
		"parley_rooms 0",
		"parley_messages_total 1",
		"parley_deliveries_total 0",
		"parley_lagging_readers 0",
		"parley_commit_messages_sum 3",
		"parley_commit_seconds_count 1",
		"parley_fanout_seconds_count 1",
		`parley_errors_total{code="not_found"} 1`,
		`parley_errors_total{code="internal"} 0`,
	} {
		if !lines[want] {
			t.Errorf("no line %q", want)
		}
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(a.body, "\n"+name+" ") {
			t.Errorf("nothing of %s", name)
		}
	}
}

package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/format"
	"parley/internal/link"
	"parley/internal/room"
	"parley/web"
)

// overTLS makes started servers serve TLS. Only tests that do not run in parallel
// may set it.
var overTLS bool

// newBatch makes the batches of started servers. Only TestWithoutBatches and
// TestDeliveriesGoOutInBatches set it.
var newBatch = link.NewBatch

// anyCertificate is the TLS configuration of the tests' clients.
var anyCertificate = &tls.Config{InsecureSkipVerify: true}

// A testServer is the whole server on a socket, with a store of its own.
type testServer struct {
	*Server
	url    string
	store  testStore
	client *http.Client
	narrow *atomic.Bool // sockets that are accepted have small write buffers
	stop   func() error // drains; may be called again
}

// A narrowListener accepts sockets that are soon full, while narrow is set.
type narrowListener struct {
	net.Listener
	narrow atomic.Bool
}

func (l *narrowListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if tcp, ok := nc.(*net.TCPConn); ok && l.narrow.Load() {
		tcp.SetWriteBuffer(16 << 10) // a connection that has ended needs none
	}
	return nc, err
}

// startServer serves on a free port until the test ends.
func startServer(t testing.TB, cfg Config, rooms room.Config) *testServer {
	t.Helper()
	kept := openStore(t)
	return startServerWith(t, cfg, rooms, kept, kept, kept.Healthy)
}

// startServerWith is startServer with people and health of the test's choice.
func startServerWith(t testing.TB, cfg Config, rooms room.Config, kept testStore, people account.People,
	health func(context.Context) error,
) *testServer {
	t.Helper()
	ts := serveLog(t, cfg, rooms, kept, kept.Epoch(), account.Stores{People: people, Lists: kept, Personal: kept},
		health)
	ts.store = kept
	stop := ts.stop
	ts.stop = sync.OnceValue(func() error { return errors.Join(stop(), kept.Close()) })
	return ts
}

// A keeper is a log and the goroutine that it has.
type keeper interface {
	room.Log
	room.Archive
	Run(ctx context.Context) error
}

// serveLog serves the rooms of a log until the test ends. It calls what is in before with the server first.
func serveLog(t testing.TB, cfg Config, rooms room.Config, log keeper, epoch string, stores account.Stores,
	health func(context.Context) error, before ...func(*Server),
) *testServer {
	t.Helper()
	if rooms.Format == nil {
		rooms.Format = func(text string, left *room.Budget) string { return format.HTML(text, (*format.Budget)(left)) }
	}
	rooms.NewBatch = newBatch
	scheme := "http"
	if overTLS {
		scheme = "https"
		dir := t.TempDir()
		cfg.TLSCert, cfg.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		writeCertificate(t, cfg.TLSCert, cfg.TLSKey, 1)
	}
	hub := room.New(log, log, epoch, rooms)
	s, err := New(cfg, hub, stores, health, web.New())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range before {
		f(s)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := &narrowListener{Listener: tcp}
	stopLog := inBackground(log.Run)
	stopHub := inBackground(hub.Run)
	stopServe := inBackground(func(ctx context.Context) error { return s.Serve(ctx, ln, nil) })
	ts := &testServer{Server: s, url: scheme + "://" + ln.Addr().String(), narrow: &ln.narrow}
	transport := &http.Transport{TLSClientConfig: anyCertificate.Clone()}
	ts.client = &http.Client{
		Transport:     transport,
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ts.stop = sync.OnceValue(func() error {
		transport.CloseIdleConnections()
		return errors.Join(stopServe(), stopHub(), stopLog())
	})
	t.Cleanup(func() {
		if err := ts.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return ts
}

// inBackground runs f until stop is called, which waits for it.
func inBackground(f func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

// An answer is a response that has been read.
type answer struct {
	*http.Response
	body string
}

// ask sends a request; each pair of header strings is a name and a value. A
// body is sent as JSON unless they say otherwise.
func (ts *testServer) ask(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	a, err := ts.try(t.Context(), method, path, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// try is ask for goroutines other than the test's own.
func (ts *testServer) try(ctx context.Context, method, path, body string, header ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, ts.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	w, err := ts.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	return answer{w, string(b)}, err
}

// decode reads an answer's JSON.
func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%s %s: %v in %q", a.Request.Method, a.Request.URL, err, a.body)
	}
	return v
}

// What tests read of answers that are written a value at a time.
type (
	pageBody struct {
		Seq      chat.Seq
		More     bool
		Newer    bool `json:"more_after"`
		Before   chat.Seq
		Messages []messageBody
	}
	messageBody struct {
		Seq  chat.Seq
		From chat.Person
		Text string
	}
	guestBody struct {
		Person  chat.Person
		Session string
		Epoch   string
	}
	logBody struct {
		Seq    chat.Seq
		Events []json.RawMessage
	}
)

// guest opens a session.
func (ts *testServer) guest(t *testing.T, name string) guestBody {
	t.Helper()
	a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"`+name+`"}`)
	if a.StatusCode != http.StatusCreated {
		t.Fatalf("a session for %s: status %d: %s", name, a.StatusCode, a.body)
	}
	return decode[guestBody](t, a)
}

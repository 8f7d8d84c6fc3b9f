package natsbus_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"parley/internal/await"
	"parley/internal/cluster"
	"parley/internal/cluster/natsbus"
)

var secret = strings.Repeat("0123456789abcdef", 2)

// listen starts an embedded bus with a secret, until the test ends.
func listen(t testing.TB, secret string, log io.Writer, peers ...string) *natsbus.Bus {
	t.Helper()
	cfg, err := natsbus.FromSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	b, err := natsbus.Listen(natsbus.ListenConfig{
		Address: "127.0.0.1:0", Peers: peers, TLS: cfg, Prefix: "parley.test.",
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, b)
	return b
}

func closeAtEnd(t testing.TB, b *natsbus.Bus) {
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

// next returns the next message of a bus.
func next(t testing.TB, b *natsbus.Bus) cluster.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case m := <-b.Messages():
		return m
	case <-ctx.Done():
		t.Fatal("no message comes")
		return cluster.Message{}
	}
}

// join publishes from a until b receives it: then they are connected, and a knows b's subscription.
func join(t testing.TB, a, b *natsbus.Bus, subject string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for arrived := false; ; {
		select {
		case m := <-b.Messages():
			if string(m.Payload) == "end of join" {
				return
			}
			if !arrived {
				a.Publish(subject, []byte("end of join"))
			}
			arrived = true
		case <-again.C:
			if !arrived {
				a.Publish(subject, []byte("join"))
			}
		case <-ctx.Done():
			t.Fatal("the nodes do not find each other")
		}
	}
}

// A lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// await waits until a log has a text.
func (l *lockedBuffer) await(t *testing.T, text string) {
	t.Helper()
	await.True(t, "the log has "+text, func() bool { return strings.Contains(l.String(), text) })
}

func TestNodesThatKnowTheSecretHearEachOther(t *testing.T) {
	a := listen(t, secret, io.Discard)
	b := listen(t, secret, io.Discard, a.Address())
	c := listen(t, secret, io.Discard, a.Address(), b.Address())
	for _, bus := range []*natsbus.Bus{a, b, c} {
		bus.Subscribe("e.bG9iYnk")
	}
	join(t, a, b, "e.bG9iYnk")
	join(t, b, c, "e.bG9iYnk")
	join(t, c, a, "e.bG9iYnk")
	if !a.IsConnected() {
		t.Error("a says that it is not connected")
	}
}

// A node does not follow NATS to a node that another one has told it of: the address may lead past a proxy.
func TestNodesConnectOnlyToPeersThatWereNamed(t *testing.T) {
	log := &lockedBuffer{}
	a := listen(t, secret, io.Discard)
	b := listen(t, secret, log, a.Address())
	for subject, bus := range map[string]*natsbus.Bus{"to-a": a, "to-b": b} {
		bus.Subscribe(subject)
	}
	join(t, a, b, "to-b")
	c := listen(t, secret, io.Discard, a.Address())
	join(t, c, a, "to-a")
	log.await(t, "Error trying to connect to route") // that is what a said of c
	c.Publish("to-b", []byte("from c"))
	c.Publish("to-a", []byte("from c"))
	next(t, a)
	a.Publish("to-b", []byte("from a"))
	if m := next(t, b); string(m.Payload) != "from a" {
		t.Errorf("b got a message %s, of which it was not told", m.Payload)
	}
}

func TestAddressInUseIsAnError(t *testing.T) {
	a := listen(t, secret, io.Discard)
	b, err := natsbus.Listen(natsbus.ListenConfig{Address: a.Address()})
	if err == nil {
		_ = b.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("err = %v", err)
	}
}

// TestNobodyElseGetsAnything has a node with another secret, one without any, and a client that speaks to the port.
func TestNobodyElseGetsAnything(t *testing.T) {
	log := &lockedBuffer{}
	a := listen(t, secret, io.Discard)
	b := listen(t, secret, io.Discard, a.Address())
	other := listen(t, secret+"x", log, a.Address())
	plain, err := natsbus.Listen(natsbus.ListenConfig{
		Address: "127.0.0.1:0", Peers: []string{a.Address()}, Prefix: "parley.test.",
	})
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, plain)
	for _, bus := range []*natsbus.Bus{b, other, plain} {
		bus.Subscribe("n")
	}
	strangers := map[string]net.Conn{"in the clear": speak(t, a.Address(), nil)}
	wrong, err := natsbus.FromSecret(secret + "x")
	if err != nil {
		t.Fatal(err)
	}
	wrong.InsecureSkipVerify = true
	strangers["with a wrong certificate"] = speak(t, a.Address(), wrong)
	strangers["without a certificate"] = speak(t, a.Address(), &tls.Config{InsecureSkipVerify: true})
	join(t, a, b, "n")
	log.await(t, "TLS route handshake error")
	a.Publish("n", []byte("confidential"))
	if m := next(t, b); m.Subject != "n" || string(m.Payload) != "confidential" {
		t.Errorf("b got %v", m)
	}
	for name, conn := range strangers {
		heard, err := io.ReadAll(conn) // until a hangs up
		if err, ok := errors.AsType[net.Error](err); ok && err.Timeout() {
			t.Errorf("%s: a does not hang up", name)
		}
		if text := string(heard); strings.Contains(text, "confidential") || strings.Contains(text, "PONG") {
			t.Errorf("%s: heard %q", name, text)
		}
	}
	for name, bus := range map[string]*natsbus.Bus{"with another secret": other, "without a secret": plain} {
		select {
		case m := <-bus.Messages():
			t.Errorf("the node %s got %v", name, m)
		default:
		}
	}
}

// speak connects to a node's port and asks for all messages, as a node does: over TLS, or in the clear.
func speak(t *testing.T, address string, over *tls.Config) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if over != nil {
		encrypted := tls.Client(conn, over)
		if err := encrypted.Handshake(); err != nil {
			t.Fatal(err) // a TLS 1.3 client learns of a refusal when it reads
		}
		conn = encrypted
	}
	_, _ = conn.Write([]byte(`CONNECT {"name":"x","cluster":"parley"}` + "\r\n" +
		`INFO {"server_id":"X","name":"x","cluster":"parley"}` + "\r\nRS+ $G parley.test.n\r\nPING\r\n"))
	return conn
}

func TestSecretsThatCanBeGuessedAreRefused(t *testing.T) {
	if _, err := natsbus.FromSecret("correct horse"); err == nil || strings.Contains(err.Error(), "horse") {
		t.Errorf("err = %v", err)
	}
}

func TestBusConnectsAgainToAServerOfSomebodyElse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	_ = ln.Close()
	dial := func(url, password string) *natsbus.Bus {
		b, err := natsbus.Dial(natsbus.DialConfig{URL: url, Password: password, Prefix: "parley.test."})
		if err != nil {
			t.Fatal(err)
		}
		closeAtEnd(t, b)
		return b
	}
	a := dial(fmt.Sprintf("nats://127.0.0.1:1,nats://parley@127.0.0.1:%d", port), "")
	b := dial(fmt.Sprintf("nats://parley@127.0.0.1:%d", port), "s3cret")
	c := dial(fmt.Sprintf("nats://parley:s3cret@127.0.0.1:%d", port), "")
	for _, bus := range []*natsbus.Bus{a, b, c} {
		if bus.IsConnected() {
			t.Fatal("connected to a server that does not run")
		}
		bus.Subscribe("n")
	}
	for range 2 { // the server starts, and starts again
		s, err := server.NewServer(&server.Options{
			Host: "127.0.0.1", Port: port, NoSigs: true, Username: "parley", Password: "s3cret",
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		join(t, b, c, "n")
		join(t, c, b, "n")
		if a.IsConnected() {
			t.Error("connected without a password")
		}
		s.Shutdown()
		s.WaitForShutdown()
		await.True(t, "b notices", func() bool { return !b.IsConnected() })
	}
}

func TestURLsOfServersAreChecked(t *testing.T) {
	tests := map[string]struct {
		user string
		ok   bool
	}{
		"nats://bus.example.org:4222":                 {"", true},
		"tls://parley:geheim@bus.example.org":         {"parley", true},
		"nats://u%40x@a:4222, nats://u%40x@b:4222":    {"u@x", true},
		"bus.example.org:4222":                        {},
		"http://bus.example.org":                      {},
		"nats://":                                     {},
		"nats://parley:ge#heim@bus.example.org:4222":  {},
		"nats://parley:geheim@bus.example.org:x":      {},
		"nats://parley:geheim@a:4222,":                {},
		"nats://parley:geheim@bus.example.org/geheim": {},
	}
	for text, tt := range tests {
		user, err := natsbus.CheckURL(text)
		if user != tt.user && tt.ok || (err == nil) != tt.ok {
			t.Errorf("%s: user %q, error %v", text, user, err)
		}
		if err != nil && strings.Contains(err.Error(), "heim") {
			t.Errorf("%s: the error has the password: %v", text, err)
		}
	}
}

// A node whose handler is slow loses messages and is told so; the others do not wait for it.
func TestSlowNodeMissesMessagesAndNobodyWaits(t *testing.T) {
	a := listen(t, secret, io.Discard)
	b := listen(t, secret, io.Discard, a.Address())
	sender, receiver := cluster.New(a, cluster.Config{Name: "a"}), cluster.New(b, cluster.Config{Name: "b"})
	slow, missed := make(chan struct{}), make(chan struct{}, 1)
	var got int
	receiver.Listen(cluster.Events, "lobby")
	receiver.Handle(cluster.Events, cluster.Handler{
		Receive: func(cluster.NodeID, string, []byte) {
			<-slow
			got++
		},
		Missed: func(_ cluster.NodeID, key string) {
			if got > 100 && key == "lobby" {
				select {
				case missed <- struct{}{}:
				default:
				}
			}
		},
	})
	run(t, sender)
	run(t, receiver)
	await.True(t, "the nodes find each other", func() bool {
		return len(sender.Peers()) == 1 && len(receiver.Peers()) == 1
	})
	const messages = 100_000
	payload := make([]byte, 1000)
	for range messages {
		sender.Send(cluster.Events, "lobby", payload)
	}
	close(slow)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case <-missed:
	case <-ctx.Done():
		t.Errorf("received %d of %d messages and was not told of any missed", got, messages)
	}
}

// run runs a node until the test ends.
func run(t *testing.T, n *cluster.Node) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = n.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

func TestStoppedNodeSaysGoodbye(t *testing.T) {
	a := listen(t, secret, io.Discard)
	b := listen(t, secret, io.Discard, a.Address())
	left := make(chan cluster.NodeID, 1)
	stays, leaves := cluster.New(a, cluster.Config{Name: "a"}), cluster.New(b, cluster.Config{Name: "b"})
	stays.Handle(cluster.Events, cluster.Handler{PeerLeft: func(id cluster.NodeID) { left <- id }})
	run(t, stays)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- leaves.Run(ctx) }()
	await.True(t, "the node appears", func() bool { return len(stays.Peers()) == 1 })
	began := time.Now()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if id := <-left; id != leaves.ID() {
		t.Errorf("%s left", id)
	}
	t.Logf("it took %v", time.Since(began))
}

// BenchmarkSubscriptions measures what a subscription costs a node in memory, its NATS server included.
func BenchmarkSubscriptions(b *testing.B) {
	bus := listen(b, secret, io.Discard)
	other := listen(b, secret, io.Discard, bus.Address())
	other.Subscribe("n")
	join(b, bus, other, "n")
	before := heap()
	for i := range b.N {
		bus.Subscribe(fmt.Sprintf("e.%022d", i))
	}
	bus.Publish("n", nil)
	next(b, other) // it was sent after the subscriptions
	b.ReportMetric(float64(heap()-before)/float64(b.N), "B/subscription")
	runtime.KeepAlive(bus)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkHop measures the way of a message from one node to another and back.
func BenchmarkHop(b *testing.B) {
	x := listen(b, secret, io.Discard)
	y := listen(b, secret, io.Discard, x.Address())
	for bus, subject := range map[*natsbus.Bus]string{x: "to-x", y: "to-y"} {
		bus.Subscribe(subject)
	}
	join(b, x, y, "to-y")
	join(b, y, x, "to-x")
	payload := make([]byte, 300)
	for b.Loop() {
		x.Publish("to-y", payload)
		next(b, y)
		y.Publish("to-x", payload)
		next(b, x)
	}
}

func TestNodesAreCutOffWhileTheServerIsDownAndReadTheStoreAfterwards(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for seconds")
	}
	start := func(port int) *server.Server {
		s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		return s
	}
	s := start(server.RANDOM_PORT)
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("NATS does not start")
	}
	port := s.Addr().(*net.TCPAddr).Port
	missed := make(chan string, 1000)
	var all []*cluster.Node
	for range 2 {
		bus, err := natsbus.Dial(natsbus.DialConfig{URL: fmt.Sprintf("nats://127.0.0.1:%d", port)})
		if err != nil {
			t.Fatal(err)
		}
		closeAtEnd(t, bus)
		n := cluster.New(bus, cluster.Config{})
		n.Listen(cluster.Events, "lobby")
		n.Handle(cluster.Events, cluster.Handler{Missed: func(_ cluster.NodeID, key string) { missed <- key }})
		run(t, n)
		all = append(all, n)
	}
	heard := func() bool { return len(all[0].Peers()) == 1 && len(all[1].Peers()) == 1 }
	cutOff := func() bool { return all[0].IsCutOff() && all[1].IsCutOff() }
	await.True(t, "the nodes find each other", heard)
	s.Shutdown()
	s.WaitForShutdown()
	await.True(t, "both notice", cutOff)
	for len(missed) > 0 {
		<-missed
	}
	s = start(port)
	defer s.Shutdown()
	await.True(t, "both heal", func() bool { return !all[0].IsCutOff() && !all[1].IsCutOff() && heard() })
	await.True(t, "both read the store", func() bool { return len(missed) >= len(all) })
	if key := <-missed; key != "lobby" {
		t.Errorf("missed %q", key)
	}
}

package natsbus_test

import (
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"parley/internal/await"
	"parley/internal/cluster/natsbus"
)

// freezable returns an address that leads to another one. While it is frozen, connections are accepted and stay open,
// but nothing goes through; through those that were used meanwhile nothing goes afterwards either.
func freezable(t *testing.T, to string) (address string, setFrozen func(bool)) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	var frozen atomic.Bool
	through := func(from, to net.Conn) {
		buffer := make([]byte, 4096)
		for {
			n, err := from.Read(buffer)
			if frozen.Load() {
				<-t.Context().Done()
			}
			if err == nil {
				_, err = to.Write(buffer[:n])
			}
			if err != nil {
				_, _ = from.Close(), to.Close()
				return
			}
		}
	}
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go through(in, out)
			go through(out, in)
		}
	}()
	return ln.Addr().String(), frozen.Store
}

// A node that takes nothing any more, because it is frozen or its network is, does not hold up what others are told.
func TestFrozenNodeHoldsUpNobody(t *testing.T) {
	a := listen(t, secret, io.Discard)
	address, setFrozen := freezable(t, a.Address())
	b := listen(t, secret, io.Discard, address)
	c := listen(t, secret, io.Discard, a.Address())
	for own, bus := range map[string]*natsbus.Bus{"to-b": b, "to-c": c} {
		for _, subject := range []string{"n", own} {
			bus.Subscribe(subject)
		}
	}
	join(t, a, b, "to-b")
	join(t, a, c, "to-c")
	setFrozen(true)
	payload := make([]byte, 64<<10)
	began := time.Now()
	var slowest time.Duration
	const messages = 1500 // more than all buffers between a and b hold
	for i := range messages {
		sent := time.Now()
		a.Publish("n", append(strconv.AppendInt(nil, int64(i), 10), payload...))
		next(t, c)
		slowest = max(slowest, time.Since(sent))
	}
	t.Logf("%d messages in %v, the slowest in %v", messages, time.Since(began), slowest)
}

// A NATS server that takes nothing any more holds up nobody who uses the bus, and is noticed.
func TestFrozenServerIsNoticedAndHoldsUpNobody(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	dial := func(address string) *natsbus.Bus {
		b, err := natsbus.Dial(natsbus.DialConfig{URL: "nats://" + address, Prefix: "parley.test."})
		if err != nil {
			t.Fatal(err)
		}
		closeAtEnd(t, b)
		return b
	}
	address, setFrozen := freezable(t, s.Addr().String())
	a, b := dial(address), dial(s.Addr().String())
	b.Subscribe("to-b")
	join(t, a, b, "to-b")
	setFrozen(true)
	payload := make([]byte, 64<<10)
	for range 400 { // more than all buffers between a and the server hold
		a.Publish("n", payload)
	}
	subject := 0
	await.True(t, "a notices", func() bool {
		a.Subscribe(strconv.Itoa(subject))
		a.Unsubscribe(strconv.Itoa(subject - 10))
		subject++
		return !a.IsConnected()
	})
	a.Subscribe("to-a")
	setFrozen(false)
	join(t, b, a, "to-a")
	join(t, a, b, "to-b")
}

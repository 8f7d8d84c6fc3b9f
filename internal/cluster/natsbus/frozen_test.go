package natsbus_test

import (
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/cluster/natsbus"
)

// freezable returns an address that leads to another one until the returned function is called: then its connections
// stay open, but nothing goes through any more.
func freezable(t *testing.T, to string) (address string, freeze func()) {
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
	return ln.Addr().String(), func() { frozen.Store(true) }
}

// A node that takes nothing any more, because it is frozen or its network is, does not hold up what others are told.
func TestFrozenNodeHoldsUpNobody(t *testing.T) {
	a := listen(t, secret, io.Discard)
	address, freeze := freezable(t, a.Address())
	b := listen(t, secret, io.Discard, address)
	c := listen(t, secret, io.Discard, a.Address())
	for own, bus := range map[string]*natsbus.Bus{"to-b": b, "to-c": c} {
		for _, subject := range []string{"n", own} {
			if err := bus.Subscribe(subject); err != nil {
				t.Fatal(err)
			}
		}
	}
	join(t, a, b, "to-b")
	join(t, a, c, "to-c")
	freeze()
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

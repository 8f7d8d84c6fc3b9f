package netns

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// network returns a network that ends with the test, which is skipped where there can be none.
func network(t *testing.T) *Network {
	t.Helper()
	n, err := New()
	if errors.Is(err, ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func machine(t *testing.T, n *Network) *Machine {
	t.Helper()
	m, err := n.NewMachine()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A mailbox sends and receives datagrams on a machine. They are not repeated, so each packet counts.
type mailbox struct {
	t *testing.T
	c net.PacketConn
}

func openMailbox(t *testing.T, m *Machine, address string) mailbox {
	t.Helper()
	b := mailbox{t: t}
	err := m.Do(func() (err error) {
		b.c, err = new(net.ListenConfig).ListenPacket(t.Context(), "udp4", net.JoinHostPort(address, "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.c.Close() })
	return b
}

func (b mailbox) send(to mailbox, text string) {
	b.t.Helper()
	if _, err := b.c.WriteTo([]byte(text), to.c.LocalAddr()); err != nil {
		b.t.Fatal(err)
	}
}

// expect receives the next datagram.
func (b mailbox) expect(want string) {
	b.t.Helper()
	buf := make([]byte, 100)
	size, _, err := b.c.ReadFrom(buf)
	if got := string(buf[:size]); err != nil || got != want {
		b.t.Errorf("received %q, %v; want %q", got, err, want)
	}
}

func TestCutIsInOneDirection(t *testing.T) {
	for _, how := range []Cut{Drop, Reject} {
		t.Run(string(how), func(t *testing.T) {
			n := network(t)
			first, second := machine(t, n), machine(t, n)
			here, there := openMailbox(t, first, first.Address()), openMailbox(t, second, second.Address())
			outside := openMailbox(t, nil, n.Address())
			here.send(there, "before")
			there.expect("before")
			if err := second.CutFrom(first, how); err != nil {
				t.Fatal(err)
			}
			here.send(there, "during")
			there.send(here, "back, during")
			here.expect("back, during")
			outside.send(there, "from outside, during")
			there.expect("from outside, during")
			if err := second.Heal(); err != nil {
				t.Fatal(err)
			}
			here.send(there, "after")
			there.expect("after") // "during" would have come before it
		})
	}
}

func TestConnectionGoesOnAfterACut(t *testing.T) {
	n := network(t)
	first, second := machine(t, n), machine(t, n)
	var ln net.Listener
	if err := second.Do(func() (err error) {
		ln, err = new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(second.Address(), "0"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dial := func() (c net.Conn, err error) {
		err = first.Do(func() error {
			c, err = new(net.Dialer).DialContext(t.Context(), "tcp", ln.Addr().String())
			return err
		})
		return c, err
	}
	client, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := second.CutFrom(first, Drop); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := second.Heal(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Errorf("the connection did not outlive a short silence: %v", err)
	}
	if err := errors.Join(second.CutFrom(first, Reject), first.CutFrom(second, Reject)); err != nil {
		t.Fatal(err)
	}
	if _, err := dial(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection: %v, want it refused", err)
	}
	if _, err := server.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection: %v, want it reset", err)
	}
}

func TestWithoutAFilterThereIsNoNetwork(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nft"), []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	if n, err := New(); !errors.Is(err, ErrNone) || n != nil {
		t.Errorf("got %v, %v; want none", n, err)
	}
}

func TestNothingIsLeftOfANetwork(t *testing.T) {
	n := network(t)
	other := network(t) // side by side
	machine(t, n)
	if n.subnet == other.subnet || n.link == other.link {
		t.Errorf("two networks have %v and %v", n, other)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.middle = nil // so that it is not closed again
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if strings.HasPrefix(i.Name, n.link) {
			t.Errorf("interface %s is left", i.Name)
		}
	}
}

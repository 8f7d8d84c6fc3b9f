package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"parley/internal/netns"
)

// Also a proxy loses them, if it is on a machine of its own.
func TestPacketsBetweenMachinesAreLostInOneDirection(t *testing.T) {
	network, err := netns.New()
	if errors.Is(err, netns.ErrNone) {
		t.Skip(err)
	}
	defer network.Close()
	near, err1 := network.NewMachine()
	far, err2 := network.NewMachine()
	p, err3 := newProxy(near)
	var server net.Listener
	err4 := far.Do(func() (err error) {
		server, err = net.Listen("tcp", far.Address()+":0")
		return err
	})
	if err := errors.Join(err, err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p.forwardTo(server.Addr().String())
	ctx, hangUp := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.run(ctx); close(done) }()
	defer func() { hangUp(); <-done }()

	var client net.Conn
	if err := near.Do(func() (err error) { client, err = net.Dial("tcp", p.address()); return err }); err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	other, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	send := func(c net.Conn, text string) {
		t.Helper()
		if _, err := fmt.Fprint(c, text); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(c net.Conn, want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
			t.Fatalf("received %q, %v; want %q", got, err, want)
		}
	}
	send(client, "before")
	expect(other, "before")
	if err := far.CutFrom(near, netns.Drop); err != nil {
		t.Fatal(err)
	}
	send(client, "during")
	send(other, "back") // it arrives, though nobody can say so
	expect(client, "back")
	if err := other.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := other.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes have passed the filter, %v", n, err)
	}
	if err := errors.Join(far.Heal(), other.SetReadDeadline(time.Time{})); err != nil {
		t.Fatal(err)
	}
	expect(other, "during")
}

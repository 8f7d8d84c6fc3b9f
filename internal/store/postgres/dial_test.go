package postgres

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"parley/internal/netns"
)

// A connection to a machine that has gone, without a word, ends by itself: whether something was on the way or it was
// idle. Another one, whose program only says nothing, does not.
func TestConnectionsEndWhenTheDatabasesMachineIsSilent(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until the kernel gives a connection up")
	}
	network, err := netns.New()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	machine := func() *netns.Machine {
		m, err := network.NewMachine()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	node, gone, slow := machine(), machine(), machine()
	config := &pgx.ConnConfig{}
	endInSilence(config)
	connect := func(m *netns.Machine) net.Conn {
		var server net.Listener
		var conn net.Conn
		err := errors.Join(
			m.Do(func() (err error) { server, err = net.Listen("tcp", m.Address()+":0"); return err }),
			node.Do(func() (err error) {
				conn, err = config.DialFunc(t.Context(), "tcp", server.Addr().String())
				return err
			}))
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _, _ = conn.Close(), accepted.Close(), server.Close() })
		return conn
	}
	idle, asking, patient := connect(gone), connect(gone), connect(slow)
	if err := errors.Join(gone.CutFrom(node, netns.Drop), node.CutFrom(gone, netns.Drop)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	for _, conn := range []net.Conn{asking, patient} {
		if _, err := conn.Write([]byte("SELECT 1")); err != nil {
			t.Fatal(err)
		}
	}
	for _, conn := range []net.Conn{idle, asking} {
		go func() {
			_, err := conn.Read(make([]byte, 1))
			ended <- err
		}()
	}
	answered := make(chan error, 1)
	go func() {
		_, err := patient.Read(make([]byte, 1))
		answered <- err
	}()
	for range 2 {
		select {
		case err := <-ended:
			if !errors.Is(err, syscall.ETIMEDOUT) && !errors.Is(err, syscall.EHOSTUNREACH) {
				t.Errorf("it ended with %v", err)
			}
		case err := <-answered:
			t.Fatalf("the connection to a program that says nothing ended: %v", err)
		}
	}
}

//go:build unix

package postgres

import (
	"net"
	"testing"
	"time"
)

func TestInputIsFoundWithoutWaitingForAnotherReader(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()

	if hasInput(conn) {
		t.Error("input of a silent connection")
	}
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(20 * time.Second); !hasInput(conn); {
		if time.Now().After(until) {
			t.Fatal("input is not found")
		}
	}
	began, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		buffer := make([]byte, 1)
		_, _ = conn.Read(buffer)
		close(began)
		_, _ = conn.Read(buffer) // until the peer closes
	}()
	<-began
	for range 100_000 { // the second Read begins meanwhile
		if hasInput(conn) {
			t.Fatal("input of a silent connection while another goroutine reads")
		}
	}
	_ = peer.Close()
	<-ended
	if !hasInput(conn) {
		t.Error("the end of a connection is not found")
	}
}

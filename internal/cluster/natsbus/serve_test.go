package natsbus_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"parley/internal/cluster/natsbus"
)

func TestNodesHearEachOtherOverAServerForTrials(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String()
	never := func() { t.Error("it says that it listens") }
	if err := natsbus.Serve(t.Context(), address, never); err == nil ||
		!strings.Contains(err.Error(), "address already in use") {
		t.Errorf("on an address in use: %v", err)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	listens, served := make(chan struct{}), make(chan error, 1)
	go func() { served <- natsbus.Serve(ctx, address, func() { close(listens) }) }()
	select {
	case <-listens:
	case err := <-served:
		t.Fatal(err)
	}
	var buses []*natsbus.Bus
	for range 2 {
		b, err := natsbus.Dial(natsbus.DialConfig{URL: "nats://" + address})
		if err != nil {
			t.Fatal(err)
		}
		closeAtEnd(t, b)
		b.Subscribe("n")
		buses = append(buses, b)
	}
	join(t, buses[0], buses[1], "n")
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

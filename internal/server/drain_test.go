package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// wantNotReady checks that /readyz refuses with a code.
func (ts *testServer) wantNotReady(t *testing.T, code chat.Code) {
	t.Helper()
	a := ts.ask(t, http.MethodGet, "/readyz", "")
	if p := decode[httpdoor.Problem](t, a); a.StatusCode != http.StatusServiceUnavailable || p.Code != code {
		t.Errorf("/readyz: status %d: %s", a.StatusCode, a.body)
	}
}

func TestAServerThatDrainsServesEverybodyAndIsNotReady(t *testing.T) {
	ts := startServer(t, Config{Drain: time.Hour}, room.Config{})
	before := ts.hello(t, "Before")
	before.ask(`"op":"join","room":"r"`)
	if a := ts.ask(t, http.MethodGet, "/readyz", ""); a.StatusCode != http.StatusOK {
		t.Errorf("/readyz before: status %d: %s", a.StatusCode, a.body)
	}
	asked := make(chan struct{})
	stop := inBackground(func(ctx context.Context) error { return ts.Drain(ctx, asked) })
	close(asked)
	await.True(t, "the server drains", ts.draining.Load)
	ts.wantNotReady(t, chat.Stopping)
	if a := ts.ask(t, http.MethodGet, "/healthz", ""); a.StatusCode != http.StatusOK || !a.Close {
		t.Errorf("/healthz: status %d: %s; the connection ends: %v", a.StatusCode, a.body, a.Close)
	}
	if a := ts.ask(t, http.MethodGet, "/metrics", ""); !strings.Contains(a.body, "\nparley_draining 1\n") {
		t.Error("parley_draining is not 1")
	}
	late := ts.hello(t, "Late")
	late.ask(`"op":"send","room":"r","text":"still here"`)
	if e := before.event(); e.Text != "still here" {
		t.Errorf("event %+v", e)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestAServerThatCannotStoreIsNotReady(t *testing.T) {
	kept := openStore(t)
	ill := func(context.Context) error { return errors.New("the disk is full") }
	startServerWith(t, Config{}, room.Config{}, kept, kept, ill).wantNotReady(t, chat.Unavailable)
}

func TestAServerThatAnotherOutdoesIsWellAndNotReady(t *testing.T) {
	lonely := &chat.Error{Code: chat.Unavailable, Message: "Another one does better."}
	ts := startServer(t, Config{Ready: func(context.Context) error { return lonely }}, room.Config{})
	ts.wantNotReady(t, chat.Unavailable)
	if a := ts.ask(t, http.MethodGet, "/healthz", ""); a.StatusCode != http.StatusOK {
		t.Errorf("/healthz: status %d: %s", a.StatusCode, a.body)
	}
}

func TestEndedConnectionsAreToldWhenToComeBack(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	c, stream := ts.hello(t, "Ada"), ts.listen(t, "/api/rooms/r/events")
	stream.block() // the position, so the stream has begun
	stopped := make(chan error, 1)
	go func() { stopped <- ts.stop() }()
	c.wantGoodbye(1001, `{"code":"stopping","retry_within_ms":100}`)
	c.nc.Close()
	if event := stream.next(); event != nil {
		t.Errorf("the stream goes on: %v", event)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

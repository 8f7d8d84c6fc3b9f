package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// A fire is a store that fails to make guests.
type fire struct{ account.People }

func (fire) NewGuest(context.Context, string, string) (chat.Person, string, error) {
	return chat.Person{}, "", errors.New("disk on fire at /secret/path")
}

func TestInternalErrorsAreLoggedAndNotShown(t *testing.T) {
	kept := openStore(t)
	var log bytes.Buffer
	ts := startServerWith(
		t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, room.Config{}, kept, fire{kept}, kept.Healthy,
	)
	a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`)
	if p := decode[httpdoor.Problem](t, a); a.StatusCode != http.StatusInternalServerError || p.Code != chat.Internal ||
		strings.Contains(a.body, "fire") {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
	metrics := ts.ask(t, http.MethodGet, "/metrics", "").body
	if want := "parley_errors_total{code=\"internal\"} 1\n"; !strings.Contains(metrics, want) {
		t.Errorf("the metrics have no %s", want)
	}
	if err := ts.stop(); err != nil { // nothing writes to the logs from here on
		t.Error(err)
	}
	if got := log.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "disk on fire") {
		t.Errorf("log: %s", got)
	}
}

func TestHealthzReportsAFailedStore(t *testing.T) {
	kept := openStore(t)
	ill := func(context.Context) error { return errors.New("the disk is full") }
	ts := startServerWith(t, Config{}, room.Config{}, kept, kept, ill)
	a := ts.ask(t, http.MethodGet, "/healthz", "")
	p := decode[httpdoor.Problem](t, a)
	if a.StatusCode != http.StatusServiceUnavailable || p.Code != chat.Unavailable ||
		!strings.Contains(p.Detail, "the disk is full") {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
}

package server

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/rest"
	"parley/internal/room"
)

// A timedWriter is a response whose connection has a deadline.
type timedWriter struct {
	*httptest.ResponseRecorder
	readBy time.Time
}

func (w *timedWriter) SetReadDeadline(by time.Time) error {
	w.readBy = by
	return nil
}

func TestBodyHasTimeLimitAlsoWhereNobodyReadsIt(t *testing.T) {
	ts := startServer(t, Config{AllowOrigin: []string{"https://app.example.org"}}, room.Config{})
	for _, tt := range []struct {
		method, path, origin string
		body                 bool
		limited              bool // still, once the answer is known
	}{
		{http.MethodGet, "/", "", true, true},
		{http.MethodGet, "/healthz", "", true, true},
		{http.MethodPost, "/healthz", "", true, true},
		{http.MethodGet, "/readyz", "", true, true},
		{http.MethodPost, "/nowhere", "", true, true},
		{http.MethodPost, "/api/session", "https://elsewhere.example", true, true},
		{http.MethodDelete, "/api/session", "", true, true},
		{http.MethodPost, "/api/session", "", true, false},
		{http.MethodPost, "/api/rooms/lobby/messages", "", true, false},
		{http.MethodGet, "/", "", false, false},
		{http.MethodDelete, "/api/session", "", false, false},
	} {
		r := httptest.NewRequest(tt.method, tt.path, nil)
		if tt.body {
			r = httptest.NewRequest(tt.method, tt.path, strings.NewReader(`{"name":"Ada","text":"hi"}`))
			r.Header.Set("Content-Type", "application/json")
		}
		r.Host = "localhost"
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		w := &timedWriter{ResponseRecorder: httptest.NewRecorder()}
		ts.httpServer(ts).Handler.ServeHTTP(w, r)
		if got := !w.readBy.IsZero(); got != tt.limited || time.Until(w.readBy) > rest.BodyTimeout {
			t.Errorf("%s %s: limited %v (until %v), want %v", tt.method, tt.path, got, w.readBy, tt.limited)
		}
	}
}

// brokenPeople have a mistake in them.
type brokenPeople struct{ account.People }

func (brokenPeople) NewGuest(context.Context, string, string) (chat.Person, string, error) {
	panic("a mistake")
}

func TestOperatorHearsOfAPanicAndTheServerStays(t *testing.T) {
	kept := openStore(t)
	var log bytes.Buffer
	ts := startServerWith(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, room.Config{}, kept,
		brokenPeople{kept}, kept.Healthy)
	if a, err := ts.try(t.Context(), http.MethodPost, "/api/session", `{"name":"Ada"}`); err == nil {
		t.Errorf("answered with %d: %s", a.StatusCode, a.body)
	}
	if a := ts.ask(t, http.MethodGet, "/healthz", ""); a.StatusCode != http.StatusOK {
		t.Errorf("health afterwards: %d", a.StatusCode)
	}
	if got := testutil.ToFloat64(ts.metrics.errors.WithLabelValues(string(chat.Internal))); got != 1 {
		t.Errorf("counted %v times", got)
	}
	if err := ts.stop(); err != nil {
		t.Error(err)
	}
	if got := log.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "a mistake") ||
		!strings.Contains(got, "NewGuest") {
		t.Errorf("logged %q", got)
	}
}

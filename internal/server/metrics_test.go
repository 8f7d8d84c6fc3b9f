package server

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/internal/room"
)

func TestMetricsHaveASocketOfTheirOwnWhenAskedFor(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ts := startServer(t, Config{MetricsListen: ln.Addr().String()}, room.Config{})
	stop := inBackground(func(ctx context.Context) error { return ts.ServeMetrics(ctx, ln) })
	get := func(url, path, host string) int {
		r, err := http.NewRequest(http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		a, err := ts.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		return a.StatusCode
	}
	alone := "http://" + ln.Addr().String()
	for _, tt := range []struct {
		url, path, host string
		want            int
	}{
		{alone, "/metrics", "", http.StatusOK},
		{alone, "/metrics", "prometheus.example.org", http.StatusOK},
		{alone, "/", "", http.StatusNotFound},
		{alone, "/healthz", "", http.StatusNotFound},
		{alone, "/api/rooms/lobby", "", http.StatusNotFound},
		{alone, "/ws", "", http.StatusNotFound},
		{ts.url, "/metrics", "", http.StatusNotFound},
		{ts.url, "/healthz", "", http.StatusOK},
	} {
		if got := get(tt.url, tt.path, tt.host); got != tt.want {
			t.Errorf("%s%s: status %d, want %d", tt.url, tt.path, got, tt.want)
		}
	}
	if doc := ts.ask(t, http.MethodGet, "/api/openapi.json", "").body; strings.Contains(doc, `"/metrics"`) {
		t.Error("the OpenAPI document has them still")
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := net.DialTimeout("tcp", ln.Addr().String(), time.Second); err == nil {
		t.Error("the socket is still open")
	}
}

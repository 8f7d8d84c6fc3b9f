package server

import (
	"net/http"
	"strings"
	"testing"

	"parley/internal/room"
)

func TestARoomHasOneAddress(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	tests := map[string]struct {
		path     string
		accept   string
		status   int
		location string
	}{
		"home":                      {path: "/", status: 200},
		"a room":                    {path: "/r/lobby", status: 200},
		"in capitals":               {path: "/r/Lobby", status: 307, location: "/r/lobby"},
		"with a query":              {path: "/r/Lobby?x=%2f", status: 307, location: "/r/lobby?x=%2f"},
		"with a slash":              {path: "/r/lobby/", status: 307, location: "/r/lobby"},
		"folded":                    {path: "/r/Stra%C3%9Fe", status: 307, location: "/r/strasse"},
		"another script":            {path: "/r/%D1%87%D0%B0%D1%82", status: 200},
		"another script, capitals":  {path: "/r/%D0%A7%D0%B0%D1%82", status: 307, location: "/r/%D1%87%D0%B0%D1%82"},
		"a space":                   {path: "/r/a%20b", status: 307, location: "/r/a-b"},
		"a sign":                    {path: "/r/What's%20up%3F?x=1", status: 307, location: "/r/what-s-up?x=1"},
		"two parts":                 {path: "/r/a/b", status: 307, location: "/r/a-b"},
		"a slash in it":             {path: "/r/a%2Fb/", status: 307, location: "/r/a-b"},
		"signs alone":               {path: "/r/%3F%20!", status: 400},
		"an emoji":                  {path: "/r/%F0%9F%98%80", status: 400},
		"none":                      {path: "/r/", status: 400},
		"too long":                  {path: "/r/" + strings.Repeat("x", 65), status: 400},
		"no other host":             {path: "/r//evil.example", status: 307, location: "/r/evil.example"},
		"elsewhere, for a person":   {path: "/nothing", accept: "text/html,*/*", status: 404},
		"elsewhere, for a program":  {path: "/nothing", accept: "application/json", status: 404},
		"an asset that is not here": {path: "/assets/nothing.js", status: 404},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := ts.ask(t, http.MethodGet, tt.path, "", "Accept", tt.accept)
			if a.StatusCode != tt.status || a.Header.Get("Location") != tt.location {
				t.Fatalf("status %d to %q, want %d to %q", a.StatusCode, a.Header.Get("Location"), tt.status,
					tt.location)
			}
			page := strings.HasPrefix(a.body, "<!doctype html>")
			if want := tt.status < 300 || tt.status == 400 || strings.Contains(tt.accept, "html"); page != want {
				t.Errorf("the page: %v, want %v: %.80s", page, want, a.body)
			}
			if page && !strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") {
				t.Errorf("Content-Security-Policy %q", a.Header.Get("Content-Security-Policy"))
			}
			if a.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("the browser may guess the type")
			}
		})
	}
}

func TestHelloNamesTheBuildOfThePage(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	page := ts.ask(t, http.MethodGet, "/", "").body
	_, after, _ := strings.Cut(page, `<meta name="build" content="`)
	build, _, ok := strings.Cut(after, `"`)
	if !ok || len(build) < 8 {
		t.Fatalf("the page does not name its build: %.400s", page)
	}
	c := ts.dial(t, "/ws")
	c.send(`{"op":"hello","id":1,"name":"Ada"}`)
	if answer := string(c.frame().Payload); !strings.Contains(answer, `"build":"`+build+`"`) {
		t.Errorf("hello does not name the build %s: %s", build, answer)
	}
}

func TestTheServiceWorkerCoversAllAddresses(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	a := ts.ask(t, http.MethodGet, "/sw.js", "") // at the root, since a worker answers only for what lies beside it
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/javascript") {
		t.Fatalf("status %d: %v", a.StatusCode, a.Header)
	}
	if csp := a.Header.Get("Content-Security-Policy"); csp != "default-src 'none'; connect-src 'self'" {
		t.Errorf("Content-Security-Policy %q", csp)
	}
}

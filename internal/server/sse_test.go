package server

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/room"
)

// A listener reads a stream of server-sent events.
type listener struct {
	t    *testing.T
	body *http.Response
	in   *bufio.Scanner
	last string // the last id, as a browser keeps it
}

func (ts *testServer) listen(t *testing.T, path string, header ...string) *listener {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, ts.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w, err := ts.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Body.Close() })
	return &listener{t, w, bufio.NewScanner(w.Body), ""}
}

// next returns the next event's fields, passing over comments and, as browsers do,
// ids without data.
func (l *listener) next() map[string]string {
	l.t.Helper()
	for event := l.block(); event != nil; event = l.block() {
		if event["data"] != "" {
			return event
		}
	}
	return nil
}

// block returns the fields up to the next blank line, an event's or not.
func (l *listener) block() map[string]string {
	event := map[string]string{}
	for l.in.Scan() {
		if l.in.Text() == "" {
			if len(event) > 0 {
				if id, ok := event["id"]; ok {
					l.last = id
				}
				return event
			}
			continue
		}
		field, value, _ := strings.Cut(l.in.Text(), ":")
		if field != "" {
			event[field] = strings.TrimPrefix(value, " ")
		}
	}
	return nil
}

func TestServerSentEventsResume(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	c := ts.hello(t, "Ada")
	for i := range 5 {
		c.ask(`"op":"send","room":"r","text":"message %d"`, i+1)
	}
	epoch := ts.hub.Epoch()
	for name, tt := range map[string]struct {
		path   string
		header []string
		first  int
	}{
		"after":                      {path: "?after=2", first: 3},
		"Last-Event-ID":              {header: []string{"Last-Event-ID", epoch + ":3"}, first: 4},
		"a plain Last-Event-ID":      {header: []string{"Last-Event-ID", "3"}, first: 4},
		"Last-Event-ID before after": {path: "?after=0", header: []string{"Last-Event-ID", "4"}, first: 5},
	} {
		t.Run(name, func(t *testing.T) {
			l := ts.listen(t, "/api/rooms/r/events"+tt.path, tt.header...)
			if got := l.body.Header.Get("Content-Type"); got != "text/event-stream" {
				t.Errorf("content type %q", got)
			}
			for seq := tt.first; seq <= 5; seq++ {
				e := l.next()
				if e["event"] != "message" || !strings.HasPrefix(e["id"], fmt.Sprint(epoch, ":", seq, ":2")) ||
					!strings.Contains(e["data"], fmt.Sprintf(`"text":"message %d"`, seq)) {
					t.Fatalf("event %d: %v", seq, e)
				}
			}
		})
	}
	live := ts.listen(t, "/api/rooms/r/events")
	c.ask(`"op":"send","room":"r","text":"now"`)
	if e := live.next(); !strings.HasPrefix(e["id"], epoch+":6:") {
		t.Errorf("live: %v", e)
	}
	other := ts.listen(t, "/api/rooms/r/events", "Last-Event-ID", "another:3")
	if e := other.next(); e["event"] != "behind" || !strings.Contains(e["data"], `"seq":6`) {
		t.Errorf("from another epoch: %v", e)
	}
}

func TestServerSentEventsEndWithTheServer(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	l := ts.listen(t, "/api/rooms/r/events")
	stopped := make(chan error, 1)
	go func() { stopped <- ts.stop() }()
	if e := l.next(); e != nil {
		t.Errorf("an event as the server goes: %v", e)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// An endedWriter is a response whose deadline must not be touched once its
// handler has returned: over HTTP/2 that panics.
type endedWriter struct {
	*httptest.ResponseRecorder
	wrote func()
	uses  atomic.Int32 // deadlines so far
	using atomic.Int32 // calls that have not returned
}

func (w *endedWriter) Write(p []byte) (int, error) {
	w.wrote()
	return len(p), nil
}

func (w *endedWriter) SetWriteDeadline(deadline time.Time) error {
	if deadline.IsZero() { // the handler's own, at its beginning
		return nil
	}
	w.using.Add(1)
	defer w.using.Add(-1)
	if w.uses.Add(1) == 1 {
		for range 1000 { // opportunities to return for a handler that does not wait
			runtime.Gosched()
		}
	}
	return nil
}

func TestSSEResponseIsNotUsedAfterItsHandler(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	used := false
	for range 20 { // which goroutine is the first to use it is up to the scheduler
		ctx, cancel := context.WithCancel(t.Context())
		w := &endedWriter{ResponseRecorder: httptest.NewRecorder(), wrote: cancel}
		ts.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/rooms/lobby/events",
			nil))
		if w.using.Load() > 0 {
			t.Fatal("the handler returned while the deadline of its response was being set")
		}
		used = used || w.uses.Load() > 0
	}
	if !used {
		t.Error("no deadline was set at all")
	}
}

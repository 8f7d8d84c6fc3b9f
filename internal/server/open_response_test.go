package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/await"
	"parley/internal/room"
)

// addressesOf returns an address for each route of the server: those of the
// OpenAPI document, and those that the source gives to a mux.
func addressesOf(t *testing.T, ts *testServer) []string {
	t.Helper()
	doc := decode[struct{ Paths map[string]json.RawMessage }](t, ts.ask(t, http.MethodGet, "/api/openapi.json", ""))
	var paths []string
	for path := range doc.Paths {
		paths = append(paths, path)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	rest, err := filepath.Glob("../rest/*.go")
	if err != nil || len(rest) == 0 {
		t.Fatalf("the sources of REST: %d files, %v", len(rest), err)
	}
	files = append(files, rest...)
	route := regexp.MustCompile(`mux\.Handle(?:Func)?\("(?:[A-Z]+ )?(/[^"]*)"`)
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range route.FindAllStringSubmatch(string(source), -1) {
			paths = append(paths, m[1])
		}
	}
	values := strings.NewReplacer("{room}", "lobby", "{room...}", "lobby", "{seq}", "1", "{emoji}", "%F0%9F%91%8D",
		"{$}", "")
	for i, path := range paths {
		if paths[i] = values.Replace(path); strings.Contains(paths[i], "{") {
			t.Fatalf("no example for %s", path)
		}
	}
	slices.Sort(paths)
	if paths = slices.Compact(paths); len(paths) < 30 || !slices.Contains(paths, "/api/rooms/lobby/events") ||
		!slices.Contains(paths, "/chatroom/lobby") {
		t.Fatalf("these are not all: %q", paths)
	}
	return paths
}

// The response to a request without a body must end, whatever the request is: a
// proxy may send another person's request on the same connection.
func TestEveryAddressAnswersEveryMethodAndThenTheNextRequest(t *testing.T) {
	ts := startServer(t, Config{DebugEcho: true}, room.Config{})
	ts.hello(t, "Ada").ask(`"op":"send","room":"lobby","text":"hi"`)
	upgrade := "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	for _, path := range addressesOf(t, ts) {
		for _, method := range []string{"HEAD", "OPTIONS", "DELETE", "TRACE", "PROPFIND"} {
			for what, header := range map[string]string{
				"plain":                 "",
				"as a browser's stream": "Accept: text/event-stream\r\n", "upgrade": upgrade,
			} {
				t.Run(method+" "+path+" "+what, func(t *testing.T) {
					t.Parallel()
					nc, err := net.Dial("tcp", strings.TrimPrefix(ts.url, "http://"))
					if err != nil {
						t.Fatal(err)
					}
					defer nc.Close()
					nc.SetDeadline(time.Now().Add(patience))
					in := bufio.NewReader(nc)
					ask := func(method, path, header string) *http.Response {
						if _, err := fmt.Fprintf(nc, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, path,
							nc.RemoteAddr(), header); err != nil {
							t.Fatal(err)
						}
						w, err := http.ReadResponse(in, &http.Request{Method: method})
						if err != nil {
							t.Fatalf("%s %s: %v", method, path, err)
						}
						if _, err := io.Copy(io.Discard, w.Body); err != nil {
							t.Fatalf("the body of %s %s: %v", method, path, err)
						}
						return w
					}
					first := ask(method, path, header)
					if first.StatusCode >= 500 && first.StatusCode != http.StatusServiceUnavailable ||
						first.StatusCode == http.StatusSwitchingProtocols {
						t.Errorf("status %d", first.StatusCode)
					}
					if first.Close {
						return // the response says so: clients send no other request
					}
					if w := ask(http.MethodGet, "/api/commands", ""); w.StatusCode != http.StatusOK ||
						w.Header.Get("Content-Type") != "application/json" {
						t.Errorf("the next request: %d", w.StatusCode)
					}
				})
			}
		}
	}
}

func TestStreamsAreRefusedAsProblems(t *testing.T) {
	for stream, refused := range map[string]map[string]int{
		"events": {},
		"text": {
			"r/text?zone=Mars/Olympus": 400, "r/text?zone=../../../etc/passwd": 400,
			"r/text?after=0&epoch=another":             409,
			"r/text?after=7&at=2026-11-23T09:41:05.1Z": 409,
		},
	} {
		t.Run(stream, func(t *testing.T) {
			ts := startServer(t, Config{ConnectionsPerAddress: 1}, room.Config{})
			for _, path := range []string{"%3F/" + stream, "r/" + stream + "?after=x", "r/" + stream + "?after=-1"} {
				refused[path] = 400
			}
			for path, want := range refused {
				if a := ts.ask(t, http.MethodGet, "/api/rooms/"+path, ""); a.StatusCode != want ||
					a.Header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
				}
			}
			ts.listen(t, "/api/rooms/r/"+stream)
			if a := ts.ask(t, http.MethodGet, "/api/rooms/r/"+stream, ""); a.StatusCode != 429 {
				t.Errorf("a second stream: %d %s", a.StatusCode, a.body)
			}
		})
	}
}

func TestHeadOfAStreamIsItsHeader(t *testing.T) {
	ts := startServer(t, Config{ConnectionsPerAddress: 1}, room.Config{})
	for path, contentType := range map[string]string{"events": sseType, "text": textType} {
		for range 3 {
			a := ts.ask(t, http.MethodHead, "/api/rooms/lobby/"+path, "")
			if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != contentType || a.Close || a.body != "" {
				t.Errorf("%d %v %q", a.StatusCode, a.Header, a.body)
			}
		}
		if a := ts.ask(t, http.MethodHead, "/api/rooms/%3F/"+path, ""); a.StatusCode != http.StatusBadRequest {
			t.Errorf("of no room: %d", a.StatusCode)
		}
	}
}

// A client that has disconnected is no longer counted, whatever it has sent before:
// no handler waits for a write to fail.
func TestClientsThatAreGoneAreNotCounted(t *testing.T) {
	const stream = " /api/rooms/lobby/events HTTP/1.1\r\nHost: localhost\r\n"
	for name, said := range map[string]string{
		"HEAD":                       "HEAD" + stream + "\r\n",
		"HEAD and a byte":            "HEAD" + stream + "\r\nx",
		"HEAD and a request":         "HEAD" + stream + "\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HEAD and a stream":          "HEAD" + stream + "\r\nGET" + stream + "\r\n",
		"a stream":                   "GET" + stream + "\r\n",
		"a stream and a byte":        "GET" + stream + "\r\nx",
		"a stream and a request":     "GET" + stream + "\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a stream and much more":     "GET" + stream + "\r\n" + strings.Repeat("x", 10_000),
		"a stream with a body":       "GET" + stream + "Content-Length: 5\r\n\r\nhello",
		"a stream with half a body":  "GET" + stream + "Content-Length: 50000\r\n\r\nhello",
		"a stream with chunks":       "GET" + stream + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"a stream by HTTP/1.0":       strings.Replace("GET"+stream+"\r\nx", "HTTP/1.1", "HTTP/1.0", 1),
		"a stream to be kept alive":  "GET" + stream + "Connection: keep-alive\r\n\r\nx",
		"a stream to be followed by": "GET" + stream + "Connection: close\r\n\r\nx",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ts := startServer(t, Config{ConnectionsPerAddress: 300, IdleTimeout: time.Hour}, room.Config{})
			for round := range 2 {
				var conns []net.Conn
				for range 300 {
					nc, err := net.Dial("tcp", strings.TrimPrefix(ts.url, "http://"))
					if err != nil {
						t.Fatal(err)
					}
					defer nc.Close()
					nc.SetDeadline(time.Now().Add(patience))
					if _, err := io.WriteString(nc, said); err != nil {
						t.Fatal(err)
					}
					conns = append(conns, nc)
				}
				for _, nc := range conns {
					if line, err := bufio.NewReader(nc).ReadString('\n'); err != nil ||
						!strings.Contains(line, " 200 ") && !strings.Contains(line, " 400 ") {
						t.Fatalf("round %d: %q, %v", round, line, err)
					}
					nc.Close()
				}
				await.True(t, "all are gone",
					func() bool { return ts.addresses.count() == 0 && ts.hub.Stats().Readers == 0 })
			}
		})
	}
}

func TestStreamGoesOnWhileItsClientSaysALittle(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	nc, err := net.Dial("tcp", strings.TrimPrefix(ts.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(nc,
		"GET /api/rooms/lobby/events HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	w, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.Header.Get("Content-Type") != "text/event-stream" || w.Header.Get("X-Content-Type-Options") != "nosniff" ||
		w.Header.Get("Date") == "" || !w.Close {
		t.Errorf("header %v", w.Header)
	}
	l := &listener{t, w, bufio.NewScanner(w.Body), ""}
	l.block() // its first block says where it begins
	c := ts.hello(t, "Ada")
	c.ask(`"op":"send","room":"lobby","text":"hi"`)
	if e := l.next(); !strings.Contains(e["data"], `"text":"hi"`) {
		t.Errorf("%v", e)
	}
	go io.WriteString(nc, strings.Repeat("x", 128<<10)) // fails when the server closes the connection
	for l.next() != nil {
	}
	await.True(t, "a talkative one is gone", func() bool { return ts.addresses.count() == 1 })
}

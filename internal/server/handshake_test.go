package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"parley/internal/chat"
	"parley/internal/room"
)

// sampleKey and sampleAccept are those of RFC 6455 §1.3.
const (
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// A raw is a connection on which a test writes bytes itself.
type raw struct {
	nc net.Conn
	in *bufio.Reader
}

// dialRaw connects to the server and sends nothing yet.
func (ts *testServer) dialRaw(t testing.TB) raw {
	t.Helper()
	nc, err := net.Dial("tcp", strings.TrimPrefix(ts.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return raw{nc, bufio.NewReader(nc)}
}

// request sends a request's lines and returns its answer's head.
func (c raw) request(t testing.TB, lines ...string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(c.nc, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	w, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// handshake returns the lines of a good handshake without those that begin with
// except, and with extra lines.
func handshake(except string, extra ...string) []string {
	lines := []string{
		"GET PATH HTTP/1.1", "Host: chat.local", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: " + sampleKey, "Sec-WebSocket-Version: 13",
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return except != "" && strings.HasPrefix(line, except) })
	if except == "GET" {
		return append(extra, lines...)
	}
	return append(lines, extra...)
}

func TestHandshakeIsAnsweredAsRFC6455Says(t *testing.T) {
	tests := map[string]struct {
		lines  []string
		status int
		header map[string]string // "": missing
	}{
		"good": {
			handshake(""), 101,
			map[string]string{
				"Sec-Websocket-Accept": sampleAccept, "Upgrade": "websocket", "Connection": "Upgrade",
				"Sec-Websocket-Protocol": "", "Sec-Websocket-Extensions": "",
			},
		},
		"in other words":     {handshake("Upgrade", "upgrade: WebSocket"), 101, nil},
		"among other tokens": {handshake("Connection", "Connection: keep-alive, upgrade"), 101, nil},
		"tokens in several lines": {
			handshake("Connection", "Connection: keep-alive", "Connection: Upgrade"), 101, nil,
		},
		"unknown headers": {handshake("", "Sec-WebSocket-Future: x", "Cookie: other=1"), 101, nil},
		"another protocol": {
			handshake("", "Sec-WebSocket-Protocol: soap"), 101, map[string]string{"Sec-Websocket-Protocol": ""},
		},
		"compression is declined": {
			handshake("", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"), 101,
			map[string]string{"Sec-Websocket-Extensions": ""},
		},
		"any extension is declined": {
			handshake("", "Sec-WebSocket-Extensions: x-webkit-deflate-frame, bbf-usp-protocol"), 101,
			map[string]string{"Sec-Websocket-Extensions": ""},
		},
		"no upgrade":                {handshake("Upgrade"), 400, nil},
		"upgrade to something else": {handshake("Upgrade", "Upgrade: h2c"), 400, nil},
		"no connection":             {handshake("Connection"), 400, nil},
		"connection without it":     {handshake("Connection", "Connection: keep-alive"), 400, nil},
		"no key":                    {handshake("Sec-WebSocket-Key"), 400, nil},
		"an empty key":              {handshake("Sec-WebSocket-Key", "Sec-WebSocket-Key:"), 400, nil},
		"a short key":               {handshake("Sec-WebSocket-Key", "Sec-WebSocket-Key: c2hvcnQ="), 400, nil},
		"a long key": {
			handshake("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSwgbG9uZ2Vy"), 400, nil,
		},
		"a garbled key": {
			handshake("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhl!HNhbXBsZSBub25jZQ=="), 400, nil,
		},
		"two keys": {handshake("", "Sec-WebSocket-Key: "+sampleKey), 400, nil},
		"no version": {
			handshake("Sec-WebSocket-Version"), 426,
			map[string]string{"Sec-Websocket-Version": "13", "Upgrade": "websocket"},
		},
		"an older version": {
			handshake("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), 426,
			map[string]string{"Sec-Websocket-Version": "13"},
		},
		"a newer version": {
			handshake("Sec-WebSocket-Version", "Sec-WebSocket-Version: 14"), 426,
			map[string]string{"Sec-Websocket-Version": "13"},
		},
		"a version in words": {
			handshake("Sec-WebSocket-Version", "Sec-WebSocket-Version: thirteen"), 426,
			map[string]string{"Sec-Websocket-Version": "13"},
		},
		"two versions": {
			handshake("", "Sec-WebSocket-Version: 8"), 426, map[string]string{"Sec-Websocket-Version": "13"},
		},
		"POST": {
			handshake("GET", "POST PATH HTTP/1.1", "Content-Length: 0"), 405, map[string]string{"Allow": "GET"},
		},
		"HTTP/1.0":          {handshake("GET", "GET PATH HTTP/1.0"), 400, nil},
		"no host":           {handshake("Host"), 400, nil},
		"from another page": {handshake("", "Origin: https://elsewhere.example"), 403, nil},
	}
	ts := startServer(t, Config{DebugEcho: true}, room.Config{})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/ws", "/chatroom/lobby", "/debug/echo"} {
				c := ts.dialRaw(t)
				lines := slices.Clone(tt.lines)
				lines[0] = strings.Replace(lines[0], "PATH", path, 1)
				w := c.request(t, lines...)
				if w.StatusCode != tt.status {
					t.Fatalf("%s: status %d, want %d", path, w.StatusCode, tt.status)
				}
				for header, want := range tt.header {
					if got := strings.Join(w.Header.Values(header), "|"); got != want {
						t.Errorf("%s: %s is %q, want %q", path, header, got, want)
					}
				}
				switch tt.status {
				case http.StatusBadRequest:
					if _, err := io.ReadAll(c.in); err != nil {
						t.Errorf("%s: the connection goes on: %v", path, err)
					}
				case http.StatusUpgradeRequired: // the client may try again on it
					io.CopyN(io.Discard, c.in, w.ContentLength)
					lines := handshake("")
					lines[0] = strings.Replace(lines[0], "PATH", path, 1)
					if w := c.request(t, lines...); w.StatusCode != http.StatusSwitchingProtocols {
						t.Errorf("%s: tried again with version 13: status %d", path, w.StatusCode)
					}
				case http.StatusSwitchingProtocols:
					c.goodbye(t)
				}
			}
		})
	}
}

// goodbye closes a WebSocket properly, which proves that it is one.
func (c raw) goodbye(t testing.TB) {
	t.Helper()
	if _, err := c.nc.Write(frameOf(closing, "\x03\xe8")); err != nil {
		t.Fatal(err)
	}
	if f, err := readFrame(c.in); err != nil || f.Header.OpCode != ws.OpClose || string(f.Payload) != "\x03\xe8" {
		t.Errorf("a goodbye is answered with opcode %d, %q, %v", f.Header.OpCode, f.Payload, err)
	}
}

func TestSubprotocolIsChosenWhereOffered(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	for _, offer := range []string{"parley.v1", "soap, parley.v1", "parley.v1, parley.v2"} {
		c := ts.dialRaw(t)
		lines := handshake("", "Sec-WebSocket-Protocol: "+offer)
		lines[0] = "GET /ws HTTP/1.1"
		w := c.request(t, lines...)
		if got := w.Header.Get("Sec-Websocket-Protocol"); w.StatusCode != http.StatusSwitchingProtocols ||
			got != subprotocol {
			t.Errorf("of %q the server chose %q (status %d)", offer, got, w.StatusCode)
		}
	}
}

func TestFramesBehindTheHandshakeInOneSegmentAreRead(t *testing.T) {
	ts := startServer(t, Config{DebugEcho: true}, room.Config{})
	c := ts.dialRaw(t)
	lines := handshake("", "", string(frames(frameOf(text, "early"), frameOf(closing, "\x03\xe8"))))
	lines[0] = "GET /debug/echo HTTP/1.1"
	if w := c.request(t, lines...); w.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("status %d", w.StatusCode)
	}
	if f, err := readFrame(c.in); err != nil || string(f.Payload) != "early" {
		t.Errorf("%q, %v", f.Payload, err)
	}
}

func TestEchoIsThereOnlyWhenAskedFor(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	if a := ts.ask(t, http.MethodGet, "/debug/echo", ""); a.StatusCode != http.StatusNotFound ||
		!strings.Contains(a.body, string(chat.NotFound)) {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
}

func TestUpgradeThatFailsLeavesNoConnectionBehind(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	for _, path := range []string{"/ws", "/chatroom/lobby"} {
		nc, err := net.Dial("tcp", strings.TrimPrefix(ts.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		// and no key
		io.WriteString(nc, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		got, err := io.ReadAll(nc)
		if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 4") {
			t.Errorf("%s: %v after %q, want a refusal and the end", path, err, got)
		}
	}
}

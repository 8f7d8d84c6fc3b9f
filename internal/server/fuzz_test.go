package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"parley/internal/chat"
	"parley/internal/room"
)

// A fuzzed is a server on a socket that gets arbitrary input from clients, and a
// good client that it must serve all the while.
type fuzzed struct {
	*testServer
	log   *memory
	good  *talker
	tries int
}

// fuzzedHeap is the limit of the heap, in bytes, while clients come and go.
const fuzzedHeap = 256 << 20

func newFuzzed(f *testing.F) *fuzzed {
	z := &fuzzed{log: newMemory()}
	healthy := func(context.Context) error { return nil }
	z.testServer = serveLog(f, Config{FrameSize: 4096, DebugEcho: true}, room.Config{MessageLength: 1000}, z.log, "e",
		z.log.stores(), healthy)
	z.good = z.dial(f, "/ws")
	z.good.nc.SetDeadline(time.Time{})
	z.good.ask(`"op":"hello","name":"Good"`)
	return z
}

// visit sends in on a connection of its own and reads until the server closes it,
// as it must when the client does.
func (z *fuzzed) visit(t *testing.T, path string, in []byte) (out []byte) {
	t.Helper()
	c, _, err := z.tryDial(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.nc.Close()
	tcp := c.nc.(*net.TCPConn)
	go func() { // while the answers are read, as they may fill the socket; the reader sees errors
		tcp.Write(in)
		tcp.CloseWrite()
	}()
	out, err = io.ReadAll(c.in)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the connection goes on after its client's end; %d bytes came back", len(out))
	}
	tcp.SetLinger(0)
	return out
}

// wantUnmoved checks that the server still serves the good client and has forgotten
// the other.
func (z *fuzzed) wantUnmoved(t *testing.T) {
	t.Helper()
	z.good.t = t
	if r := z.good.ask(`"op":"send","room":"good","text":"hi"`); r.Op != "ok" || r.Seq == 0 {
		t.Fatalf("the good client is answered with %+v", r)
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for z.addresses.count() > 1 || z.hub.Stats().Rooms > 0 {
		select {
		case <-late.C:
			t.Fatalf("the server keeps %d connections and %+v", z.addresses.count(), z.hub.Stats())
		default:
			runtime.Gosched()
		}
	}
	z.log.Clear() // safe, as no client is in a room
	if z.tries++; z.tries%1000 == 0 {
		var m runtime.MemStats
		if runtime.ReadMemStats(&m); m.HeapAlloc > fuzzedHeap {
			t.Fatalf("%d bytes in use after %d clients", m.HeapAlloc, z.tries)
		}
	}
}

// mayClose reports whether a server may send a close code (RFC 6455 §7.4,
// docs/protocol.md).
func mayClose(code ws.StatusCode) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

// wantFrames checks that out is frames that a server may send; the last may be cut
// off by the end. It calls check with each text.
func wantFrames(t *testing.T, out []byte, check func(text []byte)) {
	t.Helper()
	r := bytes.NewReader(out)
	for closed := false; r.Len() > 0; {
		f, err := readFrame(r)
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return
		}
		switch h := f.Header; {
		case err != nil:
			t.Fatal(err)
		case closed:
			t.Fatalf("after its close the server says %+v", h)
		case h.Masked || h.Rsv != 0 || !h.Fin || h.OpCode.IsControl() && h.Length > 125:
			t.Fatalf("no frame for a server to send: %+v", h)
		case h.OpCode == ws.OpText:
			if !utf8.Valid(f.Payload) {
				t.Fatalf("text that is not UTF-8: %q", f.Payload)
			}
			check(f.Payload)
		case h.OpCode == ws.OpClose:
			code, reason := ws.ParseCloseFrameData(f.Payload)
			if closed = true; len(f.Payload) > 0 && !mayClose(code) || !utf8.ValidString(reason) {
				t.Fatalf("the server closes with %d %q", code, reason)
			}
		case h.OpCode != ws.OpPong && h.OpCode != ws.OpPing && h.OpCode != ws.OpBinary:
			t.Fatalf("no frame for a server to send: %+v", h)
		}
	}
}

// linesAsFrames makes a text frame of each line.
func linesAsFrames(in []byte) (out []byte) {
	for line := range bytes.Lines(in) {
		out = append(out, frameOf(text, string(bytes.TrimSuffix(line, []byte("\n"))))...)
	}
	return out
}

// FuzzWS sends anything to /ws and /debug/echo: bytes as they are, or each line
// as a text frame, so that commands are reached too.
func FuzzWS(f *testing.F) {
	hello := `{"op":"hello","id":1,"name":"Ada"}` + "\n"
	f.Add([]byte(hello+`{"op":"join","id":2,"room":"lobby","after":0}`+"\n"+
		`{"op":"send","id":3,"room":"lobby","nonce":"n","text":"hi **you**"}`), true)
	f.Add([]byte(hello+`{"op":"typing","id":2,"room":"lobby"}`+"\n"+`{"op":"leave","id":3,"room":"lobby"}`+"\n"+
		`{"op":"ping","id":4}`), true)
	f.Add([]byte(hello+`{"op":"join","id":2,"room":"good"}`+"\n"+`{"op":"join","id":3,"room":"good"}`+"\n"+
		`{"op":"hello","session":"sp0"}`), true)
	f.Add([]byte(hello+`{"op":"join","id":2,"room":"lobby"}`+"\n"+
		`{"op":"send","id":3,"room":"lobby","text":"@here /me","reply_to":1,"thread":2,"echo":true}`+"\n"+
		`{"op":"edit","id":4,"room":"lobby","seq":1,"text":"//"}`), true)
	f.Add([]byte(hello+`{"op":"react","id":2,"room":"lobby","seq":1,"emoji":"👍"}`+"\n"+
		`{"op":"topic","room":"lobby","text":"a\nb"}`+"\n"+
		`{"op":"send","room":"lobby","forward":{"room":"lobby","seq":1}}`), true)
	f.Add([]byte(hello+`{"op":"delete","room":"lobby","seq":-1}`+"\n"+`{"op":"pin","room":"lobby","seq":"1"}`+"\n"+
		`{"op":"send","room":"lobby","text":"/code `+"`````"+`\n/topic"}`), true)
	f.Add(frames(frameOf(textBegins, `{"op":"pi`), frameOf(ping, "?"), frameOf(ends, `ng"}`),
		frameOf(closing, "\x03\xe8bye")), false)
	f.Add(frames(frameOf(binaryMsg, "\x00"), frameOf(0xc1, "deflated")), false)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), false)
	z := newFuzzed(f)
	f.Fuzz(func(t *testing.T, in []byte, lines bool) {
		if lines {
			in = linesAsFrames(in)
		}
		wantFrames(t, z.visit(t, "/ws", in), func(text []byte) {
			var r struct{ Op string }
			err := json.Unmarshal(text, &r)
			if err != nil || !strings.Contains("ok error event behind presence typing", r.Op) || r.Op == "" {
				t.Fatalf("the server says %q: %v", text, err)
			}
		})
		wantFrames(t, z.visit(t, "/debug/echo", in), func([]byte) {})
		z.wantUnmoved(t)
	})
}

// FuzzChatroom does the same with the five-line protocol, and with the name of
// the room.
func FuzzChatroom(f *testing.F) {
	f.Add("lobby", []byte(`{"from":"Ada","message":"hi"}`+"\n"+`{"from":"Grace","message":"<b>hi"}`), true)
	f.Add("Straße", []byte(`{"from":"\u0007","message":"\ud800"}`+"\n"+`{"from":1}`+"\n"+`[]`), true)
	f.Add("a/../b", []byte(""), true)
	f.Add("%zz", frames(frameOf(textBegins, `{"from":"A`), frameOf(ends, `da","message":"hi"}`)), false)
	z := newFuzzed(f)
	f.Fuzz(func(t *testing.T, name string, in []byte, lines bool) {
		if _, err := chat.ParseRoomName(strings.TrimSuffix(name, "/")); err != nil || strings.Contains(name, "/") {
			t.Skip("no room's name, or another path")
		}
		if lines {
			in = linesAsFrames(in)
		}
		wantFrames(t, z.visit(t, "/chatroom/"+url.PathEscape(name), in), func(text []byte) {
			var line struct{ From, Message *string }
			if err := json.Unmarshal(text, &line); err != nil || line.From == nil || line.Message == nil {
				t.Fatalf("the server says %q: %v", text, err)
			}
		})
		z.wantUnmoved(t)
	})
}

package server

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/link"
	"parley/internal/room"
	"parley/internal/wire"
)

// A faulty is a server that panics on the text "boom", and a good client in a room
// of its own.
type faulty struct {
	*testServer
	log  *memory
	said bytes.Buffer // what the server logs; read once it has stopped
	good *talker
}

func startFaulty(t *testing.T) *faulty {
	t.Helper()
	z := &faulty{log: newMemory()}
	rooms := room.Config{Format: func(text string, _ *room.Budget) string {
		if text == "boom" {
			panic("a mistake in formatting")
		}
		return ""
	}}
	healthy := func(context.Context) error { return nil }
	z.testServer = serveLog(t, Config{Logger: slog.New(slog.NewTextHandler(&z.said, nil))}, rooms, z.log, "e",
		z.log.stores(), healthy)
	z.good = z.hello(t, "Good")
	z.good.ask(`"op":"join","room":"good"`)
	return z
}

// wantContained waits until a panic has been counted. It checks that the panic was
// logged with its stack, which names where, and that other clients are served on.
func (z *faulty) wantContained(t *testing.T, what, where string) {
	t.Helper()
	counted := func() float64 { return testutil.ToFloat64(z.metrics.errors.WithLabelValues(string(chat.Internal))) }
	await.True(t, "a panic has been counted", func() bool { return counted() > 0 })
	if n := counted(); n != 1 {
		t.Errorf("counted %v panics", n)
	}
	z.log.refuse(nil)
	z.good.sent++
	z.good.send(`{"op":"send","id":%d,"room":"good","text":"still here"}`, z.good.sent)
	if e := z.good.event(); e.Text != "still here" {
		t.Errorf("the good client hears %+v", e)
	}
	if a := z.ask(t, http.MethodGet, "/healthz", ""); a.StatusCode != http.StatusOK {
		t.Errorf("health afterwards: %d", a.StatusCode)
	}
	z.good.nc.Close()
	if err := z.stop(); err != nil { // a lock that is still held would keep it from ending
		t.Error(err)
	}
	if got := z.said.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, what) ||
		!strings.Contains(got, where) {
		t.Errorf("logged %q, want %q in %s", got, what, where)
	}
}

func TestPanicWhereACommandIsCarriedOutEndsThatConnection(t *testing.T) {
	z := startFaulty(t)
	bad := z.hello(t, "Bad")
	bad.send(`{"op":"send","id":9,"room":"good","text":"boom"}`)
	bad.wantClose(ws.StatusInternalServerError)
	z.wantContained(t, "a mistake in formatting", "Post")
}

func TestPanicWhereALineIsPostedEndsThatConnection(t *testing.T) {
	z := startFaulty(t)
	bad := z.dial(t, "/chatroom/good")
	bad.send(`{"from":"Bad","message":"boom"}`)
	bad.wantClose(ws.StatusInternalServerError)
	z.wantContained(t, "a mistake in formatting", "Post")
}

func TestPanicWhereHistoryIsAskedForEndsThatRequest(t *testing.T) {
	z := startFaulty(t)
	z.log.Put(chat.Event{Room: "old", Kind: chat.Message, Text: "boom"})
	if a, err := z.try(t.Context(), http.MethodGet, "/api/rooms/old/messages", ""); err == nil {
		t.Errorf("answered with %d: %s", a.StatusCode, a.body)
	}
	z.wantContained(t, "a mistake in formatting", "History")
}

// A trap is an error that panics when it is unwrapped.
type trap struct{}

func (trap) Error() string { return "a trap" }
func (trap) Unwrap() error { panic("a mistake in an error") }

func TestPanicWhereASendIsAnsweredEndsThatConnection(t *testing.T) {
	for path, message := range map[string]string{
		"/ws":            `{"op":"send","id":2,"room":"good","text":"trap"}`,
		"/chatroom/good": `{"from":"Bad","message":"trap"}`,
	} {
		z := startFaulty(t)
		z.log.refuse(trap{})
		bad := z.dial(t, path)
		bad.send(`{"op":"hello","id":1,"name":"Bad"}`)
		bad.send("%s", message)
		for f, err := readFrame(bad.in); err == nil; f, err = readFrame(bad.in) {
			if strings.Contains(string(f.Payload), `"id":2`) {
				t.Errorf("answered with %s", f.Payload)
			}
		}
		z.wantContained(t, "a mistake in an error", "memory") // the store's goroutine goes on
	}
}

func TestPanicInLeavingOneRoomKeepsNoOtherFromBeingLeft(t *testing.T) {
	z := startFaulty(t)
	bad := z.dialSpeaking(t, func(c *link.Conn) link.Protocol {
		there, err := z.hub.Join(context.Background(), chat.Who{}, "there",
			room.JoinRequest{Sink: c.Out(), Encoder: wire.EventFrames{}}, func(room.JoinResult) {})
		if err != nil {
			t.Error(err)
		}
		return &client{Conn: c, s: z.Server, rooms: map[chat.RoomName]*room.Reader{"there": there, "nowhere": nil}}
	})
	bad.nc.Close()
	await.True(t, "the reader has left", func() bool { return z.hub.Stats().Readers <= 1 })
	z.wantContained(t, "nil pointer", "Leave")
}

// dialSpeaking opens a WebSocket for which the server uses a protocol of the test.
func (ts *testServer) dialSpeaking(t *testing.T, newProtocol func(*link.Conn) link.Protocol) *talker {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request,
	) {
		ts.upgrade(w, r, "", newProtocol)
	}))
	t.Cleanup(front.Close)
	return (&testServer{Server: ts.Server, url: front.URL}).dial(t, "/")
}

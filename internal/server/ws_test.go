package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parley/internal/chat"
	"parley/internal/room"
)

// A talker is a WebSocket client that speaks frames.
type talker struct {
	t    testing.TB
	nc   net.Conn
	in   *bufio.Reader
	sent int64
}

// dial opens a WebSocket at path.
func (ts *testServer) dial(t testing.TB, path string, header ...string) *talker {
	t.Helper()
	c, _, err := ts.tryDial(path, header...)
	if err != nil {
		t.Fatal(err)
	}
	c.t = t
	t.Cleanup(func() { c.nc.Close() })
	return c
}

func (ts *testServer) tryDial(path string, header ...string) (*talker, ws.Handshake, error) {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	d := ws.Dialer{
		Header: ws.HandshakeHeaderHTTP(h), Timeout: patience, Protocols: []string{subprotocol},
		TLSConfig: anyCertificate,
	}
	nc, br, hs, err := d.Dial(context.Background(), "ws"+strings.TrimPrefix(ts.url, "http")+path)
	if err != nil {
		return nil, hs, err
	}
	if br == nil {
		br = bufio.NewReader(nc)
	}
	nc.SetDeadline(time.Now().Add(60 * time.Second))
	return &talker{nc: nc, in: br}, hs, nil
}

// talkOver opens a WebSocket at path over a connection that stands.
func (ts *testServer) talkOver(t testing.TB, nc net.Conn, path string) *talker {
	t.Helper()
	d := ws.Dialer{Protocols: []string{subprotocol}}
	u, err := url.Parse(ts.url + path)
	if err != nil {
		t.Fatal(err)
	}
	br, _, err := d.Upgrade(nc, u)
	if err != nil {
		t.Fatal(err)
	}
	if br == nil {
		br = bufio.NewReader(nc)
	}
	nc.SetDeadline(time.Now().Add(60 * time.Second))
	return &talker{t: t, nc: nc, in: br}
}

// tcpOf returns the TCP connection that a client's connection is, or has beneath.
func tcpOf(nc net.Conn) *net.TCPConn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	return nc.(*net.TCPConn)
}

// put sends one frame.
func (c *talker) put(f ws.Frame) {
	c.t.Helper()
	if err := ws.WriteFrame(c.nc, ws.MaskFrame(f)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *talker) send(format string, args ...any) {
	c.t.Helper()
	c.put(ws.NewTextFrame(fmt.Appendf(nil, format, args...)))
}

// frame returns the next frame; a ping is answered and passed over.
func (c *talker) frame() ws.Frame {
	c.t.Helper()
	for {
		f, err := readFrame(c.in)
		if err != nil {
			c.t.Fatalf("reading a frame: %v", err)
		}
		if f.Header.OpCode != ws.OpPing {
			return f
		}
		c.put(ws.NewPongFrame(f.Payload))
	}
}

func readFrame(r io.Reader) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}

// reply is whatever a server says.
type reply struct {
	Op, Code, Room, Text, HTML, Session, Epoch, Kind, Message, At, Error string
	ID, Seq                                                              int64
	Reset                                                                bool
	Retry                                                                int64 `json:"retry_after_ms"`
	Count                                                                int
	Person, Joined, Left                                                 *chat.Person
	From                                                                 json.RawMessage
	Here                                                                 []chat.Person
}

func (c *talker) hear() reply {
	c.t.Helper()
	f := c.frame()
	var r reply
	if f.Header.OpCode != ws.OpText {
		c.t.Fatalf("a frame with opcode %d and %q", f.Header.OpCode, f.Payload)
	}
	if err := json.Unmarshal(f.Payload, &r); err != nil {
		c.t.Fatalf("%q: %v", f.Payload, err)
	}
	return r
}

// ask sends a command and returns its answer, passing over events.
func (c *talker) ask(format string, args ...any) reply {
	c.t.Helper()
	c.sent++
	c.send(`{"id":%d,%s}`, c.sent, fmt.Sprintf(format, args...))
	for {
		if r := c.hear(); r.ID == c.sent {
			return r
		}
	}
}

// event returns the next event that has a seq, passing over all else.
func (c *talker) event() reply {
	c.t.Helper()
	for {
		if r := c.hear(); r.Op == "event" {
			return r
		}
	}
}

// wantClose fails unless the next frame but text closes with code.
func (c *talker) wantClose(code ws.StatusCode) {
	c.t.Helper()
	for {
		f := c.frame()
		if f.Header.OpCode == ws.OpText {
			continue
		}
		if got, _ := ws.ParseCloseFrameData(f.Payload); f.Header.OpCode != ws.OpClose || got != code {
			c.t.Fatalf("opcode %d, close code %d, want %d", f.Header.OpCode, got, code)
		}
		return
	}
}

// hello dials and says who it is.
func (ts *testServer) hello(t testing.TB, name string) *talker {
	t.Helper()
	c := ts.dial(t, "/ws")
	if r := c.ask(`"op":"hello","name":%q`, name); r.Op != "ok" || r.Person.Name != name || r.Session == "" {
		t.Fatalf("hello: %+v", r)
	}
	return c
}

func TestTwoPeopleTalk(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada, grace := ts.hello(t, "Ada"), ts.hello(t, "Grace")
	if r := ada.ask(`"op":"join","room":"Lobby"`); r.Op != "ok" || r.Room != "lobby" || r.Count != 1 ||
		len(r.Here) != 1 {
		t.Errorf("join: %+v", r)
	}
	if r := grace.ask(`"op":"join","room":"lobby"`); r.Count != 2 || len(r.Here) != 2 {
		t.Errorf("join: %+v", r)
	}
	if r := ada.hear(); r.Op != "presence" || r.Joined == nil || r.Joined.Name != "Grace" || r.Count != 2 {
		t.Errorf("presence: %+v", r)
	}
	ada.sent++
	ada.send(`{"op":"send","id":%d,"room":"lobby","text":"hi **you**"}`, ada.sent)
	if r := ada.hear(); r.Op != "ok" || r.Seq != 1 || r.ID != ada.sent {
		t.Errorf("the answer is not first: %+v", r)
	}
	for _, c := range []*talker{ada, grace} {
		r := c.event()
		if r.Seq != 1 || r.Text != "hi **you**" || r.HTML != "<p>hi <strong>you</strong></p>" || r.Kind != "message" ||
			!strings.Contains(string(r.From), `"Ada"`) {
			t.Errorf("event: %+v", r)
		}
	}
	ada.ask(`"op":"typing","room":"lobby"`)
	if r := grace.hear(); r.Op != "typing" || !strings.Contains(string(r.From), `"Ada"`) {
		t.Errorf("typing: %+v", r)
	}
}

func TestCommandsAreAnswered(t *testing.T) {
	ts := startServer(t, Config{RoomsPerConnection: 2}, room.Config{MessageLength: 10, MessageRate: 1, MessageBurst: 3})
	fresh := ts.dial(t, "/ws")
	for _, tt := range []struct {
		in   string
		want chat.Code
	}{
		{`"op":"join","room":"lobby"`, chat.HelloFirst},
		{`"op":"hello"`, chat.BadName},
		{`"op":"hello","name":"\u0007"`, chat.BadName},
		{`"op":"hello","session":"nobody's"`, chat.BadSession},
		{`"op":"hello","session":"nobody's","name":"Ada"`, chat.BadSession},
		{`"op":"hello","name":"Ada"`, ""},
		{`"op":"hello","name":"Ada"`, chat.BadRequest},
		{`"op":"dance"`, chat.UnknownOp},
		{`"op":3`, chat.InvalidJSON},
		{`"op":"join","room":"? !"`, chat.BadRoom},
		{`"op":"join"`, chat.BadRoom},
		{`"op":"join","room":"one"`, ""},
		{`"op":"join","room":"ONE"`, chat.AlreadyJoined},
		{`"op":"join","room":"two"`, ""},
		{`"op":"join","room":"three"`, chat.TooManyRooms},
		{`"op":"leave","room":"three"`, chat.NotJoined},
		{`"op":"typing","room":"three"`, chat.NotJoined},
		{`"op":"leave","room":"two"`, ""},
		{`"op":"join","room":"three"`, ""},
		{`"op":"ping"`, ""},
		{`"op":"send","room":"one","text":""`, chat.BadText},
		{`"op":"send","room":"one","text":"12345678901"`, chat.TooLong},
		{`"op":"send","room":"one","text":"hi","nonce":"a b"`, chat.BadNonce},
		{`"op":"send","room":"?","text":"hi"`, chat.BadRoom},
		{`"op":"send","room":"one","text":"hi"`, ""},
		{`"op":"send","room":"elsewhere","text":"hi"`, ""},
		{`"op":"send","room":"one","text":"hi"`, ""},
		{`"op":"send","room":"one","text":"hi"`, chat.RateLimited},
	} {
		r := fresh.ask("%s", tt.in)
		if r.Code != string(tt.want) || (tt.want == "") != (r.Op == "ok") || tt.want != "" && r.Message == "" {
			t.Errorf("%s is answered with %+v, want code %q", tt.in, r, tt.want)
		}
		if tt.want == chat.RateLimited && (r.Retry < 1 || r.Retry > 1000) {
			t.Errorf("retry after %d ms", r.Retry)
		}
	}
	fresh.send("hello")
	if r := fresh.hear(); r.Op == "event" {
		r = fresh.hear()
		if r.Code != string(chat.InvalidJSON) {
			t.Errorf("not JSON: %+v", r)
		}
	}
}

func TestWebSocketIsClosedAsRFC6455Says(t *testing.T) {
	ts := startServer(t, Config{FrameSize: 1000}, room.Config{})
	compressed := ws.NewTextFrame([]byte("hi"))
	compressed.Header.Rsv = ws.Rsv(true, false, false)
	for name, tt := range map[string]struct {
		frame ws.Frame
		want  ws.StatusCode
	}{
		"binary":         {ws.NewBinaryFrame([]byte("hi")), 1003},
		"not UTF-8":      {ws.NewTextFrame([]byte("\xff")), 1007},
		"too large":      {ws.NewTextFrame(make([]byte, 1001)), 1009},
		"compressed":     {compressed, 1002},
		"a goodbye":      {ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "bye")), 1000},
		"a goodbye 3000": {ws.NewCloseFrame(ws.NewCloseFrameBody(3000, "")), 3000},
	} {
		c := ts.dial(t, "/ws")
		c.put(tt.frame)
		t.Log(name)
		c.wantClose(tt.want)
		if _, err := c.in.ReadByte(); err == nil {
			t.Errorf("%s: the connection goes on after its close", name)
		}
	}
	c := ts.dial(t, "/ws")
	if err := ws.WriteFrame(c.nc, ws.NewTextFrame([]byte("unmasked"))); err != nil {
		t.Fatal(err)
	}
	c.wantClose(1002)
}

func TestFragmentsWithControlFramesBetween(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	c := ts.dial(t, "/ws")
	cmd := []byte(`{"op":"hello","id":1,"name":"Zoë"}`)
	for i, b := range cmd { // one byte each, so within the ë too
		f := ws.NewFrame(ws.OpContinuation, i == len(cmd)-1, []byte{b})
		if i == 0 {
			f.Header.OpCode = ws.OpText
		}
		c.put(f)
		if i == len(cmd)/2 {
			c.put(ws.NewPingFrame([]byte("still there?")))
		}
	}
	if f := c.frame(); f.Header.OpCode != ws.OpPong || string(f.Payload) != "still there?" {
		t.Errorf("opcode %d, %q", f.Header.OpCode, f.Payload)
	}
	if r := c.hear(); r.Op != "ok" || r.Person.Name != "Zoë" {
		t.Errorf("hello: %+v", r)
	}
}

func TestSamePersonComesBackBySessionOrCookie(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	first := ts.dial(t, "/ws")
	one := first.ask(`"op":"hello","name":"Ada"`)
	second := ts.dial(t, "/ws")
	two := second.ask(`"op":"hello","session":%q,"name":"Countess"`, one.Session)
	if two.Person.ID != one.Person.ID || two.Person.Name != "Countess" || two.Session != one.Session {
		t.Errorf("by session: %+v", two)
	}
	cookie := ts.dial(t, "/ws", "Cookie", cookieOf(ts)+"="+one.Session)
	three := cookie.ask(`"op":"hello"`)
	if three.Person.ID != one.Person.ID || three.Person.Name != "Countess" || three.Session != "" {
		t.Errorf("by cookie: %+v (the session must not be told to a script)", three)
	}
	stale := ts.dial(t, "/ws", "Cookie", cookieOf(ts)+"=nobody")
	if r := stale.ask(`"op":"hello"`); r.Code != string(chat.BadSession) {
		t.Errorf("by a stale cookie: %+v", r)
	}
	if r := stale.ask(`"op":"hello","name":"New"`); r.Op != "ok" || r.Session == "" {
		t.Errorf("a name after a stale cookie: %+v", r)
	}
	second.ask(`"op":"join","room":"r"`)
	if r := cookie.ask(`"op":"join","room":"r"`); r.Count != 1 {
		t.Errorf("two tabs are %d members", r.Count)
	}
}

func TestNonceIsAnsweredOnceEvenAfterARestart(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	c := ts.dial(t, "/ws")
	session := c.ask(`"op":"hello","name":"Ada"`).Session
	c.ask(`"op":"join","room":"r"`)
	first := c.ask(`"op":"send","room":"r","nonce":"n1","text":"once"`)
	again := c.ask(`"op":"send","room":"r","nonce":"n1","text":"once"`)
	if first.Seq != 1 || again.Seq != 1 || again.At != first.At {
		t.Errorf("first %+v, again %+v", first, again)
	}
	elsewhere := ts.dial(t, "/ws")
	elsewhere.ask(`"op":"hello","session":%q`, session)
	if r := elsewhere.ask(`"op":"send","room":"r","nonce":"n1","text":"once"`); r.Seq != 1 {
		t.Errorf("from another connection: %+v", r)
	}
	other := ts.hello(t, "Grace")
	if r := other.ask(`"op":"send","room":"r","nonce":"n1","text":"hers"`); r.Seq != 2 {
		t.Errorf("the same nonce of somebody else: %+v", r)
	}
	if r := other.ask(`"op":"send","room":"r2","nonce":"n1","text":"hers"`); r.Seq != 1 {
		t.Errorf("the same nonce in another room: %+v", r)
	}
}

func TestResumeWhileOthersTalkAtFullSpeed(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	const talkers, each = 4, 240 // fewer events than a join delivers, however slow the reader is
	var wg sync.WaitGroup
	for i := range talkers {
		c := ts.hello(t, fmt.Sprint("Talker ", i))
		wg.Go(func() {
			for n := range each {
				c.ask(`"op":"send","room":"r","text":"%d of %d"`, n, i)
			}
		})
	}
	reader := ts.hello(t, "Reader")
	last := int64(0)
	for drops := 0; last < talkers*each; drops++ {
		if r := reader.ask(`"op":"join","room":"r","after":%d`, last); r.Op == "behind" {
			t.Fatalf("behind after %d: %+v", last, r)
		}
		for n := 0; last < talkers*each && n < 97; n++ {
			r := reader.event()
			if r.Seq != last+1 {
				t.Fatalf("event %d after %d, in reconnect %d", r.Seq, last, drops)
			}
			last = r.Seq
		}
		reader.nc.Close()
		reader = ts.hello(t, "Reader")
	}
	wg.Wait()
}

func TestBehindAndWhatComesAfter(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	c := ts.hello(t, "Ada")
	for i := range 1100 {
		c.send(`{"op":"send","id":%d,"room":"r","text":"x"}`, 1000+i)
	}
	for range 1100 {
		c.hear()
	}
	epoch := ts.hub.Epoch()
	for in, want := range map[string]string{
		`"after":99`:                           "behind",
		`"after":100`:                          "ok",
		`"after":1101`:                         "behind",
		`"after":1100,"epoch":"another"`:       "behind",
		`"after":1100,"epoch":"` + epoch + `"`: "ok",
	} {
		r := ts.hello(t, "Reader")
		got := r.ask(`"op":"join","room":"r",%s`, in)
		if got.Op != want || got.Seq != 1100 || want == "behind" && got.Epoch != epoch {
			t.Errorf("%s: %+v, want %s", in, got, want)
		}
	}
}

func TestClientThatTakesNothingIsClosedAndDelaysNobody(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{StallTimeout: 300 * time.Millisecond})
	stalled, quick, talker := ts.hello(t, "Stalled"), ts.hello(t, "Quick"), ts.hello(t, "Talker")
	tcpOf(stalled.nc).SetReadBuffer(4096)
	stalled.ask(`"op":"join","room":"r"`)
	quick.ask(`"op":"join","room":"r"`)
	text := strings.Repeat("long ", 700)
	stalls := ts.metrics.errors.WithLabelValues(string(chat.Stalled))
	for n := int64(1); testutil.ToFloat64(stalls) == 0; n++ {
		if r := talker.ask(`"op":"send","room":"r","text":%q`, text); r.Op != "ok" {
			t.Fatalf("send: %+v", r)
		}
		if r := quick.event(); r.Seq != n {
			t.Fatalf("the quick one got %d, want %d", r.Seq, n)
		}
	}
}

func TestSilentClientIsPingedThenClosed(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for seconds")
	}
	// On a busy machine the wheel may come late, but hardly by two seconds.
	ts := startServer(t, Config{IdleTimeout: 2 * time.Second}, room.Config{})
	c := ts.dial(t, "/ws")
	pinged := false
	for {
		f, err := readFrame(c.in) // not frame, which would answer
		if err != nil {
			t.Fatal(err)
		}
		if f.Header.OpCode == ws.OpPing {
			pinged = true
			continue
		}
		if code, _ := ws.ParseCloseFrameData(f.Payload); f.Header.OpCode != ws.OpClose || code != 4000 || !pinged {
			t.Errorf("opcode %d, close code %d, pinged %v", f.Header.OpCode, code, pinged)
		}
		return
	}
}

func TestStopAnswersWhatWasAcceptedAndSaysGoodbye(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	idle, talker := ts.hello(t, "Idle"), ts.hello(t, "Talker")
	talker.ask(`"op":"join","room":"r"`)
	for i := range 100 {
		talker.send(`{"op":"send","id":%d,"room":"r","text":"x"}`, 100+i)
	}
	talker.event() // some have been accepted
	stopped := make(chan error, 1)
	go func() { stopped <- ts.stop() }()
	answered := 0
	for {
		f := talker.frame()
		if f.Header.OpCode == ws.OpClose {
			if code, _ := ws.ParseCloseFrameData(f.Payload); code != 1001 {
				t.Errorf("close code %d", code)
			}
			break
		}
		if strings.HasPrefix(string(f.Payload), `{"op":"ok"`) {
			answered++
		}
	}
	idle.wantClose(1001)
	talker.nc.Close()
	idle.nc.Close()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d more were answered before the goodbye", answered)
}

func TestConnectionsPerAddress(t *testing.T) {
	ts := startServer(t, Config{ConnectionsPerAddress: 2}, room.Config{})
	one := ts.dial(t, "/ws")
	ts.dial(t, "/chatroom/r")
	if _, _, err := ts.tryDial("/ws"); err != ws.StatusError(429) {
		t.Errorf("the third connection: %v", err)
	}
	one.put(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "")))
	one.wantClose(1000)
	one.nc.Close()
	for {
		if c, _, err := ts.tryDial("/ws"); err == nil {
			c.nc.Close()
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("no place after one has gone")
		}
	}
}

func TestUpgradeFromElsewhereIsRefused(t *testing.T) {
	ts := startServer(t, Config{AllowOrigin: []string{"https://*.example.org"}}, room.Config{})
	for origin, allowed := range map[string]bool{
		"": true, ts.url: true, "https://chat.example.org": true, "https://evil.example": false, "null": false,
		"https://example.org": false,
	} {
		for _, path := range []string{"/ws", "/chatroom/r"} {
			var header []string
			if origin != "" {
				header = []string{"Origin", origin}
			}
			c, _, err := ts.tryDial(path, header...)
			if (err == nil) != allowed {
				t.Errorf("%s from %q: %v", path, origin, err)
			}
			if err == nil {
				c.nc.Close()
			}
		}
	}
}

func TestNewGuestsPerAddress(t *testing.T) {
	ts := startServer(t, Config{GuestRate: 2}, room.Config{})
	ts.hello(t, "One")
	back := ts.guest(t, "Two").Session
	c := ts.dial(t, "/ws")
	if r := c.ask(`"op":"hello","name":"Three"`); r.Code != string(chat.RateLimited) || r.Retry < 1 ||
		r.Retry > 30_000 {
		t.Errorf("hello: %+v", r)
	}
	if a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Three"}`); a.StatusCode != 429 ||
		a.Header.Get("Retry-After") == "" {
		t.Errorf("a session: %d %s", a.StatusCode, a.body)
	}
	if a := ts.ask(t, http.MethodPost, "/api/rooms/r/messages", `{"name":"Three","text":"hi"}`); a.StatusCode != 429 {
		t.Errorf("a message: %d %s", a.StatusCode, a.body)
	}
	line := ts.dial(t, "/chatroom/r")
	line.send(`{"from":"Three","message":"hi"}`)
	if r := line.hear(); r.Error != string(chat.RateLimited) {
		t.Errorf("a line: %+v", r)
	}
	if r := c.ask(`"op":"hello","session":%q`, back); r.Op != "ok" {
		t.Errorf("who has been here: %+v", r)
	}
}

func TestRenamesAreLimited(t *testing.T) {
	const burst = 10 // renames that one person may make at once
	ts := startServer(t, Config{}, room.Config{})
	session := ts.guest(t, "Name 0").Session
	for i := 1; ; i++ {
		r := ts.dial(t, "/ws").ask(`"op":"hello","session":%q,"name":"Name %d"`, session, i)
		if r.Op == "ok" && i <= burst {
			continue
		}
		if i != burst+1 || r.Code != string(chat.RateLimited) || r.Retry < 1 {
			t.Errorf("rename %d: %+v", i, r)
		}
		break
	}
	if r := ts.dial(t, "/ws").ask(`"op":"hello","session":%q`, session); r.Op != "ok" ||
		r.Person.Name != fmt.Sprint("Name ", burst) {
		t.Errorf("under the old name: %+v", r)
	}
}

func TestRequestThatIsNoUpgradeIsAProblem(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	for _, path := range []string{"/ws", "/chatroom/r"} {
		a := ts.ask(t, http.MethodGet, path, "")
		if a.StatusCode != 400 || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
	}
}

func TestAnswerComesBeforeTheEventToWhoJoinsAfterSending(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	c := ts.hello(t, "Ada")
	// The committer's goroutine is held twice: first to gather the next two
	// messages in one transaction, then between its commit and c's answer.
	held, gather, answer := make(chan struct{}), make(chan struct{}), make(chan struct{})
	post := func(done func(chat.Commit)) {
		if err := ts.hub.Post(chat.Draft{Room: "q", From: chat.Person{ID: "b", Name: "B"}, Text: "hi"},
			done); err != nil {
			t.Fatal(err)
		}
	}
	post(func(chat.Commit) { close(held); <-gather })
	<-held
	post(func(chat.Commit) { <-answer })
	c.send(`{"op":"send","id":100,"room":"r","text":"mine"}`)
	c.ask(`"op":"ping"`) // the message waits
	close(gather)
	for head := chat.Seq(0); head == 0; runtime.Gosched() {
		var err error
		if head, _, err = ts.store.Head(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
	}
	var both bytes.Buffer // one segment, so that the answer to the ping says that the join has begun
	for _, command := range []string{`{"op":"ping","id":102}`, `{"op":"join","id":101,"room":"r","after":0}`} {
		ws.WriteFrame(&both, ws.MaskFrame(ws.NewTextFrame([]byte(command))))
	}
	if _, err := c.nc.Write(both.Bytes()); err != nil {
		t.Fatal(err)
	}
	for c.hear().ID != 102 {
	}
	for range 1000 { // opportunities for a join that does not wait for the answer
		if ts.hub.Stats().Readers > 0 {
			t.Error("the room was joined before the message was answered")
			break
		}
		runtime.Gosched()
	}
	close(answer)
	for {
		switch r := c.hear(); {
		case r.Op == "event":
			t.Fatalf("the event came before the answer: %+v", r)
		case r.ID == 100:
			if e := c.event(); e.Seq != 1 {
				t.Errorf("then came %+v", e)
			}
			return
		}
	}
}

package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"parley/internal/account"
	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/room"
)

// hearLine reads frames until one is like want, in which "…" stands for any text.
func (c *talker) hearLine(want string) {
	c.t.Helper()
	var heard []string
	for range 50 {
		f := c.frame()
		if like(c.t, want, f.Payload) {
			return
		}
		heard = append(heard, string(f.Payload))
	}
	c.t.Fatalf("nothing like %s came, only\n%s", want, strings.Join(heard, "\n"))
}

// device opens a connection with a session.
func (ts *testServer) device(t *testing.T, session string) *talker {
	t.Helper()
	c := ts.dial(t, "/ws")
	if r := c.ask(`"op":"hello","session":%q`, session); r.Op != "ok" {
		t.Fatalf("hello: %+v", r)
	}
	return c
}

func TestTwoDevicesKeepOneListOfRooms(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada, grace := ts.guest(t, "Ada"), ts.guest(t, "Grace")
	ts.ask(t, http.MethodPost, "/api/rooms/lobby/messages", `{"text":"first"}`, "Authorization", "Bearer "+ada.Session)
	ts.ask(t, http.MethodPost, "/api/rooms/garden/messages", `{"text":"green"}`, "Authorization",
		"Bearer "+grace.Session)

	phone, desk, other := ts.device(t, ada.Session), ts.device(t, ada.Session), ts.device(t, grace.Session)
	for _, c := range []*talker{phone, desk} {
		c.send(`{"op":"watch","id":900}`)
		c.hearLine(`{"op":"ok","id":900,"rooms":[{"room":"lobby","topic":"","seq":1,"at":"…",` +
			`"last":{"from":{"id":"…","name":"Ada"},"text":"first"},
			"read":0,"unread":0,"mentions":0,"notify":"all","muted":false,"favourite":false}]}`)
	}
	if r := phone.ask(`"op":"watch"`); r.Code != "bad_request" {
		t.Errorf("watching twice: %+v", r)
	}

	// Both get an update of a message, which names the person that it mentions.
	other.ask(`"op":"send","room":"lobby","text":"hi @ada"`)
	for _, c := range []*talker{phone, desk} {
		c.hearLine(
			`{"op":"news","room":"lobby","seq":2,"at":"…","kind":"message","from":{"id":"…","name":"Grace"},` +
				`"text":"hi @ada","mentions":["` + string(ada.Person.ID) + `"]}`)
	}
	// Both have the same read mark.
	phone.send(`{"op":"read","id":901,"room":"lobby","seq":1}`)
	phone.hearLine(`{"op":"ok","id":901,"room":"lobby","read":1,"unread":1,"mentions":1}`)
	desk.hearLine(`{"op":"read","room":"lobby","seq":1,"unread":1,"mentions":1}`)
	desk.send(`{"op":"read","id":902,"room":"lobby","seq":2}`)
	desk.hearLine(`{"op":"ok","id":902,"room":"lobby","read":2,"unread":0,"mentions":0}`)
	phone.hearLine(`{"op":"read","room":"lobby","seq":2,"unread":0,"mentions":0}`)
	// It moves back only if the client says so (exact).
	phone.send(`{"op":"read","id":903,"room":"lobby","seq":1}`)
	phone.hearLine(`{"op":"ok","id":903,"room":"lobby","read":2,"unread":0,"mentions":0}`)
	phone.send(`{"op":"read","id":904,"room":"lobby","seq":1,"exact":true}`)
	phone.hearLine(`{"op":"ok","id":904,"room":"lobby","read":1,"unread":1,"mentions":1}`)
	phone.send(`{"op":"read","id":905,"room":"lobby","seq":99}`)
	phone.hearLine(`{"op":"ok","id":905,"room":"lobby","read":2,"unread":0,"mentions":0}`)

	// A room that one enters is in the list of both, and both get its updates.
	phone.ask(`"op":"join","room":"garden"`)
	for _, c := range []*talker{phone, desk} {
		c.hearLine(`{"op":"entry","room":"garden","topic":"","seq":1,"at":"…",` +
			`"last":{"from":{"id":"…","name":"Grace"},"text":"green"},
			"read":0,"unread":1,"mentions":0,"notify":"all","muted":false,"favourite":false}`)
	}
	other.ask(`"op":"topic","room":"garden","text":"roses"`)
	desk.hearLine(
		`{"op":"news","room":"garden","seq":2,"at":"…","kind":"topic","from":{"id":"…","name":"Grace"},"text":"roses"}`)

	phone.ask(`"op":"set","room":"garden","notify":"mentions","muted":true,"favourite":true`)
	desk.hearLine(`{"op":"entry","room":"garden","topic":"roses","seq":2,"at":"…",` +
		`"last":{"from":{"id":"…","name":"Grace"},"text":"green"},
		"read":0,"unread":1,"mentions":0,"notify":"mentions","muted":true,"favourite":true}`)
	if r := phone.ask(`"op":"set","room":"garden","notify":"sometimes"`); r.Code != "bad_request" {
		t.Errorf("an impossible choice: %+v", r)
	}
	phone.ask(`"op":"set","room":"garden","listed":false`)
	desk.hearLine(`{"op":"entry","room":"garden","listed":false}`)
	other.ask(`"op":"send","room":"garden","text":"unheard"`)
	other.ask(`"op":"send","room":"lobby","text":"heard"`)
	if r := desk.hear(); r.Room != "lobby" || r.Text != "heard" {
		t.Errorf("after garden has left the list: %+v", r)
	}
}

func TestTheListIsToldOfEditsAndDeletions(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada, grace := ts.guest(t, "Ada"), ts.guest(t, "Grace")
	ts.ask(t, http.MethodPost, "/api/rooms/lobby/messages", `{"text":"mine"}`, "Authorization", "Bearer "+ada.Session)
	desk, other := ts.device(t, ada.Session), ts.device(t, grace.Session)
	desk.send(`{"op":"watch","id":900}`)
	desk.hear()
	entry := func(last string, unread, mentions int) {
		t.Helper()
		r := ts.ask(t, http.MethodGet, "/api/me/rooms/lobby", "", "Authorization", "Bearer "+ada.Session)
		var e struct {
			Last             struct{ Text string }
			Unread, Mentions int
		}
		if err := json.Unmarshal([]byte(r.body), &e); err != nil {
			t.Fatal(err, r.body)
		}
		if e.Last.Text != last || e.Unread != unread || e.Mentions != mentions {
			t.Errorf("the entry is %s", r.body)
		}
	}
	from := `"from":{"id":"…","name":"Grace"}`
	other.ask(`"op":"send","room":"lobby","text":"hi @Ada"`)
	entry("hi @Ada", 1, 1)
	other.ask(`"op":"edit","room":"lobby","seq":2,"text":"hi all"`)
	desk.hearLine(`{"op":"news","room":"lobby","seq":3,"at":"…","kind":"edit",` + from + `,"target":2,"text":"hi all"}`)
	entry("hi all", 1, 0)
	other.ask(`"op":"edit","room":"lobby","seq":2,"text":"hi @Ada again"`)
	desk.hearLine(`{"op":"news","room":"lobby","seq":4,"at":"…","kind":"edit",` + from +
		`,"target":2,"text":"hi @Ada again","mentions":["` + string(ada.Person.ID) + `"]}`)
	entry("hi @Ada again", 1, 1)
	other.ask(`"op":"delete","room":"lobby","seq":2`)
	desk.hearLine(`{"op":"news","room":"lobby","seq":5,"at":"…","kind":"delete",` + from + `,"target":2}`)
	entry("mine", 0, 0)
	r := ts.ask(t, http.MethodGet, "/api/me/rooms/garden", "", "Authorization", "Bearer "+ada.Session)
	if r.StatusCode != http.StatusNotFound {
		t.Errorf("a room that is not in the list: %d %s", r.StatusCode, r.body)
	}
}

func TestARoomIsInTheListOfWhoWritesItsFirstMessage(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada := ts.guest(t, "Ada")
	phone, desk := ts.device(t, ada.Session), ts.device(t, ada.Session)
	for _, c := range []*talker{phone, desk} {
		c.send(`{"op":"watch","id":900}`)
		c.hearLine(`{"op":"ok","id":900,"rooms":[]}`)
	}
	hear := func(name string) {
		t.Helper()
		for _, c := range []*talker{phone, desk} {
			c.hearLine(fmt.Sprintf(`{"op":"entry","room":%q,"topic":"","seq":1,"at":"…",`+
				`"last":{"from":{"id":"…","name":"Ada"},"text":"hello?"},
				"read":0,"unread":0,"mentions":0,"notify":"all","muted":false,"favourite":false}`, name))
		}
	}
	phone.ask(`"op":"join","room":"new"`)
	for _, c := range []*talker{phone, desk} {
		c.hearLine(`{"op":"entry","room":"new","topic":"","seq":0,"at":"…","read":0,"unread":0,"mentions":0,` +
			`"notify":"all","muted":false,"favourite":false}`)
	}
	phone.ask(`"op":"send","room":"new","text":"hello?"`)
	for _, c := range []*talker{phone, desk} {
		c.hearLine(`{"op":"news","room":"new","seq":1,"at":"…","kind":"message","from":{"id":"…","name":"Ada"},` +
			`"text":"hello?"}`)
	}
	ts.ask(t, http.MethodPost, "/api/rooms/newer/messages", `{"text":"hello?"}`, "Authorization", "Bearer "+ada.Session)
	hear("newer")
	ts.hello(t, "Grace").ask(`"op":"send","room":"newer","text":"hi"`)
	desk.hearLine(
		`{"op":"news","room":"newer","seq":2,"at":"…","kind":"message","from":{"id":"…","name":"Grace"},"text":"hi"}`)
}

// A pipeResponse gives its connection away, one end of a net.Pipe.
type pipeResponse struct {
	*httptest.ResponseRecorder
	nc net.Conn
}

func (w pipeResponse) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.nc, bufio.NewReadWriter(bufio.NewReader(w.nc), bufio.NewWriter(w.nc)), nil
}

// The connection is a net.Pipe, since it has no buffer of the system that takes what
// the client does not read.
func TestListFeedThatTakesNothingIsClosed(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada := ts.guest(t, "Ada")
	ts.ask(t, http.MethodPost, "/api/rooms/lobby/messages", `{"text":"first"}`, bearer(ada.Session)...)
	ours, theirs := net.Pipe()
	upgrade := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/ws", nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": sampleKey,
	} {
		upgrade.Header.Set(name, value)
	}
	go ts.ServeHTTP(pipeResponse{httptest.NewRecorder(), theirs}, upgrade)
	c := &talker{t: t, nc: ours, in: bufio.NewReader(ours)}
	if answer, err := http.ReadResponse(c.in, upgrade); err != nil ||
		answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(answer, err)
	}
	c.ask(`"op":"hello","session":%q`, ada.Session)
	c.send(`{"op":"watch","id":900}`)
	for c.hear().ID != 900 {
	}
	stalled := func() float64 {
		return testutil.ToFloat64(ts.metrics.errors.WithLabelValues(string(chat.Stalled)))
	}
	frame := len(appendUpdate(nil, account.Update{Read: &chat.ListEntry{Room: "lobby"}}))
	const unsolicited = 128 << 10 // bytes that may wait for a client
	read := make(chan struct{})
	for n := range unsolicited/frame + 1000 {
		if n == unsolicited/frame/2 && stalled() != 0 {
			t.Error("it is closed too early")
		}
		at := chat.MessageRef{Room: "lobby", Seq: 1}
		ts.accounts.MarkRead(ada.Person.ID, at, true, "", nil, func(chat.ListEntry, error) { read <- struct{}{} })
		<-read
	}
	await.True(t, "the client is closed as stalled", func() bool { return stalled() == 1 })
	ours.Close()
}

func TestPersonalCommandsAreRateLimited(t *testing.T) {
	ts := startServer(t, Config{
		SearchRate: 0.1, PersonalRate: 0.01, PersonalBurst: 3,
		Find: func(context.Context, chat.Search) (chat.Found, error) { return chat.Found{}, nil },
	}, room.Config{})
	session := ts.guest(t, "Ada").Session
	c := ts.device(t, session)
	for i, op := range []string{
		`"op":"watch"`, `"op":"read","room":"lobby","seq":1`, `"op":"set","room":"lobby","muted":true`,
		`"op":"save","room":"lobby","seq":1`,
	} {
		if r := c.ask("%s", op); (r.Code == "rate_limited") != (i == 3) {
			t.Errorf("%s: %+v", op, r)
		}
	}
	bearer := []string{"Authorization", "Bearer " + session}
	for _, path := range []string{"/api/me/rooms", "/api/me/saved", "/api/me/threads"} {
		if a := ts.ask(t, http.MethodGet, path, "", bearer...); a.StatusCode != 429 ||
			a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s", path, a.Status)
		}
	}
	if r := ts.device(t, ts.guest(t, "Grace").Session).ask(`"op":"watch"`); r.Op != "ok" {
		t.Errorf("somebody else: %+v", r)
	}
	for i, status := range []int{200, 429} {
		if a := ts.ask(t, http.MethodGet, "/api/search?q=x&room=lobby", ""); a.StatusCode != status {
			t.Errorf("search %d: %s", i, a.Status)
		}
	}
}

func TestAListOf200RoomsIsOneRequestAndStaysLive(t *testing.T) {
	const rooms = 200
	ts := startServer(t, Config{}, room.Config{})
	ada, grace := ts.guest(t, "Ada"), ts.device(t, ts.guest(t, "Grace").Session)
	for n := range rooms {
		ts.ask(t, http.MethodPost, fmt.Sprintf("/api/rooms/room-%d/messages", n), `{"text":"mine"}`, "Authorization",
			"Bearer "+ada.Session)
	}
	c := ts.device(t, ada.Session)
	start := time.Now()
	c.send(`{"op":"watch","id":900}`)
	for c.hear().ID != 900 {
	}
	t.Logf("the list took %v", time.Since(start))
	for n := range rooms {
		grace.ask(`"op":"send","room":"room-%d","text":"news"`, n)
	}
	heard := map[string]bool{}
	for len(heard) < rooms {
		if r := c.hear(); r.Op != "news" || heard[r.Room] {
			t.Fatalf("%+v", r)
		} else {
			heard[r.Room] = true
		}
	}
	c.nc.Close()
	grace.nc.Close()
	ts.stop()
	if s := ts.hub.Stats(); s.Readers != 0 || s.Rooms != 0 {
		t.Errorf("left behind: %+v", s)
	}
}

func TestBookmarksArePersonal(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada, grace := "Bearer "+ts.guest(t, "Ada").Session, "Bearer "+ts.guest(t, "Grace").Session
	ask := func(who, method, path, body string, status int, want string) {
		t.Helper()
		a := ts.ask(t, method, path, body, "Authorization", who)
		if a.StatusCode != status || want != "" && !like(t, want, []byte(a.body)) {
			t.Errorf("%s %s: %d %s\nwant %d %s", method, path, a.StatusCode, a.body, status, want)
		}
	}
	const lobby = "/api/rooms/lobby/messages"
	ask(ada, "POST", lobby, `{"text":"one"}`, 201, "")
	ask(grace, "POST", lobby, `{"text":"two"}`, 201, "")
	ask(ada, "PUT", "/api/me/saved/lobby/2", "", 204, "")
	ask(ada, "PUT", "/api/me/saved/lobby/2", "", 204, "")
	ask(ada, "PUT", "/api/me/saved/lobby/3", "", 404, "")
	ask(ada, "PUT", "/api/me/saved/nowhere/1", "", 404, "")
	ask(ada, "GET", "/api/me/saved", "", 200,
		`{"messages":[{"room":"lobby","at":"…","message":{"seq":2,"at":"…","kind":"message","from":{"id":"…",`+
			`"name":"Grace"},"text":"two"}}],"more":false}`)
	ask(grace, "GET", "/api/me/saved", "", 200, `{"messages":[],"more":false}`)
	ask(grace, "DELETE", lobby+"/2", "", 200, "")
	ask(ada, "GET", "/api/me/saved", "", 200,
		`{"messages":[{"room":"lobby","at":"…","message":{"seq":2,"at":"…","kind":"message","from":{"id":"…",`+
			`"name":"Grace"},"text":"","gone":true}}],"more":false}`)
	ask(ada, "DELETE", "/api/me/saved/lobby/2", "", 204, "")
	ask(ada, "GET", "/api/me/saved", "", 200, `{"messages":[],"more":false}`)

	// The author of a reply is subscribed to the thread, and so is the author of its root.
	ask(grace, "POST", lobby, `{"text":"indeed","thread":1}`, 201, "")
	thread := `{"threads":[{"room":"lobby","at":"…","root":{"seq":1,"at":"…","kind":"message","from":{"id":"…",` +
		`"name":"Ada"},"text":"one","replies":{"count":1,"seq":4,"at":"…","from":{"id":"…","name":"Grace"}}}}],` +
		`"more":false}`
	ask(ada, "GET", "/api/me/threads", "", 200, thread)
	ask(grace, "GET", "/api/me/threads", "", 200, thread)
	ask(grace, "DELETE", "/api/me/threads/lobby/1", "", 204, "")
	ask(grace, "GET", "/api/me/threads", "", 200, `{"threads":[],"more":false}`)
	ask(grace, "PUT", "/api/me/threads/lobby/1", "", 204, "")
	ask(grace, "GET", "/api/me/threads", "", 200, thread)

	ask(ada, "GET", "/api/me/rooms", "", 200,
		`{"rooms":[{"room":"lobby","topic":"","seq":4,"at":"…","last":{"from":{"id":"…","name":"Ada"},"text":"one"},`+
			`"read":0,"unread":0,"mentions":0,"notify":"all","muted":false,"favourite":false}],"epoch":"…"}`)
	ask(ada, "PUT", "/api/me/rooms/lobby/read", `{"seq":3}`, 200, `{"room":"lobby","read":3,"unread":0,"mentions":0}`)
	ask(ada, "PUT", "/api/me/rooms/lobby", `{"favourite":true}`, 200,
		`{"room":"lobby","topic":"","seq":4,"at":"…","last":{"from":{"id":"…","name":"Ada"},"text":"one"},"read":3,`+
			`"unread":0,"mentions":0,"notify":"all","muted":false,"favourite":true}`)
	ask(ada, "PUT", "/api/me/rooms/new", `{"favourite":true}`, 200,
		`{"room":"new","topic":"","seq":0,"at":"…","read":0,"unread":0,"mentions":0,"notify":"all","muted":false,`+
			`"favourite":true}`)
	ask(ada, "DELETE", "/api/me/rooms/nowhere", "", 404, "")
	ask(ada, "DELETE", "/api/me/rooms/new", "", 204, "")
	ask(ada, "DELETE", "/api/me/rooms/lobby", "", 204, "")
	ask(ada, "GET", "/api/me/rooms", "", 200, `{"rooms":[],"epoch":"…"}`)
	ask("Bearer nobody", "GET", "/api/me/rooms", "", 401, "")
	if a := ts.ask(t, "GET", "/api/me/saved", ""); a.StatusCode != 401 {
		t.Errorf("without a session: %s", a.Status)
	}
}

package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"parley/internal/account"
	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/room"
)

func bearer(session string) []string { return []string{"Authorization", "Bearer " + session} }
func cookie(ts *testServer, session string) []string {
	return []string{"Cookie", cookieOf(ts) + "=" + session}
}

// come opens a WebSocket that says hello with a session.
func (ts *testServer) come(t testing.TB, session string) *talker {
	t.Helper()
	c := ts.dial(t, "/ws")
	if r := c.ask(`"op":"hello","session":%q`, session); r.Op != "ok" {
		t.Fatalf("hello: %+v", r)
	}
	return c
}

// wantGoodbye reads frames until a close frame, and compares that.
func (c *talker) wantGoodbye(code ws.StatusCode, reason string) {
	c.t.Helper()
	for {
		f := c.frame()
		if f.Header.OpCode == ws.OpText {
			continue
		}
		if got, why := ws.ParseCloseFrameData(f.Payload); f.Header.OpCode != ws.OpClose || got != code ||
			why != reason {
			c.t.Errorf("opcode %d, %d %q, want %d %q", f.Header.OpCode, got, why, code, reason)
		}
		return
	}
}

// A sign-out ends the session at every door, and no other session.
func TestSignOutEndsEverythingOfTheSession(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for seconds")
	}
	for name, how := range map[string]func(*testServer, string) []string{
		"by a bearer token": func(_ *testServer, session string) []string { return bearer(session) },
		"by a cookie":       cookie,
	} {
		t.Run(name, func(t *testing.T) {
			ts := startServer(t, Config{}, room.Config{})
			ada, grace := ts.guest(t, "Ada"), ts.guest(t, "Grace")
			token := ts.come(t, ada.Session)
			page := ts.dial(t, "/ws", cookie(ts, ada.Session)...)
			page.ask(`"op":"hello"`)
			fresh := ts.dial(t, "/ws", cookie(ts, ada.Session)...) // it has not said who it is
			other := ts.come(t, grace.Session)
			for _, c := range []*talker{token, page, other} {
				c.ask(`"op":"join","room":"r"`)
				c.ask(`"op":"join","room":"second"`)
				c.ask(`"op":"watch"`)
			}
			streams := []*listener{
				ts.listen(t, "/api/rooms/r/events", bearer(ada.Session)...),
				ts.listen(t, "/api/rooms/r/events", cookie(ts, ada.Session)...),
			}
			anybody := ts.listen(t, "/api/rooms/r/events")
			text := ts.listen(t, "/api/rooms/r/text", bearer(ada.Session)...)
			lines := ts.dial(t, "/chatroom/r", cookie(ts, ada.Session)...)
			lines.send(`{"from":"Ada","message":"hi"}`)
			lines.hear()

			if a := ts.ask(t, http.MethodDelete, "/api/session", "",
				how(ts, ada.Session)...); a.StatusCode != http.StatusNoContent {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
			for _, c := range []*talker{token, page} {
				c.send(`{"op":"send","id":90,"room":"r","text":"too late"}`)
				c.wantGoodbye(4001, "session_ended")
			}
			if got := lines.hear(); got.Error != "session_ended" || !strings.Contains(string(got.From), "Parley") {
				t.Errorf("the five-line door says %+v", got)
			}
			lines.wantGoodbye(4001, "session_ended")
			for _, l := range streams {
				var last map[string]string
				for e := l.next(); e != nil; e = l.next() {
					last = e
				}
				if last["event"] != "ended" || !strings.Contains(last["data"], `"code":"session_ended"`) {
					t.Errorf("the stream's last event is %v", last)
				}
			}
			last := ""
			for text.in.Scan() {
				last = text.in.Text()
			}
			if !strings.HasPrefix(last, "* Parley: ") {
				t.Errorf("the text's last line is %q", last)
			}
			if got := fresh.ask(`"op":"hello"`); got.Code != string(chat.BadSession) {
				t.Errorf("hello with the cookie of a session that has ended: %+v", got)
			}

			// A client that comes back with it is refused, and a browser's cookie removed.
			for _, path := range []string{"/api/rooms/r/events", "/api/rooms/r/text", "/chatroom/r"} {
				upgrade := []string{
					"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key",
					"dGhlIHNhbXBsZSBub25jZQ==",
				}
				if a := ts.ask(t, http.MethodGet, path, "",
					append(upgrade, cookie(ts, ada.Session)...)...); a.StatusCode != http.StatusUnauthorized ||
					!strings.Contains(a.Header.Get("Set-Cookie"), "Max-Age=0") {
					t.Errorf("%s: %d %v", path, a.StatusCode, a.Header)
				}
				if a := ts.ask(t, http.MethodGet, path, "",
					append(upgrade, bearer(ada.Session)...)...); a.StatusCode != http.StatusUnauthorized ||
					a.Header.Get("Set-Cookie") != "" {
					t.Errorf("%s: %d %v", path, a.StatusCode, a.Header)
				}
			}
			if a := ts.ask(t, http.MethodPost, "/api/rooms/r/messages", `{"text":"too late"}`,
				bearer(ada.Session)...); a.StatusCode != http.StatusUnauthorized {
				t.Errorf("a message: %d %s", a.StatusCode, a.body)
			}
			if a := ts.ask(t, http.MethodDelete, "/api/session", "",
				how(ts, ada.Session)...); a.StatusCode != http.StatusNoContent {
				t.Errorf("once more: %d %s", a.StatusCode, a.body)
			}

			// The other connections go on, and have got nothing else.
			other.send(`{"op":"send","id":99,"room":"r","text":"still here"}`)
			if e := other.event(); e.Text != "hi" {
				t.Errorf("another's connection: %+v", e)
			}
			if e := other.event(); e.Text != "still here" {
				t.Errorf("another's connection: %+v", e)
			}
			if e := anybody.next(); !strings.Contains(e["data"], `"text":"hi"`) && e["event"] != "presence" {
				t.Errorf("a stream of nobody: %v", e)
			}
			wantRegistered(t, ts, 1)
		})
	}
}

// wantRegistered waits until so many people have a live connection or request.
func wantRegistered(t *testing.T, ts *testServer, want int) {
	t.Helper()
	await.True(t, fmt.Sprintf("%d people are registered", want), func() bool { return ts.accounts.Live() == want })
}

// patience is how long a test waits for an event before it fails.
const patience = 60 * time.Second

// The session is signed out while clients write with it at every door. Nothing that
// arrives after the answer is stored.
func TestNothingIsAcceptedAfterTheSignOut(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	grace := ts.guest(t, "Grace")
	for range 6 {
		ada := ts.guest(t, "Ada")
		ctx, stop := context.WithCancel(t.Context())
		var writers sync.WaitGroup
		stored := make(chan struct{}, 1)
		for n := range 3 {
			writers.Go(func() {
				for i := 0; i < 200 && ctx.Err() == nil; i++ {
					a, err := ts.try(ctx, http.MethodPost, "/api/rooms/r/messages",
						fmt.Sprintf(`{"text":"%d %d"}`, n, i), bearer(ada.Session)...)
					switch {
					case err != nil || a.StatusCode == http.StatusUnauthorized:
						return
					case a.StatusCode == http.StatusCreated:
						select {
						case stored <- struct{}{}:
						default:
						}
					}
				}
			})
			c := ts.come(t, ada.Session)
			writers.Go(func() {
				go io.Copy(io.Discard, c.in) // ends with the connection
				for i := 0; i < 200 && ctx.Err() == nil; i++ {
					f := ws.NewTextFrame(fmt.Appendf(nil, `{"op":"send","id":%d,"room":"r","text":"by ws"}`, i))
					if ws.WriteFrame(c.nc, ws.MaskFrame(f)) != nil {
						return
					}
				}
			})
		}
		<-stored
		if a := ts.ask(t, http.MethodDelete, "/api/session", "",
			bearer(ada.Session)...); a.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		m := decode[struct{ Seq chat.Seq }](t,
			ts.ask(t, http.MethodPost, "/api/rooms/r/messages", `{"text":"afterwards"}`, bearer(grace.Session)...))
		writers.Wait()
		stop()
		// behind all that was accepted
		ts.ask(t, http.MethodPost, "/api/rooms/r/messages", `{"text":"the last"}`, bearer(grace.Session)...)
		log := ts.ask(t, http.MethodGet, fmt.Sprintf("/api/rooms/r/log?after=%d", m.Seq), "")
		if strings.Contains(log.body, string(ada.Person.ID)) {
			t.Fatalf("after the sign-out was stored: %s", log.body)
		}
	}
}

// A client that enters while the session is being signed out is not missed.
func TestNobodyComesInWhileTheSessionEnds(t *testing.T) {
	const most = 40 // attempts by each way in
	ts := startServer(t, Config{}, room.Config{})
	for range 5 {
		ada := ts.guest(t, "Ada")
		var doors sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		came := make(chan struct{}, 1)
		comes := func() {
			select {
			case came <- struct{}{}:
			default:
			}
		}
		for range 2 {
			doors.Go(func() { // each connection is read until the server ends it
				for n := 0; n < most && ctx.Err() == nil; n++ {
					c, _, err := ts.tryDial("/ws")
					if err != nil {
						continue
					}
					hello := ws.NewTextFrame(fmt.Appendf(nil, `{"op":"hello","id":1,"session":%q}`, ada.Session))
					if err := ws.WriteFrame(c.nc, ws.MaskFrame(hello)); err != nil {
						t.Error(err)
					}
					f, err := readFrame(c.in)
					if err == nil && strings.Contains(string(f.Payload), "bad_session") {
						c.nc.Close()
						return
					}
					comes()
					doors.Go(func() { readToTheEnd(t, c) })
				}
			})
			doors.Go(func() {
				for n := 0; n < most && ctx.Err() == nil; n++ {
					r, _ := http.NewRequestWithContext(ctx, http.MethodGet, ts.url+"/api/rooms/r/events", nil)
					r.Header.Set("Authorization", "Bearer "+ada.Session)
					w, err := ts.client.Do(r)
					if err != nil {
						continue
					}
					if w.StatusCode != http.StatusOK {
						w.Body.Close()
						return
					}
					doors.Go(func() {
						defer w.Body.Close()
						if b, err := io.ReadAll(w.Body); err != nil || !strings.Contains(string(b), "session_ended") {
							t.Errorf("a stream ended with %q, %v", b, err)
						}
					})
				}
			})
			doors.Go(func() {
				for n := 0; n < most && ctx.Err() == nil; n++ {
					c, _, err := ts.tryDial("/chatroom/r", cookie(ts, ada.Session)...)
					if err != nil {
						if strings.Contains(err.Error(), "401") {
							return
						}
						continue
					}
					doors.Go(func() { readToTheEnd(t, c) })
				}
			})
		}
		<-came
		if a := ts.ask(t, http.MethodDelete, "/api/session", "",
			bearer(ada.Session)...); a.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		doors.Wait() // the server has ended all connections
		stop()
		wantRegistered(t, ts, 0)
	}
}

func readToTheEnd(t *testing.T, c *talker) {
	defer c.nc.Close()
	for {
		f, err := readFrame(c.in)
		if err != nil {
			t.Errorf("a connection that came while its session ended: %v", err)
			return
		}
		if f.Header.OpCode == ws.OpClose {
			if code, _ := ws.ParseCloseFrameData(f.Payload); code != 4001 {
				t.Errorf("it was closed with %d", code)
			}
			return
		}
	}
}

// stubborn is a store that cannot forget sessions.
type stubborn struct{ account.People }

func (stubborn) Forget(context.Context, string) error { return errors.New("the disk") }

// A sign-out that is not stored ends nothing.
func TestASignOutThatFailsEndsNothing(t *testing.T) {
	kept := openStore(t)
	ts := startServerWith(t, Config{}, room.Config{}, kept, stubborn{kept}, kept.Healthy)
	ada := ts.guest(t, "Ada")
	c := ts.come(t, ada.Session)
	if a := ts.ask(t, http.MethodDelete, "/api/session", "",
		bearer(ada.Session)...); a.StatusCode != http.StatusInternalServerError {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if r := c.ask(`"op":"send","room":"r","text":"still here"`); r.Op != "ok" {
		t.Errorf("a message: %+v", r)
	}
}

// A slowLog reads a page only when the test says so.
type slowLog struct {
	testStore
	reading, goOn chan struct{}
}

func (l slowLog) Page(ctx context.Context, name chat.RoomName, sel chat.PageQuery) (chat.Page, error) {
	l.reading <- struct{}{}
	<-l.goOn
	return l.testStore.Page(ctx, name, sel)
}

// watchedPeople fails the test if a session is forgotten before finishes is set.
type watchedPeople struct {
	account.People
	t        *testing.T
	looks    atomic.Bool   // the next lookup of a session is that of the sign-out
	looked   chan struct{} // closed after that lookup
	finishes atomic.Bool   // the command that has begun may finish
}

func (p *watchedPeople) Person(ctx context.Context, session string) (chat.Person, error) {
	if p.looks.CompareAndSwap(true, false) {
		defer close(p.looked)
	}
	return p.People.Person(ctx, session)
}

func (p *watchedPeople) Forget(ctx context.Context, session string) error {
	if !p.finishes.Load() {
		p.t.Error("the session was forgotten while something was carried out for it")
	}
	return p.People.Forget(ctx, session)
}

// A command that has begun finishes before its session is forgotten.
func TestSignOutWaitsForWhatHasBegun(t *testing.T) {
	for door, forward := range map[string]func(t *testing.T, ts *testServer, session string){
		"/ws": func(t *testing.T, ts *testServer, session string) {
			ts.come(t, session).send(`{"op":"send","id":5,"room":"r","forward":{"room":"r","seq":1}}`)
		},
		"REST": func(t *testing.T, ts *testServer, session string) {
			body := `{"forward":{"room":"r","seq":1}}`
			// the log shows the result
			go ts.try(t.Context(), http.MethodPost, "/api/rooms/r/messages", body, bearer(session)...)
		},
	} {
		t.Run(door, func(t *testing.T) {
			kept := openStore(t)
			log := slowLog{kept, make(chan struct{}), make(chan struct{})}
			people := &watchedPeople{People: kept, t: t, looked: make(chan struct{})}
			ts := serveLog(t, Config{}, room.Config{}, log, kept.Epoch(),
				account.Stores{People: people, Lists: kept, Personal: kept}, kept.Healthy)
			t.Cleanup(func() { _ = errors.Join(ts.stop(), kept.Close()) })
			ada, grace := ts.guest(t, "Ada"), ts.guest(t, "Grace")
			say := func() {
				ts.ask(t, http.MethodPost, "/api/rooms/r/messages", `{"text":"hi"}`, bearer(grace.Session)...)
			}
			say()
			forward(t, ts, ada.Session)
			<-log.reading
			answered := make(chan answer)
			people.looks.Store(true)
			go func() {
				a, err := ts.try(t.Context(), http.MethodDelete, "/api/session", "", bearer(ada.Session)...)
				if err != nil {
					t.Error(err)
				}
				answered <- a
			}()
			<-people.looked
			for range 1000 { // opportunities to forget the session too early
				runtime.Gosched()
			}
			people.finishes.Store(true)
			close(log.goOn)
			if a := <-answered; a.StatusCode != http.StatusNoContent {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
			say()
			page := ts.ask(t, http.MethodGet, "/api/rooms/r/log?after=1", "")
			events := decode[struct{ Events []struct{ From chat.Person } }](t, page).Events
			if len(events) != 2 || events[0].From.ID != ada.Person.ID || events[1].From.ID != grace.Person.ID {
				t.Errorf("the log is %s", page.body)
			}
		})
	}
}

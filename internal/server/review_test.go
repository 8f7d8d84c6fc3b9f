package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"parley/internal/chat"
	"parley/internal/room"
)

func TestUpgradeThatFailsLeavesNoConnectionBehind(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	for _, path := range []string{"/ws", "/chatroom/lobby"} {
		nc, err := net.Dial("tcp", strings.TrimPrefix(ts.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(nc, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n") // and no key
		got, err := io.ReadAll(nc)
		if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 4") {
			t.Errorf("%s: %v after %q, want a refusal and the end", path, err, got)
		}
	}
}

func TestBusyPipeStillTakesWhatIsShort(t *testing.T) {
	writing, goOn := make(chan string), make(chan struct{})
	var wg sync.WaitGroup
	p := newAsyncWriter(wg.Go)
	wg.Go(func() {
		p.run(func(b []byte) error {
			writing <- string(b)
			<-goOn
			return nil
		})
	})
	var o Outbound
	o.init(p, func(chat.Code) {})
	take := func(s string, want int) {
		t.Helper()
		if n, err := o.TryWrite([]byte(s)); n != want || err != nil {
			t.Errorf("took %d bytes of %d, %v; want %d", n, len(s), err, want)
		}
	}
	take("event", 5)
	if got := <-writing; got != "event" {
		t.Errorf("wrote %q", got)
	}
	take("presence", 8)
	take("typing", 6)
	take(strings.Repeat("x", asyncBuffer), 0)
	goOn <- struct{}{}
	if got := <-writing; got != "presencetyping" {
		t.Errorf("wrote %q", got)
	}
	idle := make(chan struct{})
	o.OnWritable(func() { close(idle) })
	goOn <- struct{}{}
	<-idle
	take(strings.Repeat("x", 2*asyncBuffer), 2*asyncBuffer)
	if got := <-writing; len(got) != 2*asyncBuffer {
		t.Errorf("wrote %d bytes", len(got))
	}
	p.end()
	goOn <- struct{}{}
	wg.Wait()
}

// An endedWriter is a response whose deadline must not be touched once its
// handler has returned: over HTTP/2 that panics.
type endedWriter struct {
	*httptest.ResponseRecorder
	t        *testing.T
	wrote    chan struct{}
	once     sync.Once
	returned chan struct{}
}

func (w *endedWriter) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.wrote) })
	return len(p), nil
}

func (w *endedWriter) SetWriteDeadline(d time.Time) error {
	if d.IsZero() {
		return nil
	}
	select {
	case <-w.returned:
		w.t.Error("the deadline of a response was set after its handler had returned")
	case <-time.After(100 * time.Millisecond): // time enough for a handler that does not wait
	}
	return nil
}

func TestStreamIsNotTouchedAfterItsEnd(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	w := &endedWriter{ResponseRecorder: httptest.NewRecorder(), t: t, wrote: make(chan struct{}), returned: make(chan struct{})}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/rooms/lobby/events", nil)
	go func() {
		defer close(w.returned)
		ts.ServeHTTP(w, r)
	}()
	<-w.wrote
	cancel()
	<-w.returned
}

func TestClientThatStallsInManyRoomsIsClosedOnce(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{StallTimeout: 300 * time.Millisecond})
	stalled := ts.hello(t, "Stalled")
	tcpOf(stalled.nc).SetReadBuffer(4 << 10)
	rooms := strings.Split("abcdefghijklmnopqrst", "")
	for _, name := range rooms {
		stalled.ask(`"op":"join","room":%q`, name)
	}
	text := strings.Repeat("x", 4000)
	for ts.hub.Stats().Readers > 0 {
		for _, name := range rooms {
			draft := chat.Draft{Room: chat.RoomName(name), From: chat.Person{ID: "b", Name: "B"}, Text: text}
			stored := make(chan chat.Commit, 1)
			if err := ts.hub.Post(draft, func(c chat.Commit) { stored <- c }); err != nil {
				t.Fatal(err)
			}
			<-stored
		}
	}
	if got := testutil.ToFloat64(ts.metrics.errors.WithLabelValues(string(chat.Stalled))); got != 1 {
		t.Errorf("closed as stalled %v times, want once", got)
	}
}

func TestOldTabSpeaksUnderTheNewName(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	old := ts.dial(t, "/ws")
	session := old.ask(`"op":"hello","name":"Grace"`).Session
	old.ask(`"op":"join","room":"a"`)
	tab := ts.dial(t, "/ws")
	tab.ask(`"op":"hello","session":%q,"name":"Hopper"`, session)
	if got := old.ask(`"op":"join","room":"b"`).Here; len(got) != 1 || got[0].Name != "Hopper" {
		t.Errorf("here are %v", got)
	}
	old.send(`{"op":"send","room":"a","text":"hi"}`)
	if got := string(old.event().From); !strings.Contains(got, "Hopper") {
		t.Errorf("said by %s", got)
	}
}

func TestAnswerComesBeforeTheEventToWhoJoinsAfterSending(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	c := ts.hello(t, "Ada")
	// The committer's goroutine is held twice: first to gather the next two
	// messages in one transaction, then between its commit and c's answer.
	held, gather, answer := make(chan struct{}), make(chan struct{}), make(chan struct{})
	post := func(done func(chat.Commit)) {
		if err := ts.hub.Post(chat.Draft{Room: "q", From: chat.Person{ID: "b", Name: "B"}, Text: "hi"}, done); err != nil {
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
	c.send(`{"op":"join","id":101,"room":"r","after":0}`)
	time.AfterFunc(100*time.Millisecond, func() { close(answer) }) // time enough for a join that does not wait
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

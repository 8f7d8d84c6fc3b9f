package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A fakeServer is a server on pipes instead of sockets, so that tests run in a
// synctest bubble. It can go down, lose answers and stop answering.
type fakeServer struct {
	t     *testing.T
	pipes chan net.Conn
	done  chan struct{} // closed at the end

	mu        sync.Mutex
	down      bool
	downHosts map[string]bool
	refusing  map[string]*Error
	ready     map[string]bool // hosts whose /readyz is green
	silent    map[string]bool // hosts that take connections and say nothing
	dialed    []string        // hosts, in the order in which clients connected or tried to
	mute      bool            // reads nothing more, as if the network had gone
	epoch     string
	log       map[string][]fakeEvent
	nonces    map[string]int64 // person, room and nonce → seq
	people    map[string]Person
	conns     map[*fakeConn]bool
	hellos    int
	upgrade   *Error                      // answers the next upgrades, if set
	pages     *Error                      // likewise requests for history
	intercept func(cmd command) fakeFault // what goes wrong with a command; nil: nothing
}

type fakeFault struct {
	refuse *Error // answer this
	forget bool   // answer nothing and do nothing
	cut    bool   // cut the connection after carrying it out, before answering
}

type fakeConn struct {
	ws     *websocket.Conn
	host   string
	person Person
	rooms  map[string]bool
}

func newFakeServer(t *testing.T) *fakeServer {
	s := &fakeServer{
		t: t, pipes: make(chan net.Conn), done: make(chan struct{}), epoch: "first", log: map[string][]fakeEvent{},
		nonces: map[string]int64{}, people: map[string]Person{}, conns: map[*fakeConn]bool{},
		downHosts: map[string]bool{}, refusing: map[string]*Error{},
		ready: map[string]bool{}, silent: map[string]bool{},
	}
	srv := &http.Server{Handler: s.handler()}
	l := pipeListener{s.pipes, s.done}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(l) })
	t.Cleanup(func() {
		close(s.done)
		s.setDown(true)
		srv.Close()
		wg.Wait()
	})
	return s
}

func (s *fakeServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws", s.ws)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /api/rooms/{room}/messages", s.history)
	mux.HandleFunc("GET /api/rooms/{room}/log", s.history)
	return mux
}

type pipeListener struct {
	pipes chan net.Conn
	done  chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.pipes:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l pipeListener) Close() error   { return nil }
func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "fake"} }

// client returns an HTTP client whose connections all lead to s, whatever the host.
func (s *fakeServer) client() *http.Client {
	tr := &http.Transport{DisableKeepAlives: true, DialContext: func(
		ctx context.Context, _, address string,
	) (net.Conn, error) {
		host := strings.TrimSuffix(address, ":80")
		s.mu.Lock()
		s.dialed = append(s.dialed, host)
		down, silent := s.down || s.downHosts[host], s.silent[host]
		s.mu.Unlock()
		if down {
			return nil, errors.New("connection refused")
		}
		ours, theirs := net.Pipe()
		if silent {
			return ours, nil
		}
		select {
		case s.pipes <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	return &http.Client{Transport: tr}
}

func (s *fakeServer) dial(o Options) *Client {
	s.t.Helper()
	o.HTTPClient = s.client()
	if o.Name == "" && o.Session == "" {
		o.Name = "Ada"
	}
	c, err := Dial(s.t.Context(), "http://fake", o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// setDown refuses new connections and closes the open ones.
func (s *fakeServer) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
	if down {
		for c := range s.conns {
			c.ws.CloseNow()
		}
	}
}

// setHost says whether a host can be reached. It closes the connections of one that
// cannot: with the reason of a server that stops, or with nothing if that is "".
func (s *fakeServer) setHost(host string, up bool, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.downHosts[host] = !up
	for c := range s.conns {
		if up || c.host != host {
			continue
		}
		if reason == "" {
			c.ws.CloseNow()
			continue
		}
		go func() { _ = c.ws.Close(websocket.StatusGoingAway, reason) }() // it waits for an answer
	}
}

// hosts returns the hosts that clients have connected to or tried since the last call.
func (s *fakeServer) hosts() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, s.dialed = s.dialed, nil
	return all
}

func (s *fakeServer) onCommand(intercept func(command) fakeFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = intercept
}

func (s *fakeServer) refusePages(why *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages = why
}

func (s *fakeServer) helloCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hellos
}

func (s *fakeServer) logLen(room string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.log[room])
}

// restore replaces the log with a back-up of it, in which room has n messages.
func (s *fakeServer) restore(epoch, room string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch, s.log[room] = epoch, s.log[room][:n]
	clear(s.nonces)
}

// post stores n messages of another person and sends them to the room's members.
func (s *fakeServer) post(room string, n int) {
	for range n {
		s.happen(room, fakeEvent{"kind": "message", "text": "hi"})
	}
}

// happen stores an event of another person and sends it to the room's members.
func (s *fakeServer) happen(room string, e fakeEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store(room, "grace", fmt.Sprintf("grace %d", len(s.log[room])), e)
}

// A fakeEvent is an event's frame.
type fakeEvent map[string]any

// store is called with s.mu held.
func (s *fakeServer) store(room, person, nonce string, e fakeEvent) fakeEvent {
	key := person + " " + room + " " + nonce
	if seq, ok := s.nonces[key]; ok {
		return s.log[room][seq-1]
	}
	seq := int64(len(s.log[room]) + 1)
	e["op"], e["room"], e["seq"], e["at"], e["from"] = "event", room, seq, time.Now().UTC(), Person{
		ID: person, Name: person,
	}
	s.log[room] = append(s.log[room], e)
	s.nonces[key] = seq
	for c := range s.conns {
		if c.rooms[room] {
			s.send(c, e)
		}
	}
	return e
}

func (s *fakeServer) send(c *fakeConn, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.ws.Write(ctx, websocket.MessageText, b) // it may be cut
}

func (s *fakeServer) ws(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refuse := s.upgrade
	if why := s.refusing[r.Host]; why != nil {
		refuse = why
	}
	s.mu.Unlock()
	if refuse != nil {
		refuse.answer(w)
		return
	}
	c := &fakeConn{host: r.Host, rooms: map[string]bool{}}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{protocolName}})
	if err != nil {
		return
	}
	c.ws = ws
	s.mu.Lock()
	s.conns[c] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		ws.CloseNow()
	}()
	s.serve(c)
}

func (s *fakeServer) readyz(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ready[r.Host] {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (e *Error) answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusTooManyRequests)
	fmt.Fprintf(
		w, `{"title":"No","detail":%q,"code":%q,"retry_after_ms":%d}`, e.Message, e.Code, e.RetryAfter.Milliseconds(),
	)
}

func (s *fakeServer) serve(c *fakeConn) {
	for {
		_, b, err := c.ws.Read(context.Background())
		if err != nil {
			return
		}
		var cmd command
		if err := json.Unmarshal(b, &cmd); err != nil {
			s.t.Error(err)
		}
		s.mu.Lock()
		var fault fakeFault
		if s.intercept != nil {
			fault = s.intercept(cmd)
		}
		switch {
		case fault.forget:
		case fault.refuse == nil:
			answer, after := s.carryOut(c, cmd)
			if fault.cut {
				c.ws.CloseNow()
			}
			s.send(c, answer)
			for _, e := range after {
				s.send(c, e)
			}
		default:
			s.send(c, errorFrame(cmd.ID, fault.refuse))
		}
		mute := s.mute
		s.mu.Unlock()
		if mute {
			<-s.done // and nothing is read
			return
		}
	}
}

func errorFrame(id int64, e *Error) map[string]any {
	return map[string]any{
		"op": "error", "id": id, "code": e.Code, "message": e.Message, "retry_after_ms": e.RetryAfter.Milliseconds(),
	}
}

// carryOut returns the answer to a command and the events that follow it.
func (s *fakeServer) carryOut(c *fakeConn, cmd command) (map[string]any, []fakeEvent) {
	answer := map[string]any{"op": "ok", "id": cmd.ID}
	switch cmd.Op {
	case "hello":
		return s.hello(c, cmd)
	case "join":
		room := strings.ToLower(cmd.Room)
		log := s.log[room]
		head := int64(len(log))
		answer["room"], answer["seq"], answer["count"], answer["here"] = room, head, 1, []Person{c.person}
		if head > 0 {
			answer["at"] = log[head-1]["at"]
		}
		c.rooms[room] = true
		if cmd.After == nil {
			return answer, nil
		}
		if after := *cmd.After; after > head || after > 0 && cmd.At != "" && cmd.At != stampOf(log[after-1]["at"]) {
			answer["op"], answer["epoch"], answer["reset"] = "behind", s.epoch, true
			return answer, nil
		}
		if cmd.Epoch != "" && cmd.Epoch != s.epoch || *cmd.After > head || head-*cmd.After > 1000 {
			answer["op"], answer["epoch"] = "behind", s.epoch
			return answer, nil
		}
		return answer, log[*cmd.After:]
	case "leave":
		delete(c.rooms, cmd.Room)
	case "send", "edit", "delete", "react", "unreact", "pin", "unpin", "topic":
		e := fakeEvent{"kind": cmd.Op, "text": cmd.Text, "target": cmd.Seq, "emoji": cmd.Emoji}
		if cmd.Op == "send" {
			e["kind"] = "message"
		}
		e = s.store(strings.ToLower(cmd.Room), c.person.ID, cmd.Nonce, e)
		for _, name := range []string{"room", "seq", "at", "kind"} {
			answer[name] = e[name]
		}
	}
	return answer, nil
}

func stampOf(at any) string { return Position{At: at.(time.Time)}.stamp() }

// signOut ends all sessions.
func (s *fakeServer) signOut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.people)
	for c := range s.conns {
		go func() { _ = c.ws.Close(codeSignedOut, "session_ended") }() // it waits for an answer
	}
}

func (s *fakeServer) hello(c *fakeConn, cmd command) (map[string]any, []fakeEvent) {
	s.hellos++
	p, ok := s.people[cmd.Session]
	switch {
	case cmd.Session != "" && !ok:
		return errorFrame(cmd.ID, &Error{Code: BadSession, Message: "No such session."}), nil
	case cmd.Session == "" && cmd.Name == "":
		return errorFrame(cmd.ID, &Error{Code: BadName, Message: "A name, please."}), nil
	case !ok:
		p = Person{ID: "p" + strconv.Itoa(len(s.people)+s.hellos)}
		cmd.Session = "secret of " + p.ID
	}
	if cmd.Name != "" {
		p.Name = cmd.Name
	}
	s.people[cmd.Session] = p
	c.person = p
	return map[string]any{
		"op": "ok", "id": cmd.ID, "person": p, "session": cmd.Session, "epoch": s.epoch,
		"limits": Limits{MessageLength: 4000},
	}, nil
}

// history answers requests for a page of messages, to which it applies no changes,
// and for a page of the log.
func (s *fakeServer) history(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages != nil {
		s.pages.answer(w)
		return
	}
	log := s.log[r.PathValue("room")]
	head := len(log)
	limit, _ := strconv.Atoi(r.FormValue("limit"))
	if after, err := strconv.Atoi(r.FormValue("after")); err == nil {
		log = log[after:min(head, after+limit)]
	}
	page := map[string]any{"room": r.PathValue("room"), "seq": head, "epoch": s.epoch, "events": log}
	if strings.HasSuffix(r.URL.Path, "/messages") {
		page["messages"] = slices.DeleteFunc(
			slices.Clone(log), func(e fakeEvent) bool { return e["kind"] != "message" },
		)
		delete(page, "events")
	}
	_ = json.NewEncoder(w).Encode(page)
}

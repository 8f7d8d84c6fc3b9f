package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// want takes events until it has n messages, and fails unless their seqs are first,
// first+1 … It returns the other events.
func want(t *testing.T, c *Client, first int64, n int) (others []Event) {
	t.Helper()
	for next := first; next < first+int64(n); {
		e, err := c.Next(t.Context())
		if err != nil {
			t.Fatalf("waiting for message %d: %v", next, err)
		}
		m, ok := e.(Message)
		if !ok {
			others = append(others, e)
			continue
		}
		if m.Seq != next {
			t.Fatalf("message %d came, want %d", m.Seq, next)
		}
		next++
	}
	return others
}

// rest returns the events that are in the queue once all goroutines are blocked.
func rest(t *testing.T, c *Client) (events []Event) {
	t.Helper()
	synctest.Wait()
	for {
		c.queue.mu.Lock()
		n := len(c.queue.events)
		c.queue.mu.Unlock()
		if n == 0 {
			return events
		}
		e, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
		synctest.Wait()
	}
}

func join(t *testing.T, c *Client, room string, p Position) Room {
	t.Helper()
	r, err := c.JoinAfter(t.Context(), room, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMessagesComeOnceAndInOrderAcrossReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.post("lobby", 3)
		c := s.dial(Options{})
		if r := join(t, c, "Lobby", Position{}); r.Name != "lobby" || r.Seq != 3 {
			t.Errorf("joined %+v", r)
		}
		s.post("lobby", 2)
		want(t, c, 1, 5)
		for next := int64(6); next < 60; next += 9 {
			s.setDown(true)
			s.post("lobby", 5)
			time.Sleep(3 * time.Second)
			s.setDown(false)
			s.post("lobby", 4)
			want(t, c, next, 9)
		}
		if others := rest(t, c); slices.ContainsFunc(others, func(e Event) bool { _, ok := e.(Message); return ok }) {
			t.Errorf("and then %v", others)
		}
	})
}

func TestSendIsStoredOnceThoughItsAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		cuts := 3
		s.onCommand(func(cmd command) fakeFault {
			if cmd.Op != "send" || cuts == 0 {
				return fakeFault{}
			}
			cuts--
			return fakeFault{cut: true}
		})
		c := s.dial(Options{})
		r, err := c.Send(t.Context(), "lobby", "once")
		if err != nil || r.Seq != 1 || r.At.IsZero() {
			t.Errorf("Send = %+v, %v", r, err)
		}
		if n, hellos := s.logLen("lobby"), s.helloCount(); n != 1 || hellos != 4 {
			t.Errorf("%d messages after %d connections, want 1 after 4", n, hellos)
		}
	})
}

func TestSendWaitsWhereTheServerSaysThatItHelps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		refusals := []*Error{
			{Code: RateLimited, Message: "Too fast.", RetryAfter: 800 * time.Millisecond},
			{Code: Unavailable, Message: "The disk is full."},
			{Code: Stopping, Message: "Going down."},
			nil,
			{Code: TooLong, Message: "Too long."},
		}
		s.onCommand(func(cmd command) fakeFault {
			if cmd.Op != "send" {
				return fakeFault{}
			}
			f := fakeFault{refuse: refusals[0]}
			refusals = refusals[1:]
			return f
		})
		c := s.dial(Options{})
		start := time.Now()
		if _, err := c.Send(t.Context(), "lobby", "hi"); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 800*time.Millisecond || took > 3*time.Second {
			t.Errorf("took %v", took)
		}
		_, err := c.Send(t.Context(), "lobby", "long")
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != TooLong || len(refusals) != 0 {
			t.Errorf("err = %v, want too_long at once", err)
		}
	})
}

func TestLongAbsenceIsReadPageByPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.post("lobby", 3333)
		c := s.dial(Options{})
		join(t, c, "lobby", Position{Seq: 10, Epoch: "first"})
		s.post("lobby", 7) // live, while pages are on their way
		want(t, c, 11, 3330)
		s.post("lobby", 1)
		want(t, c, 3341, 1)
	})
}

func TestConsumerThatLagsGetsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(Options{})
		join(t, c, "lobby", Position{})
		s.post("lobby", 5000) // nobody takes one
		synctest.Wait()
		c.queue.mu.Lock()
		n := len(c.queue.events)
		c.queue.mu.Unlock()
		if n > queueLimit {
			t.Errorf("%d events in memory, at most %d are allowed", n, queueLimit)
		}
		if _, err := c.Send(t.Context(), "lobby", "an answer comes nevertheless"); err != nil {
			t.Error(err)
		}
		want(t, c, 1, 5001)
	})
}

func TestAnotherEpochIsAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.post("lobby", 9)
		c := s.dial(Options{})
		join(t, c, "lobby", Position{Epoch: "first"})
		want(t, c, 1, 9)
		s.setDown(true)
		s.restore("second", "lobby", 4)
		s.setDown(false)
		time.Sleep(time.Minute)
		if got := rest(t, c); !hasReset(got, 4, "second") {
			t.Errorf("no Reset in %v", got)
		}
		s.post("lobby", 8)
		want(t, c, 5, 8)
	})
}

func hasReset(events []Event, seq int64, epoch string) bool {
	return slices.ContainsFunc(events, func(e Event) bool {
		r, ok := e.(Reset)
		return ok && r.Room == "lobby" && r.Seq == seq && r.Epoch == epoch
	})
}

// A machine that was set back to a snapshot has the old epoch, and may soon have as
// many events as before.
func TestAServerThatWasSetBackIsAReset(t *testing.T) {
	for name, come := range map[string]func(t *testing.T, s *fakeServer) *Client{
		"cut after some events": func(t *testing.T, s *fakeServer) *Client {
			c := s.dial(Options{})
			join(t, c, "lobby", Position{Epoch: "first"})
			want(t, c, 1, 9)
			return c
		},
		"cut before its first event": func(t *testing.T, s *fakeServer) *Client {
			c := s.dial(Options{})
			r, err := c.Join(t.Context(), "lobby")
			if err != nil || r.Seq != 9 || r.At.IsZero() {
				t.Fatalf("%+v, %v", r, err)
			}
			return c
		},
		"with a place from an earlier life": func(t *testing.T, s *fakeServer) *Client {
			c := s.dial(Options{})
			r, err := c.Join(t.Context(), "lobby")
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			place := Position{Seq: r.Seq, Epoch: r.Epoch, At: r.At}
			s.restore("first", "lobby", 4)
			s.post("lobby", 7)
			c = s.dial(Options{})
			join(t, c, "lobby", place)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFakeServer(t)
				s.post("lobby", 9)
				time.Sleep(time.Second) // the bubble's clock: what is said later has another time
				c := come(t, s)
				if s.logLen("lobby") == 9 {
					s.setDown(true)
					s.restore("first", "lobby", 4)
					time.Sleep(time.Second)
					s.post("lobby", 7)
					s.setDown(false)
					time.Sleep(time.Minute)
				}
				if got := rest(t, c); !hasReset(got, 11, "first") {
					t.Errorf("no Reset in %v", got)
				}
				s.post("lobby", 2)
				want(t, c, 12, 2)
			})
		})
	}
}

// A connection that is cut after it has joined and before its first event resumes
// where it joined.
func TestNothingIsMissedBetweenTheJoinAndTheFirstEvent(t *testing.T) {
	for _, said := range []int{0, 1, 9} {
		t.Run(fmt.Sprint(said), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFakeServer(t)
				s.post("lobby", said)
				c := s.dial(Options{})
				if _, err := c.Join(t.Context(), "lobby"); err != nil {
					t.Fatal(err)
				}
				s.setDown(true)
				s.post("lobby", 3)
				s.setDown(false)
				want(t, c, int64(said)+1, 3)
			})
		})
	}
}

// A client that is signed out does not reconnect, and its calls fail.
func TestASessionThatEndedIsAnErrorOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(Options{})
		join(t, c, "lobby", Position{})
		hellos := s.helloCount()
		s.signOut()
		for {
			_, err := c.Next(t.Context())
			if err == nil {
				continue
			}
			wantErrorCode(t, err, SessionEnded)
			break
		}
		_, err := c.Send(t.Context(), "lobby", "too late")
		wantErrorCode(t, err, SessionEnded)
		if !errors.Is(err, ErrSessionEnded) || c.Session() != "" {
			t.Errorf("%v, session %q", err, c.Session())
		}
		time.Sleep(time.Hour)
		if got := s.helloCount(); got != hellos {
			t.Errorf("it said hello %d times more", got-hellos)
		}
	})
}

// A time that a server asked for does not hold after that server was restarted.
func TestRestartedServerIsAskedAtOnce(t *testing.T) {
	broken := &Error{Code: Unavailable, Message: "The disk has failed.", RetryAfter: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.onCommand(func(cmd command) (f fakeFault) {
			if cmd.Op == "send" {
				f.refuse = broken
			}
			return f
		})
		c := s.dial(Options{})
		sent := make(chan error, 1)
		go func() {
			_, err := c.Send(t.Context(), "lobby", "patient")
			sent <- err
		}()
		time.Sleep(time.Minute)
		s.setDown(true)
		time.Sleep(time.Minute)
		select {
		case err := <-sent:
			t.Fatalf("Send returned without an answer: %v", err)
		default:
		}
		s.onCommand(nil)
		s.setDown(false)
		time.Sleep(21 * time.Second) // the longest back-off
		synctest.Wait()
		select {
		case err := <-sent:
			if n := s.logLen("lobby"); err != nil || n != 1 {
				t.Errorf("Send: %v; %d messages stored", err, n)
			}
		default:
			t.Error("the message still waits, though the server is another one")
		}
	})
}

// Nor does it for pages of the log.
func TestRestartedServerIsAskedForPagesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.post("lobby", 1700)
		s.refusePages(&Error{Code: Unavailable, Message: "The disk has failed.", RetryAfter: time.Hour})
		c := s.dial(Options{})
		join(t, c, "lobby", Position{Epoch: "first"})
		time.Sleep(time.Minute)
		s.setDown(true)
		s.refusePages(nil)
		s.setDown(false)
		began := time.Now()
		want(t, c, 1, 1700)
		if waited := time.Since(began); waited > 21*time.Second {
			t.Errorf("after %v, though the server is another one", waited)
		}
	})
}

func TestSilentConnectionIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(Options{})
		join(t, c, "lobby", Position{})
		s.mu.Lock()
		s.mute = true
		s.mu.Unlock()
		// One more frame is read, then none.
		if err := c.Typing(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.mute = false
		s.mu.Unlock()
		time.Sleep(95 * time.Second)
		if n := s.helloCount(); n != 2 {
			t.Fatalf("%d connections after 95 s of silence, want another", n)
		}
		s.post("lobby", 1)
		want(t, c, 1, 1)
	})
}

func TestReconnectingBacksOffWithJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(Options{})
		s.setDown(true)
		time.Sleep(3 * time.Minute)
		var waits []time.Duration
		for _, e := range rest(t, c) {
			if d, ok := e.(Disconnected); ok {
				waits = append(waits, d.Retry)
			}
		}
		if len(waits) < 8 || len(waits) > 30 {
			t.Fatalf("%d attempts in 3 minutes: %v", len(waits), waits)
		}
		for i, w := range waits {
			full := min(250*time.Millisecond<<i, 20*time.Second)
			if w < full/2 || w > full {
				t.Errorf("attempt %d after %v, want %v to %v", i, w, full/2, full)
			}
		}
		slices.Sort(waits)
		if last := slices.Compact(waits[len(waits)-3:]); len(last) < 2 {
			t.Errorf("no chance in the waits %v", waits)
		}
	})
}

func TestPersonComesBackWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		first := s.dial(Options{Name: "Ada"})
		again := s.dial(Options{Session: first.Session(), Name: "Countess"})
		if again.Person() != (Person{ID: first.Person().ID, Name: "Countess"}) {
			t.Errorf("came back as %v, was %v", again.Person(), first.Person())
		}
		stranger := s.dial(Options{Session: "of another server", Name: "Ada"})
		if stranger.Person().ID == first.Person().ID || stranger.Session() == "of another server" {
			t.Errorf("an unknown session became %v", stranger.Person())
		}
		_, err := Dial(t.Context(), "http://fake", Options{Session: "of another server", HTTPClient: s.client()})
		if codeOf(err) != BadSession {
			t.Errorf("err = %v, want bad_session", err)
		}
	})
}

// A nonce belongs to one person. If the server has lost the session, a message whose
// answer was lost must not be sent as another person.
func TestForgottenSessionDoublesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.onCommand(func(cmd command) fakeFault {
			if cmd.Op == "send" {
				clear(s.people)
			}
			return fakeFault{cut: cmd.Op == "send"}
		})
		c := s.dial(Options{Name: "Ada"})
		before := c.Person()
		if _, err := c.Send(t.Context(), "lobby", "hi"); codeOf(err) != BadSession {
			t.Errorf("err = %v, want bad_session", err)
		}
		if now := c.Person(); now.ID == before.ID || now.Name != "Ada" {
			t.Errorf("is now %v", now)
		}
		if n := s.logLen("lobby"); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
	})
}

func TestRoomThatCannotBeJoinedAgainIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(Options{})
		join(t, c, "lobby", Position{})
		join(t, c, "garden", Position{})
		s.onCommand(func(cmd command) fakeFault {
			if cmd.Op == "join" && cmd.Room == "garden" {
				return fakeFault{refuse: &Error{Code: TooManyRooms, Message: "Enough."}}
			}
			return fakeFault{}
		})
		s.setDown(true)
		s.setDown(false)
		time.Sleep(time.Minute)
		left := slices.ContainsFunc(rest(t, c), func(e Event) bool {
			l, ok := e.(Left)
			return ok && l.Room == "garden" && codeOf(l.Err) == TooManyRooms
		})
		if !left {
			t.Error("nobody said that the garden was left")
		}
		s.post("garden", 1)
		s.post("lobby", 1)
		want(t, c, 1, 1)
	})
}

func TestLeaveEndsARoomsEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(Options{})
		join(t, c, "Lobby", Position{})
		if _, err := c.Join(t.Context(), "lobby"); codeOf(err) != AlreadyJoined {
			t.Errorf("a second join: %v, want already_joined", err)
		}
		if err := c.Leave(t.Context(), "Lobby"); err != nil {
			t.Error(err)
		}
		if err := c.Leave(t.Context(), "lobby"); codeOf(err) != NotJoined {
			t.Errorf("a second leave: %v, want not_joined", err)
		}
		s.post("lobby", 3)
		for _, e := range rest(t, c) {
			if m, ok := e.(Message); ok {
				t.Errorf("%v came", m)
			}
		}
		if r := join(t, c, "lobby", Position{Seq: 2}); r.Seq != 3 {
			t.Errorf("joined again: %+v", r)
		}
		want(t, c, 3, 1)
	})
}

func TestDialSaysWhatTheServerSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.upgrade = &Error{Code: TooManyConnections, Message: "Enough.", RetryAfter: 2 * time.Second}
		_, err := Dial(t.Context(), "ws://fake/r/lobby", Options{Name: "Ada", HTTPClient: s.client()})
		if e, ok := errors.AsType[*Error](err); !ok || *e != *s.upgrade {
			t.Errorf("err = %#v, want %#v", err, s.upgrade)
		}
		for _, u := range []string{"", "chat.example.org", "ftp://chat.example.org", "http://", "::"} {
			if _, err := Dial(t.Context(), u, Options{}); err == nil {
				t.Errorf("%q is taken for a server's address", u)
			}
		}
	})
}

// The session is a secret: if the server redirects to HTTPS, the client must not
// send it over plain HTTP.
func TestRedirectToHTTPSIsFollowedOnce(t *testing.T) {
	s := newFakeServer(t)
	secure := httptest.NewTLSServer(s.handler())
	defer secure.Close()
	var asked []string
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+r.Header.Get("Authorization"))
		http.Redirect(w, r, secure.URL+r.URL.String(), http.StatusPermanentRedirect)
	}))
	defer plain.Close()
	c, err := Dial(t.Context(), plain.URL, Options{Name: "Ada", HTTPClient: secure.Client()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.History(t.Context(), "lobby", Page{}); err != nil {
		t.Error(err)
	}
	if !slices.Equal(asked, []string{"/ws"}) {
		t.Errorf("asked in the clear: %q", asked)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(Options{})
		join(t, c, "lobby", Position{})
		s.setDown(true)
		sent := make(chan error, 1)
		go func() {
			_, err := c.Send(t.Context(), "lobby", "hi")
			sent <- err
		}()
		synctest.Wait()
		c.Close()
		if err := <-sent; !errors.Is(err, ErrClosed) {
			t.Errorf("Send: %v, want ErrClosed", err)
		}
		var last error
		for _, err := range c.Events(t.Context()) {
			last = err
		}
		if !errors.Is(last, ErrClosed) {
			t.Errorf("Events ended with %v, want ErrClosed", last)
		}
	}) // and the bubble is empty
}

func TestCodesAreThoseOfTheProtocol(t *testing.T) {
	doc, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("error.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "\n## Errors\n")
	var documented, known []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
		documented = append(documented, m[1])
	}
	for _, m := range regexp.MustCompile(`Code = "(\w+)"`).FindAllStringSubmatch(string(src), -1) {
		known = append(known, m[1])
	}
	if len(known) < 20 || !slices.Equal(documented, known) {
		t.Errorf("documented %v\n    known %v", documented, known)
	}
}

func wantErrorCode(t *testing.T, err error, code Code) {
	t.Helper()
	if codeOf(err) != code {
		t.Errorf("%v, want the code %s", err, code)
	}
}

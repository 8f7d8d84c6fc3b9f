package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// A setBack is a machine that was set back to a snapshot, with all that the server
// could notice it by, and the log before that.
type setBack struct {
	*testServer
	before []chat.Event // what clients have seen
}

// setBackMachine serves the room of a machine that was reset to a snapshot: its log has
// the first three events that clients have seen, and then others up to head.
func setBackMachine(t *testing.T, head int) setBack {
	t.Helper()
	began := time.Date(2026, time.November, 23, 9, 41, 0, 123e6, time.UTC)
	kinds := []chat.Kind{chat.Message, chat.React, chat.Message, chat.Edit, chat.Message, chat.Delete}
	event := func(n int, at time.Time) chat.Event {
		return chat.Event{
			Room: "r", Seq: chat.Seq(n), At: at, Kind: kinds[(n-1)%len(kinds)],
			From: chat.Person{ID: "g", Name: "Grace"}, Text: "👍", Target: 1,
		}
	}
	log := newMemory()
	m := setBack{}
	for n := 1; n <= 6; n++ {
		m.before = append(m.before, event(n, began.Add(time.Duration(n)*time.Second)))
	}
	for _, e := range m.before[:3] {
		log.Put(e)
	}
	for n := 4; n <= head; n++ {
		log.Put(event(n, began.Add(time.Duration(n)*time.Second+time.Millisecond)))
	}
	m.testServer = serveLog(t, Config{}, room.Config{}, log, "same", silent{log}.stores(),
		func(context.Context) error { return nil })
	return m
}

// silent is a memory in which nobody has a list of rooms, or may ask for one.
type silent struct{ *memory }

func (s silent) stores() account.Stores { return account.Stores{People: s, Lists: s, Personal: s} }

func (silent) AddToList(_ chat.PersonID, _ chat.RoomName, _ bool, done func([]chat.RoomName, error)) {
	done(nil, nil)
}

// What a client gets that comes back with its place, at every door.
func TestAPlaceInAnotherLogIsBehind(t *testing.T) {
	const far = 4 + chat.MaxBehind
	tests := map[string]struct {
		seq   int  // the client's place
		at    bool // which it names with its time
		epoch string
		head  int    // the room's newest event
		want  string // ok, behind or reset
		pages string // likewise of REST, if that is something else
	}{
		"an event that both logs have":      {seq: 3, at: true, head: 7, want: "ok"},
		"a reaction that both logs have":    {seq: 2, at: true, head: 7, want: "ok"},
		"the newest":                        {seq: 3, at: true, head: 3, want: "ok"},
		"before the first":                  {seq: 0, at: true, head: 7, want: "ok"},
		"another edit":                      {seq: 4, at: true, head: 7, want: "reset"},
		"another message":                   {seq: 5, at: true, head: 7, want: "reset"},
		"another deletion":                  {seq: 6, at: true, head: 7, want: "reset"},
		"another event, the newest":         {seq: 6, at: true, head: 6, want: "reset"},
		"another event, and too far behind": {seq: 4, at: true, head: far + 1, want: "reset"},
		"the same event, too far behind":    {seq: 3, at: true, head: far, want: "behind", pages: "ok"},
		"beyond the newest":                 {seq: 6, at: true, head: 5, want: "reset"},
		"beyond the newest, without a time": {seq: 6, head: 5, want: "reset", pages: "ok"}, // the page's seq tells
		"an old client":                     {seq: 5, head: 7, want: "ok"},
		"an old client of this epoch":       {seq: 5, epoch: "same", head: 7, want: "ok"},
		"another epoch":                     {seq: 3, at: true, epoch: "other", head: 7, want: "reset"},
		"another epoch, before the first":   {seq: 0, epoch: "other", head: 7, want: "reset"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := setBackMachine(t, tt.head)
			at := ""
			if tt.at && tt.seq > 0 {
				at = m.before[tt.seq-1].At.Format(time.RFC3339Nano)
			}
			for door, resume := range doorsThatResume {
				want := tt.want
				if tt.pages != "" && strings.HasPrefix(door, "REST") {
					want = tt.pages
				}
				if got := resume(t, m, tt.seq, at, tt.epoch); got != want {
					t.Errorf("%s: %s, want %s", door, got, want)
				}
			}
		})
	}
}

// doorsThatResume are the ways to come back with a place.
var doorsThatResume = map[string]func(t *testing.T, m setBack, seq int, at, epoch string) string{
	"/ws": func(t *testing.T, m setBack, seq int, at, epoch string) string {
		c := m.hello(t, "Ada")
		got := c.ask(`"op":"join","room":"r","after":%d,"at":%q,"epoch":%q`, seq, at, epoch)
		if got.Seq > 0 && got.At == "" {
			t.Errorf("the answer does not say when %d was", got.Seq)
		}
		if got.Op == "ok" && int64(seq) < got.Seq {
			if e := c.event(); e.Seq != int64(seq)+1 {
				t.Errorf("after %d comes %d", seq, e.Seq)
			}
		}
		return verdict(got.Op, got.Reset)
	},
	"Last-Event-ID": func(t *testing.T, m setBack, seq int, at, epoch string) string {
		if epoch == "" {
			epoch = "same"
		}
		id := strings.TrimSuffix(fmt.Sprint(epoch, ":", seq, ":", at), ":")
		return streamed(m.listen(t, "/api/rooms/r/events", "Last-Event-ID", id))
	},
	"a stream's parameters": func(t *testing.T, m setBack, seq int, at, epoch string) string {
		return streamed(m.listen(t, "/api/rooms/r/events?"+placeQuery(seq, at, epoch)))
	},
	"REST, the log":  paged("log?limit=1&"),
	"REST, messages": paged("messages?limit=1&"),
	"REST, a thread": paged("messages/1/replies?limit=1&"),
}

func placeQuery(seq int, at, epoch string) string {
	return fmt.Sprintf("after=%d&at=%s&epoch=%s", seq, url.QueryEscape(at), epoch)
}

func verdict(op string, reset bool) string {
	if reset {
		return "reset"
	}
	return op
}

func paged(path string) func(t *testing.T, m setBack, seq int, at, epoch string) string {
	return func(t *testing.T, m setBack, seq int, at, epoch string) string {
		a := m.ask(t, http.MethodGet, "/api/rooms/r/"+path+placeQuery(seq, at, epoch), "")
		switch {
		case a.StatusCode == http.StatusConflict && decode[httpdoor.Problem](t, a).Code == chat.Behind:
			return "reset"
		case a.StatusCode == http.StatusNotFound && strings.HasPrefix(path, "messages/"): // memory knows no threads
			return "ok"
		case a.StatusCode != http.StatusOK:
			return a.Status
		}
		if !strings.Contains(a.body, `"at":"2026-11-23T09:`) {
			t.Errorf("the page does not say when its newest event was: %s", a.body)
		}
		return "ok"
	}
}

func streamed(l *listener) string {
	first := l.block()
	switch {
	case !strings.HasPrefix(first["id"], "same:"):
		return "a stream that begins without an id"
	case first["event"] == "behind":
		return verdict("behind", strings.Contains(first["data"], `"reset":true`))
	case first["data"] != "":
		return "an event before the stream's place"
	}
	return "ok"
}

// A place that is no place is refused, at every door.
func TestMalformedPlacesAreRefused(t *testing.T) {
	m := setBackMachine(t, 7)
	for _, at := range []string{"yesterday", "2026-11-23", "1795426865123", "2026-11-23T09:41:05.123"} {
		c := m.hello(t, "Ada")
		if got := c.ask(`"op":"join","room":"r","after":3,"at":%q`, at); got.Code != string(chat.BadRequest) {
			t.Errorf("a join with the time %q: %+v", at, got)
		}
		for _, path := range []string{"log", "messages", "messages/1/replies", "events"} {
			if a := m.ask(t, http.MethodGet, "/api/rooms/r/"+path+"?"+placeQuery(3, at, ""),
				""); a.StatusCode != http.StatusBadRequest {
				t.Errorf("%s with the time %q: %d %s", path, at, a.StatusCode, a.body)
			}
		}
		if a := m.ask(t, http.MethodGet, "/api/rooms/r/events", "", "Last-Event-ID",
			"same:3:"+at); a.StatusCode != http.StatusBadRequest {
			t.Errorf("an id with the time %q: %d %s", at, a.StatusCode, a.body)
		}
	}
}

// A stream, or a connection, that is cut before its first event resumes where it
// began, and what was said meanwhile comes.
func TestWhatIsCutBeforeItsFirstEventHasNoHole(t *testing.T) {
	for name, said := range map[string]int{"a new room": 0, "one event": 1, "some events": 5} {
		t.Run(name, func(t *testing.T) {
			ts := startServer(t, Config{}, room.Config{})
			grace := ts.hello(t, "Grace")
			say := func(n int) {
				for range n {
					grace.ask(`"op":"send","room":"r","text":"hi"`)
				}
			}
			say(said)
			live := ts.listen(t, "/api/rooms/r/events")
			if first := live.block(); first["id"] == "" || first["data"] != "" {
				t.Fatalf("a stream begins with %v", first)
			}
			again := ts.listen(t, "/api/rooms/r/events", "Last-Event-ID", live.last)
			if first := again.block(); first["id"] != live.last {
				t.Errorf("resumed at %v, want %s", first, live.last)
			}
			behind := ts.listen(t, "/api/rooms/r/events", "Last-Event-ID", "other:3")
			if first := behind.block(); first["event"] != "behind" || first["id"] != live.last {
				t.Errorf("behind: %v, want the id %s", first, live.last)
			}
			c := ts.hello(t, "Ada")
			joined := c.ask(`"op":"join","room":"r"`)
			for _, l := range []*listener{live, again, behind} {
				l.body.Body.Close()
			}
			c.nc.Close()

			say(2)
			for _, l := range []*listener{live, again, behind} {
				resumed := ts.listen(t, "/api/rooms/r/events", "Last-Event-ID", l.last)
				for n := said + 1; n <= said+2; n++ {
					if e := resumed.next(); !strings.HasPrefix(e["id"], fmt.Sprint(ts.hub.Epoch(), ":", n, ":")) {
						t.Errorf("after %s: %v, want event %d", l.last, e, n)
					}
				}
			}
			back := ts.hello(t, "Ada")
			back.ask(`"op":"join","room":"r","after":%d,"at":%q`, joined.Seq, joined.At)
			for n := said + 1; n <= said+2; n++ {
				if e := back.event(); e.Seq != int64(n) {
					t.Errorf("event %d, want %d", e.Seq, n)
				}
			}
		})
	}
}

package server

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
	"parley/internal/store/storetest"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// Knowing a room's name is what lets people in. A client that has asked for many
// different rooms is refused the next one at every door, whether it exists or not, but
// not a room that it has asked for lately or that is in its list.
func TestRoomNamesCannotBeProbedWithoutLimit(t *testing.T) {
	find := func(_ context.Context, s chat.Search) (chat.Found, error) {
		if s.Text != "" { // it stands for in:
			return chat.Found{}, s.MayRead(chat.RoomName(s.Text))
		}
		return chat.Found{}, nil
	}
	const rate = 5
	ts := startServer(t, Config{RoomRate: rate, Find: find}, room.Config{})
	post := func(room string) {
		done := make(chan error, 1)
		d := chat.Draft{Room: chat.RoomName(room), From: chat.Person{ID: "p7q2mzk4v6xw3t5n", Name: "Ada"}, Text: "hi"}
		if err := ts.hub.Post(d, func(c chat.Commit) { done <- c.Err }); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"secret", "known", "listed"} {
		post(name)
	}
	grace := ts.guest(t, "Grace")
	bearer := "Bearer " + grace.Session
	if err := storetest.AddToList(ts.store, grace.Person.ID, "listed", true); err != nil {
		t.Fatal(err)
	}
	c := ts.dial(t, "/ws")
	c.ask(`"op":"hello","session":%q`, grace.Session)
	c.ask(`"op":"join","room":"known"`)
	for i := range rate - 1 {
		if a := ts.ask(t, http.MethodGet, fmt.Sprint("/api/rooms/none-", i), ""); a.StatusCode != http.StatusOK {
			t.Fatalf("room %d: %d", i, a.StatusCode)
		}
	}

	type door func(room string) chat.Code
	http_ := func(method, path, body string) door {
		return func(room string) chat.Code {
			a := ts.ask(t, method, fmt.Sprintf(path, room), body, "Authorization", bearer)
			if a.StatusCode < 300 {
				return ""
			}
			return decode[httpdoor.Problem](t, a).Code
		}
	}
	ws := func(command string) door {
		return func(room string) chat.Code { return chat.Code(c.ask(command, room).Code) }
	}
	for name, through := range map[string]door{
		"state":    http_(http.MethodGet, "/api/rooms/%s", ""),
		"messages": http_(http.MethodGet, "/api/rooms/%s/messages", ""),
		"message":  http_(http.MethodGet, "/api/rooms/%s/messages/1", ""),
		"replies":  http_(http.MethodGet, "/api/rooms/%s/messages/1/replies", ""),
		"pins":     http_(http.MethodGet, "/api/rooms/%s/pins", ""),
		"log":      http_(http.MethodGet, "/api/rooms/%s/log", ""),
		"head":     http_(http.MethodGet, "/api/rooms/%s/log?limit=1", ""),
		"post":     http_(http.MethodPost, "/api/rooms/%s/messages", `{"text":"hi"}`),
		"edit":     http_(http.MethodPatch, "/api/rooms/%s/messages/1", `{"text":"hi"}`),
		"delete":   http_(http.MethodDelete, "/api/rooms/%s/messages/1", ""),
		"react":    http_(http.MethodPut, "/api/rooms/%s/messages/1/reactions/👍", ""),
		"pin":      http_(http.MethodPut, "/api/rooms/%s/pins/1", ""),
		"topic":    http_(http.MethodPut, "/api/rooms/%s/topic", `{"text":"hi"}`),
		"set":      http_(http.MethodPut, "/api/me/rooms/%s", `{"muted":true}`),
		"read":     http_(http.MethodPut, "/api/me/rooms/%s/read", `{"seq":1}`),
		"save":     http_(http.MethodPut, "/api/me/saved/%s/1", ""),
		"follow":   http_(http.MethodPut, "/api/me/threads/%s/1", ""),
		"search":   http_(http.MethodGet, "/api/search?room=%s", ""),
		"in":       http_(http.MethodGet, "/api/search?q=%s", ""),
		"forward": func(room string) chat.Code {
			a := ts.ask(t, http.MethodPost, "/api/rooms/known/messages",
				fmt.Sprintf(`{"forward":{"room":%q,"seq":1}}`, room), "Authorization", bearer)
			if a.StatusCode < 300 {
				return ""
			}
			return decode[httpdoor.Problem](t, a).Code
		},
		"ws join":    ws(`"op":"join","room":%q`),
		"ws send":    ws(`"op":"send","room":%q,"text":"hi"`),
		"ws reply":   ws(`"op":"send","room":%q,"text":"hi","reply_to":1`),
		"ws react":   ws(`"op":"react","room":%q,"seq":1,"emoji":"👍"`),
		"ws read":    ws(`"op":"read","room":%q,"seq":1`),
		"ws set":     ws(`"op":"set","room":%q,"muted":true`),
		"ws save":    ws(`"op":"save","room":%q,"seq":1`),
		"ws forward": ws(`"op":"send","room":"known","forward":{"room":%q,"seq":1}`),
	} {
		t.Run(name, func(t *testing.T) {
			for _, room := range []string{"secret", "not-there"} {
				if code := through(room); code != chat.RateLimited {
					t.Errorf("%s: %q, want a refusal", room, code)
				}
			}
			for _, room := range []string{"known", "listed"} {
				if code := through(room); code == chat.RateLimited {
					t.Errorf("%s is refused", room)
				}
			}
		})
	}
	t.Run("event stream", func(t *testing.T) {
		for _, room := range []string{"secret", "not-there"} {
			if a := ts.ask(t, http.MethodGet, "/api/rooms/"+room+"/events",
				""); a.StatusCode != http.StatusTooManyRequests {
				t.Errorf("%s: %d", room, a.StatusCode)
			}
		}
		if a := ts.ask(t, http.MethodHead, "/api/rooms/known/events", ""); a.StatusCode != http.StatusOK {
			t.Errorf("known: %d", a.StatusCode)
		}
	})
	t.Run("five lines", func(t *testing.T) {
		for _, room := range []string{"secret", "not-there"} {
			if r := ts.dial(t, "/chatroom/"+room).hear(); r.Error != string(chat.RateLimited) {
				t.Errorf("%s: %+v", room, r)
			}
		}
		l := ts.dial(t, "/chatroom/known")
		l.send(`{"from":"Ada","message":"hi"}`)
		if r := l.hear(); r.Error != "" {
			t.Errorf("known: %+v", r)
		}
	})
}

// The people at one address have together a multiple of one person's limit, at all
// doors.
func TestPeopleOfOneAddressShareTheirLimitThroughEveryDoor(t *testing.T) {
	const burst = 12
	start := func(t *testing.T) *testServer {
		return startServer(t, Config{}, room.Config{MessageRate: 0.001, MessageBurst: 3, PeoplePerAddress: burst / 3})
	}
	for name, door := range map[string]func(*testing.T, *testServer, int) chat.Code{
		"/ws": func(t *testing.T, ts *testServer, guest int) chat.Code {
			return chat.Code(
				ts.hello(t, fmt.Sprint("Guest ", guest)).ask(`"op":"send","room":"lobby","text":"hi"`).Code)
		},
		"/chatroom": func(t *testing.T, ts *testServer, guest int) chat.Code {
			c := ts.dial(t, "/chatroom/lobby")
			c.send(`{"from":"Guest %d","message":"hi"}`, guest)
			return chat.Code(c.hear().Error)
		},
		"REST": func(t *testing.T, ts *testServer, guest int) chat.Code {
			a := ts.ask(t, http.MethodPost, "/api/rooms/lobby/messages",
				fmt.Sprintf(`{"name":"Guest %d","text":"hi"}`, guest))
			if a.StatusCode == http.StatusCreated {
				return ""
			}
			return decode[httpdoor.Problem](t, a).Code
		},
		"a change by REST": func(t *testing.T, ts *testServer, guest int) chat.Code {
			session := ts.guest(t, fmt.Sprint("Guest ", guest)).Session
			a := ts.ask(t, http.MethodPut, "/api/rooms/lobby/topic", fmt.Sprintf(`{"text":"%d"}`, guest),
				"Authorization", "Bearer "+session)
			if a.StatusCode == http.StatusOK {
				return ""
			}
			return decode[httpdoor.Problem](t, a).Code
		},
	} {
		t.Run(name, func(t *testing.T) {
			ts := start(t)
			for guest := range burst + 3 {
				want := chat.Code("")
				if guest >= burst {
					want = chat.RateLimited
				}
				if code := door(t, ts, guest); code != want {
					t.Errorf("guest %d: %q, want %q", guest, code, want)
				}
			}
		})
	}
}

package server

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/room"
)

// Each request that changes something is made, undone without a key, and repeated with
// its key. The repetition gets the first answer and changes nothing.
func TestRetryOverHTTPIsAnsweredLikeTheFirst(t *testing.T) {
	const (
		lobby = "/api/rooms/lobby"
		one   = lobby + "/messages/1"
		thumb = one + "/reactions/%F0%9F%91%8D"
		pin   = lobby + "/pins/1"
		topic = lobby + "/topic"
		saved = "/api/me/saved/lobby/1"
	)
	type request struct{ method, path, body string }
	tests := map[string]struct {
		first, undo request
		state       string // the path whose answer shows the change
	}{
		"a message": {
			request{"POST", lobby + "/messages", `{"text":"said"}`},
			request{"DELETE", lobby + "/messages/2", ""},
			lobby + "/messages",
		},
		"an edit":           {request{"PATCH", one, `{"text":"B"}`}, request{"PATCH", one, `{"text":"C"}`}, one},
		"an edit to itself": {request{"PATCH", one, `{"text":"A"}`}, request{"PATCH", one, `{"text":"C"}`}, one},
		"a reaction":        {request{"PUT", thumb, ""}, request{"DELETE", thumb, ""}, one},
		"no reaction":       {request{"DELETE", thumb, ""}, request{"PUT", thumb, ""}, one},
		"a pin":             {request{"PUT", pin, ""}, request{"DELETE", pin, ""}, lobby + "/pins"},
		"no pin":            {request{"DELETE", pin, ""}, request{"PUT", pin, ""}, lobby + "/pins"},
		"a topic": {
			request{"PUT", topic, `{"text":"ships"}`}, request{"PUT", topic, `{"text":"sails"}`}, "/api/me/rooms",
		},
		"no topic": {
			request{"PUT", topic, `{"text":""}`}, request{"PUT", topic, `{"text":"sails"}`}, "/api/me/rooms",
		},
		"a saved message": {request{"PUT", saved, ""}, request{"DELETE", saved, ""}, "/api/me/saved"},
		"none saved":      {request{"DELETE", saved, ""}, request{"PUT", saved, ""}, "/api/me/saved"},
		"a thread": {
			request{"PUT", "/api/me/threads/lobby/1", ""},
			request{"DELETE", "/api/me/threads/lobby/1", ""},
			"/api/me/threads",
		},
		"a muted room": {
			request{"PUT", "/api/me/rooms/lobby", `{"muted":true}`},
			request{"PUT", "/api/me/rooms/lobby", `{"muted":false}`},
			"/api/me/rooms",
		},
		"a room left": {
			request{"DELETE", "/api/me/rooms/lobby", ""}, request{"PUT", "/api/me/rooms/lobby", `{}`}, "/api/me/rooms",
		},
		"unread from here": {
			request{"PUT", "/api/me/rooms/lobby/read", `{"seq":0,"exact":true}`},
			request{"PUT", "/api/me/rooms/lobby/read", `{"seq":1}`},
			"/api/me/rooms",
		},
		"a name": {
			request{"POST", "/api/session", `{"name":"Countess"}`},
			request{"POST", "/api/session", `{"name":"Ada"}`},
			"/api/session",
		},
		"a name one has": {
			request{"POST", "/api/session", `{"name":"Ada"}`},
			request{"POST", "/api/session", `{"name":"Countess"}`},
			"/api/session",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ts := startServer(t, Config{}, room.Config{})
			auth := []string{"Authorization", "Bearer " + ts.guest(t, "Ada").Session}
			ask := func(r request, key string) answer {
				t.Helper()
				header := auth
				if key != "" {
					header = append([]string{"Idempotency-Key", key}, auth...)
				}
				a := ts.ask(t, r.method, r.path, r.body, header...)
				if a.StatusCode >= 300 {
					t.Fatalf("%s %s: %d %s", r.method, r.path, a.StatusCode, a.body)
				}
				return a
			}
			ask(request{"POST", lobby + "/messages", `{"text":"A"}`}, "")
			first := ask(tt.first, "k1")
			ask(tt.undo, "")
			before := ask(request{"GET", tt.state, ""}, "").body
			for _, key := range []string{"k1", `"k1"`} {
				again := ask(tt.first, key)
				if strings.HasPrefix(tt.first.path, lobby) && again.body != first.body {
					t.Errorf("again %s, at first %s", again.body, first.body)
				}
			}
			if now := ask(request{"GET", tt.state, ""}, "").body; now != before {
				t.Errorf("it was\n%s\nand is\n%s", before, now)
			}
			other := request{"PUT", lobby + "/messages/1/reactions/%F0%9F%8E%89", ""}
			header := append([]string{"Idempotency-Key", "k1"}, auth...)
			a := ts.ask(t, other.method, other.path, other.body, header...)
			if name != "a name" && name != "a name one has" &&
				(a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"nonce_used"`)) {
				t.Errorf("the key for something else: %d %s", a.StatusCode, a.body)
			}
		})
	}
}

func TestTwoNoncesOfOneRequestAreRefused(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	auth := "Bearer " + ts.guest(t, "Ada").Session
	for _, tt := range []struct {
		nonce, key string
		want       int
	}{
		{"k1", "k1", 201},
		{"k1", `"k1"`, 200},
		{"k1", "k2", 400},
		{"", "spaced out", 400},
		{"", strings.Repeat("k", 65), 400},
		{"", "k1", 200},
		{"k1", "", 200},
	} {
		a := ts.ask(
			t, http.MethodPost, "/api/rooms/lobby/messages", `{"text":"hi","nonce":"`+tt.nonce+`"}`, "Authorization",
			auth, "Idempotency-Key", tt.key,
		)
		if a.StatusCode != tt.want || tt.want == 400 && !strings.Contains(a.body, `"bad_nonce"`) {
			t.Errorf("nonce %q, key %q: %d %s", tt.nonce, tt.key, a.StatusCode, a.body)
		}
	}
}

// A guest_key names the same guest each time: in a retry at the same moment, later, and
// as a session.
func TestGuestKeyNamesOneGuest(t *testing.T) {
	ts := startServer(t, Config{GuestRate: 2}, room.Config{})
	key := strings.Repeat("k3y-", 8)
	body := `{"name":"CI","guest_key":"` + key + `","text":"deploy finished","nonce":"n1"}`
	type result struct {
		answer
		err error
	}
	results := make(chan result)
	for range 5 {
		go func() {
			a, err := ts.try(t.Context(), http.MethodPost, "/api/rooms/ops/messages", body)
			results <- result{a, err}
		}()
	}
	made := 0
	for range 5 {
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		switch r.StatusCode {
		case http.StatusCreated:
			made++
		case http.StatusOK:
		case http.StatusTooManyRequests: // three or more arrived before the first guest was stored
		default:
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	}
	if made != 1 {
		t.Errorf("it was stored %d times", made)
	}
	page := decode[pageBody](t, ts.ask(t, http.MethodGet, "/api/rooms/ops/messages", ""))
	if len(page.Messages) != 1 {
		t.Fatalf("%d messages, want 1", len(page.Messages))
	}
	me := decode[guestBody](t, ts.ask(t, http.MethodGet, "/api/session", "", "Authorization", "Bearer "+key))
	again := decode[guestBody](
		t, ts.ask(t, http.MethodPost, "/api/session", `{"name":"Other","guest_key":"`+key+`"}`),
	)
	if me.Person != page.Messages[0].From || again.Person != me.Person || again.Session != "" {
		t.Errorf("the guest is %+v, %+v and %+v", page.Messages[0].From, me, again)
	}
	for _, bad := range []string{
		"short", strings.Repeat("k", 31), strings.Repeat("k", 129), strings.Repeat("k", 31) + " ",
		strings.Repeat("ü", 20),
	} {
		a := ts.ask(t, http.MethodPost, "/api/rooms/ops/messages", `{"name":"CI","guest_key":"`+bad+`","text":"hi"}`)
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `"bad_request"`) {
			t.Errorf("%q: %d %s", bad, a.StatusCode, a.body)
		}
	}
}

// answer sends a command and returns its answer's JSON.
func (c *talker) answer(command string) string {
	c.t.Helper()
	c.sent++
	c.send(`{"id":%d,%s}`, c.sent, command)
	for {
		if f := c.frame(); strings.Contains(string(f.Payload), fmt.Sprintf(`"id":%d,`, c.sent)) ||
			strings.HasSuffix(string(f.Payload), fmt.Sprintf(`"id":%d}`, c.sent)) {
			return string(f.Payload)
		}
	}
}

// Personal commands are carried out once per nonce on /ws too, and so is a rename.
func TestRetryOnWebSocketIsDoneOnce(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	c := ts.hello(t, "Ada")
	c.ask(`"op":"send","room":"lobby","text":"A"`)
	c.ask(`"op":"send","room":"lobby","text":"B"`)
	for _, step := range []struct{ command, want string }{
		{`"op":"edit","room":"lobby","seq":1,"text":"A","nonce":"n1"`, `"seq":1,.*"kind":"edit"`},
		{`"op":"edit","room":"lobby","seq":1,"text":"C"`, `"seq":3,`},
		{`"op":"edit","room":"lobby","seq":1,"text":"A","nonce":"n1"`, `"seq":1,.*"kind":"edit"`},
		{`"op":"react","room":"lobby","seq":1,"emoji":"👍","nonce":"n1"`, `"nonce_used"`},
		{`"op":"edit","room":"lobby","seq":2,"text":"A","nonce":"n1"`, `"nonce_used"`},
		{`"op":"send","room":"lobby","text":"A","nonce":"n1"`, `"nonce_used"`},
		{`"op":"read","room":"lobby","seq":1,"exact":true,"nonce":"n2"`, `"read":1,`},
		{`"op":"read","room":"lobby","seq":3`, `"read":3,`},
		{`"op":"read","room":"lobby","seq":1,"exact":true,"nonce":"n2"`, `"read":3,`},
		{`"op":"save","room":"lobby","seq":1,"nonce":"n3"`, `"op":"ok"`},
		{`"op":"unsave","room":"lobby","seq":1`, `"op":"ok"`},
		{`"op":"save","room":"lobby","seq":1,"nonce":"n3"`, `"op":"ok"`},
		{`"op":"unsave","room":"lobby","seq":1,"nonce":"n3"`, `"nonce_used"`},
		{`"op":"set","room":"lobby","muted":true,"nonce":"n4"`, `"op":"ok"`},
		{`"op":"set","room":"lobby","listed":false`, `"op":"ok"`},
		{`"op":"set","room":"lobby","muted":true,"nonce":"n4"`, `"not_found"`},
		{`"op":"read","room":"lobby","seq":1,"exact":true,"nonce":"n2"`, `"read":0,`},
	} {
		if got := c.answer(step.command); !regexp.MustCompile(step.want).MatchString(got) {
			t.Errorf("%s: %s, want %s", step.command, got, step.want)
		}
	}
}

// A retry does not put a room back in the list that its person has removed since then,
// also if the connection has the list open.
func TestRetryDoesNotReturnToARoomThatWasLeft(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	session := ts.guest(t, "Ada").Session
	c := ts.device(t, session)
	c.ask(`"op":"watch"`)
	for _, step := range []struct{ command, want string }{
		{`"op":"send","room":"lobby","text":"A","nonce":"n1"`, `"seq":1,`},
		{`"op":"set","room":"lobby","listed":false`, `"op":"ok"`},
		{`"op":"send","room":"lobby","text":"A","nonce":"n1"`, `"seq":1,`},
		{`"op":"delete","room":"lobby","seq":1`, `"seq":2,`},
		{`"op":"read","room":"lobby","seq":1,"nonce":"n2"`, `"read":1,`}, // for the first time
		{`"op":"set","room":"lobby","listed":false`, `"op":"ok"`},
		{`"op":"read","room":"lobby","seq":1,"nonce":"n2"`, `"read":0,`},
		{`"op":"set","room":"lobby","muted":true,"nonce":"n3"`, `"op":"ok"`},
		{`"op":"set","room":"lobby","listed":false`, `"op":"ok"`},
		{`"op":"send","room":"lobby","text":"A","nonce":"n1"`, `"seq":1,`},
	} {
		if got := c.answer(step.command); !regexp.MustCompile(step.want).MatchString(got) {
			t.Errorf("%s: %s, want %s", step.command, got, step.want)
		}
	}
	again := ts.device(t, session)
	again.send(`{"op":"watch","id":900}`)
	again.hearLine(`{"op":"ok","id":900,"rooms":[]}`)
}

// No door says from which room a forward came, before or after the source is deleted.
// The copy is deleted with its source.
func TestSourceOfAForwardIsNeverShown(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada, grace := ts.guest(t, "Ada"), ts.guest(t, "Grace")
	const secret = "hidden-attic"
	eve := ts.hello(t, "Eve")
	eve.ask(`"op":"watch"`)
	eve.ask(`"op":"join","room":"lobby"`)
	ts.ask(
		t, http.MethodPost, "/api/rooms/"+secret+"/messages", `{"text":"particular words"}`, "Authorization",
		"Bearer "+ada.Session,
	)
	a := ts.ask(
		t, http.MethodPost, "/api/rooms/lobby/messages", `{"forward":{"room":"`+secret+`","seq":1},"nonce":"n1"}`,
		"Authorization", "Bearer "+grace.Session,
	)
	if a.StatusCode != http.StatusCreated {
		t.Fatal(a.body)
	}
	first := a.body
	paths := []string{
		"/api/rooms/lobby/messages", "/api/rooms/lobby/messages/1", "/api/rooms/lobby/log", "/api/rooms/lobby",
		"/api/rooms/lobby/pins",
		"/api/me/rooms", "/api/me/saved", "/api/me/threads",
	}
	look := func(want bool) {
		t.Helper()
		for _, path := range paths {
			a := ts.ask(t, http.MethodGet, path, "", "Authorization", "Bearer "+grace.Session)
			if strings.Contains(a.body, secret) {
				t.Errorf("%s tells the room: %s", path, a.body)
			}
			if !want && strings.Contains(a.body, "particular") {
				t.Errorf("%s still has the text: %s", path, a.body)
			}
		}
	}
	look(true)
	ts.ask(t, http.MethodDelete, "/api/rooms/"+secret+"/messages/1", "", "Authorization", "Bearer "+ada.Session)
	for { // the frames that Eve gets in the lobby
		frame := string(eve.frame().Payload)
		if strings.Contains(frame, secret) {
			t.Fatalf("a frame tells the room: %s", frame)
		}
		if strings.Contains(frame, `"op":"event"`) && strings.Contains(frame, `"kind":"delete"`) {
			if !strings.Contains(frame, `"target":1`) || !strings.Contains(frame, string(grace.Person.ID)) {
				t.Errorf("the deletion is %s", frame)
			}
			break
		}
	}
	look(false)
	list := decode[struct {
		Rooms []struct{ Room chat.RoomName }
	}](
		t, ts.ask(t, http.MethodGet, "/api/me/rooms", "", "Authorization", "Bearer "+ada.Session),
	)
	for _, e := range list.Rooms {
		if e.Room == chat.RoomName("lobby") {
			t.Error("who deleted the message has the copy's room in their list")
		}
	}
	if again := ts.ask(
		t, http.MethodPost, "/api/rooms/lobby/messages", `{"forward":{"room":"`+secret+`","seq":1},"nonce":"n1"}`,
		"Authorization", "Bearer "+grace.Session,
	); again.StatusCode != http.StatusOK || again.body != first {
		t.Errorf("a retry of the forward: %d %s, at first %s", again.StatusCode, again.body, first)
	}
}

package server

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// Whoever writes a room's name in another way is in the same room, at every door.
func TestEveryDoorConvertsRoomNames(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada := ts.guest(t, "Ada")
	auth := []string{"Authorization", "Bearer " + ada.Session}
	for given, want := range map[string]string{
		"my room": "my-room", "Team Ünïcode": "team-ünïcode", "what's up?": "what-s-up", "犯人は、誰？": "犯人は-誰",
		"lob\u200bby": "lobby", "a/b": "a-b", "💬 chat 💬": "chat",
	} {
		path := url.PathEscape(given)
		follower := ts.hello(t, "Grace")
		if r := follower.ask(`"op":"join","room":%q`, given); r.Op != "ok" || r.Room != want {
			t.Fatalf("/ws: %q is %+v, want the room %s", given, r, want)
		}
		l := ts.dial(t, "/chatroom/"+path)
		ts.ask(t, http.MethodPost, "/api/rooms/"+path+"/messages", `{"text":"one"}`, auth...)
		if r := l.hear(); r.Message != "one" {
			t.Errorf("/chatroom: %q: %+v", given, r)
		}
		if r := ts.device(t, ada.Session).ask(`"op":"send","room":%q,"text":"two"`, given); r.Op != "ok" || r.Seq != 2 {
			t.Errorf("/ws: a message to %q: %+v", given, r)
		}
		for _, at := range []string{
			"/api/rooms/" + path, "/api/rooms/" + path + "/messages", "/api/rooms/" + url.PathEscape(want),
		} {
			a := ts.ask(t, http.MethodGet, at, "", auth...)
			body := decode[struct {
				Room string
				Seq  int
			}](t, a)
			if body.Room != want || body.Seq != 2 {
				t.Errorf("%s: %s", at, a.body)
			}
		}
		for _, stream := range []string{"/events", "/text"} {
			if a := ts.ask(t, http.MethodHead, "/api/rooms/"+path+stream, ""); a.StatusCode != http.StatusOK {
				t.Errorf("%s of %q: status %d", stream, given, a.StatusCode)
			}
		}
		a := ts.ask(t, http.MethodGet, "/r/"+path, "")
		if there := "/r/" + url.PathEscape(want); a.StatusCode != 307 || a.Header.Get("Location") != there {
			t.Errorf("the page of %q: %d to %q, want %q", given, a.StatusCode, a.Header.Get("Location"), there)
		}
		forward := fmt.Sprintf(`{"forward":{"room":%q,"seq":1}}`, given)
		if a := ts.ask(t, http.MethodPost, "/api/rooms/attic/messages", forward, auth...); a.StatusCode != 201 {
			t.Errorf("a forward from %q: %s", given, a.body)
		}
	}
}

// A name of which nothing is left is refused with a sentence, before a connection is upgraded.
func TestEveryDoorRefusesNamesWithoutALetter(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	for _, given := range []string{"🎉", "?!", " ", "\u200d"} {
		path := url.PathEscape(given)
		for _, at := range []string{"/chatroom/" + path, "/api/rooms/" + path, "/api/rooms/" + path + "/events"} {
			a := ts.ask(t, http.MethodGet, at, "", "Connection", "Upgrade", "Upgrade", "websocket",
				"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
			if p := decode[httpdoor.Problem](t, a); a.StatusCode != 400 || p.Code != "bad_room" || p.Detail == "" {
				t.Errorf("%s: %d %s", at, a.StatusCode, a.body)
			}
		}
		if a := ts.ask(t, http.MethodGet, "/r/"+path, ""); a.StatusCode != 400 {
			t.Errorf("the page of %q: status %d", given, a.StatusCode)
		}
		if r := ts.hello(t, "Ada").ask(`"op":"join","room":%q`, given); r.Code != string(chat.BadRoom) {
			t.Errorf("/ws: %q: %+v", given, r)
		}
	}
}

package server

import (
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/room"
)

// TestFiveLineProtocol talks as a page does that knows nothing but objects
// with from and message.
func TestFiveLineProtocol(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	a, b := ts.dial(t, "/chatroom/Lobby"), ts.dial(t, "/chatroom/lobby")
	member := ts.hello(t, "Grace")
	member.ask(`"op":"join","room":"lobby"`)

	a.send(`{"from":"Ada","message":"hi **you**"}`)
	for _, c := range []*talker{a, b} {
		if f := c.frame(); string(f.Payload) != `{"from":"Ada","message":"hi **you**"}` {
			t.Errorf("%s", f.Payload)
		}
	}
	var joined, said bool
	for !joined || !said {
		switch r := member.hear(); r.Op {
		case "presence":
			joined = r.Joined != nil && r.Joined.Name == "Ada" && r.Count == 2
		case "event":
			said = r.Seq == 1 && r.Text == "hi **you**" && strings.Contains(string(r.From), `"Ada"`)
		}
	}
	member.ask(`"op":"send","room":"lobby","text":"hello"`)
	for _, c := range []*talker{a, b} {
		if f := c.frame(); string(f.Payload) != `{"from":"Grace","message":"hello"}` {
			t.Errorf("%s", f.Payload)
		}
	}
}

func TestFiveLineProtocolSaysWhatItRefuses(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{MessageRate: 1, MessageBurst: 1, MessageLength: 10})
	c := ts.dial(t, "/chatroom/lobby")
	for _, tt := range []struct {
		in   string
		want chat.Code
	}{
		{`hello`, chat.InvalidJSON},
		{`{"from":"Ada"}`, chat.BadText},
		{`{"message":"hi"}`, chat.BadName},
		{`{"from":"\u202e","message":"hi"}`, chat.BadName},
		{`{"from":"Ada","message":"12345678901"}`, chat.TooLong},
		{`{"from":"Ada","message":"hi"}`, ""},
		{`{"from":"Ada","message":"hi"}`, chat.RateLimited},
	} {
		c.send("%s", tt.in)
		r := c.hear()
		if r.Error != string(tt.want) || r.Message == "" || tt.want != "" && string(r.From) != `"Parley"` {
			t.Errorf("%s: %+v, want %q", tt.in, r, tt.want)
		}
	}
}

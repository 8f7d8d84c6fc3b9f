package server

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// One server, two people who write and one who listens on /ws: each line sees what
// the lines above have done, and what is stored is heard.
func TestConversationScenario(t *testing.T) {
	ts := startServer(t, Config{FrameSize: 1 << 16}, room.Config{MessageLength: 100})
	listener := ts.hello(t, "Eve")
	listener.ask(`"op":"join","room":"lobby"`)
	ada, grace := "Bearer "+ts.guest(t, "Ada").Session, "Bearer "+ts.guest(t, "Grace").Session
	const (
		lobby = "/api/rooms/lobby"
		one   = lobby + "/messages/1"
		thumb = "/reactions/%F0%9F%91%8D"
	)
	steps := []struct {
		name         string
		method, path string
		body         string
		auth         string
		status       int
		want         string // a regular expression for the body
		heard        string // and for the event; "": none
	}{
		{
			name: "a message", method: "POST", path: lobby + "/messages", auth: ada, body: `{"text":"one **b**"}`,
			status: 201, want: `"seq":1,.*"kind":"message"`, heard: `"seq":1,.*"kind":"message",.*"html":`,
		},
		{
			name: "its edit", method: "PATCH", path: one, auth: ada, body: `{"text":"two @Grace","nonce":"n1"}`,
			status: 200, want: `^{"room":"lobby","seq":2,"at":"[^"]+","kind":"edit"}\n$`,
			heard: `"seq":2,.*"kind":"edit",.*"target":1,"text":"two @Grace"}$`,
		},
		{
			name: "its edit again", method: "PATCH", path: one, auth: ada, body: `{"text":"two @Grace","nonce":"n1"}`,
			status: 200, want: `"seq":2,`,
		},
		{
			name: "the same text", method: "PATCH", path: one, auth: ada, body: `{"text":"two @Grace"}`, status: 200,
			want: `"seq":2,`,
		},
		{
			name: "another's edit", method: "PATCH", path: one, auth: grace, body: `{"text":"mine"}`, status: 403,
			want: `"not_yours"`,
		},
		{
			name: "nobody's edit", method: "PATCH", path: one, body: `{"text":"mine"}`, status: 401,
			want: `"bad_session"`,
		},
		{
			name: "an unknown session's", method: "PATCH", path: one, auth: "Bearer nobody", body: `{"text":"mine"}`,
			status: 401, want: `"bad_session"`,
		},
		{
			name: "an edit to nothing", method: "PATCH", path: one, auth: ada, body: `{"text":" "}`, status: 400,
			want: `"bad_text"`,
		},
		{
			name: "an edit without a text", method: "PATCH", path: one, auth: ada, body: `{}`, status: 400,
			want: `"bad_text"`,
		},
		{
			name: "an edit too long", method: "PATCH", path: one, auth: ada,
			body: `{"text":"` + strings.Repeat("x", 101) + `"}`, status: 422, want: `"too_long"`,
		},
		{
			name: "an edit of no message", method: "PATCH", path: lobby + "/messages/99", auth: ada,
			body: `{"text":"x"}`, status: 404, want: `"not_found"`,
		},
		{
			name: "an edit of an edit", method: "PATCH", path: lobby + "/messages/2", auth: ada, body: `{"text":"x"}`,
			status: 404, want: `"not_found"`,
		},
		{
			name: "an edit in an empty room", method: "PATCH", path: "/api/rooms/attic/messages/1", auth: ada,
			body: `{"text":"x"}`, status: 404, want: `"not_found"`,
		},
		{
			name: "a text as a number", method: "PATCH", path: one, auth: ada, body: `{"text":1}`, status: 400,
			want: `"invalid_json"`,
		},

		{
			name: "a reaction", method: "PUT", path: one + thumb, auth: grace, status: 200,
			want:  `"seq":3,.*"kind":"react"`,
			heard: `"seq":3,.*"kind":"react",.*"name":"Grace"},"target":1,"emoji":"👍"}$`,
		},
		{
			name: "the same reaction", method: "PUT", path: one + thumb, auth: grace, status: 200,
			want: `"seq":3,.*"kind":"react"`,
		},
		{
			name: "another's reaction", method: "PUT", path: one + thumb, auth: ada, status: 200, want: `"seq":4,`,
			heard: `"seq":4,.*"kind":"react"`,
		},
		{
			name: "a reaction taken back", method: "DELETE", path: one + thumb, auth: ada, status: 200,
			want: `"seq":5,.*"kind":"unreact"`, heard: `"seq":5,.*"kind":"unreact",.*"emoji":"👍"}$`,
		},
		{
			name: "and again", method: "DELETE", path: one + thumb, auth: ada, status: 200,
			want: `"seq":5,.*"kind":"unreact"`,
		},
		{
			name: "a reaction in words", method: "PUT", path: one + "/reactions/ok", auth: ada, status: 400,
			want: `"bad_text"`,
		},
		{
			name: "a reaction as markup", method: "PUT", path: one + "/reactions/%3Cb%3E", auth: ada, status: 400,
			want: `"bad_text"`,
		},
		{
			name: "a reaction that is no text", method: "PUT", path: one + "/reactions/%ff", auth: ada, status: 400,
			want: `"bad_text"`,
		},
		{name: "nobody's reaction", method: "PUT", path: one + thumb, status: 401, want: `"bad_session"`},

		{
			name: "an answer", method: "POST", path: lobby + "/messages", auth: grace,
			body: `{"text":"so?","reply_to":1}`, status: 201, want: `"seq":6,`,
			heard: `"text":"so\?","reply_to":1,"quote":{"from":{[^}]*"name":"Ada"},"text":"two @Grace"}}$`,
		},
		{
			name: "an answer to nothing", method: "POST", path: lobby + "/messages", auth: grace,
			body: `{"text":"so?","reply_to":99}`, status: 404, want: `"not_found"`,
		},
		{
			name: "a reply", method: "POST", path: lobby + "/messages", auth: grace,
			body: `{"text":"in a thread","thread":1}`, status: 201, want: `"seq":7,.*"kind":"reply"`,
			heard: `"seq":7,.*"kind":"reply",.*"thread":1,"text":"in a thread"}$`,
		},
		{
			name: "an echo in the reply's thread", method: "POST", path: lobby + "/messages", auth: ada,
			body: `{"text":"and here","thread":7,"echo":true}`, status: 201, want: `"seq":8,.*"kind":"message"`,
			heard: `"seq":8,.*"kind":"message",.*"thread":1,"text":"and here"}$`,
		},
		{
			name: "a thread before the first", method: "POST", path: lobby + "/messages", auth: ada,
			body: `{"text":"x","thread":-1,"echo":true}`, status: 404, want: `"not_found"`,
		},

		{
			name: "a pin", method: "PUT", path: lobby + "/pins/6", auth: grace, status: 200,
			want: `"seq":9,.*"kind":"pin"`, heard: `"kind":"pin",.*"target":6}$`,
		},
		{
			name: "another pin", method: "PUT", path: lobby + "/pins/1", auth: ada, status: 200, want: `"seq":10,`,
			heard: `"kind":"pin",.*"target":1}$`,
		},
		{
			name: "the pins", path: lobby + "/pins", status: 200,
			want: `^{"room":"lobby","seq":10,"messages":\[{"seq":1,.*"pinned":true},{"seq":6,.*"pinned":true}\]}\n$`,
		},
		{
			name: "a pin taken away", method: "DELETE", path: lobby + "/pins/6", auth: ada, status: 200,
			want: `"seq":11,.*"kind":"unpin"`, heard: `"kind":"unpin",.*"target":6}$`,
		},
		{
			name: "a pin of no message", method: "PUT", path: lobby + "/pins/99", auth: ada, status: 404,
			want: `"not_found"`,
		},
		{
			name: "a topic", method: "PUT", path: lobby + "/topic", auth: ada,
			body: `{"text":" ships\n& <b>boats</b>"}`, status: 200, want: `"seq":12,.*"kind":"topic"`,
			heard: `"kind":"topic",.*"text":"ships & <b>boats</b>"}$`,
		},
		{
			name: "a topic too long", method: "PUT", path: lobby + "/topic", auth: ada,
			body: `{"text":"` + strings.Repeat("x", 251) + `"}`, status: 422, want: `"too_long"`,
		},
		{
			name: "no topic, by a slash", method: "POST", path: lobby + "/messages", auth: ada,
			body: `{"text":"/topic"}`, status: 201, want: `"seq":13,.*"kind":"topic"`,
			heard: `"kind":"topic",.*"text":""}$`,
		},

		{
			name:   "the message now",
			path:   one,
			status: 200,
			want: `^{"room":"lobby","message":{"seq":1,.*"text":"two @Grace","edited":{"seq":2,"at":"[^"]+"},` +
				`"reactions":\[{"emoji":"👍","count":1,"people":\[{[^}]*"name":"Grace"}\]}\],"replies":{"count":2,` +
				`"seq":8,"at":"[^"]+","from":{[^}]*"name":"Ada"}},"pinned":true},"versions":\[{"seq":1,"at":"[^"]+",` +
				`"text":"one \*\*b\*\*","html":"[^"]+"},{"seq":2,"at":"[^"]+","text":"two @Grace"}\]}\n$`,
		},
		{
			name: "its thread", path: one + "/replies", status: 200,
			want: `^{"room":"lobby","seq":13,"at":"[^"]+","epoch":"\w+","more":false,.*"root":{"seq":1,` +
				`.*"messages":\[{"seq":7,.*"thread":1,.*},{"seq":8,.*"thread":1,.*}\]}\n$`,
		},
		{
			name: "its thread's newest", path: one + "/replies?limit=1", status: 200,
			want: `"more":true,.*"root":{.*"messages":\[{"seq":8,[^\]]*}\]}\n$`,
		},
		{
			name: "its thread after", path: one + "/replies?after=7", status: 200,
			want: `"more":false,.*"root":{.*"messages":\[{"seq":8,[^\]]*}\]}\n$`,
		},
		{name: "a thread of no message", path: lobby + "/messages/99/replies", status: 404, want: `"not_found"`},
		{name: "a thread of an edit", path: lobby + "/messages/2/replies", status: 404, want: `"not_found"`},
		{
			name: "the room's talk", path: lobby + "/messages", status: 200,
			want: `"seq":13,.*"messages":\[{"seq":1,.*{"seq":6,.*"quote":{.*{"seq":8,`,
		},
		{
			name: "around", path: lobby + "/messages?around=6&limit=1", status: 200,
			want: `"more":true,"more_after":true,"messages":\[{"seq":6,`,
		},
		{
			name: "since long ago", path: lobby + "/messages?since=1999-12-31T23:59:59.5Z&limit=2", status: 200,
			want: `"more":true,.*"messages":\[{"seq":1,.*{"seq":6,[^]]*\]}\n$`,
		},
		{
			name: "since the zero time", path: lobby + "/messages?since=0001-01-01T00:00:00Z&limit=1", status: 200,
			want: `"more":true,.*"messages":\[{"seq":1,`,
		},
		{
			name: "since no time", path: lobby + "/messages?since=&limit=1", status: 200,
			want: `"more":true,.*"messages":\[{"seq":8,`,
		},
		{
			name: "since later", path: lobby + "/messages?since=2999-01-01T00:00:00%2B01:00", status: 200,
			want: `"more":false,.*"messages":\[\]}\n$`,
		},

		{
			name: "a forward", method: "POST", path: "/api/rooms/attic/messages", auth: grace,
			body: `{"forward":{"room":"Lobby","seq":1}}`, status: 201, want: `"room":"attic","seq":1,`,
		},
		{
			name: "in the other room", path: "/api/rooms/attic/messages", status: 200,
			want: `"name":"Grace"},"text":"two @Grace","forward":{"from":{[^}]*"name":"Ada"},"at":"[^"]+"}`,
		},
		{
			name: "a forward edited", method: "PATCH", path: "/api/rooms/attic/messages/1", auth: grace,
			body: `{"text":"x"}`, status: 403, want: `"not_yours"`,
		},
		{
			name: "a forward of no room", method: "POST", path: "/api/rooms/attic/messages", auth: ada,
			body: `{"forward":{"room":"?","seq":1}}`, status: 400, want: `"bad_room"`,
		},
		{
			name: "of an unknown room", method: "POST", path: "/api/rooms/attic/messages", auth: ada,
			body: `{"forward":{"room":"nowhere","seq":1}}`, status: 404, want: `"not_found"`,
		},
		{
			name: "of a change", method: "POST", path: "/api/rooms/attic/messages", auth: ada,
			body: `{"forward":{"room":"lobby","seq":2}}`, status: 404, want: `"not_found"`,
		},
		{
			name: "of another room's by its number", method: "POST", path: "/api/rooms/attic/messages", auth: ada,
			body: fmt.Sprintf(`{"forward":{"room":"nowhere","seq":%d}}`, 1<<36|1), status: 404, want: `"not_found"`,
		},

		{name: "another's deletion", method: "DELETE", path: one, auth: grace, status: 403, want: `"not_yours"`},
		{name: "nobody's deletion", method: "DELETE", path: one, status: 401, want: `"bad_session"`},
		{
			name: "a deletion", method: "DELETE", path: one, auth: ada, status: 200, want: `"seq":14,.*"kind":"delete"`,
			heard: `"seq":14,.*"kind":"delete",.*"target":1}$`,
		},
		{name: "and again", method: "DELETE", path: one, auth: ada, status: 200, want: `"seq":14,.*"kind":"delete"`},
		{
			name: "an edit of what is gone", method: "PATCH", path: one, auth: ada, body: `{"text":"back"}`,
			status: 410, want: `"gone"`,
		},
		{name: "a reaction to what is gone", method: "PUT", path: one + thumb, auth: ada, status: 410, want: `"gone"`},
		{name: "a pin of what is gone", method: "PUT", path: lobby + "/pins/1", auth: ada, status: 410, want: `"gone"`},
		{
			name: "a forward of what is gone", method: "POST", path: "/api/rooms/attic/messages", auth: ada,
			body: `{"forward":{"room":"lobby","seq":1}}`, status: 410, want: `"gone"`,
		},
		{
			name: "the message that is gone", path: one, status: 200,
			want: `"message":{"seq":1,[^{]*"from":{[^}]*},"text":"","gone":true,` +
				`"replies":{[^}]*}}},"versions":\[\]}\n$`,
		},
		{name: "no pins", path: lobby + "/pins", status: 200, want: `"messages":\[\]`},
		{
			name: "the answer to it", path: lobby + "/messages/6", status: 200,
			want: `"text":"so\?","reply_to":1},"versions"`,
		},

		{name: "a number in words", path: lobby + "/messages/one", status: 400, want: `"bad_request"`},
		{name: "number 0", path: lobby + "/messages/0", status: 400, want: `"bad_request"`},
		{
			name: "less than that", method: "DELETE", path: lobby + "/messages/-1", auth: ada, status: 400,
			want: `"bad_request"`,
		},
		{name: "more than all", path: lobby + "/messages/99999999999999999999", status: 400, want: `"bad_request"`},
		{
			name: "more than a room holds", path: fmt.Sprint(lobby, "/messages/", 1<<62), status: 404,
			want: `"not_found"`,
		},
		{
			name: "another room's by its number", path: fmt.Sprint("/api/rooms/nowhere/messages/", 1<<36|6),
			status: 404, want: `"not_found"`,
		},
		{
			name: "another's by its number, from a room that is",
			path: fmt.Sprint("/api/rooms/attic/messages/", 1<<36|6), status: 404, want: `"not_found"`,
		},
		{
			name: "commands", path: "/api/commands", status: 200,
			want: `^{"commands":\[{"name":"me","args":"[^"]+","help":"[^"]+","by":"server"}`,
		},
	}
	for _, st := range steps {
		t.Run(st.name, func(t *testing.T) {
			var header []string
			if st.auth != "" {
				header = []string{"Authorization", st.auth}
			}
			a := ts.ask(t, cmp.Or(st.method, http.MethodGet), st.path, st.body, header...)
			if a.StatusCode != st.status {
				t.Errorf("status %d, want %d", a.StatusCode, st.status)
			}
			if !regexp.MustCompile(st.want).MatchString(a.body) {
				t.Errorf("body %s\nwant %s", a.body, st.want)
			}
			if st.heard != "" {
				if got := listener.eventBytes(); !regexp.MustCompile(st.heard).Match(got) {
					t.Errorf("heard %s\nwant %s", got, st.heard)
				}
			}
		})
	}
	wantLog(t, ts, 14)
}

// eventBytes returns the next event that has a seq, as it came.
func (c *talker) eventBytes() []byte {
	c.t.Helper()
	for {
		f := c.frame()
		if f.Header.OpCode == ws.OpText && strings.HasPrefix(string(f.Payload), `{"op":"event"`) {
			return f.Payload
		}
	}
}

// wantLog fails unless the lobby's log has as many events, without a hole.
func wantLog(t *testing.T, ts *testServer, head int) {
	t.Helper()
	l := decode[logBody](t, ts.ask(t, http.MethodGet, "/api/rooms/lobby/log?limit=200", ""))
	if int(l.Seq) != head || len(l.Events) != head {
		t.Errorf("%d events, newest %d, want %d", len(l.Events), l.Seq, head)
	}
	for i, raw := range l.Events {
		var e struct{ Seq int }
		if err := json.Unmarshal(raw, &e); err != nil || e.Seq != i+1 {
			t.Errorf("event %d: %.200s", i+1, raw)
		}
	}
}

// A page from elsewhere may change nothing with the cookie that a browser sends
// along.
func TestPagesFromElsewhereChangeNothing(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	cookie := []string{"Cookie", cookieOf(ts) + "=" + ts.guest(t, "Ada").Session}
	ts.ask(t, http.MethodPost, "/api/rooms/lobby/messages", `{"text":"one"}`, cookie...)
	for _, c := range [][]string{
		{"PATCH", "/messages/1", `{"text":"theirs"}`},
		{"PUT", "/topic", `{"text":"theirs"}`},
		{"PUT", "/messages/1/reactions/%F0%9F%91%8D", ""},
		{"PUT", "/pins/1", ""},
		{"DELETE", "/messages/1/reactions/%F0%9F%91%8D", ""},
		{"DELETE", "/pins/1", ""},
		{"DELETE", "/messages/1", ""},
	} {
		for _, header := range [][]string{
			{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Origin", "null"},
		} {
			a := ts.ask(t, c[0], "/api/rooms/lobby"+c[1], c[2], append(header, cookie...)...)
			p := decode[httpdoor.Problem](t, a)
			if a.StatusCode != http.StatusForbidden || p.Code != chat.ForbiddenOrigin {
				t.Errorf("%s %s from %s: %d %s", c[0], c[1], header[1], a.StatusCode, p.Code)
			}
		}
	}
	wantLog(t, ts, 1)
	for i, c := range [][]string{{"PATCH", "/messages/1", `{"text":"ours"}`}, {"DELETE", "/messages/1", ""}} {
		if a := ts.ask(t, c[0], "/api/rooms/lobby"+c[1], c[2],
			append([]string{"Origin", ts.url}, cookie...)...); a.StatusCode != http.StatusOK {
			t.Errorf("%d: %s %s", i, a.Status, a.body)
		}
	}
}

// Two people on /ws: what each command is answered with, and what both then hear.
func TestChangesOnWSAreAnsweredAndHeard(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{MessageLength: chat.MaxText})
	ada, grace := ts.hello(t, "Ada"), ts.hello(t, "Grace")
	for _, c := range []*talker{ada, grace} {
		c.ask(`"op":"join","room":"lobby"`)
	}
	steps := []struct {
		by    *talker
		cmd   string
		want  string // of the answer: its seq and kind, or its code
		heard string // a part of the event
	}{
		{ada, `"op":"send","text":"one"`, "1 ", `"kind":"message"`},
		{
			ada, `"op":"edit","seq":1,"text":"**two**"`, "2 edit",
			`"target":1,"text":"**two**","html":"<p><strong>two</strong></p>"}`,
		},
		{ada, `"op":"edit","seq":1,"text":"**two**"`, "2 edit", ""},
		{grace, `"op":"edit","seq":1,"text":"mine"`, "not_yours", ""},
		{grace, `"op":"react","seq":1,"emoji":"👍","nonce":"r1"`, "3 react", `"kind":"react"`},
		{grace, `"op":"react","seq":1,"emoji":"👍","nonce":"r1"`, "3 react", ""},
		{grace, `"op":"react","seq":1,"emoji":"👍"`, "3 react", ""},
		{grace, `"op":"unreact","seq":1,"emoji":"👍"`, "4 unreact", `"kind":"unreact"`},
		{grace, `"op":"pin","seq":1`, "5 pin", `"kind":"pin"`},
		{ada, `"op":"unpin","seq":1`, "6 unpin", `"kind":"unpin"`},
		{ada, `"op":"topic","seq":1,"text":"ships"`, "7 topic", `"kind":"topic","from":`},
		{grace, `"op":"send","text":"/me waves"`, "8 ", `"text":"waves","action":true}`},
		{grace, `"op":"send","text":"//me"`, "9 ", `"text":"/me"}`},
		{grace, `"op":"send","text":"/topic boats"`, "10 topic", `"text":"boats"}`},
		{grace, `"op":"send","text":"hm","reply_to":1`, "11 ", `"reply_to":1,"quote":{"from":`},
		{grace, `"op":"send","text":"hm","thread":1`, "12 reply", `"kind":"reply"`},
		{grace, `"op":"send","text":"hm","thread":12,"echo":true`, "13 ", `"thread":1,`},
		{ada, `"op":"send","text":"@grace @HERE @here"`, "14 ", `"mentions":[{"id":`},
		{
			ada, `"op":"send","forward":{"room":"lobby","seq":14},"text":"ignored"`, "15 ",
			`"text":"@grace @HERE @here","forward":{`,
		},
		{ada, `"op":"send","forward":{"room":"nowhere","seq":1}`, "not_found", ""},
		{ada, `"op":"send","forward":{"seq":1}`, "bad_room", ""},
		{ada, `"op":"send","forward":{}`, "bad_room", ""},
		{ada, `"op":"delete","seq":1,"text":"x"`, "16 delete", `"kind":"delete"`},
		{ada, `"op":"delete","seq":1`, "16 delete", ""},
		{ada, `"op":"edit","seq":1,"text":"back"`, "gone", ""},
		{ada, `"op":"react","seq":1,"emoji":"👍"`, "gone", ""},
		{ada, `"op":"edit","text":"x"`, "bad_request", ""},
		{ada, `"op":"delete","seq":-5`, "bad_request", ""},
		{ada, `"op":"delete","seq":999999999999`, "not_found", ""},
		{ada, `"op":"delete","seq":"1"`, "invalid_json", ""},
		{ada, `"op":"delete","seq":1.5`, "invalid_json", ""},
		{ada, `"op":"delete","seq":1e400`, "invalid_json", ""},
		{ada, `"op":"delete","seq":9223372036854775808`, "invalid_json", ""},
		{ada, `"op":"react","seq":8,"emoji":"` + strings.Repeat("👍", 15_000) + `"`, "bad_text", ""},
		{ada, `"op":"react","seq":8,"emoji":"<img src=x onerror=alert(1)>"`, "bad_text", ""},
		{ada, `"op":"react","seq":8`, "bad_text", ""},
		{ada, `"op":"react","seq":8,"emoji":["👍"]`, "invalid_json", ""},
		{ada, `"op":"send","text":"x","thread":-1`, "bad_request", ""},
		{ada, `"op":"send","text":"x","thread":-1,"echo":true`, "not_found", ""},
		{ada, `"op":"send","text":"x","reply_to":-1`, "not_found", ""},
		{ada, `"op":"send","forward":"lobby"`, "invalid_json", ""},
		{ada, `"op":"topic","text":"` + strings.Repeat("x", 251) + `"`, "too_long", ""},
		{ada, `"op":"send","text":"/code ` + strings.Repeat("`", 60_000) + `"`, "too_long", ""},
		{ada, `"op":"send","text":"last"`, "17 ", `"text":"last"}`},
	}
	for _, st := range steps {
		r := st.by.ask(`"room":"lobby",%s`, st.cmd)
		if got := cmp.Or(r.Code, fmt.Sprint(r.Seq, " ", r.Kind)); got != st.want {
			t.Errorf("%.80s: %q %s, want %q", st.cmd, got, r.Message, st.want)
		}
		if st.heard == "" {
			continue
		}
		// The sender's own comes behind the answer, so nobody has passed over one.
		for who, c := range map[string]*talker{"Ada": ada, "Grace": grace} {
			if got := string(c.eventBytes()); !strings.Contains(got, st.heard) {
				t.Errorf("%.80s: %s hears %.200s\nwant %s", st.cmd, who, got, st.heard)
			}
		}
	}
	wantLog(t, ts, 17)
}

// Whoever was away is given the same events as whoever was not, but for what has
// been deleted since.
func TestResumingAcrossChanges(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada := ts.hello(t, "Ada")
	for _, cmd := range []string{
		`"op":"send","text":"one"`, `"op":"send","text":"secret"`, `"op":"edit","seq":2,"text":"secret, too"`,
		`"op":"react","seq":1,"emoji":"👍"`,
		`"op":"send","text":"an answer","reply_to":2`, `"op":"edit","seq":1,"text":"one, edited"`,
		`"op":"delete","seq":2`, `"op":"topic","text":"ships"`,
	} {
		if r := ada.ask(`"room":"lobby",%s`, cmd); r.Op != "ok" {
			t.Fatalf("%s: %+v", cmd, r)
		}
	}
	want := []string{
		`"kind":"message",.*"text":"one"}$`, `"kind":"message",.*"gone":true}$`,
		`"kind":"edit",.*"target":2,"gone":true}$`, `"kind":"react",.*"emoji":"👍"}$`,
		`"text":"an answer","reply_to":2}$`, `"kind":"edit",.*"text":"one, edited"}$`, `"kind":"delete",.*"target":2}$`,
		`"kind":"topic",.*"text":"ships"}$`,
	}
	for after := range want {
		t.Run(fmt.Sprint("after ", after), func(t *testing.T) {
			c := ts.hello(t, "Grace")
			c.ask(`"op":"join","room":"lobby","after":%d`, after)
			l := ts.listen(t, fmt.Sprint("/api/rooms/lobby/events?after=", after))
			log := decode[logBody](t, ts.ask(t, http.MethodGet, fmt.Sprint("/api/rooms/lobby/log?after=", after), ""))
			for i, like := range want[after:] {
				got := c.eventBytes()
				if !regexp.MustCompile(like).Match(got) || strings.Contains(string(got), "secret") {
					t.Errorf("%s\nwant %s", got, like)
				}
				if e := l.next(); e["data"] != string(got) ||
					!strings.Contains(string(got), `"kind":"`+e["event"]+`"`) {
					t.Errorf("the stream says %v, /ws %s", e, got)
				}
				if !slices.Equal(log.Events[i], got) {
					t.Errorf("the log says %s, /ws %s", log.Events[i], got)
				}
			}
		})
	}
}

// /chatroom knows messages alone: of all else nothing is shown there, and what
// comes next is.
func TestChatroomShowsWhatIsSaid(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	line := ts.dial(t, "/chatroom/lobby")
	member := ts.hello(t, "Grace")
	member.ask(`"op":"join","room":"lobby"`)
	shown := func(want string) {
		t.Helper()
		if got := string(line.frame().Payload); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	line.send(`{"from":"Ada","message":"/me waves"}`)
	shown(`{"from":"Ada","message":"/me waves"}`)
	if got := string(member.eventBytes()); !strings.Contains(got, `"text":"waves","action":true`) {
		t.Error(got)
	}
	line.send(`{"from":"Ada","message":"/topic ships"}`) // answered by nothing that can be shown
	if got := string(member.eventBytes()); !strings.Contains(got, `"kind":"topic"`) ||
		!strings.Contains(got, `"text":"ships"`) {
		t.Error(got)
	}
	line.send(`{"from":"Ada","message":"//topic"}`)
	shown(`{"from":"Ada","message":"/topic"}`)
	line.send(`{"from":"Ada","message":"/me"}`)
	if r := line.hear(); r.Error != string(chat.BadText) {
		t.Errorf("%+v", r)
	}
	for _, cmd := range []string{
		`"op":"send","text":"in a thread","thread":1`, `"op":"react","seq":1,"emoji":"👍"`,
		`"op":"send","text":"echo","thread":1,"echo":true`,
		`"op":"edit","seq":6,"text":"edited"`, `"op":"delete","seq":6`, `"op":"pin","seq":1`,
		`"op":"send","text":"last"`,
	} {
		if r := member.ask(`"room":"lobby",%s`, cmd); r.Op != "ok" {
			t.Fatalf("%s: %+v", cmd, r)
		}
	}
	shown(`{"from":"Grace","message":"echo"}`)
	shown(`{"from":"Grace","message":"last"}`)
}

// Whatever is written in whichever field, it is text on every door, and its HTML
// is what the server made.
func TestHostileTextIsTextInEveryField(t *testing.T) {
	const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>`
	ts := startServer(t, Config{}, room.Config{})
	c := ts.hello(t, `<b>Eve`)
	quoted, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []string{
		`"op":"send","text":%s`, `"op":"send","text":%s,"reply_to":1`, `"op":"send","text":%s,"thread":1`,
		`"op":"topic","text":%s`,
		`"op":"edit","seq":2,"text":%s,"nonce":"n"`, `"op":"pin","seq":1`, `"op":"react","seq":1,"emoji":"👍"`,
		`"op":"send","forward":{"room":"lobby","seq":1}`,
	} {
		cmd = strings.ReplaceAll(cmd, "%s", string(quoted))
		if r := c.ask(`"room":"lobby",%s`, cmd); r.Op != "ok" {
			t.Fatalf("%s: %+v", cmd, r)
		}
	}
	for _, path := range []string{"/messages", "/messages/1", "/messages/1/replies", "/pins", "/log"} {
		a := ts.ask(t, http.MethodGet, "/api/rooms/lobby"+path, "")
		if kind := a.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") ||
			a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s comes as %s, %s", path, kind, a.Header.Get("X-Content-Type-Options"))
		}
		var v any
		if err := json.Unmarshal([]byte(a.body), &v); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		texts := 0
		walk(v, func(name, text string) {
			switch name {
			case "html":
				if strings.Contains(text, "<script") || strings.Contains(text, "<img") {
					t.Errorf("%s: html %q", path, text)
				}
			case "text":
				texts++
				if text != evil {
					t.Errorf("%s: text %q", path, text)
				}
			}
		})
		if texts == 0 {
			t.Errorf("%s has no text", path)
		}
	}
}

// walk calls f for each text in what JSON holds, with its field's name.
func walk(v any, f func(name, text string)) {
	switch v := v.(type) {
	case []any:
		for _, each := range v {
			walk(each, f)
		}
	case map[string]any:
		for name, each := range v {
			if text, ok := each.(string); ok {
				f(name, text)
			}
			walk(each, f)
		}
	}
}

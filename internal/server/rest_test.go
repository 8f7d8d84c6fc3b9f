package server

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// The requests are sent to one server, one after another.
func TestRESTScenario(t *testing.T) {
	ts := startServer(t, Config{FrameSize: 1000}, room.Config{MessageLength: 100})
	bearer := "Bearer " + ts.guest(t, "Ada").Session
	const lobby = "/api/rooms/lobby"
	long := strings.Repeat("x", 101)
	steps := []struct {
		name         string
		method, path string
		body         string
		auth         string
		status       int
		want         string // a regular expression for the body
	}{
		{name: "an empty room", path: lobby, status: 200, want: `^{"room":"lobby","seq":0,"count":0,"epoch":"\w+"}\n$`},
		{
			name: "no messages", path: lobby + "/messages", status: 200,
			want: `"seq":0,"epoch":"\w+","more":false,"messages":\[\]}`,
		},
		{
			name: "a message", method: "POST", path: lobby + "/messages", auth: bearer,
			body: `{"text":"one **b**","nonce":"n1"}`, status: 201,
			want: `^{"room":"lobby","seq":1,"at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","kind":"message"}\n$`,
		},
		{
			name: "its nonce again", method: "POST", path: lobby + "/messages", auth: bearer,
			body: `{"text":"one","nonce":"n1"}`, status: 200, want: `"seq":1,`,
		},
		{
			name: "a room's other name", method: "POST", path: "/api/rooms/LOBBY/messages", auth: bearer,
			body: `{"text":"two"}`, status: 201, want: `"room":"lobby","seq":2,`,
		},
		{
			name: "a new guest", method: "POST", path: lobby + "/messages",
			body: `{"name":" Grace  H ","text":"three","unknown":[1]}`, status: 201,
			want: `"seq":3,.*"session":"[\w-]{20,}"`,
		},
		{
			name: "nobody", method: "POST", path: lobby + "/messages", body: `{"text":"x"}`, status: 400,
			want: `"bad_name"`,
		},
		{
			name: "an unknown session", method: "POST", path: lobby + "/messages", auth: "Bearer nobody",
			body: `{"text":"x","name":"Eve"}`, status: 401, want: `"bad_session"`,
		},
		{
			name: "another scheme", method: "POST", path: lobby + "/messages", auth: "Basic YTpi",
			body: `{"text":"four","name":"Basic"}`, status: 201, want: `"seq":4,`,
		},

		{
			name: "all messages", path: lobby + "/messages", status: 200,
			want: `"seq":4,"at":"[^"]+","epoch":"\w+","more":false,"messages":\[{"seq":1,"at":"[^"]+",` +
				`"kind":"message","from":{"id":"\w+","name":"Ada"},"text":"one \*\*b\*\*",` +
				`"html":"<p>one <strong>b</strong></p>"},{"seq":2,.*"name":"Grace H"},"text":"three"},{"seq":4`,
		},
		{name: "the newest", path: lobby + "/messages?limit=1", status: 200, want: `"messages":\[{"seq":4,[^]]*\]`},
		{
			name: "before", path: lobby + "/messages?before=3&limit=1", status: 200,
			want: `"messages":\[{"seq":2,[^]]*}\]`,
		},
		{name: "before the first", path: lobby + "/messages?before=1", status: 200, want: `"messages":\[\]`},
		{
			name: "after", path: lobby + "/messages?after=1&limit=2", status: 200,
			want: `"messages":\[{"seq":2,.*{"seq":3,[^]]*}\]`,
		},
		{
			name: "after 0 is from the start", path: lobby + "/messages?after=0&limit=1", status: 200,
			want: `"messages":\[{"seq":1,`,
		},
		{
			name: "between", path: lobby + "/messages?after=1&before=3", status: 200,
			want: `"messages":\[{"seq":2,[^]]*}\]`,
		},
		{name: "beyond the newest", path: lobby + "/messages?after=9", status: 200, want: `"messages":\[\]`},
		{name: "the room now", path: lobby, status: 200, want: `"seq":4,`},

		{
			name: "a page too long", path: lobby + "/messages?limit=201", status: 400,
			want: `"detail":"The parameter limit: .*"code":"bad_request"`,
		},
		{name: "no number", path: lobby + "/messages?after=x", status: 400, want: `"bad_request"`},
		{
			name: "no time", path: lobby + "/messages?since=yesterday", status: 400,
			want: `"detail":"The parameter since: expected a time of RFC 3339, such as .*","code":"bad_request"`,
		},
		{name: "below zero", path: lobby + "/messages?before=-1", status: 400, want: `"bad_request"`},
		{name: "no room's name", path: "/api/rooms/%20", status: 400, want: `"bad_room"`},
		{
			name: "no room's name to write to", method: "POST", path: "/api/rooms/%3f/messages", auth: bearer,
			body: `{"text":"x"}`, status: 400, want: `"bad_room"`,
		},
		{
			name: "no text", method: "POST", path: lobby + "/messages", auth: bearer, body: `{}`, status: 400,
			want: `"bad_text"`,
		},
		{
			name: "blank text", method: "POST", path: lobby + "/messages", auth: bearer, body: `{"text":" \u200b"}`,
			status: 400, want: `"bad_text"`,
		},
		{
			name: "text too long", method: "POST", path: lobby + "/messages", auth: bearer,
			body: `{"text":"` + long + `"}`, status: 422, want: `"too_long"`,
		},
		{
			name: "bad nonce", method: "POST", path: lobby + "/messages", auth: bearer,
			body: `{"text":"x","nonce":"a b"}`, status: 400, want: `"bad_nonce"`,
		},
		{
			name: "body of the wrong type", method: "POST", path: lobby + "/messages", auth: bearer, body: `{"text":1}`,
			status: 400, want: `"detail":"The field text: .*"invalid_json"`,
		},
		{
			name: "a field twice", method: "POST", path: lobby + "/messages", auth: bearer,
			body: `{"text":"x","text":"y"}`, status: 400,
			want: `"detail":"The body: it has the field \\\"text\\\" twice in one object.".*"invalid_json"`,
		},
		{
			name: "a field in capitals", method: "POST", path: lobby + "/messages", auth: bearer, body: `{"TEXT":"x"}`,
			status: 400, want: `"bad_text"`,
		},
		{
			name: "half a surrogate pair", method: "POST", path: lobby + "/messages", auth: bearer,
			body: `{"text":"\ud800"}`, status: 400,
			want: `"detail":"The body: it has half a surrogate pair .*"invalid_json"`,
		},
		{
			name: "a large number", method: "POST", path: lobby + "/messages", auth: bearer,
			body: `{"text":"x","reply_to":9007199254740993}`, status: 400, want: `"invalid_json"`,
		},
		{
			name: "a list", method: "POST", path: lobby + "/messages", auth: bearer, body: `[]`, status: 400,
			want: `"invalid_json"`,
		},
		{
			name: "null", method: "POST", path: lobby + "/messages", auth: bearer, body: `null`, status: 400,
			want: `"invalid_json"`,
		},
		{
			name: "half an object", method: "POST", path: lobby + "/messages", auth: bearer, body: `{"text":"x"`,
			status: 400, want: `"invalid_json"`,
		},
		{
			name: "two objects", method: "POST", path: lobby + "/messages", auth: bearer, body: `{"text":"x"}{}`,
			status: 400, want: `"invalid_json"`,
		},
		{name: "no body", method: "POST", path: lobby + "/messages", auth: bearer, status: 400, want: `"invalid_json"`},
		{
			name: "broken UTF-8", method: "POST", path: lobby + "/messages", auth: bearer, body: "{\"text\":\"\xff\"}",
			status: 400, want: `"invalid_json"`,
		},
		{
			name: "a body of the very limit", method: "POST", path: lobby + "/messages", auth: bearer,
			body: pad(`{"text":""}`, 1000), status: 400, want: `"bad_text"`,
		},
		{
			name: "a body beyond it", method: "POST", path: lobby + "/messages", auth: bearer,
			body: pad(`{"text":""}`, 1001), status: 413, want: `"too_large"`,
		},
		{name: "nothing was stored of these", path: lobby, status: 200, want: `"seq":4,`},

		{name: "no such address", path: "/api/nothing", status: 404, want: `"not_found"`},
		{name: "no such address elsewhere", path: "/nothing", status: 404, want: `"not_found"`},
		{
			name: "wrong method", method: "PUT", path: lobby + "/messages", auth: bearer, body: `{}`, status: 405,
			want: `"detail":"This address takes no PUT, only GET and POST."`,
		},
		{name: "health", path: "/healthz", status: 200, want: `^{"status":"ok"}\n$`},
		{name: "readiness", path: "/readyz", status: 200, want: `^{"status":"ok"}\n$`},
		{name: "the API's front door", path: "/api/", status: 307},
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
			kind := a.Header.Get("Content-Type")
			if problem := kind == "application/problem+json"; problem != (st.status >= 400) {
				t.Errorf("status %d comes as %s", st.status, kind)
			}
		})
	}
}

// pad adds white space to a JSON text so that it has n bytes.
func pad(text string, n int) string { return text + strings.Repeat(" ", n-len(text)) }

func TestABodyThatIsNotJSONIsRefused(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	for _, kind := range []string{
		"application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x",
	} {
		a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`, "Content-Type", kind)
		if p := decode[httpdoor.Problem](t, a); a.StatusCode != http.StatusBadRequest || p.Code != chat.BadRequest {
			t.Errorf("%s: status %d, code %s", kind, a.StatusCode, p.Code)
		}
	}
	for _, kind := range []string{
		"application/json; charset=utf-8", "Application/JSON", "APPLICATION/JSON ;charset=UTF-8", "application/json;",
	} {
		if a := ts.ask(
			t, http.MethodPost, "/api/session", `{"name":"Ada"}`, "Content-Type", kind,
		); a.StatusCode != http.StatusCreated {
			t.Errorf("%s: status %d: %s", kind, a.StatusCode, a.body)
		}
	}
}

// wire.Unmarshal hides keys that have other characters.
func TestEveryFieldOfABodyHasAKeyInSmallLetters(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	document := decode[struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}](t, ts.ask(t, http.MethodGet, "/api/openapi.json", ""))
	known := regexp.MustCompile(`^[a-z0-9_]+$`)
	for name, schema := range document.Components.Schemas {
		for key := range schema.Properties {
			if !known.MatchString(key) {
				t.Errorf("%s has the field %q", name, key)
			}
		}
	}
	if len(document.Components.Schemas) == 0 {
		t.Error("no schemas")
	}
}

func TestClientThatIsTooFastIsToldHowLongToWait(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{MessageRate: 0.1, MessageBurst: 1})
	auth := []string{"Authorization", "Bearer " + ts.guest(t, "Ada").Session}
	if a := ts.ask(
		t, http.MethodPost, "/api/rooms/lobby/messages", `{"text":"one"}`, auth...,
	); a.StatusCode != http.StatusCreated {
		t.Fatalf("status %d: %s", a.StatusCode, a.body)
	}
	a := ts.ask(t, http.MethodPost, "/api/rooms/lobby/messages", `{"text":"two"}`, auth...)
	p := decode[httpdoor.Problem](t, a)
	if a.StatusCode != http.StatusTooManyRequests || p.Code != chat.RateLimited {
		t.Fatalf("status %d, code %s", a.StatusCode, p.Code)
	}
	if p.RetryAfterMS < 5_000 || p.RetryAfterMS > 10_000 {
		t.Errorf("retry_after_ms = %d, want up to 10,000", p.RetryAfterMS)
	}
	if want := fmt.Sprint((p.RetryAfterMS + 999) / 1000); a.Header.Get("Retry-After") != want {
		t.Errorf("Retry-After = %q, want %s", a.Header.Get("Retry-After"), want)
	}
}

func TestARefusedGuestLeavesNoSession(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{MessageLength: 3})
	a := ts.ask(t, http.MethodPost, "/api/rooms/lobby/messages", `{"name":"Ada","text":"too long"}`)
	if a.StatusCode != http.StatusUnprocessableEntity || strings.Contains(a.body, "session") {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
}

func TestMessagesPostedAtOnceAreAllStoredInOneOrder(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	const people, each = 8, 25
	var wg sync.WaitGroup
	for n := range people {
		session := ts.guest(t, fmt.Sprintf("P%d", n)).Session
		wg.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"text":"%d"}`, i)
				a, err := ts.try(
					t.Context(), http.MethodPost, "/api/rooms/lobby/messages", body, "Authorization", "Bearer "+session,
				)
				if err != nil || a.Response.StatusCode != http.StatusCreated {
					t.Errorf("%q is not stored: %s, %v", body, a.body, err)
					return
				}
			}
		})
	}
	wg.Wait()
	page := decode[pageBody](t, ts.ask(t, http.MethodGet, "/api/rooms/lobby/messages?after=0&limit=200", ""))
	if len(page.Messages) != people*each || page.Seq != people*each {
		t.Fatalf("%d messages, newest %d", len(page.Messages), page.Seq)
	}
	next := map[string]int{}
	for i, m := range page.Messages {
		if m.Seq != chat.Seq(i+1) {
			t.Fatalf("message %d has seq %d", i, m.Seq)
		}
		if want := fmt.Sprint(next[m.From.Name]); m.Text != want {
			t.Fatalf("%s said %s, want %s", m.From.Name, m.Text, want)
		}
		next[m.From.Name]++
	}
}
